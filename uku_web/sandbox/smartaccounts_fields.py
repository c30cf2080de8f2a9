"""How SmartAccounts reads a request: days and moments in Estonian time, closed sets of names, its two-stage errors."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any
from zoneinfo import ZoneInfo

from flask import Response

from .json_text import dumps

ZONE = ZoneInfo("Europe/Tallinn")
SIGNING = ("timestamp", "apikey", "signature")
EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


class Refused(Exception):
    """Ends the request with this answer."""

    def __init__(self, response: Response):
        super().__init__(response.status)
        self.response = response


def refusal(status: int, *errors: tuple[str, str]) -> Refused:
    """The property names of an error are not published; these are ours."""
    body = {"errors": [{"key": key, "message": message} for key, message in errors]}
    return Refused(Response(dumps(body), status, content_type="application/json; charset=utf-8"))


def bad(key: str, message: str) -> Refused:
    """The first stage of validation: stops at the first fault, always in English."""
    return refusal(400, (key, message))


def unavailable(message: str, retry_after: int | None = None) -> Refused:
    response = Response(message, 503, content_type="text/plain; charset=utf-8")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    return Refused(response)


class Rules:
    """The second stage: gathers every broken rule, worded in the language of the address."""

    def __init__(self, language: str):
        self._language, self._broken = language, []

    def broken(self, key: str, english: str, estonian: str) -> None:
        self._broken.append((key, english if self._language == "en" else estonian))

    def hold(self) -> None:
        if self._broken:
            raise refusal(400, *self._broken)


# Query


def check_query(query: Mapping[str, str], known: Iterable[str]) -> None:
    """A name that the service does not know is refused, so a misspelt filter cannot pass for none."""
    for name in query:
        if name not in known and name not in SIGNING:
            raise bad("UNKNOWN-PARAMETER", f"Unknown parameter {name}")


def page_number(query: Mapping[str, str]) -> int:
    text = query.get("pageNumber", "1")
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise bad("INVALID-PAGE-NUMBER", "pageNumber must be a number from 1")
    return int(text)


def flag(query: Mapping[str, str], name: str) -> bool:
    return choice(query, name, ("true", "false")) == "true"


def choice(query: Mapping[str, str], name: str, known: tuple[str, ...]) -> str | None:
    value = query.get(name)
    if value is not None and value not in known:
        raise bad("INVALID-PARAMETER", f"{name} must be one of {', '.join(known)}")
    return value


def days(query: Mapping[str, str]) -> tuple[date, date]:
    start, end = (query.get(name) for name in ("dateFrom", "dateTo"))
    return day(start, "dateFrom") if start else EVER[0].date(), day(end, "dateTo") if end else EVER[1].date()


def moments(query: Mapping[str, str], first: str, last: str) -> tuple[datetime, datetime]:
    start, end = query.get(first), query.get(last)
    return _moment(start, first, time.min) if start else EVER[0], _moment(end, last, time.max) if end else EVER[1]


def day(text: Any, name: str) -> date:
    """`dd.MM.yyyy`, the books' local date."""
    found = _parsed(text, "%d.%m.%Y", 10)
    if found is None:
        raise bad("INVALID-DATE", f"{name}: wrong date format, dd.MM.yyyy expected")
    return found.date()


def _moment(text: str, name: str, otherwise: time) -> datetime:
    found = _parsed(text, "%d.%m.%Y_%H:%M:%S", 19)
    local = found if found else datetime.combine(day(text, name), otherwise)
    return local.replace(tzinfo=ZONE)


def _parsed(text: Any, form: str, length: int) -> datetime | None:
    if not isinstance(text, str) or len(text) != length or not text.isascii():
        return None
    try:
        return datetime.strptime(text, form)  # noqa: DTZ007 local; the caller adds the zone
    except ValueError:
        return None


def stamp_moments(text: str) -> list[datetime]:
    """What a `ddMMyyyyHHmmss` stamp may mean: two moments in the hour that summer time repeats."""
    found = _parsed(text, "%d%m%Y%H%M%S", 14) if text.isdigit() else None
    return [found.replace(tzinfo=ZONE, fold=fold).astimezone(UTC) for fold in (0, 1)] if found else []


def is_fresh(stamp: str, now: datetime, window: timedelta) -> bool:
    return any(abs(now - moment) <= window for moment in stamp_moments(stamp))


# Body


def read_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw.decode("utf-8"), parse_float=Decimal)
    except ValueError as error:
        raise bad("BODY-READ-ERROR", "Could not read the request body") from error
    if not isinstance(body, dict):
        raise bad("BODY-READ-ERROR", "Could not read the request body")
    return body


def check_names(body: dict, known: Iterable[str], where: str = "") -> None:
    for name in body:
        if name not in known:
            raise bad("UNKNOWN-PROPERTY", f"Unknown property {where}{name}")


def required(body: dict, *names: str, where: str = "") -> None:
    for name in names:
        if body.get(name) in (None, "", []):
            raise bad("MISSING-PROPERTY", f"Property {where}{name} is required")


def text(body: dict, name: str) -> str:
    value = body.get(name)
    if value is not None and not isinstance(value, str):
        raise bad("INVALID-PROPERTY", f"{name} must be text")
    return value or ""


def number(body: dict, name: str, default: Decimal | None = None) -> Decimal | None:
    """A JSON number; text is refused."""
    value = body.get(name)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise bad("INVALID-PROPERTY", f"{name} must be a number")
    return _finite(value, name)


def _finite(value: int | Decimal, name: str) -> Decimal:
    try:
        found = Decimal(value)
    except InvalidOperation as error:
        raise bad("INVALID-PROPERTY", f"{name} must be a number") from error
    if not found.is_finite():
        raise bad("INVALID-PROPERTY", f"{name} must be a number")
    return found


def body_day(body: dict, name: str) -> date | None:
    return day(body[name], name) if body.get(name) not in (None, "") else None
