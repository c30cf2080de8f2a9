"""Its connector: steady numbers, scripted troubles, no requests."""

from collections.abc import Iterator
from decimal import Decimal

from tests.fake_vendor.spec import SPEC
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.records import Account, Count, Forecast, Tested


class Connector(BaseConnector):
    """Counts 10 documents and 20 entries each month; `script` may hold errors to raise after so many counts."""

    spec = SPEC
    asked: list = []
    script: list = []  # (counts before it, error)
    numbers = {"documents": Decimal(10), "entries": Decimal(20)}

    def test(self) -> Tested:
        return Tested(Account(self.credentials["key"], "Books Ltd"))

    def forecast(self, targets, fields, months) -> Forecast:
        return Forecast(len(months))

    def statistics(self, targets, fields, months) -> Iterator[Count]:
        type(self).asked.append(([target.key for target in targets], sorted(fields), list(months)))
        given = 0
        for month in months:
            for target in targets:
                for field in sorted(fields):
                    if type(self).script and type(self).script[0][0] == given:
                        raise type(self).script.pop(0)[1]
                    value = self.numbers[field]
                    yield Count(target.key, month, field, value, "" if value is not None else "It is not known.")
                    given += 1
