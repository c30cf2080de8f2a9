"""SmartAccounts' answers, field for field. Some texts made of digits come as JSON numbers, as they do at the vendor."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from .documents import ZERO, Batch, Entry, Invoice, Item, Party, Payment, Row, Tax, money
from .smartaccounts_books import COUNTRY, SmartBooks, entry_date, payment_changed
from .smartaccounts_fields import ZONE

RATE_PLACES = Decimal("0.0001")
ARTICLE_TYPES = {1: "WH", 2: "SERVICE", 3: "PRODUCT"}
AUTHOR = "raamatupidaja"


def day(value: date | datetime) -> str:
    local = value.astimezone(ZONE) if isinstance(value, datetime) else value
    return local.strftime("%d.%m.%Y")


def loose(value: str) -> str | int | None:
    """Digits as a number, where that loses none; typed as text all the same."""
    return int(value) if value.isascii() and value.isdigit() and str(int(value)) == value else value or None


def vat_pc(tax: Tax, order: int, today: date) -> dict[str, Any]:
    active = tax.valid_on(today)
    return {
        "vatPc": tax.code,
        "pc": money(tax.percent),
        "descriptionEt": tax.name,
        "descriptionEn": tax.name_en,
        "descriptionRu": f"НСО {tax.code}",
        "activePurchase": active,
        "activeSales": active,
        "accountPurchase": COUNTRY.accounts["vat_input"][0],
        "accountSales": COUNTRY.accounts["vat"][0],
        "order": str(order),
        "custom": tax.use == "exempt",
    } | ({"inUse": True} if tax.use == "exempt" else {})


def article(item: Item, books: SmartBooks, today: date) -> dict[str, Any]:
    tax = next((tax for tax in books.taxes() if tax.use == item.tax_use and tax.valid_on(today)), None)
    accounts, updated = books.country.accounts, day(article_changed(item, books))
    return {
        "code": item.code,
        "description": item.name,
        "type": ARTICLE_TYPES[item.kind],
        "unit": item.unit or None,
        "vatPc": tax.code if tax else None,
        "activeSales": item.usage in (1, 3),
        "activePurchase": item.usage in (2, 3),
        "priceSales": item.price,
        "pricePurchase": ZERO,
        "priceOwn": ZERO,
        "accountSales": accounts["goods" if item.kind == 1 else "sales"][0],
        "accountPurchase": accounts["cost"][0],
        "accountWarehouse": accounts["stock"][0] if item.kind == 1 else None,
        "dateCreated": updated,
        "dateUpdated": updated,
        "createdBy": AUTHOR,
        "updatedBy": AUTHOR,
    }


def article_changed(item: Item, books: SmartBooks) -> datetime:
    first = books.history()[0]
    return item.changed or datetime(first.year, first.month, 1, 9, tzinfo=ZONE)


def client(party: Party, wanted: dict[str, bool]) -> dict[str, Any]:
    shape = {
        "id": party.id,
        "group": None,
        "name": party.name,
        "regCode": party.reg_no or None,
        "vatNumber": party.vat_no or None,
        "bankAccount": None,
        "referenceNumber": None,
        "ignoreOnVatDeclaration": party.private,
        "invoiceDueDate": party.payment_days,
        "invoiceInterest": ZERO,
        "discount": ZERO,
        "vatPc": party.tax_code or None,
        "accountUnpaid": COUNTRY.accounts["receivable"][0],
        "accountPrepayment": None,
        "dateCreated": day(party.changed),
        "dateUpdated": day(party.changed),
        "createdBy": AUTHOR,
        "updatedBy": AUTHOR,
    }
    more = {
        "fetchAddresses": ("address", _address(party)),
        "fetchContacts": ("contacts", _contacts(party)),
        "fetchComments": ("comment", party.comment or None),
        "fetchAcceptsEinvoices": ("acceptsEinvoices", False),
    }
    return shape | dict(more[name] for name, on in wanted.items() if on)


def _address(party: Party) -> dict[str, Any]:
    return {
        "country": party.country or None,
        "county": party.county or None,
        "city": party.city or None,
        "address1": party.address or None,
        "address2": None,
        "postalCode": party.postal_code or None,
    }


def _contacts(party: Party) -> list[dict[str, Any]]:
    kinds = (("EMAIL", party.email), ("PHONE", party.phone), ("PERSON", party.contact))
    return [{"type": kind, "value": value, "description": None} for kind, value in kinds if value]


def partner(party: Party) -> dict[str, Any]:
    return {
        "id": party.id,
        "name": party.name,
        "regCode": party.reg_no or None,
        "vatNumber": party.vat_no or None,
    }


def invoice(document: Invoice, books: SmartBooks, rows: bool) -> dict[str, Any]:
    """A credit invoice's sums are negative and its rows' quantities positive; which sums are is nowhere written."""
    role = "client" if document.sale else "vendor"
    credit = document.gross < 0
    shape = {
        "id": document.id,
        f"{role}Id": document.party.id,
        role: partner(document.party),
        "type": "CRE" if credit else None,
        "baseForCreditInvoiceId": document.credits,
        "date": day(document.date),
        "dueDate": day(document.due),
        "entryDate": day(entry_date(document)),
        "number": document.batch_no,
        "invoiceNumber": loose(document.number),
        "invoiceNote": document.header_comment,
        "referenceNumber": loose(document.reference),
        "currency": document.currency,
        "exchangeRate": document.rate.quantize(RATE_PLACES),
        "amount": document.net,
        "roundAmount": document.rounding,
        "vatAmount": document.vat,
        "totalAmount": document.gross,
        "outstandingAmount": books.open_amount(document),
        "comment": document.comment,
        "dateCreated": day(document.made or document.changed),
        "dateUpdated": day(document.changed),
        "createdBy": AUTHOR,
        "updatedBy": AUTHOR,
    }
    return shape | ({"rows": [_row(row, n, credit) for n, row in enumerate(document.rows, start=1)]} if rows else {})


def _row(row: Row, order: int, credit: bool) -> dict[str, Any]:
    sign = -1 if credit else 1
    return {
        "code": row.code or None,
        "description": row.description,
        "price": row.price,
        "quantity": sign * row.quantity,
        "unit": row.unit or None,
        "discount": row.discount_percent,
        "vat": sign * row.vat,
        "vatPc": row.tax.code,
        "sum": sign * row.net,
        "order": order,
        "objectId": None,
        "accountSales": row.account,
    }


def payment(paid: Payment, rows: bool) -> dict[str, Any]:
    role = (partner_type(paid) or "").lower()
    parties = {f"{role}Id": paid.party.id, role: partner(paid.party)} if paid.party and role else {}
    shape = {
        "id": paid.id,
        "date": day(paid.date),
        "number": loose(str(int(paid.id[9:13], 16)) if paid.made is None else ""),
        "document": paid.number,
        "partnerType": partner_type(paid),
        **parties,
        "accountType": account_type(paid),
        "accountName": paid.method,
        "currency": paid.currency,
        "exchangeRate": paid.rate.quantize(RATE_PLACES),
        "amount": paid.amount,
        "eurAmount": money(paid.amount / paid.rate),
        "comment": None,
        "prepayment": ZERO,
        "extras": [],
        "dateCreated": day(payment_changed(paid)),
        "dateUpdated": day(payment_changed(paid)),
    }
    return shape | ({"rows": [_payment_row(paid)]} if rows else {})


def partner_type(paid: Payment) -> str | None:
    return {1: "CLIENT", 2: "VENDOR"}.get(paid.direction)


def account_type(paid: Payment) -> str:
    return "CASH" if paid.method == COUNTRY.cash else "BANK"


def _payment_row(paid: Payment) -> dict[str, Any]:
    row_type = {1: "CLIENT_INVOICE", 2: "VENDOR_INVOICE"}.get(paid.direction, paid.invoice_number)
    return {"description": paid.number, "amount": paid.amount, "type": row_type, "id": paid.invoice_id}


def entry(batch: Batch, rows: bool) -> dict[str, Any]:
    shape = {
        "id": batch.id,
        "docType": batch.code,
        "date": day(batch.date),
        "document": batch.document,
        "currency": batch.currency,
        "number": str(batch.number),
        "amount": batch.total,
        "comment": None,
    }
    return shape | ({"rows": [_entry_row(line, batch) for line in batch.entries]} if rows else {})


def _entry_row(line: Entry, batch: Batch) -> dict[str, Any]:
    # Rows in the books' own currency leave the original-currency fields empty, and the other way round.
    home = batch.currency == COUNTRY.currency
    return {
        "account": line.account,
        "description": line.memo or line.name,
        "debitAmount": line.debit if home else None,
        "creditAmount": line.credit if home else None,
        "debitAmountOriginalCurrency": None if home else line.debit_cur,
        "creditAmountOriginalCurrency": None if home else line.credit_cur,
        "objectId": None,
    }
