"""Merit Aktiva, API v1: https://api.merit.ee/connecting-robots/reference-manual/"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from uku_web.vendors.base import BaseConnector
from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import VendorError
from uku_web.vendors.merit import catalog, faults, invoices, payments, signing, statistics
from uku_web.vendors.merit.spec import SPEC
from uku_web.vendors.records import (
    Account,
    Count,
    Forecast,
    Found,
    Invoice,
    Month,
    Paid,
    Product,
    Step,
    Target,
    TaxRate,
    Tested,
)


class Connector(BaseConnector):
    spec = SPEC

    def prepare(self, call: Call, now: datetime) -> Call:
        return replace(call, query_text=signing.sign(call.body or b"", self.credentials, now))

    def explain(self, answer: Answer) -> VendorError | None:
        return faults.explain(answer)

    def test(self) -> Tested:
        """Merit tells no company name. The API ID stands for the company, each country has its own."""
        catalog.tax_rates(self.send(catalog.TAXES))
        account_id = f"{self.country}:{self.credentials['api_id'].lower()}"
        return Tested(Account(id=account_id, country=self.country.upper()))

    def tax_rates(self) -> Iterator[TaxRate]:
        yield from catalog.tax_rates(self.send(catalog.TAXES))

    def products(self) -> Iterator[Product]:
        items, taxes = self.send_all([catalog.ITEMS, catalog.TAXES])
        yield from catalog.products(items, taxes)

    def statistics(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Iterator[Count]:
        if targets:
            yield from statistics.counts(self.send_all, targets, list(fields), months)

    def forecast(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Forecast:
        return Forecast(statistics.requests(fields, months) if targets else 0)

    def send_invoice(self, invoice: Invoice, done: Mapping[str, Mapping[str, str]], *, key: str) -> Iterator[Step]:
        """`product` of a row is an item's code; `tax_code` a rate's id or code. Merit remembers no key of ours."""
        if "invoice" in done:
            return
        item_code = self.options.get("item_code", "")
        call = invoices.create_call(invoice, self.rates, self.country, item_code)
        yield invoices.created(self.send(call), invoice)

    def find_invoice(self, invoice: Invoice) -> list[Found]:
        return invoices.found(self.send(invoices.find_call(invoice)), invoice)

    def payments(self, invoices: Sequence[Mapping[str, str]], since: date | None = None) -> Iterator[Paid]:
        """`since` changes nothing: what is paid is read from the invoices themselves."""
        yield from payments.paid(self.send, self.send_all, invoices)

    @property
    def country(self) -> str:
        return self.credentials["country"]

    @cached_property
    def rates(self) -> list[TaxRate]:
        """Read once for all invoices of a run."""
        return list(self.tax_rates())
