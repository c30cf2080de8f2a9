from collections import Counter
from datetime import date, datetime, timedelta

import pytest

from uku_web.sandbox.clock import StoppedClock
from uku_web.sandbox.smartaccounts_books import SmartBooks

SALES, BILLS = "purchasesales/clientinvoices:get", "purchasesales/vendorinvoices:get"
PAYMENTS, ENTRIES = "purchasesales/payments:get", "general/entries:get"
YEAR = {"dateFrom": "01.03.2025", "dateTo": "28.02.2026"}
DOC_TYPES = {
    "LEDGER_ENTRY",
    "CLIENT_INVOICE",
    "VENDOR_INVOICE",
    "BANK_PAYMENT",
    "CASH_PAYMENT",
    "VAT_RETURN",
    "WAREHOUSE_MOVEMENT",
    "PERIOD_DEPRECIATION",
    "PERIOD_SALARY",
}


def day(text):
    return datetime.strptime(text, "%d.%m.%Y").date()  # noqa: DTZ007 the books' local date


def ids(items):
    return {item["id"] for item in items}


@pytest.fixture
def books(app, smart):
    return app.extensions["sandbox"].stand_ins["smartaccounts"].books(smart.api_key)


def test_pages_hold_a_hundred_and_end_with_has_more_entries_false(smart):
    pages = [smart.get(ENTRIES, pageNumber=page, **YEAR) for page in range(1, 40)]
    full = [page for page in pages if page["entries"]]
    assert {len(page["entries"]) for page in full[:-1]} == {100} and 0 < len(full[-1]["entries"]) <= 100
    assert [page["hasMoreEntries"] for page in full] == [True] * (len(full) - 1) + [False]
    assert pages[len(full)] == {"entries": [], "hasMoreEntries": False}
    everything = [entry["id"] for page in full for entry in page["entries"]]
    assert len(everything) == len(set(everything)) > 1000
    assert smart.get(ENTRIES, **YEAR) == pages[0]


def test_every_document_has_its_entry(smart):
    entries = smart.walk(ENTRIES, "entries", **YEAR)
    counts = Counter(entry["docType"] for entry in entries)
    assert set(counts) == DOC_TYPES
    sales = smart.walk(SALES, "clientInvoices", **YEAR)
    payments = smart.walk(PAYMENTS, "payments", **YEAR)
    kinds = Counter(payment["accountType"] for payment in payments)
    assert counts["CLIENT_INVOICE"] == len(sales)
    assert counts["VENDOR_INVOICE"] == len(smart.walk(BILLS, "vendorInvoices", **YEAR))
    assert (counts["BANK_PAYMENT"], counts["CASH_PAYMENT"]) == (kinds["BANK"], kinds["CASH"])
    assert counts["PERIOD_SALARY"] == counts["PERIOD_DEPRECIATION"] == 12
    assert [day(e["date"]) for e in entries] == sorted(day(e["date"]) for e in entries)
    totals = Counter(entry["amount"] for entry in entries if entry["docType"] == "CLIENT_INVOICE")
    assert totals == Counter(invoice["totalAmount"] for invoice in sales)


@pytest.mark.parametrize("doc_type", sorted(DOC_TYPES))
def test_entries_of_one_type(smart, doc_type):
    found = smart.walk(ENTRIES, "entries", docType=doc_type, **YEAR)
    assert found and {entry["docType"] for entry in found} == {doc_type}


def test_rows_come_when_asked_for_and_balance(smart):
    month = {"dateFrom": "01.01.2026", "dateTo": "31.01.2026"}
    plain, full = smart.get(ENTRIES, **month)["entries"], smart.get(ENTRIES, fetchRows="true", **month)["entries"]
    assert not any("rows" in entry for entry in plain) and len(plain) == len(full)
    for entry in full:
        suffix = "Amount" if entry["currency"] == "EUR" else "AmountOriginalCurrency"
        sums = [round(sum(row[f"{side}{suffix}"] for row in entry["rows"]), 2) for side in ("debit", "credit")]
        assert sums[0] == sums[1], entry
        assert not any("vat" in name.lower() for row in entry["rows"] for name in row)


