"""A company's books: documents generated month by month when asked for, plus what was written since the start."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time
from decimal import Decimal
from threading import RLock
from uuid import uuid4

from .clock import Clock
from .countries import COUNTRIES, Country
from .documents import ZERO, Batch, Invoice, Item, Party, Payment, Tax
from .generate import PAYS_WITHIN_MONTHS, Month, make_maker, month_of_guid, payment_for
from .ledger import invoice_batch, month_end_batches, payment_batch
from .recent import Recent
from .shelf import Shelf

DOCUMENTS_REMEMBERED = 15_000
POSTED_BATCHES_FROM = 90_000_000


@dataclass
class Posted:
    """What was written since the start, and the customers and items as they now are."""

    customers: dict[str, Party]
    items: dict[str, Item]
    sales: dict[str, Invoice] = field(default_factory=dict)
    payments: dict[str, list[Payment]] = field(default_factory=dict)
    deleted: dict[str, datetime] = field(default_factory=dict)
    batches: int = POSTED_BATCHES_FROM


class Books:
    """Queries take both ends inclusive and see nothing generated after the clock's today.

    What they find depends on `revision`, which every write raises, and on the day.
    """

    def __init__(
        self,
        country: str | Country,
        key: str,
        size: str,
        clock: Clock,
        shelf: Shelf | None = None,
        months: Recent | None = None,
    ):
        self.country = COUNTRIES[country] if isinstance(country, str) else country
        self._clock, self._key, self._shelf = clock, key, shelf or Shelf()
        self._maker = make_maker(self.country, key, size, clock.today())
        self._months = months or Recent(DOCUMENTS_REMEMBERED)
        self.lock = RLock()
        self.revision = 0
        self._written: Posted = self._shelf.load(key) or self._nothing_written()

    def _nothing_written(self) -> "Posted":
        customers = {party.id: party for party in self._maker.customers}
        return Posted(customers, {item.id: item for item in self._maker.items})

    def reset(self) -> None:
        with self.lock:
            self._written = self._nothing_written()
            self.revision += 1

    def _keep(self) -> None:
        self.revision += 1
        self._shelf.save(self._key, self._written)

    # What the company has set up

    def taxes(self) -> tuple[Tax, ...]:
        return self._maker.taxes

    def tax(self, tax_id: str) -> Tax | None:
        return next((tax for tax in self.taxes() if tax.id == tax_id.lower()), None)

    def items(self) -> list[Item]:
        return list(self._written.items.values())

    def add_item(self, item: Item) -> None:
        self._written.items[item.id] = item
        self._keep()

    def customers(self) -> list[Party]:
        return list(self._written.customers.values())

    def customer(self, customer_id: str) -> Party | None:
        return self._written.customers.get(customer_id.lower())

    def put_customer(self, party: Party) -> None:
        self._written.customers[party.id] = party
        self._keep()

    def open_years(self) -> tuple[date, date]:
        """Documents dated outside are refused."""
        this_year = self._clock.today().year
        return date(this_year - 1, 1, 1), date(this_year + 1, 1, 31)

    # Documents

    def sales(self, start: date, end: date) -> list[Invoice]:
        generated = self._between("sales", self._maker.sales, start, end)
        posted = [invoice for invoice in list(self._written.sales.values()) if start <= invoice.date <= end]
        gone = self._written.deleted.keys() | self._written.sales.keys()
        return [invoice for invoice in generated if invoice.id not in gone] + posted

    def posted(self) -> list[Invoice]:
        """The sales invoices written or changed since the start."""
        return list(self._written.sales.values())

    def deleted(self) -> dict[str, datetime]:
        """The ids of deleted sales invoices, and when each went."""
        return dict(self._written.deleted)

    def purchases(self, start: date, end: date) -> list[Invoice]:
        return self._between("purchases", self._maker.purchases, start, end)

    def payments(self, start: date, end: date) -> list[Payment]:
        early = first_of(Month.of(start).plus(-PAYS_WITHIN_MONTHS))
        horizon = min(end, self._clock.today())
        invoices = self.sales(early, horizon) + self.purchases(early, horizon)
        planned = (p for invoice in invoices for p in invoice.planned if start <= p.date <= horizon)
        written = (p for paid in list(self._written.payments.values()) for p in paid if start <= p.date <= end)
        return sorted([*planned, *written], key=lambda p: (p.date, p.id))

    def batches(self, start: date, end: date) -> list[Batch]:
        invoices = self.sales(start, end) + self.purchases(start, end)
        made = [invoice_batch(self.country, invoice) for invoice in invoices]
        made += self._payment_batches(start, end)
        for month in months_of(start, end):
            made += [b for b in self._month_end(month) if start <= b.date <= min(end, self._clock.today())]
        return sorted(made, key=lambda batch: (batch.date, batch.code, batch.number))

    def invoice(self, invoice_id: str) -> Invoice | None:
        """A sales invoice or purchase bill by its id."""
        wanted = invoice_id.lower()
        if wanted in self._written.sales:
            return self._written.sales[wanted]
        month = month_of_guid(wanted)
        if month is None or wanted in self._written.deleted:
            return None
        start, end = first_of(month), month.last_day
        return next((i for i in self.sales(start, end) + self.purchases(start, end) if i.id == wanted), None)

    def sale_by_number(self, number: str) -> Invoice | None:
        for invoice in list(self._written.sales.values()):
            if invoice.number == number:
                return invoice
        if len(number) != 8 or not (number.isascii() and number.isdigit()) or not 1 <= int(number[2:4]) <= 12:
            return None
        month = Month(2000 + int(number[:2]), int(number[2:4]))
        return next((i for i in self.sales(first_of(month), month.last_day) if i.number == number), None)

    def history(self) -> tuple[date, date]:
        return first_of(self._maker.first_month), self._clock.today()

    def paid(self, invoice: Invoice) -> list[Payment]:
        today = self._clock.today()
        return [p for p in invoice.planned if p.date <= today] + list(self._written.payments.get(invoice.id, ()))

    def paid_amount(self, invoice: Invoice) -> Decimal:
        return sum((payment.amount for payment in self.paid(invoice)), ZERO)

    def changed(self, invoice: Invoice) -> datetime:
        """When the document or its paid state last changed."""
        moments = [invoice.changed, *(noon(payment.date) for payment in self.paid(invoice))]
        return min(max(moments), self._clock.now())

    # Writing

    def next_batch_number(self) -> int:
        with self.lock:
            self._written.batches += 1
            return self._written.batches

    def post_sale(self, invoice: Invoice) -> None:
        self._written.sales[invoice.id] = invoice
        self._keep()

    def delete_sale(self, invoice_id: str) -> None:
        with self.lock:
            self._written.sales.pop(invoice_id, None)
            self._written.payments.pop(invoice_id, None)
            self._written.deleted[invoice_id] = self._clock.now()
            self._keep()

    def pay(self, invoice: Invoice, amount: Decimal, day: date, method: str = "") -> Payment:
        payment = payment_for(invoice, str(uuid4()), day, amount, method or self.country.bank)
        payment = replace(payment, made=self._clock.now())
        with self.lock:
            self._written.payments.setdefault(invoice.id, []).append(payment)
            self._keep()
        return payment

    # Generating

    def _between(self, kind: str, make: Callable[[Month], list], start: date, end: date) -> list:
        end = min(end, self._clock.today())
        found: list = []
        for month in months_of(max(start, self.history()[0]), end):
            found += [d for d in self._remembered(kind, month, make) if start <= d.date <= end]
        return found

    def _remembered(self, kind: str, month: Month, make: Callable[[Month], list]) -> list:
        return self._months.get((self._key, self._maker.first_month, kind, month), lambda: make(month))

    def _month_end(self, month: Month) -> list[Batch]:
        def make(month: Month) -> list[Batch]:
            return month_end_batches(self._maker, month, self._generated(month))

        return self._remembered("month end", month, make)

    def _generated(self, month: Month) -> list[Invoice]:
        sales = self._remembered("sales", month, self._maker.sales)
        return sales + self._remembered("purchases", month, self._maker.purchases)

    def _payment_batches(self, start: date, end: date) -> list[Batch]:
        made = []
        for month in months_of(start, end):
            first = first_of(month)
            for sequence, payment in enumerate(self.payments(first, month.last_day), start=1):
                if start <= payment.date <= end:
                    number = month.number % 10000 * 10000 + sequence
                    made.append(payment_batch(self.country, payment, number, payment.made or noon(payment.date)))
        return made


def first_of(month: Month) -> date:
    return date(month.year, month.month, 1)


def noon(day: date) -> datetime:
    return datetime.combine(day, time(12), UTC)


def months_of(start: date, end: date) -> Iterable[Month]:
    month, last = Month.of(start), Month.of(end)
    while month <= last:
        yield month
        month = month.plus(1)
