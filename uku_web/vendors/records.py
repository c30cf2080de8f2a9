"""What connectors take and give: plain values. Money is Decimal, dates are dates, times are aware."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import total_ordering


@total_ordering
@dataclass(frozen=True)
class Month:
    """A calendar month."""

    year: int
    month: int

    @classmethod
    def of(cls, day: date) -> "Month":
        return cls(day.year, day.month)

    @classmethod
    def parse(cls, text: str) -> "Month":
        """From "2026-03". Raises ValueError."""
        year, month = text.split("-")
        return cls.of(date(int(year), int(month), 1))

    @property
    def first(self) -> date:
        return date(self.year, self.month, 1)

    @property
    def last(self) -> date:
        return self.shift(1).first - timedelta(days=1)

    def shift(self, months: int) -> "Month":
        index = self.year * 12 + self.month - 1 + months
        return Month(index // 12, index % 12 + 1)

    def __str__(self) -> str:
        return f"{self.year:04d}-{self.month:02d}"

    def __lt__(self, other: "Month") -> bool:
        return (self.year, self.month) < (other.year, other.month)


def last_months(count: int, before: Month) -> list[Month]:
    """The months before the given one, oldest first."""
    return [before.shift(-back) for back in range(count, 0, -1)]


@dataclass(frozen=True)
class Account:
    """What a vendor calls company, organisation, tenant, realm, agreement or database."""

    id: str
    name: str | None = None
    currency: str | None = None
    country: str | None = None
    number: str | None = None  # what people know it by, e.g. an agreement number
    connection_id: str | None = None  # the vendor's id of our tie to it, where revocation needs one


@dataclass(frozen=True)
class Tested:
    """A passed connection test."""

    account: Account
    expires_on: date | None = None  # end of the credentials' life, where the vendor tells it
    notes: tuple[str, ...] = ()  # what works only partly, in sentences


@dataclass(frozen=True)
class Renewed:
    """Fresh short-lived credentials: an OAuth refresh or a new session."""

    credentials: Mapping[str, str]
    expires_at: datetime | None = None


@dataclass(frozen=True)
class Contact:
    name: str
    email: str | None = None
    phone: str | None = None
    role: str | None = None
    id: str | None = None


@dataclass(frozen=True)
class Address:
    kind: str = "post"
    street: str | None = None
    city: str | None = None
    postal_code: str | None = None
    region: str | None = None
    country: str | None = None


@dataclass(frozen=True)
class Customer:
    id: str
    name: str
    code: str | None = None
    register_number: str | None = None
    vat_number: str | None = None
    emails: tuple[str, ...] = ()
    phone: str | None = None
    country: str | None = None
    currency: str | None = None
    active: bool = True
    addresses: tuple[Address, ...] = ()
    contacts: tuple[Contact, ...] = ()
    version: str | None = None  # for conflict checks
    changed_at: datetime | None = None
    extra: Mapping[str, object] = field(default_factory=dict)  # what a full replace must send back


@dataclass(frozen=True)
class Product:
    id: str
    name: str
    code: str | None = None
    description: str | None = None
    unit: str | None = None
    price: Decimal | None = None
    currency: str | None = None
    tax_code: str | None = None
    tax_percent: Decimal | None = None
    active: bool = True


@dataclass(frozen=True)
class TaxRate:
    id: str
    code: str
    name: str
    percent: Decimal | None
    active: bool = True


@dataclass(frozen=True)
class Currency:
    code: str
    name: str = ""


@dataclass(frozen=True)
class Target:
    """What a link counts: the whole books (customer_id None) or one customer. `key` is the caller's own."""

    key: str
    customer_id: str | None = None


@dataclass(frozen=True)
class Count:
    """One number of one month. value None = unknown, and why says so; unknown never overwrites."""

    target: str  # the Target's key
    month: Month
    field: str
    value: Decimal | None
    why: str = ""


@dataclass(frozen=True)
class Forecast:
    """How many requests a statistics walk takes. exact False: at least so many, the books' size decides."""

    requests: int
    exact: bool = True


@dataclass(frozen=True)
class LedgerLine:
    day: date
    document: str
    due: date | None
    amount: Decimal
    remainder: Decimal | None = None
    currency: str | None = None
    balance: Decimal | None = None
    opening: bool = False


@dataclass(frozen=True)
class Paid:
    """What the vendor knows of the payment of one invoice of ours. Amounts are in the invoice's currency."""

    invoice_ref: str  # the "id" of the export's references
    total: Decimal
    paid: Decimal
    settled_without_payment: Decimal = Decimal(0)
    on: date | None = None  # last payment
    estimated: bool = False  # the date could not be read
    voided: bool = False


@dataclass(frozen=True)
class InvoiceRow:
    description: str
    quantity: Decimal
    price: Decimal  # net, per unit
    unit: str | None = None
    discount_percent: Decimal | None = None
    product: str | None = None  # the vendor's product code or id
    tax_code: str | None = None
    tax_percent: Decimal | None = None


@dataclass(frozen=True)
class InvoiceCustomer:
    name: str
    vendor_id: str | None = None
    code: str | None = None
    register_number: str | None = None
    vat_number: str | None = None
    email: str | None = None
    country: str | None = None
    address: Address | None = None
    own_id: str | None = None  # our client's id, where the vendor keeps one


@dataclass(frozen=True)
class Invoice:
    number: str
    on: date
    due: date
    currency: str
    reference: str  # ours, unique: how the invoice is found again
    customer: InvoiceCustomer
    rows: tuple[InvoiceRow, ...]
    credit_of: str | None = None  # the vendor's id of the invoice this one credits
    as_draft: bool = False
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Step:
    """One step of an export that the vendor has done, with its references. Stored before the next is begun."""

    name: str  # "customer", "draft", "order", "book", "invoice", "send"
    refs: Mapping[str, str]  # "id" is the vendor's id of the document; the rest is the vendor's own
    last: bool = False
    net: Decimal | None = None
    tax: Decimal | None = None
    total: Decimal | None = None


@dataclass(frozen=True)
class Found:
    """An invoice found at the vendor by our number or reference."""

    refs: Mapping[str, str]
    number: str
    customer_id: str | None
    customer_name: str | None
    total: Decimal | None
    step: str = "invoice"
    voided: bool = False