def test_an_empty_company_has_empty_lists(smart_caller):
    empty = smart_caller("empty")
    assert empty.get(ENTRIES) == {"entries": [], "hasMoreEntries": False}
    assert empty.get(SALES, **YEAR) == {"clientInvoices": [], "hasMoreEntries": False}


@pytest.mark.parametrize(
    ("date_type", "field"),
    [
        (None, "date"),
        ("date", "date"),
        ("entrydate", "entryDate"),
        ("duedate", "dueDate"),
        ("modifydate", "dateUpdated"),
    ],
)
def test_the_period_is_by_the_date_asked_for(smart, date_type, field):
    period = {"dateFrom": "10.01.2026", "dateTo": "20.01.2026"} | ({"dateType": date_type} if date_type else {})
    found = smart.walk(SALES, "clientInvoices", **period)
    around = smart.walk(SALES, "clientInvoices", dateFrom="01.11.2025", dateTo="31.03.2026")
    wanted = {i["id"] for i in around if date(2026, 1, 10) <= day(i[field]) <= date(2026, 1, 20)}
    assert ids(found) == wanted and wanted


def test_changes_are_asked_for_to_the_second_in_estonian_time(smart, books):
    invoice = books.sales(date(2026, 1, 1), date(2026, 1, 31))[0]
    local = invoice.changed + timedelta(hours=2)
    exact, later = (moment.strftime("%d.%m.%Y_%H:%M:%S") for moment in (local, local + timedelta(seconds=1)))
    asked = {"dateType": "modifydate", "dateTo": exact}
    assert invoice.id in ids(smart.walk(SALES, "clientInvoices", dateFrom=exact, **asked))
    assert invoice.id not in ids(smart.walk(SALES, "clientInvoices", dateFrom=later, dateType="modifydate"))
    assert smart.ask(SALES, dateFrom=exact).status_code == 400


def test_sales_need_a_date_a_status_or_an_id(smart):
    for filters in ({}, {"invoiceNumber": "26010001"}, {"dateTo": "01.01.2026"}, {"dateType": "modifydate"}):
        response = smart.ask(SALES, **filters)
        assert response.status_code == 400
        assert response.get_json()["errors"][0]["key"] == "DATE-FILTER-MISSING"
    assert smart.ask(BILLS).status_code == smart.ask(ENTRIES).status_code == 200


def test_single_invoices_and_those_of_one_client(smart):
    invoices = smart.walk(SALES, "clientInvoices", **YEAR)
    one = invoices[7]
    assert smart.get(SALES, id=one["id"])["clientInvoices"] == [one]
    number = {"invoiceNumber": one["invoiceNumber"], "dateFrom": one["date"], "dateTo": one["date"]}
    assert smart.get(SALES, **number)["clientInvoices"] == [one]
    same = smart.walk(SALES, "clientInvoices", clientId=one["clientId"], **YEAR)
    assert ids(same) == {i["id"] for i in invoices if i["clientId"] == one["clientId"]}
    assert ids(same) <= ids(smart.walk(SALES, "clientInvoices", clientName=one["client"]["name"][:9].upper(), **YEAR))
    unknown = smart.ask(SALES, id="inv-0")
    assert (unknown.status_code, unknown.get_json()["errors"][0]["key"]) == (400, "INVOICE-NOT-FOUND")


def test_payment_status(smart):
    invoices = smart.walk(SALES, "clientInvoices", **YEAR)
    unpaid = {i["id"] for i in invoices if i["outstandingAmount"]}
    overdue = {i["id"] for i in invoices if i["outstandingAmount"] and day(i["dueDate"]) < date(2026, 3, 18)}
    assert overdue < unpaid < ids(invoices)
    assert ids(smart.walk(SALES, "clientInvoices", paymentStatus="unpaid", **YEAR)) == unpaid
    assert ids(smart.walk(SALES, "clientInvoices", paymentStatus="overdue", **YEAR)) == overdue
    assert unpaid <= ids(smart.walk(SALES, "clientInvoices", paymentStatus="unpaid"))
    of_sales = smart.walk(ENTRIES, "entries", docType="CLIENT_INVOICE", paymentStatus="unpaid", **YEAR)
    assert len(of_sales) == len(unpaid)
    assert smart.ask(SALES, paymentStatus="paid").status_code == 400


