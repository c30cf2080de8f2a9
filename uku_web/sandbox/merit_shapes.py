"""Merit's answers, field for field. Spelling faults such as AccontName are the vendor's."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from .books import Books
from .documents import ZERO, Batch, Entry, Invoice, Item, Party, Payment, Row, Tax
from .ledger import ZERO_GUID
from .names import COUNTRY_NAMES

NEVER = "1901-01-01T00:00:00"
KIND_NAMES = {1: "Laokaup", 2: "Teenus", 3: "Artikkel"}
USAGE_NAMES = {1: "Müük", 2: "Ost", 3: "Müük ja ost", 4: "Mitteaktiivne"}


def stamp(moment: date | datetime) -> str:
    """Local time without a zone."""
    if isinstance(moment, datetime):
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    return f"{moment.isoformat()}T00:00:00"


def steady_id(*parts: str) -> str:
    return str(uuid5(NAMESPACE_OID, "/".join(parts)))


def tax(rate: Tax, today: date) -> dict[str, Any]:
    return {
        "Id": rate.id,
        "Code": rate.code,
        "Name": rate.name,
        "NameEN": rate.name_en,
        "NameRU": f"НСО {rate.code}",
        "TaxPct": rate.percent.quantize(Decimal("0.01")),
        "NonActive": not rate.valid_on(today),
    }


def item(article: Item, books: Books, today: date) -> dict[str, Any]:
    rate = next((t for t in books.taxes() if t.use == article.tax_use and t.valid_on(today)), None)
    accounts = books.country.accounts
    return {
        "ItemId": article.id,
        "Code": article.code,
        "Name": article.name,
        "UnitofMeasureName": article.unit,
        "Type": KIND_NAMES[article.kind],
        "Type0": article.kind,
        "Usage": USAGE_NAMES[article.usage],
        "Usage0": article.usage,
        "SalesPrice": article.price,
        "DiscountPct": ZERO,
        "LastPurchasePrice": ZERO,
        "ItemUnitCost": ZERO,
        "InventoryQty": ZERO,
        "ReservedQty": ZERO,
        "InventoryCost": ZERO,
        "VatTaxName": rate.name if rate else "",
        "SalesAccountCode": accounts["goods" if article.kind == 1 else "sales"][0],
        "PurchaseAccountCode": accounts["cost"][0],
        "InventoryAccountCode": None,
        "ItemCostAccountCode": None,
        "ItemGroupName": None,
        "DefLoc_Name": None,
        "EANCode": None,
        "GTUCodes": None,
    }


def customer(party: Party, with_comments: bool = False) -> dict[str, Any]:
    return {
        "CustomerId": party.id,
        "Name": party.name,
        "RegNo": party.reg_no,
        "VatRegNo": party.vat_no,
        "Contact": party.contact,
        "PhoneNo": party.phone,
        "PhoneNo2": None,
        "Address": party.address,
        "City": party.city,
        "County": party.county,
        "PostalCode": party.postal_code,
        "CountryCode": party.country,
        "CountryName": COUNTRY_NAMES.get(party.country.lower(), party.country),
        "FaxNo": None,
        "Email": party.email,
        "HomePage": None,
        "PaymentDeadLine": party.payment_days,
        "OverdueCharge": ZERO,
        "CurrencyCode": party.currency,
        "CustomerGroupId": ZERO_GUID,
        "CustomerGroupName": None,
        "BankName": None,
        "BankAccount": None,
        "NotTDCustomer": party.private,
        "SalesInvLang": "ET",
        "RefNoBase": None,
        "ChangedDate": stamp(party.changed),
    } | ({"Comments": []} if with_comments else {})


def _document(invoice: Invoice, books: Books) -> dict[str, Any]:
    code = books.country.batch_codes["sale" if invoice.sale else "purchase"]
    paid = books.paid_amount(invoice)
    return {
        "DepartmentCode": None,
        "DepartmentName": None,
        "ProjectCode": None,
        "BatchInfo": f"{code}-{invoice.batch_no}",
        "DocumentDate": stamp(invoice.date),
        "TransactionDate": stamp(invoice.transaction_date or invoice.date),
        "DueDate": stamp(invoice.due),
        "CurrencyCode": invoice.currency,
        "CurrencyRate": invoice.rate,
        "TaxAmount": invoice.vat,
        "RoundingAmount": invoice.rounding,
        "TotalAmount": invoice.net,
        "ProfitAmount": invoice.net,
        "TotalSum": invoice.gross,
        "ReferenceNo": invoice.reference or None,
        "PriceInclVat": False,
        "VatRegNo": invoice.party.vat_no or None,
        "PaidAmount": paid,
        "FileExists": invoice.attachment is not None,
        "Paid": paid == invoice.gross,
    }


def sale(invoice: Invoice, books: Books) -> dict[str, Any]:
    return {
        "SIHId": invoice.id,
        **_document(invoice, books),
        "ProjectName": None,
        "AccountingDoc": 4 if invoice.gross < 0 else 1,
        "InvoiceNo": invoice.number or None,
        "CustomerId": invoice.party.id,
        "CustomerName": invoice.party.name,
        "CustomerRegNo": invoice.party.reg_no or None,
        "HComment": invoice.header_comment,
        "FComment": invoice.footer_comment,
        "UserName": invoice.author,
        "EInvSent": False,
        "EmailSent": NEVER,
        "EInvOperator": 1,
        "OfferId": ZERO_GUID,
        "OfferDocType": None,
        "OfferNo": None,
        "PerSHId": ZERO_GUID,
        "ContractNo": invoice.contract,
    }


def purchase(bill: Invoice, books: Books) -> dict[str, Any]:
    return {
        "PIHId": bill.id,
        **_document(bill, books),
        "CostCenterCode": None,
        "BillNo": bill.number,
        "VendorId": bill.party.id,
        "VendorName": bill.party.name,
        "VendorRegNo": bill.party.reg_no,
        "Fine": ZERO,
        "InboundTime": NEVER,
        "Operator": None,
    }


def details(invoice: Invoice, books: Books, with_attachment: bool) -> dict[str, Any]:
    header = sale(invoice, books) if invoice.sale else purchase(invoice, books)
    lines = [_line(row, invoice, n) for n, row in enumerate(invoice.rows)]
    payments = [_payment_in_details(payment) for payment in books.paid(invoice)]
    file = {"FileName": f"{invoice.number}.pdf", "FileContent": invoice.attachment}
    return {
        "Header": header,
        "Lines": lines,
        "Payments": payments,
        "Attachment": file if with_attachment and invoice.attachment else None,
    }


def _line(row: Row, invoice: Invoice, position: int) -> dict[str, Any]:
    return {
        "SILId": steady_id(invoice.id, "line", str(position)),
        "ArticleCode": row.code,
        "LocationCode": None,
        "Quantity": row.quantity,
        "Price": row.price,
        "TaxId": row.tax.id,
        "TaxName": row.tax.name,
        "TaxPct": row.tax.percent,
        "AmountExclVat": row.net,
        "AmountInclVat": row.net + row.vat,
        "VatAmount": row.vat,
        "AccountCode": row.account,
        "DepartmentCode": None,
        "DepartmentName": None,
        "ItemCostAmount": ZERO,
        "ProfitAmount": row.net,
        "DiscountPct": row.discount_percent,
        "DiscountAmount": row.discount,
        "Description": row.description,
        "UOMName": row.unit,
        "FixAsset": False,
        "DimAllocation": [],
    }


def _payment_in_details(payment: Payment) -> dict[str, Any]:
    return {
        "PaymDate": stamp(payment.date),
        "Amount": payment.amount,
        "PaymentMethod": payment.method,
        "PaymentId": payment.id,
    }


def payment(paid: Payment, with_details: bool) -> dict[str, Any]:
    shape = {
        "PIHId": paid.id,
        "BankName": paid.method,
        "CounterPartType": 2 if paid.direction in (1, 3) else 3,
        "CounterPartName": paid.party.name if paid.party else None,
        "CounterPartId": paid.party.id if paid.party else ZERO_GUID,
        "CurrencyCode": paid.currency,
        "CurrencyRate": paid.rate,
        "DocumentDate": stamp(paid.date),
        "DocumentNo": paid.number,
        "Direction": paid.direction,
        "Amount": paid.amount,
        "EInvSentDate": NEVER,
    }
    return shape | _payment_details(paid) if with_details else shape


def _payment_details(paid: Payment) -> dict[str, Any]:
    detail = {
        "PaymId": paid.id,
        "DocNo": paid.invoice_number,
        "DocId": paid.invoice_id,
        "DocAmount": paid.invoice_total,
        "PaidAmount": paid.amount,
        "CurrencyCode": paid.currency,
        "CurrencyRate": paid.rate,
    }
    return {"DocId": paid.id, "PaymAPIDetails": [detail], "ChangedDate": stamp(paid.date)}


def batch(booked: Batch) -> dict[str, Any]:
    return {
        "GLBId": booked.id,
        "BatchCode": booked.code,
        "No": booked.number,
        "Document": booked.document,
        "BatchDate": stamp(booked.date),
        "CurrencyCode": booked.currency,
        "CurrencyRate": booked.rate,
        "TotalAmount": booked.total,
        "PriceInclVat": False,
        "FileExists": False,
    }


def full_batch(booked: Batch, with_lines: bool) -> dict[str, Any]:
    entries = []
    if with_lines:
        entries = [_entry(line, booked.id, n) for n, line in enumerate(booked.entries)]
    return batch(booked) | {
        "DocId": booked.doc_id or ZERO_GUID,
        "ChangedDate": stamp(booked.changed),
        "Entries": entries,
    }


def _entry(line: Entry, batch_id: str, position: int) -> dict[str, Any]:
    return {
        "AccountCode": line.account,
        "AccontName": line.name,
        "Memo": line.memo,
        "DepartmentCode": None,
        "DebitAmount": line.debit,
        "DebitCurrency": line.debit_cur,
        "CreditAmount": line.credit,
        "CreditCurrency": line.credit_cur,
        "TypeId": 0,
        "BatchId": batch_id,
        "EntryId": f"{batch_id[:24]}{position:012x}",
        "TaxId": line.tax_id,
        "TaxPct": line.tax_percent,
        "CostAllocLines": [],
    }
