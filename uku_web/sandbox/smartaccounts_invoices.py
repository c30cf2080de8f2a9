"""SmartAccounts' sales invoices: checked as a whole, booked at once, changed while their period is open."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from . import smartaccounts_shapes as shapes
from .documents import ZERO, Invoice, Party, Row, money
from .generate import reference_number
from .smartaccounts_books import entry_date
from .smartaccounts_calls import Action, Call
from .smartaccounts_documents import known_invoice
from .smartaccounts_fields import Rules, bad, body_day, check_names, number, read_object, required, text
from .smartaccounts_parties import check_vat_pc
from .smartaccounts_reads import payment_methods
from .smartaccounts_xml import e_invoice

FIELDS = (
    "clientId", "date", "currency", "rows", "type", "baseForCreditInvoiceId", "dueDate", "entryDate", "invoiceNumber",
    "invoiceNote", "referenceNumber", "exchangeRate", "interest", "totalAmount", "objectId", "warehouseId",
    "paymentMethod", "paymentAmount", "offerId", "orderId", "comment",
)  # fmt: skip
ROW_FIELDS = (
    "code", "description", "price", "quantity", "vatPc", "unit", "discount", "order", "objectId", "accountSales",
)  # fmt: skip
ONE = Decimal("1.0000000")


def add_invoice(call: Call) -> dict[str, Any]:
    body = _body(call, FIELDS)
    with call.books.lock:
        invoice = _checked(call, body, None)
        call.books.post_sale(invoice)
        if text(body, "paymentMethod"):
            amount = number(body, "paymentAmount", invoice.gross)
            call.books.pay(invoice, money(amount), invoice.date, text(body, "paymentMethod"))
    return _answer(invoice)


def edit_invoice(call: Call) -> dict[str, Any]:
    """The whole invoice again: what is left out is emptied."""
    body = _body(call, (*FIELDS, "id"), "id")
    with call.books.lock:
        former = known_invoice(call, text(body, "id"))
        invoice = _checked(call, body, former)
        call.books.post_sale(invoice)
    return _answer(invoice)


def delete_invoice(call: Call) -> dict[str, Any]:
    if "id" not in call.query:
        raise bad("MISSING-PARAMETER", "Parameter id is required")
    read_object(call.body)
    with call.books.lock:
        invoice = known_invoice(call, call.query["id"])
        rules = Rules(call.language)
        _check_open(call, entry_date(invoice), rules)
        if call.books.paid(invoice):
            rules.broken("INVOICE-HAS-PAYMENTS", "The invoice has payments", "Arvel on makseid")
        rules.hold()
        call.books.delete_sale(invoice.id)
    return {}


def get_xml(call: Call) -> bytes:
    if "id" not in call.query:
        raise bad("MISSING-PARAMETER", "Parameter id is required")
    return e_invoice(known_invoice(call, call.query["id"]), call.company)


def _body(call: Call, known: tuple[str, ...], *more: str) -> dict[str, Any]:
    body = read_object(call.body)
    check_names(body, known)
    required(body, *more, "clientId", "date", "currency", "rows")
    rows = body["rows"]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise bad("INVALID-PROPERTY", "rows must be a list of objects")
    for row in rows:
        check_names(row, ROW_FIELDS, "rows.")
        required(row, "code", "description", "price", "quantity", "vatPc", where="rows.")
    if body.get("type") not in (None, "CRE"):
        raise bad("INVALID-PROPERTY", "type must be null or CRE")
    return body


def _checked(call: Call, body: dict, former: Invoice | None) -> Invoice:
    day, rules = body_day(body, "date"), Rules(call.language)
    booked = body_day(body, "entryDate") or day
    party = call.books.customer(text(body, "clientId"))
    if party is None:
        rules.broken("CLIENT-NOT-FOUND", "Client not found", "Klienti ei leitud")
    for moment in {booked, entry_date(former)} if former else {booked}:
        _check_open(call, moment, rules)
    _check_rows(call, body, rules)
    _check_base(call, body, day, booked, rules)
    currency, rate = _currency(call, body, rules)
    methods = [method["name"] for method in payment_methods(call)]
    if text(body, "paymentMethod") not in ("", *methods):
        rules.broken("PAYMENT-METHOD-NOT-FOUND", "Payment method not found", "Makseviisi ei leitud")
    rules.hold()
    return _invoice(call, body, day, booked, party, currency, rate, former)


def _invoice(
    call, body: dict, day: date, booked: date, party: Party, currency, rate, former: Invoice | None
) -> Invoice:
    sequence = former.batch_no if former else call.books.next_batch_number()
    invoice_number = text(body, "invoiceNumber") or (former.number if former else str(sequence))
    invoice = Invoice(
        id=former.id if former else str(uuid4()),
        sale=True,
        number=invoice_number,
        batch_no=sequence,
        date=day,
        due=body_day(body, "dueDate") or day + timedelta(days=party.payment_days),
        party=party,
        currency=currency,
        rate=rate,
        rows=tuple(_row(call, fields, -1 if body.get("type") == "CRE" else 1) for fields in body["rows"]),
        changed=call.now,
        reference=_reference(body) or reference_number(invoice_number),
        header_comment=text(body, "invoiceNote") or None,
        planned=former.planned if former else (),
        transaction_date=booked,
        comment=text(body, "comment") or None,
        credits=text(body, "baseForCreditInvoiceId") or None,
        made=former.made or former.changed if former else call.now,
    )
    return replace(invoice, rounding=_rounding(body, invoice))


def _rounding(body: dict, invoice: Invoice) -> Decimal:
    total = number(body, "totalAmount")
    if total is None:
        return ZERO
    total = -abs(total) if body.get("type") == "CRE" else total
    return money(total) - invoice.gross


def _reference(body: dict) -> str:
    value = body.get("referenceNumber")
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else text(body, "referenceNumber")


# Rules


def _check_open(call: Call, day: date, rules: Rules) -> None:
    if day <= call.company.locked_until:
        rules.broken("PERIOD-LOCKED", "Period is locked", "Periood on lukustatud")


def _check_rows(call: Call, body: dict, rules: Rules) -> None:
    for row in body["rows"]:
        code = text(row, "code")
        if call.books.article(code) is None:
            rules.broken("ARTICLE-NOT-FOUND", f"Article {code} not found", f"Artiklit {code} ei leitud")
        check_vat_pc(call, text(row, "vatPc"), rules)
        if body.get("type") == "CRE" and number(row, "quantity") < 0:
            rules.broken(
                "CREDIT-INVOICE-NEGATIVE-QUANTITY",
                "Quantities of a credit invoice are positive",
                "Kreeditarve kogused on positiivsed",
            )


def _check_base(call: Call, body: dict, day: date, booked: date, rules: Rules) -> None:
    base_id = text(body, "baseForCreditInvoiceId")
    if not base_id:
        return
    base = call.books.invoice(base_id)
    if body.get("type") != "CRE" or base is None or not base.sale or base.gross < 0:
        rules.broken("CREDIT-INVOICE-BASE-NOT-FOUND", "No invoice to credit", "Krediteeritavat arvet ei leitud")
        return
    if day < base.date:
        rules.broken(
            "CREDIT-INVOICE-EARLIER-THAN-BASE",
            "Date must not be before the initial invoice date",
            "Kuupäev ei tohi olla varasem algse arve kuupäevast",
        )
    if booked < entry_date(base):
        rules.broken(
            "CREDIT-INVOICE-ENTRY-EARLIER-THAN-BASE",
            "Entry date must not be before the initial invoice entry date",
            "Kande kuupäev ei tohi olla varasem algse arve kande kuupäevast",
        )


def _currency(call: Call, body: dict, rules: Rules) -> tuple[str, Decimal]:
    country, currency = call.books.country, text(body, "currency")
    if currency == country.currency:
        return currency, ONE
    if currency not in country.foreign:
        rules.broken("CURRENCY-NOT-FOUND", f"Currency {currency} not found", f"Valuutat {currency} ei leitud")
        return currency, ONE
    rate = number(body, "exchangeRate", country.foreign[currency])
    if rate <= 0:
        raise bad("INVALID-PROPERTY", "exchangeRate must be positive")
    return currency, rate


def _row(call: Call, fields: dict, sign: int) -> Row:
    item, tax = call.books.article(text(fields, "code")), call.books.tax_by_code(text(fields, "vatPc"))
    quantity, price = sign * number(fields, "quantity"), number(fields, "price")
    percent = number(fields, "discount", ZERO)
    full = quantity * price
    discount = money(full * percent / 100)
    accounts = call.books.country.accounts
    account = text(fields, "accountSales") or accounts["goods" if item.kind == 1 else "sales"][0]
    return Row(
        item.code, text(fields, "description"), text(fields, "unit") or item.unit, quantity, price, tax,
        money(full) - discount, account, percent, discount,
    )  # fmt: skip


def _answer(invoice: Invoice) -> dict[str, Any]:
    return {
        "invoiceId": invoice.id,
        "clientId": invoice.party.id,
        "number": invoice.batch_no,
        "invoiceNumber": shapes.loose(invoice.number),
        "referenceNumber": shapes.loose(invoice.reference),
        "amount": invoice.net,
        "vatAmount": invoice.vat,
        "totalAmount": invoice.gross,
        "roundAmount": invoice.rounding,
        "dueDate": shapes.day(invoice.due),
        "interest": ZERO,
        "warehouseId": None,
    }


INVOICES = {
    "purchasesales/clientinvoices:add": Action(add_invoice),
    "purchasesales/clientinvoices:edit": Action(edit_invoice),
    "purchasesales/clientinvoices:delete": Action(delete_invoice, ("id",)),
    "purchasesales/clientinvoices:getxml": Action(get_xml, ("id",), reads=True),
}
