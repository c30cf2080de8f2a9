"""What stands in a company's books. Money is Decimal; dates are the books' own local dates."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from functools import cached_property

CENT = Decimal("0.01")
ZERO = Decimal("0.00")


def money(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


@dataclass(frozen=True)
class Tax:
    """`use` tells standard, reduced and other rates apart; a rate with `until` in the past is inactive."""

    id: str
    code: str
    name: str
    name_en: str
    percent: Decimal
    use: str
    since: date
    until: date | None

    def valid_on(self, day: date) -> bool:
        return self.since <= day and (self.until is None or day <= self.until)


@dataclass(frozen=True)
class Item:
    """`kind` 1 stock, 2 service, 3 item; `usage` 1 sales, 2 purchase, 3 both, 4 inactive."""

    id: str
    code: str
    name: str
    unit: str
    kind: int
    usage: int
    price: Decimal
    tax_use: str
    changed: datetime | None = None


@dataclass(frozen=True)
class Party:
    """A customer or a vendor."""

    id: str
    name: str
    reg_no: str
    vat_no: str
    country: str
    changed: datetime
    email: str = ""
    phone: str = ""
    contact: str = ""
    address: str = ""
    city: str = ""
    county: str = ""
    postal_code: str = ""
    currency: str = ""
    payment_days: int = 14
    private: bool = False
    tax_code: str = ""
    comment: str = ""

    def with_changes(self, changed: datetime, **fields) -> "Party":
        return replace(self, changed=changed, **fields)


@dataclass(frozen=True)
class Row:
    code: str
    description: str
    unit: str
    quantity: Decimal
    price: Decimal
    tax: Tax
    net: Decimal
    account: str
    discount_percent: Decimal = ZERO
    discount: Decimal = ZERO

    @property
    def vat(self) -> Decimal:
        return money(self.net * self.tax.percent / 100)


@dataclass(frozen=True)
class Payment:
    """`direction` 1 from customers, 2 to vendors, 3 other income, 4 other expense.

    `made` is when it was written, for one that was not generated; `against` names the account it settles, where that
    does not follow from the direction.
    """

    id: str
    number: str
    date: date
    amount: Decimal
    direction: int
    currency: str
    rate: Decimal
    party: Party | None
    invoice_id: str | None
    invoice_number: str
    invoice_total: Decimal
    method: str
    made: datetime | None = None
    against: str = ""


@dataclass
class Invoice:
    """A sales invoice or a purchase bill. `planned` payments count once their day has come."""

    id: str
    sale: bool
    number: str
    batch_no: int
    date: date
    due: date
    party: Party
    currency: str
    rate: Decimal
    rows: tuple[Row, ...]
    changed: datetime
    rounding: Decimal = ZERO
    reference: str = ""
    author: str = ""
    header_comment: str | None = None
    footer_comment: str | None = None
    contract: str | None = None
    attachment: str | None = None
    planned: tuple[Payment, ...] = ()
    transaction_date: date | None = None
    comment: str | None = None
    credits: str | None = None  # the id of the invoice that this one takes back
    made: datetime | None = None  # when it was written, for one that was not generated

    @cached_property
    def net(self) -> Decimal:
        return sum((row.net for row in self.rows), ZERO)

    @cached_property
    def vat_by_tax(self) -> dict[Tax, Decimal]:
        nets: dict[Tax, Decimal] = {}
        for row in self.rows:
            nets[row.tax] = nets.get(row.tax, ZERO) + row.net
        return {tax: money(net * tax.percent / 100) for tax, net in nets.items()}

    @cached_property
    def vat(self) -> Decimal:
        return sum(self.vat_by_tax.values(), ZERO)

    @property
    def gross(self) -> Decimal:
        return self.net + self.vat + self.rounding


@dataclass(frozen=True)
class Entry:
    """Amounts in the books' currency; the `_cur` ones in the document's. `tax_id` None, all zeros, or a real one."""

    account: str
    name: str
    memo: str
    debit: Decimal = ZERO
    credit: Decimal = ZERO
    debit_cur: Decimal = ZERO
    credit_cur: Decimal = ZERO
    tax_id: str | None = None
    tax_percent: Decimal | None = None


@dataclass(frozen=True)
class Batch:
    id: str
    code: str
    number: int
    document: str
    date: date
    currency: str
    rate: Decimal
    total: Decimal
    doc_id: str | None
    changed: datetime
    entries: tuple[Entry, ...]
