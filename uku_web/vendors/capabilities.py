"""What a connector may be able to do, as small protocols. A class implements those it has; its spec must agree."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from uku_web.vendors.records import (
    Account,
    Count,
    Currency,
    Customer,
    Forecast,
    Found,
    Invoice,
    LedgerLine,
    Month,
    Paid,
    Product,
    Renewed,
    Step,
    Target,
    TaxRate,
    Tested,
)


@runtime_checkable
class Tests(Protocol):
    def test(self) -> Tested:
        """One cheap call that proves the credentials. Raises a VendorError that names the field to look at."""


@runtime_checkable
class ListsAccounts(Protocol):
    def accounts(self, callback: Mapping[str, str], token: Mapping[str, str]) -> list[Account]:
        """The accounts a sign-in or a key reached, to choose from."""


@runtime_checkable
class Renews(Protocol):
    def renew(self, now: datetime) -> Renewed:
        """Fresh short-lived credentials from the lasting ones: one call, never repeated by itself."""


@runtime_checkable
class Revokes(Protocol):
    def revoke(self) -> None:
        """The vendor's narrowest call that ends our access to this account."""


@runtime_checkable
class ReadsCustomers(Protocol):
    def customers(self, since: datetime | None = None) -> Iterator[Customer]:
        """All customers, or those changed since; inactive ones come with active False."""


@runtime_checkable
class PushesCustomer(Protocol):
    def push_customer(self, customer: Customer, fields: Sequence[str], *, key: str) -> Customer:
        """Create or change one customer; only the named fields. `key` makes a create safe to repeat."""


@runtime_checkable
class ReadsProducts(Protocol):
    def products(self) -> Iterator[Product]: ...


@runtime_checkable
class ReadsTaxRates(Protocol):
    def tax_rates(self) -> Iterator[TaxRate]: ...


@runtime_checkable
class ReadsCurrencies(Protocol):
    def currencies(self) -> Iterator[Currency]: ...


@runtime_checkable
class ReadsStatistics(Protocol):
    def statistics(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Iterator[Count]:
        """Counts for many targets in one walk. Each (target, month, field) comes once, when it is final;
        only what is asked for is fetched."""

    def forecast(self, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Forecast:
        """How many requests statistics() will make. Asks nobody."""


@runtime_checkable
class ReadsLedger(Protocol):
    def ledger(self, customer_id: str, since: date | None = None) -> Iterator[LedgerLine]: ...


@runtime_checkable
class SendsInvoice(Protocol):
    def send_invoice(self, invoice: Invoice, done: Mapping[str, Mapping[str, str]], *, key: str) -> Iterator[Step]:
        """The steps of one export. `done` holds the references of steps already stored, which are not repeated;
        the caller stores each yielded step before it asks for the next."""

    def find_invoice(self, invoice: Invoice) -> list[Found]:
        """Invoices at the vendor that may be this one, by our reference or number."""


@runtime_checkable
class ReadsPayments(Protocol):
    def payments(self, invoices: Sequence[Mapping[str, str]], since: date | None = None) -> Iterator[Paid]:
        """What was paid of these exported invoices (each the references stored by its export).

        "paid" beside the references, where given, is the amount known already: a vendor that needs a call for each
        invoice leaves out those that have not changed.
        """


# The name used by `uku vendor <kind> <what>`, in tests and in "what syncs" checks -> the protocol.
CAPABILITIES: dict[str, type] = {
    "test": Tests,
    "accounts": ListsAccounts,
    "renew": Renews,
    "revoke": Revokes,
    "customers": ReadsCustomers,
    "push-customer": PushesCustomer,
    "products": ReadsProducts,
    "tax-rates": ReadsTaxRates,
    "currencies": ReadsCurrencies,
    "statistics": ReadsStatistics,
    "ledger": ReadsLedger,
    "send-invoice": SendsInvoice,
    "payments": ReadsPayments,
}


def capabilities_of(connector_class: type) -> set[str]:
    """The names of what this class can do."""
    return {
        name
        for name, protocol in CAPABILITIES.items()
        if all(hasattr(connector_class, member) for member in _members(protocol))
    }


def _members(protocol: type) -> list[str]:
    return [name for name in vars(protocol) if not name.startswith("_")]
