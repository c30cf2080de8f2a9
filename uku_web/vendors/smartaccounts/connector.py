"""SmartAccounts, API 1.7. What its document leaves open is listed in this folder's __init__.py."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date, datetime
from functools import cached_property

from uku_web.vendors.base import BaseConnector
from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import VendorError
from uku_web.vendors.records import (
    Account,
    Count,
    Forecast,
    Found,
    Invoice,
    Month,
    Paid,
    Step,
    Target,
    TaxRate,
    Tested,
)
from uku_web.vendors.smartaccounts import catalog, customers, faults, invoices, payments, seller, signing, statistics
from uku_web.vendors.smartaccounts.spec import SPEC


class Connector(BaseConnector):
    spec = SPEC

    def prepare(self, call: Call, now: datetime) -> Call:
        return replace(call, query_text=signing.sign(call.query, call.body or b"", self.credentials, now))

    def explain(self, answer: Answer) -> VendorError | None:
        return faults.explain(answer)

    def test(self) -> Tested:
        """The VAT types prove the credentials. The key stands for the company, as no id is told; it is digested
        because what identifies an account is shown and logged, and a key need not be."""
        catalog.tax_rates(self.send(catalog.VAT_TYPES))
        account_id = hashlib.sha256(self.credentials["api_key"].encode()).hexdigest()[:24]
        return Tested(Account(id=account_id, name=self._company_name(), currency="EUR", country="EE"))

    def _company_name(self) -> str | None:
        """At most two more calls. Rights may be narrow and e-invoices unused: no trouble here fails the test."""
        with suppress(VendorError):
            newest = seller.newest(self.send(seller.invoices_call(self.door.now().astimezone(signing.ESTONIA).date())))
            return seller.name_in(self.send(seller.xml_call(newest)).body) if newest else None
        return None

    def tax_rates(self) -> Iterator[TaxRate]:
        yield from catalog.tax_rates(self.send(catalog.VAT_TYPES))

    def statistics(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Iterator[Count]:
        yield from statistics.counts(self.send, targets, fields, months)

    def forecast(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Forecast:
        requests = statistics.requests(fields, months) if targets else 0
        return Forecast(requests, exact=not requests)

    def send_invoice(self, invoice: Invoice, done: Mapping[str, Mapping[str, str]], *, key: str) -> Iterator[Step]:
        """`product` of a row is an article's code, `tax_code` a VAT type's. SmartAccounts remembers no key of ours.
        All that can be refused without asking is refused before a client is made."""
        if "invoice" in done:
            return
        lines = invoices.lines(invoice, self.rates, self.options.get("article_code", ""))
        client_id = invoice.customer.vendor_id or done.get("customer", {}).get("id")
        if not client_id:
            step = customers.find(self.send, invoice.customer)
            if step is None:
                step = customers.added(self.send(customers.add_call(invoice.customer, lines[0].rate.code)))
            yield step
            client_id = step.refs["id"]
        yield invoices.created(self.send(invoices.create_call(invoice, lines, client_id)), invoice)

    def find_invoice(self, invoice: Invoice) -> list[Found]:
        return invoices.find(self.send, invoice)

    def payments(self, invoices: Sequence[Mapping[str, str]], since: date | None = None) -> Iterator[Paid]:
        """`since` changes nothing: what is paid is read from the invoices themselves."""
        yield from payments.paid(self.send, invoices)

    @cached_property
    def rates(self) -> list[TaxRate]:
        """Read once for all invoices of a run."""
        return list(self.tax_rates())
