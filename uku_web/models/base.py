"""Column types: times are aware, money is Decimal, on every database."""

from datetime import UTC, datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import BigInteger, DateTime
from sqlalchemy.types import TypeDecorator


class UtcTime(TypeDecorator):
    """Aware datetimes. Stored in UTC; SQLite keeps no zone, so it is put back on the way out."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, _dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, _dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator):
    """Decimal with four places, stored as a whole number of ten-thousandths: exact and summable also in SQLite,
    which knows no decimals."""

    impl = BigInteger
    cache_ok = True
    scale = Decimal(10_000)

    def process_bind_param(self, value: Decimal | int | None, _dialect) -> int | None:
        if value is None:
            return None
        if isinstance(value, float):
            raise TypeError("a float where an exact number belongs")
        return int((Decimal(value) * self.scale).to_integral_value(ROUND_HALF_UP))

    def process_result_value(self, value: int | None, _dialect) -> Decimal | None:
        if value is None:
            return None
        return (Decimal(value) / self.scale).normalize() + 0
