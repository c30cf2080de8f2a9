"""SmartAccounts' documents: invoices of both kinds, payments and ledger entries, filtered and by date."""

from datetime import date

from . import smartaccounts_shapes as shapes
from .documents import Batch, Invoice, Payment
from .ledger import batch_id
from .smartaccounts_books import BOOKED_WITHIN, DOC_TYPES, LONGEST_CREDIT, SmartBooks, entry_date
from .smartaccounts_calls import Call, Listing
from .smartaccounts_fields import bad, choice, days, flag, moments
from .smartaccounts_reads import plain

INVOICE_DATES = {
    "date": lambda invoice: invoice.date,
    "entrydate": entry_date,
    "duedate": lambda invoice: invoice.due,
    "modifydate": lambda invoice: invoice.changed,
}
PERIOD = ("dateFrom", "dateTo", "dateType")
INVOICE_FILTERS = (*PERIOD, "id", "invoiceNumber", "paymentStatus", "fetchRows")
PAYMENT_FILTERS = (*PERIOD, "partnerType", "accountType", "accountName", "partnerId", "partnerName", "id", "fetchRows")


def client_invoices(call: Call) -> list[dict]:
    if not {"dateFrom", "paymentStatus", "id"} & call.query.keys():
        raise bad("DATE-FILTER-MISSING", "dateFrom is required when neither paymentStatus nor id is given")
    return _invoices(call, sale=True)


def vendor_invoices(call: Call) -> list[dict]:
    return _invoices(call, sale=False)


def _invoices(call: Call, sale: bool) -> list[dict]:
    query, books, rows = call.query, call.books, flag(call.query, "fetchRows")
    role = "client" if sale else "vendor"
    found = _of_period(call, sale)
    if "id" in query:
        known_invoice(call, query["id"], sale)
        found = [invoice for invoice in found if invoice.id == query["id"]]
    if "invoiceNumber" in query:
        found = [invoice for invoice in found if invoice.number == query["invoiceNumber"]]
    if f"{role}Id" in query:
        found = [invoice for invoice in found if invoice.party.id == query[f"{role}Id"]]
    if f"{role}Name" in query:
        found = [invoice for invoice in found if plain(query[f"{role}Name"]) in plain(invoice.party.name)]
    status = choice(query, "paymentStatus", ("unpaid", "overdue"))
    found = [invoice for invoice in found if status is None or _has_status(books, invoice, status, call.today)]
    return [shapes.invoice(invoice, books, rows) for invoice in found]


def _of_period(call: Call, sale: bool) -> list[Invoice]:
    date_type = choice(call.query, "dateType", tuple(INVOICE_DATES)) or "date"
    pick = INVOICE_DATES[date_type]
    if date_type == "modifydate":
        start, end = moments(call.query, "dateFrom", "dateTo")
        around = start.date() - BOOKED_WITHIN, call.today
    else:
        start, end = days(call.query)
        around = (start - LONGEST_CREDIT if date_type == "duedate" else start), end
    return [invoice for invoice in call.books.invoices(sale, *around) if start <= pick(invoice) <= end]


def known_invoice(call: Call, invoice_id: str, sale: bool = True) -> Invoice:
    found = call.books.invoice(invoice_id)
    if found is None or found.sale != sale:
        raise bad("INVOICE-NOT-FOUND", f"Invoice not found by id {invoice_id}")
    return found


def _has_status(books: SmartBooks, invoice: Invoice, status: str, today: date) -> bool:
    return books.open_amount(invoice) != 0 and (status == "unpaid" or invoice.due < today)


def payments(call: Call) -> list[dict]:
    query, rows = call.query, flag(call.query, "fetchRows")
    found = _payments_of_period(call)
    tests = (
        ("partnerType", choice(query, "partnerType", ("CLIENT", "VENDOR")), shapes.partner_type),
        ("accountType", choice(query, "accountType", ("BANK", "CASH")), shapes.account_type),
        ("accountName", query.get("accountName"), lambda paid: paid.method),
        ("partnerId", query.get("partnerId"), lambda paid: paid.party.id if paid.party else None),
        ("id", query.get("id"), lambda paid: paid.id),
    )
    for name, wanted, value in tests:
        if name in query:
            found = [paid for paid in found if value(paid) == wanted]
    if "partnerName" in query:
        found = [paid for paid in found if paid.party and plain(query["partnerName"]) in plain(paid.party.name)]
    if "id" in query and not found:
        raise bad("PAYMENT-NOT-FOUND", f"Payment not found by id {query['id']}")
    return [shapes.payment(paid, rows) for paid in found]


def _payments_of_period(call: Call) -> list[Payment]:
    if choice(call.query, "dateType", ("date", "modifydate")) == "modifydate":
        return call.books.payments_changed(*moments(call.query, "dateFrom", "dateTo"))
    return call.books.payments(*days(call.query))


def entries(call: Call) -> list[dict]:
    query, rows = call.query, flag(call.query, "fetchRows")
    doc_type = choice(query, "docType", tuple(DOC_TYPES.values()))
    if choice(query, "dateType", ("date", "modifydate")) == "modifydate":
        found = call.books.entries_changed(*moments(query, "dateFrom", "dateTo"))
    else:
        found = call.books.entries(*days(query))
    if doc_type:
        found = [batch for batch in found if batch.code == doc_type]
    status = choice(query, "paymentStatus", ("unpaid", "overdue"))
    if status:
        ids = _ids_of_status(call, found, status)
        found = [batch for batch in found if batch.doc_id in ids]
    return [shapes.entry(batch, rows) for batch in found]


def _ids_of_status(call: Call, found: list[Batch], status: str) -> set[str]:
    if not found:
        return set()
    around = min(batch.date for batch in found), max(batch.date for batch in found)
    known = call.books.invoices(True, *around) + call.books.invoices(False, *around)
    return {invoice.id for invoice in known if _has_status(call.books, invoice, status, call.today)}


def _deleted(call: Call) -> list[str] | None:
    """Ids of sales invoices removed in the time asked for; None where not asked by the time of change."""
    if call.query.get("dateType") != "modifydate":
        return None
    start, end = moments(call.query, "dateFrom", "dateTo")
    return sorted(gone for gone, at in call.books.deleted().items() if start <= at <= end)


def _deleted_entries(call: Call) -> list[str] | None:
    gone = _deleted(call)
    return gone and [batch_id(invoice_id) for invoice_id in gone]


def _none_deleted(call: Call) -> list[str] | None:
    return [] if call.query.get("dateType") == "modifydate" else None


DOCUMENTS = {
    "purchasesales/clientinvoices:get": Listing(
        "clientInvoices", client_invoices, (*INVOICE_FILTERS, "clientName", "clientId"), deleted=_deleted
    ),
    "purchasesales/vendorinvoices:get": Listing(
        "vendorInvoices", vendor_invoices, (*INVOICE_FILTERS, "vendorName", "vendorId"), deleted=_none_deleted
    ),
    "purchasesales/payments:get": Listing("payments", payments, PAYMENT_FILTERS, deleted=_none_deleted),
    "general/entries:get": Listing(
        "entries", entries, (*PERIOD, "docType", "paymentStatus", "fetchRows"), deleted=_deleted_entries
    ),
}
