"""Merit's reading calls. Each handler gets the books, the request's fields, the clock and the API version."""

from calendar import monthrange
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from . import merit_shapes as shapes
from .books import Books
from .clock import Clock
from .documents import Invoice
from .ledger import ZERO_GUID
from .merit_customers import Handler, no_document
from .merit_fields import crash, flag, guid, invalid, malformed, period_day, text
from .merit_invoices import payment_methods

MAX_MONTHS, MAX_DAYS_FULL = 3, 31
# "Without filters the request may fail on large databases."
UNFILTERED_CUSTOMERS = 1000
# A document's changed date moves on with its payments, so older ones may have changed in the period.
CHANGES_WITHIN = timedelta(days=130)


def _months_later(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 + months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _period(fields: dict) -> tuple[date, date]:
    """Both days count, so three months from the 1st end before the fourth month's 1st."""
    start, end = period_day(fields, "PeriodStart"), period_day(fields, "PeriodEnd")
    if end >= _months_later(start, MAX_MONTHS):
        raise invalid("Periood liiga pikk(max 3 kuud)")
    return start, end


def _by_changed_date(fields: dict) -> bool:
    value = fields.get("datetype")
    if value in (None, "", 0, "0"):
        return False
    if value in (1, "1"):
        return True
    raise malformed("DateType: Input string was not in a correct format.")


def _documents(read: Callable, books: Books, fields: dict, by_changed: bool) -> list[Invoice]:
    start, end = _period(fields)
    if by_changed:
        found = [i for i in read(start - CHANGES_WITHIN, end) if start <= books.changed(i).date() <= end]
    else:
        found = read(start, end)
    return [i for i in found if books.paid_amount(i) != i.gross] if flag(fields, "UnPaid") else found


def get_taxes(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    return [shapes.tax(tax, clock.today()) for tax in books.taxes()]


def get_items(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    found = books.items()
    if fields.get("id"):
        wanted = guid(fields, "Id")
        found = [item for item in found if item.id == wanted]
    if code := text(fields, "Code").lower():
        found = [item for item in found if code in item.code.lower()]
    if name := text(fields, "Description").lower():
        found = [item for item in found if name in item.name.lower()]
    for field in ("usage", "type"):
        if fields.get(field):
            found = [i for i in found if str(i.usage if field == "usage" else i.kind) == str(fields[field])]
    return [shapes.item(item, books, clock.today()) for item in found]


def get_customers(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    found = books.customers()
    filters = ("id", "regno", "vatregno", "name", "changeddate")
    if len(found) > UNFILTERED_CUSTOMERS and not any(fields.get(name) for name in filters):
        raise crash("GetCustomersController")
    if fields.get("id"):
        wanted = guid(fields, "Id")
        found = [party for party in found if party.id == wanted]
    if code := text(fields, "RegNo"):
        found = [party for party in found if party.reg_no == code]
    if vat := text(fields, "VatRegNo"):
        found = [party for party in found if party.vat_no == vat]
    if name := text(fields, "Name").lower():
        found = [party for party in found if name in party.name.lower()]
    if fields.get("changeddate"):
        since = period_day(fields, "ChangedDate")
        found = [party for party in found if party.changed.date() >= since]
    return [shapes.customer(party, flag(fields, "WithComments")) for party in found]


def get_invoices(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    # DateType is documented for the later version only.
    by_changed = version == "v2" and _by_changed_date(fields)
    return [_sale(i, books, version) for i in _documents(books.sales, books, fields, by_changed)]


def _sale(invoice: Invoice, books: Books, version: str) -> dict:
    shape = shapes.sale(invoice, books)
    return shape | {"ChangedDate": shapes.stamp(books.changed(invoice))} if version == "v2" else shape


def get_invoices_by(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    """By number, or by the customer's name or id."""
    if invoice_no := text(fields, "InvNo"):
        found = books.sale_by_number(invoice_no)
        return [_sale(found, books, version)] if found else []
    name = text(fields, "CustName").lower()
    customer = guid(fields, "CustId") if fields.get("custid") else ""
    if not name and not customer:
        raise invalid("Otsingu tingimus puudub\r\n")
    everything = books.sales(books.history()[0], date.max)
    return [
        _sale(i, books, version)
        for i in everything
        if i.party.id == customer or (name and name in i.party.name.lower())
    ]


def get_invoice(books: Books, fields: dict, clock: Clock, version: str) -> dict:
    invoice = books.invoice(guid(fields, "Id"))
    if invoice is None or not invoice.sale:
        raise no_document()
    return shapes.details(invoice, books, flag(fields, "AddAttachment"))


def get_purchases(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    by_changed = version == "v2" and _by_changed_date(fields)
    found = _documents(books.purchases, books, fields, by_changed)
    extra = {"v1": lambda bill: {}, "v2": lambda bill: {"ChangedDate": shapes.stamp(books.changed(bill))}}[version]
    return [shapes.purchase(bill, books) | extra(bill) for bill in found]


def get_purchase(books: Books, fields: dict, clock: Clock, version: str) -> dict:
    bill = books.invoice(guid(fields, "Id"))
    if bill is None or bill.sale:
        raise no_document()
    return shapes.details(bill, books, not flag(fields, "SkipAttachment"))


def get_payments(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    start, end = _period(fields)
    _by_changed_date(fields)  # a payment is never changed here, so both dates are the same
    found = books.payments(start, end)
    if fields.get("bankid") and guid(fields, "BankId") != _bank_id(books):
        found = []
    return [shapes.payment(paid, with_details=version == "v2") for paid in found]


def get_batches(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    start, end = _period(fields)
    return [shapes.batch(batch) for batch in _batches(books, start, end, _by_changed_date(fields))]


def get_batches_full(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    start, end = period_day(fields, "PeriodStart"), period_day(fields, "PeriodEnd")
    if (end - start).days >= MAX_DAYS_FULL:
        raise invalid("Periood liiga pikk(max 31 päeva)")
    with_lines = flag(fields, "WithLines")
    return [shapes.full_batch(batch, with_lines) for batch in _batches(books, start, end, _by_changed_date(fields))]


def _batches(books: Books, start: date, end: date, by_changed: bool) -> list:
    if not by_changed:
        return books.batches(start, end)
    return [b for b in books.batches(start - timedelta(days=7), end) if start <= b.changed.date() <= end]


def get_banks(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    account = books.country.accounts["bank"][0]
    return [
        {
            "BankId": _bank_id(books),
            "Name": books.country.bank,
            "IBANCode": f"{books.country.code.upper()}00SANDBOX0000000001",
            "CurrencyCode": books.country.currency,
            "AccountCode": account,
        }
    ]


def _bank_id(books: Books) -> str:
    return shapes.steady_id("bank", books.country.code)


def get_departments(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    return [{"Code": "1", "Name": "Kontor", "NonActive": False}]


def get_accounts(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    return [
        {
            "AccountID": shapes.steady_id("account", books.country.code, code),
            "NonActive": False,
            "Code": code,
            "Name": name,
            "TaxName": None,
            "LinkedVendorName": None,
            "IsParent": False,
            "NameEN": role.replace("_", " ").capitalize(),
            "NameRU": None,
        }
        for role, (code, name) in books.country.accounts.items()
    ]


def get_payment_types(books: Books, fields: dict, clock: Clock, version: str) -> list[dict]:
    return [
        {
            "Id": _bank_id(books) if name == books.country.bank else shapes.steady_id("payment type", name),
            "Name": name,
            "SourceType": 1,
            "CurrencyCode": books.country.currency,
            "AccountCode": books.country.accounts["bank"][0],
            "DepartmentId": ZERO_GUID,
        }
        for name in payment_methods(books)
    ]


def get_periods(books: Books, fields: dict, clock: Clock, version: str) -> dict[str, Any]:
    first, last = books.open_years()
    years = [_year(books, year) for year in range(first.year, clock.today().year + 1)]
    return {"SaveFrom": shapes.stamp(first), "SaveTo": shapes.stamp(last), "AccPeriods": years}


def _year(books: Books, year: int) -> dict[str, Any]:
    return {
        "AccPeriodId": shapes.steady_id("year", books.country.code, str(year)),
        "StartDate": shapes.stamp(date(year, 1, 1)),
        "EndDate": shapes.stamp(date(year, 12, 31)),
        "Active": True,
    }


READS: dict[str, Handler] = {
    "gettaxes": get_taxes,
    "getitems": get_items,
    "getcustomers": get_customers,
    "getinvoices": get_invoices,
    "getinvoice": get_invoice,
    "getpurchorders": get_purchases,
    "getpurchorder": get_purchase,
    "getpayments": get_payments,
    "getglbatches": get_batches,
    "getglbatchesfull": get_batches_full,
    "getbanks": get_banks,
    "getdepartments": get_departments,
    "getaccounts": get_accounts,
}
# No twin in version 1.
READS_V2: dict[str, Handler] = {
    "getinvoices2": get_invoices_by,
    "getaccperiods": get_periods,
    "getpaymenttypes": get_payment_types,
}
