"""Merit's sales invoices: everything about a new one is checked before anything is stored."""

from dataclasses import dataclass
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from .books import Books
from .clock import Clock
from .documents import ZERO, Invoice, Item, Party, Row, Tax, money
from .generate import reference_number
from .merit_customers import Handler, customer_of, no_document, send_customer, update_customer
from .merit_fields import crash, document_day, guid, invalid, malformed, number, text

MAX_ROWS = 200
# Programs round per row or per rate; a few cents of difference are theirs to make.
TAX_TOLERANCE = Decimal("0.05")


@dataclass(frozen=True)
class Draft:
    """A checked request: the parts that are only stored when all of it is right."""

    invoice: Invoice
    new_customer: Party | None
    new_items: list[Item]
    payment: tuple[Decimal, date, str] | None


def send_invoice(books: Books, fields: dict, clock: Clock, version: str) -> dict[str, Any]:
    with books.lock:
        draft = _check(books, fields, clock, version)
        invoice = draft.invoice
        if draft.new_customer:
            books.put_customer(draft.new_customer)
        for item in draft.new_items:
            books.add_item(item)
        books.post_sale(invoice)
        if draft.payment:
            amount, day, method = draft.payment
            books.pay(invoice, amount, day, method)
    return {
        "CustomerId": invoice.party.id,
        "InvoiceId": invoice.id,
        "InvoiceNo": invoice.number or None,
        "RefNo": invoice.reference,
        "NewCustomer": draft.new_customer.name if draft.new_customer else None,
    }


def delete_invoice(books: Books, fields: dict, clock: Clock, version: str) -> str:
    with books.lock:
        invoice = books.invoice(guid(fields, "Id"))
        if invoice is None or not invoice.sale:
            raise no_document()
        if books.paid(invoice):
            raise invalid("Tasutud arvet ei saa kustutada. Enne kustutage makse.\r\n")
        books.delete_sale(invoice.id)
    return f"Arve {invoice.number} kuupäevaga {invoice.date:%d/%m/%Y} on kustutatud."


def send_payment(books: Books, fields: dict, clock: Clock, version: str) -> dict[str, Any]:
    """A payment of a sales invoice, named by its number and customer."""
    with books.lock:
        invoice = books.sale_by_number(text(fields, "InvoiceNo"))
        name = text(fields, "CustomerName")
        if invoice is None or (name and name != invoice.party.name):
            raise invalid("Arvet ei leitud\r\n")
        day = document_day(fields, "PaymentDate") or clock.today()
        paid = books.pay(invoice, money(number(fields, "Amount")), day)
    return {"InvoiceNo": invoice.number, "PaymentId": paid.id}


def _check(books: Books, fields: dict, clock: Clock, version: str) -> Draft:
    if not isinstance(fields.get("customer"), dict) or not fields.get("invoicerow") or fields.get("taxamount") is None:
        raise crash("SendInvoiceController")
    party, is_new = customer_of(books, fields["customer"], clock)
    invoice_no = _number(books, fields, version)
    doc_date = _document_date(books, fields)
    new_items: list[Item] = []
    rows = _rows(books, fields["invoicerow"], new_items)
    currency, rate = _currency(books, fields)
    rounding = money(number(fields, "RoundingAmount", ZERO))
    invoice = Invoice(
        id=str(uuid4()),
        sale=True,
        number=invoice_no,
        batch_no=books.next_batch_number(),
        date=doc_date,
        due=document_day(fields, "DueDate") or doc_date + timedelta(days=party.payment_days),
        party=party,
        currency=currency,
        rate=rate,
        rows=rows,
        changed=clock.now().astimezone(UTC),
        rounding=rounding,
        reference=text(fields, "RefNo") or reference_number(invoice_no),
        author="Merit API",
        header_comment=fields.get("hcomment"),
        footer_comment=fields.get("fcomment"),
        contract=fields.get("contractno"),
        attachment=fields.get("pdf"),
        transaction_date=document_day(fields, "TransactionDate"),
    )
    _check_totals(books, fields, invoice, version)
    return Draft(invoice, party if is_new else None, new_items, _payment(books, fields.get("payment"), doc_date))


# Header


def _number(books: Books, fields: dict, version: str) -> str:
    invoice_no = text(fields, "InvoiceNo", 35)
    if not invoice_no and version == "v1":
        raise invalid("Arve number puudub\r\n")
    if invoice_no and books.sale_by_number(invoice_no):
        raise invalid(f"Korduv arve nr {invoice_no}\r\n")
    return invoice_no


def _document_date(books: Books, fields: dict) -> date:
    doc_date = document_day(fields, "DocDate")
    if doc_date is None:
        raise malformed("DocDate: String was not recognized as a valid DateTime.")
    first, last = books.open_years()
    if not first <= doc_date <= last:
        raise invalid("Dokumendi kuupäev ei ole avatud majandusaastas\r\n")
    return doc_date


