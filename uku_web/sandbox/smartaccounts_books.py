"""An Estonian company's books as SmartAccounts keeps them: with a cash desk, stock, wages and types of document."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal

from .books import Books, first_of, months_of, noon
from .countries import ESTONIA
from .documents import Batch, Invoice, Item, Payment, Tax
from .generate import Month
from .ledger import invoice_batch

# The general ledger's batch codes are the vendor's document types.
DOC_TYPES = {
    "sale": "CLIENT_INVOICE",
    "purchase": "VENDOR_INVOICE",
    "payment": "BANK_PAYMENT",
    "cash": "CASH_PAYMENT",
    "journal": "LEDGER_ENTRY",
    "closing": "VAT_RETURN",
    "warehouse": "WAREHOUSE_MOVEMENT",
    "depreciation": "PERIOD_DEPRECIATION",
    "wages": "PERIOD_SALARY",
}
# Settled the month after: days into it, the account against which, and the type of the payment's row.
SETTLED = {"PERIOD_SALARY": (10, "wages_due", "SALARY"), "VAT_RETURN": (20, "vat_due", "VAT_RETURN")}
LONGEST_CREDIT = timedelta(days=31)
BOOKED_WITHIN = timedelta(days=7)
# Nothing is generated longer ago, nor dated further ahead.
BACK, AHEAD = timedelta(days=1160), timedelta(days=400)
_CODES = {"0% EL": "0EL", "-": "KMV"}

COUNTRY = replace(
    ESTONIA,
    rates=tuple(replace(rate, code=_CODES.get(rate.code, rate.code.rstrip("%"))) for rate in ESTONIA.rates),
    accounts=ESTONIA.accounts
    | {
        "vat": ("2310", "Käibemaks"),
        "vat_due": ("2311", "Maksuamet, ettemaksukonto"),
        "vat_input": ("1510", "Sisendkäibemaks"),
        "cash": ("1000", "Kassa"),
        "stock": ("1410", "Kaubad laos"),
        "goods_used": ("4020", "Müüdud kaupade kulu"),
    },
    batch_codes=DOC_TYPES,
    cash="Kassa",
)


class SmartBooks(Books):
    def __init__(self, key: str, size: str, *shared):
        super().__init__(COUNTRY, key, size, *shared)

    def payments(self, start: date, end: date) -> list[Payment]:
        start, end = self._within_reach(start, end)
        horizon = min(end, self._clock.today())
        settled = [p for p in self._settlements(start, horizon) if start <= p.date <= horizon]
        return sorted([*super().payments(start, end), *settled], key=lambda p: (p.date, p.id))

    def _settlements(self, start: date, end: date) -> Iterable[Payment]:
        for month in months_of(first_of(Month.of(start).plus(-1)), end):
            yield from (_settlement(batch) for batch in self._month_end(month) if batch.code in SETTLED)

    def invoices(self, sale: bool, start: date, end: date) -> list[Invoice]:
        """Everything dated between, and whatever was written or changed since the start, of any date."""
        found = self.sales(start, end) + self.posted() if sale else self.purchases(start, end)
        return sorted({i.id: i for i in found}.values(), key=lambda i: (i.date, i.batch_no, i.id))

    def entries(self, start: date, end: date) -> list[Batch]:
        """By booking date, which a written invoice may have apart from its own."""
        start, end = self._within_reach(start, end)
        posted = [invoice_batch(self.country, invoice) for invoice in self.posted()]
        ids = {batch.doc_id for batch in posted}
        found = [batch for batch in self.batches(start, end) if batch.doc_id not in ids]
        found += [batch for batch in posted if start <= batch.date <= end]
        return sorted(found, key=lambda batch: (batch.date, batch.code, batch.number, batch.id))

    def entries_changed(self, since: datetime, until: datetime) -> list[Batch]:
        found = self.entries(*self._changed_span(since))
        return [batch for batch in found if since <= batch.changed <= until]

    def payments_changed(self, since: datetime, until: datetime) -> list[Payment]:
        found = self.payments(*self._within_reach(*self._changed_span(since)))
        return [payment for payment in found if since <= payment_changed(payment) <= until]

    def _changed_span(self, since: datetime) -> tuple[date, date]:
        """Generated documents change within days; only what was written can be changed long after its date."""
        days = [since.date() - BOOKED_WITHIN, self._clock.today()]
        days += [day for invoice in self.posted() for day in (invoice.date, entry_date(invoice))]
        days += [payment.date for payments in list(self._written.payments.values()) for payment in payments]
        return min(days), max(days)

    def _within_reach(self, start: date, end: date) -> tuple[date, date]:
        today = self._clock.today()
        return max(start, today - BACK), min(end, today + AHEAD)

    def tax_by_code(self, code: str) -> Tax | None:
        return next((tax for tax in self.taxes() if tax.code == code), None)

    def article(self, code: str) -> Item | None:
        return next((item for item in self.items() if item.code == code), None)

    def open_amount(self, invoice: Invoice) -> Decimal:
        return invoice.gross - self.paid_amount(invoice)


def entry_date(invoice: Invoice) -> date:
    return invoice.transaction_date or invoice.date


def payment_changed(payment: Payment) -> datetime:
    return payment.made or noon(payment.date)


def _settlement(batch: Batch) -> Payment:
    days, account, row_type = SETTLED[batch.code]
    # What is owed stands on the credit side; a VAT return may come out the other way round.
    amount = batch.entries[0].debit - batch.entries[0].credit
    return Payment(
        id=f"{batch.id[:14]}6{batch.id[15:]}",
        number=batch.document,
        date=batch.date + timedelta(days=days),
        amount=amount,
        direction=4,
        currency=batch.currency,
        rate=batch.rate,
        party=None,
        invoice_id=batch.id,
        invoice_number=row_type,
        invoice_total=amount,
        method=COUNTRY.bank,
        against=account,
    )
