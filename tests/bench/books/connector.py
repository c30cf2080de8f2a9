"""Its connector: numbers at once, so that what is measured is our own work."""

from collections.abc import Iterator
from decimal import Decimal

from tests.bench.books.spec import SPEC
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.records import Account, Count, Forecast, Tested


class Connector(BaseConnector):
    spec = SPEC

    def test(self) -> Tested:
        return Tested(Account(self.credentials["key"], "Books Ltd"))

    def forecast(self, targets, fields, months) -> Forecast:
        return Forecast(len(months))

    def statistics(self, targets, fields, months) -> Iterator[Count]:
        for month in months:
            for target in targets:
                for number, field in enumerate(sorted(fields)):
                    yield Count(target.key, month, field, Decimal(10 * number + month.month), "")