def _currency(books: Books, fields: dict) -> tuple[str, Decimal]:
    home = books.country.currency
    currency = text(fields, "CurrencyCode").upper() or home
    if currency == home:
        return home, Decimal("1.0000000")
    rates = books.country.foreign
    if currency not in rates:
        raise invalid(f"Valuutat {currency} ei leitud\r\n")
    return currency, rates[currency]


def _payment(books: Books, fields: Any, doc_date: date) -> tuple[Decimal, date, str] | None:
    if not isinstance(fields, dict) or not number(fields, "PaidAmount", ZERO):
        return None
    method = text(fields, "PaymentMethod")
    if method not in payment_methods(books):
        raise invalid(f"Makseviisi {method} ei leitud\r\n")
    return money(number(fields, "PaidAmount")), document_day(fields, "PaymDate") or doc_date, method


def payment_methods(books: Books) -> tuple[str, ...]:
    return (books.country.bank, "Sularaha")


# Rows


def _rows(books: Books, wanted: Any, new_items: list[Item]) -> tuple[Row, ...]:
    if not isinstance(wanted, list):
        raise crash("SendInvoiceController")
    if len(wanted) > MAX_ROWS:
        raise invalid(f"Liiga palju ridu(max {MAX_ROWS})\r\n")
    return tuple(_row(books, fields, new_items) for fields in wanted)


def _row(books: Books, fields: Any, new_items: list[Item]) -> Row:
    if not isinstance(fields, dict) or not isinstance(fields.get("item"), dict):
        raise crash("SendInvoiceController")
    tax = _tax(books, fields)
    item = _item(books, fields["item"], tax, new_items)
    quantity, price = number(fields, "Quantity"), number(fields, "Price", item.price)
    percent, discount = number(fields, "DiscountPct", ZERO), number(fields, "DiscountAmount", ZERO)
    full = quantity * price
    discount = discount or full * percent / 100
    description = text(fields["item"], "Description", 150) or item.name
    account = text(fields, "GLAccountCode") or books.country.accounts["goods" if item.kind == 1 else "sales"][0]
    return Row(
        item.code,
        description,
        item.unit,
        quantity,
        price,
        tax,
        money(full - discount),
        account,
        percent,
        money(discount),
    )


def _tax(books: Books, fields: dict) -> Tax:
    tax_id = guid(fields, "TaxId")
    found = books.tax(tax_id)
    if found is None:
        raise invalid(f"Käibemaksumäära {tax_id} ei leitud\r\n")
    return found


def _item(books: Books, fields: dict, tax: Tax, new_items: list[Item]) -> Item:
    code = text(fields, "Code", 20)
    if not code:
        raise invalid("Artikli kood puudub\r\n")
    known = next((item for item in [*books.items(), *new_items] if item.code == code), None)
    if known:
        return known
    name, kind = text(fields, "Description", 150), number(fields, "Type", ZERO)
    if not name or kind not in (1, 2, 3):
        raise invalid(f"Artiklit {code} ei leitud\r\n")
    item = Item(str(uuid4()), code, name, text(fields, "UOMName"), int(kind), 1, ZERO, tax.use)
    new_items.append(item)
    return item


# Totals


def _check_totals(books: Books, fields: dict, invoice: Invoice, version: str) -> None:
    total = number(fields, "TotalAmount", None if version == "v1" else invoice.net)
    if money(total) != invoice.net:
        raise invalid(f"Arve summa {total} ei võrdu ridade summaga {invoice.net}\r\n")
    amounts = fields["taxamount"]
    if not isinstance(amounts, list) or not all(isinstance(amount, dict) for amount in amounts):
        raise crash("SendInvoiceController")
    if amounts:
        _check_taxes(books, amounts, invoice, version)


def _check_taxes(books: Books, amounts: list[dict], invoice: Invoice, version: str) -> None:
    given: dict[Tax, Decimal] = {}
    for amount in amounts:
        tax = _tax(books, amount)
        given[tax] = given.get(tax, ZERO) + number(amount, "Amount")
    if invoice.net < 0:
        given = _credit_taxes(given, version)
    expected = invoice.vat_by_tax
    for tax in {*given, *expected}:
        difference = given.get(tax, ZERO) - expected.get(tax, ZERO)
        if abs(difference) > TAX_TOLERANCE:
            raise invalid(f"Käibemaksu summa ei klapi: {tax.name}\r\n")


def _credit_taxes(given: dict[Tax, Decimal], version: str) -> dict[Tax, Decimal]:
    # "TaxAmount amounts positive" is the wording for version 1; the later version is taken either way.
    if version == "v1" and any(amount < 0 for amount in given.values()):
        raise invalid("Kreeditarve käibemaksu summa peab olema positiivne\r\n")
    return {tax: -abs(amount) for tax, amount in given.items()}


WRITES: dict[str, Handler] = {
    "sendinvoice": send_invoice,
    "deleteinvoice": delete_invoice,
    "sendpayment": send_payment,
    "sendcustomer": send_customer,
    "updatecustomer": update_customer,
}