def test_sums_of_invoices(smart):
    invoices = smart.walk(SALES, "clientInvoices", fetchRows="true", **YEAR)
    for one in invoices:
        assert round(one["amount"] + one["vatAmount"] + one["roundAmount"], 2) == one["totalAmount"]
        sign = -1 if one["type"] == "CRE" else 1
        assert round(sum(sign * row["sum"] for row in one["rows"]), 2) == one["amount"]
        assert all(row["quantity"] > 0 and isinstance(row["vatPc"], str) for row in one["rows"])
        assert isinstance(one["number"], int)
    assert {one["type"] for one in invoices} == {None, "CRE"}
    numbers = {type(one["invoiceNumber"]) for one in smart.walk(BILLS, "vendorInvoices", **YEAR)}
    assert numbers == {str} and {type(one["invoiceNumber"]) for one in invoices} == {int}


def test_filters_of_payments(smart):
    payments = smart.walk(PAYMENTS, "payments", fetchRows="true", **YEAR)
    assert {payment["partnerType"] for payment in payments} == {"CLIENT", "VENDOR", None}
    for name, value in (("partnerType", "CLIENT"), ("accountType", "CASH"), ("accountName", "Kassa")):
        wanted = {payment["id"] for payment in payments if payment[name] == value}
        assert ids(smart.walk(PAYMENTS, "payments", **{name: value}, **YEAR)) == wanted != set()
    one = next(payment for payment in payments if payment["partnerType"] == "CLIENT")
    mine = smart.walk(PAYMENTS, "payments", partnerId=one["clientId"], **YEAR)
    assert ids(mine) == {p["id"] for p in payments if p.get("clientId") == one["clientId"]}
    assert ids(mine) <= ids(smart.walk(PAYMENTS, "payments", partnerName=one["client"]["name"], **YEAR))
    assert ids(smart.get(PAYMENTS, id=one["id"])["payments"]) == {one["id"]}
    assert "rows" not in smart.get(PAYMENTS, id=one["id"])["payments"][0]
    assert smart.ask(PAYMENTS, id="p-0").status_code == 400
    assert smart.ask(PAYMENTS, dateType="duedate", **YEAR).status_code == 400


def test_payments_add_up_to_what_is_paid(smart):
    invoices = smart.walk(SALES, "clientInvoices", **YEAR)
    rows = [row for p in smart.walk(PAYMENTS, "payments", fetchRows="true", partnerType="CLIENT") for row in p["rows"]]
    assert {row["type"] for row in rows} == {"CLIENT_INVOICE"}
    paid = Counter()
    for row in rows:
        paid[row["id"]] += round(row["amount"] * 100)
    for one in invoices:
        assert paid[one["id"]] == round((one["totalAmount"] - one["outstandingAmount"]) * 100)


def test_wages_and_vat_are_paid_the_month_after(smart):
    rows = [row for p in smart.walk(PAYMENTS, "payments", fetchRows="true", **YEAR) for row in p["rows"]]
    assert {row["type"] for row in rows} == {"CLIENT_INVOICE", "VENDOR_INVOICE", "SALARY", "VAT_RETURN"}
    entries = ids(smart.walk(ENTRIES, "entries", dateFrom="01.01.2025"))
    assert {row["id"] for row in rows if row["type"] in ("SALARY", "VAT_RETURN")} <= entries


def test_the_largest_company_takes_many_pages_and_less_than_a_days_requests(clock):
    books = SmartBooks("7/huge", "huge", clock)
    month = len(books.entries(date(2026, 1, 1), date(2026, 1, 31)))
    assert month > 2000 and month * 12 * 1.4 < 100 * 1000


def test_the_same_company_has_the_same_books_every_time(clock):
    period = date(2025, 11, 1), date(2026, 1, 31)
    first, second = (SmartBooks("7/one", "medium", StoppedClock(clock.now())) for _ in range(2))
    assert first.entries(*period) == second.entries(*period)
    assert first.payments(*period) == second.payments(*period)
    assert first.entries(*period) != SmartBooks("8/one", "medium", clock).entries(*period)
