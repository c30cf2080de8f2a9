"""Sending a sales invoice (purchasesales/clientinvoices:add) and finding it again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Refused, Uncertain
from uku_web.vendors.records import Found, Invoice, InvoiceRow, Step, TaxRate
from uku_web.vendors.smartaccounts.reading import Row, Send, add, get, money, pages, period, record, stamp, text

CENT = Decimal("0.01")
CREDIT = "CRE"


@dataclass(frozen=True)
class Line:
    """One row as SmartAccounts wants it, with its net amount and rate."""

    body: Mapping[str, Any]
    net: Decimal
    rate: TaxRate


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(CENT, ROUND_HALF_UP)


def lines(invoice: Invoice, rates: Sequence[TaxRate], article_code: str = "") -> list[Line]:
    """The rows, checked. Raises Refused before anything is made at the vendor."""
    if not invoice.rows:
        raise Refused("An invoice without rows cannot be sent to SmartAccounts.", record=invoice.number)
    credit = _credit_of(invoice)
    sign = -1 if credit and _net_total(invoice) < 0 else 1
    return [_line(number, row, sign, rates, article_code) for number, row in enumerate(invoice.rows, start=1)]


def _credit_of(invoice: Invoice) -> str | None:
    if invoice.credit_of is None and _net_total(invoice) < 0:
        raise Refused(
            "SmartAccounts takes a credit note only for an invoice that it has. Send the credited invoice there first.",
            record=invoice.number,
        )
    return invoice.credit_of


def _net_total(invoice: Invoice) -> Decimal:
    return sum((_net(row) for row in invoice.rows), Decimal(0))


def _net(row: InvoiceRow) -> Decimal:
    """Rows are rounded one by one, after the discount is taken off."""
    return cents(row.quantity * row.price * (100 - (row.discount_percent or Decimal(0))) / 100)


def _line(number: int, row: InvoiceRow, sign: int, rates: Sequence[TaxRate], article_code: str) -> Line:
    """A credit note goes with positive quantities, whether its rows come so or with the sign turned."""
    rate, code = _rate(number, row, rates), row.product or article_code
    if not code:
        raise Refused(
            f"Row {number} has no article of SmartAccounts. Give its article a code, or set one in the settings."
        )
    body: Row = {
        "code": code,
        "description": row.description,
        "price": row.price,
        "quantity": sign * row.quantity,
        "vatPc": rate.code,
        "order": number,
    }
    optional = {"unit": row.unit, "discount": row.discount_percent}
    return Line(body | {name: value for name, value in optional.items() if value}, sign * _net(row), rate)


def _rate(number: int, row: InvoiceRow, rates: Sequence[TaxRate]) -> TaxRate:
    rate = next((rate for rate in rates if row.tax_code and rate.code == row.tax_code.strip()), None)
    if rate is None or rate.percent is None:
        raise Refused(f"Row {number} has no VAT type that SmartAccounts knows. Choose one imported from there.")
    if not rate.active:
        raise Refused(f"Row {number} has the VAT type {rate.code}, which SmartAccounts no longer sells with.")
    if row.tax_percent is not None and row.tax_percent != rate.percent:
        raise Refused(
            f"Row {number} is taxed with {row.tax_percent} %, but {rate.name} is {rate.percent} % at SmartAccounts. "
            "Choose the VAT type again."
        )
    return rate


def create_call(invoice: Invoice, rows: Sequence[Line], client_id: str) -> Call:
    body: Row = {
        "clientId": client_id,
        "date": stamp(invoice.on),
        "dueDate": stamp(invoice.due),
        "currency": invoice.currency,
        "invoiceNumber": invoice.number,
        "comment": invoice.reference,  # internal there; tells ours from one that a person numbered alike
        "totalAmount": _gross(rows),  # what their own rounding makes of the rows goes to their rounding amount
        "rows": [row.body for row in rows],
    }
    if invoice.credit_of:
        body |= {"type": CREDIT, "baseForCreditInvoiceId": invoice.credit_of}
    return add("purchasesales/clientinvoices:add", body)


def _gross(rows: Sequence[Line]) -> Decimal:
    """One amount of VAT for each type."""
    nets: dict[str, Decimal] = {}
    for row in rows:
        nets[row.rate.code] = nets.get(row.rate.code, Decimal(0)) + row.net
    percents = {row.rate.code: row.rate.percent or Decimal(0) for row in rows}
    return sum((net + cents(net * percents[code] / 100) for code, net in nets.items()), Decimal(0))


def created(answer: Answer, invoice: Invoice) -> Step:
    row = record(answer)
    if not text(row, "invoiceId"):
        raise Uncertain("SmartAccounts did not say whether it took the invoice. We will ask it.")
    sign = -1 if invoice.credit_of else 1
    return Step(
        "invoice",
        _references(row, "invoiceId", invoice.on),
        last=True,
        net=_told(row, "amount", sign),
        tax=_told(row, "vatAmount", sign),
        total=_told(row, "totalAmount", sign),
    )


def _told(row: Row, name: str, sign: int) -> Decimal | None:
    """A credit note is negative, with whichever sign it is told."""
    if row.get(name) is None:
        return None
    return -abs(money(row, name)) if sign < 0 else money(row, name)


def _references(row: Row, id_key: str, on: date) -> dict[str, str]:
    """What is kept of an exported invoice; the date is needed to ask for its payment."""
    kept = {"id": text(row, id_key), "number": text(row, "invoiceNumber"), "date": on.isoformat()}
    others = {"customer_id": text(row, "clientId"), "reference_number": text(row, "referenceNumber")}
    return {**kept, **{name: value for name, value in others.items() if value}}


def find(send: Send, invoice: Invoice) -> list[Found]:
    """Those of that number and day. A person may have used the number too: customer and total are given to compare,
    unless a comment tells which is ours."""
    call = get("purchasesales/clientinvoices:get", ("invoiceNumber", invoice.number), *period(invoice.on, invoice.on))
    hits = [row for page in pages(send, call, "clientInvoices") for row in page]
    hits = [row for row in hits if text(row, "invoiceNumber") == invoice.number]
    ours = [row for row in hits if invoice.reference and invoice.reference in text(row, "comment").split()]
    return [_found(row, invoice) for row in ours or hits]


def _found(row: Row, invoice: Invoice) -> Found:
    client = row.get("client") if isinstance(row.get("client"), dict) else {}
    return Found(
        refs=_references(row, "id", invoice.on),
        number=text(row, "invoiceNumber"),
        customer_id=text(row, "clientId") or text(client, "id") or None,
        customer_name=text(client, "name") or text(row, "clientName") or None,
        total=_told(row, "totalAmount", sign_of(row)),
    )


def sign_of(row: Row) -> int:
    return -1 if text(row, "type") == CREDIT else 1
