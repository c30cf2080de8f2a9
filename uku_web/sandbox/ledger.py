"""How each document is booked: one general ledger batch per document, debit and credit in balance."""

import random
from datetime import UTC, datetime, time
from decimal import Decimal

from .countries import Country
from .documents import ZERO, Batch, Entry, Invoice, Payment, Row, money
from .generate import CLOSING, JOURNAL, Maker, Month, dated_guid

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
ONE = Decimal("1.0000000")


def entry(
    country: Country, role: str, memo: str, amount: Decimal, rate: Decimal = ONE, tax_id=None, percent=None
) -> Entry:
    """Positive amounts (in the document's currency) are debited, negative ones credited."""
    return _entry(country.accounts[role], memo, amount, rate, tax_id, percent)


def _entry(account: tuple[str, str], memo: str, amount: Decimal, rate: Decimal, tax_id, percent) -> Entry:
    currency = abs(amount)
    base = currency if rate == ONE else money(currency / rate)
    if amount >= 0:
        return Entry(*account, memo, base, ZERO, currency, ZERO, tax_id, percent)
    return Entry(*account, memo, ZERO, base, ZERO, currency, tax_id, percent)


def invoice_batch(country: Country, invoice: Invoice) -> Batch:
    side = -1 if invoice.sale else 1
    lines = [_row_entry(country, row, side, invoice.rate) for row in invoice.rows]
    for tax, amount in invoice.vat_by_tax.items():
        if amount:
            lines.append(entry(country, "vat", tax.name, side * amount, invoice.rate, ZERO_GUID, ZERO))
    if invoice.rounding:
        lines.append(entry(country, "rounding", "", side * invoice.rounding, invoice.rate))
    role = "receivable" if invoice.sale else "payable"
    lines.append(_balancing(country, role, invoice.party.name, -side * invoice.gross, lines))
    return Batch(
        id=batch_id(invoice.id),
        code=country.batch_codes["sale" if invoice.sale else "purchase"],
        number=invoice.batch_no,
        document=invoice.number,
        date=invoice.transaction_date or invoice.date,
        currency=invoice.currency,
        rate=invoice.rate,
        total=invoice.gross,
        doc_id=invoice.id,
        changed=invoice.changed,
        entries=tuple(lines),
    )


def payment_batch(country: Country, payment: Payment, number: int, changed: datetime) -> Batch:
    into_bank = payment.amount if payment.direction in (1, 3) else -payment.amount
    against = payment.against or {1: "receivable", 2: "payable", 3: "fees", 4: "fees"}[payment.direction]
    in_cash = bool(country.cash) and payment.method == country.cash
    memo = payment.party.name if payment.party else payment.number
    lines = (
        entry(country, "cash" if in_cash else "bank", memo, into_bank, payment.rate),
        entry(country, against, memo, -into_bank, payment.rate),
    )
    return Batch(
        id=batch_id(payment.id),
        code=country.batch_codes["cash" if in_cash else "payment"],
        number=number,
        document=payment.number,
        date=payment.date,
        currency=payment.currency,
        rate=payment.rate,
        total=payment.amount,
        doc_id=payment.id,
        changed=changed,
        entries=lines,
    )


def month_end_batches(maker: Maker, month: Month, invoices: list[Invoice]) -> list[Batch]:
    """Wages, depreciation, now and then a correction with tax, and the closing of the month's VAT."""
    if not maker.active(month):
        return []
    country, rng = maker.country, random.Random(f"{maker.key}/{month.number}/journals")
    wages = Decimal(rng.randint(900, 9000))
    wear = Decimal(rng.randint(40, 700))
    journals = [
        ("wages", _pair(country, "wages", "wages_due", wages)),
        ("depreciation", _pair(country, "depreciation", "assets", wear, ZERO_GUID)),
    ]
    if rng.random() < 0.3:
        amount, tax = Decimal(rng.randint(10, 400)), maker.tax("standard", month.last_day)
        journals.append(("journal", _pair(country, "cost", "fees", amount, tax.id, tax.percent)))
    if "warehouse" in country.batch_codes:
        journals += _movements(country, random.Random(f"{maker.key}/{month.number}/warehouse"))
    batches = [
        _month_end(country, month, code, JOURNAL, n, lines, f"{month.number}-{n}", rng)
        for n, (code, lines) in enumerate(journals, start=1)
    ]
    closing = _closing(country, invoices)
    if closing:
        code = country.batch_codes["closing"]
        document = f"{code}-{month.month:02d}-{month.year}"
        batches.append(_month_end(country, month, "closing", CLOSING, 1, closing, document, rng))
    return batches


def _closing(country: Country, invoices: list[Invoice]) -> tuple[Entry, ...]:
    due = sum((money(i.vat / i.rate) * (1 if i.sale else -1) for i in invoices), ZERO)
    return _pair(country, "vat", "vat_due", due, ZERO_GUID) if due else ()


def _movements(country: Country, rng: random.Random) -> list[tuple[str, tuple[Entry, ...]]]:
    used = (Decimal(rng.randint(20, 900)) for _ in range(rng.randint(0, 3)))
    return [("warehouse", _pair(country, "goods_used", "stock", amount)) for amount in used]


def _pair(country: Country, debit: str, credit: str, amount: Decimal, tax_id=None, percent=None) -> tuple[Entry, ...]:
    name = country.accounts[debit][1]
    return (
        entry(country, debit, name, money(amount), ONE, tax_id, percent),
        entry(country, credit, name, -money(amount)),
    )


def _month_end(country, month, code, kind, number, lines, document, rng) -> Batch:
    day = month.last_day
    return Batch(
        id=dated_guid(month, kind, number, rng),
        code=country.batch_codes.get(code, country.batch_codes["journal"]),
        number=month.number % 10000 * 100 + number,
        document=document,
        date=day,
        currency=country.currency,
        rate=ONE,
        total=sum((line.debit for line in lines), ZERO),
        doc_id=None,
        changed=datetime.combine(day, time(20), UTC),
        entries=lines,
    )


def _row_entry(country: Country, row: Row, side: int, rate: Decimal) -> Entry:
    account = (row.account, country.account_names.get(row.account, ""))
    return _entry(account, row.description, side * row.net, rate, row.tax.id, row.tax.percent)


def _balancing(country: Country, role: str, memo: str, amount: Decimal, lines: list[Entry]) -> Entry:
    # Each line is converted and rounded by itself, so the counter line takes what is left in the books' currency.
    account, name = country.accounts[role]
    base = sum((line.credit - line.debit for line in lines), ZERO)
    debit, credit = max(base, ZERO), max(-base, ZERO)
    return Entry(account, name, memo, debit, credit, max(amount, ZERO), max(-amount, ZERO))


def batch_id(doc_id: str) -> str:
    return f"{doc_id[:14]}5{doc_id[15:]}"
