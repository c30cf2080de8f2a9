import json
import re
from collections import Counter
from datetime import date
from decimal import Decimal

import pytest

from uku_web.sandbox.firm import merit_company
from uku_web.sandbox.server import create_sandbox

ZERO_GUID = "00000000-0000-0000-0000-000000000000"
FEBRUARY = {"PeriodStart": "20260201", "PeriodEnd": "20260228"}
FULL = {**FEBRUARY, "WithLines": 1, "WithCostAlloc": 0}

INVOICE_FIELDS = {
    "SIHId", "DepartmentCode", "DepartmentName", "ProjectCode", "ProjectName", "AccountingDoc", "BatchInfo",
    "InvoiceNo", "DocumentDate", "TransactionDate", "CustomerId", "CustomerName", "CustomerRegNo", "HComment",
    "FComment", "DueDate", "CurrencyCode", "CurrencyRate", "TaxAmount", "RoundingAmount", "TotalAmount",
    "ProfitAmount", "TotalSum", "UserName", "ReferenceNo", "PriceInclVat", "VatRegNo", "PaidAmount", "EInvSent",
    "EmailSent", "EInvOperator", "OfferId", "OfferDocType", "OfferNo", "FileExists", "PerSHId", "ContractNo",
    "Paid",
}  # fmt: skip


def test_taxes_are_the_countrys_own(caller):
    rates = {country: caller(country).get("v1/gettaxes") for country in ("ee", "fi", "pl")}
    active = {c: {t["TaxPct"] for t in found if not t["NonActive"]} for c, found in rates.items()}
    assert active["ee"] == {24, 13, 9, 0}
    assert active["fi"] == {25.5, 13.5, 10, 0}
    assert active["pl"] == {23, 8, 5, 0}
    assert {t["Code"] for t in rates["ee"] if t["NonActive"]} == {"20%", "22%", "5%"}
    assert set(rates["ee"][0]) == {"Id", "Code", "Name", "NameEN", "NameRU", "TaxPct", "NonActive"}


def test_invoice_header_has_every_documented_field(merit):
    invoice = merit.get("v1/getinvoices", FEBRUARY)[0]
    assert set(invoice) == INVOICE_FIELDS
    assert re.fullmatch(r"2026-02-\d\dT00:00:00", invoice["DocumentDate"])
    assert invoice["EmailSent"] == "1901-01-01T00:00:00"


def test_gross_is_net_with_tax_and_rounding(merit):
    for invoice in merit.get("v1/getinvoices", FEBRUARY) + merit.get("v1/getpurchorders", FEBRUARY):
        parts = [Decimal(str(invoice[name])) for name in ("TotalAmount", "TaxAmount", "RoundingAmount")]
        assert sum(parts) == Decimal(str(invoice["TotalSum"]))


def test_amounts_are_numbers_with_their_digits(merit):
    text = merit.post("v1/getinvoices", FEBRUARY).text
    assert re.search(r'"CurrencyRate":1\.0000000,', text)
    assert re.search(r'"TotalSum":-?\d+\.\d\d,', text)


def test_field_names_in_any_case(merit):
    assert merit.get("v1/getinvoices", {"Periodstart": "20260201", "PERIODEND": "20260228"}) == merit.get(
        "v1/getinvoices", FEBRUARY
    )


def test_both_ends_of_a_period_count(merit):
    whole = merit.get("v1/getinvoices", FEBRUARY)
    days = sorted({i["DocumentDate"][:10].replace("-", "") for i in whole})
    by_day = [i for d in days for i in merit.get("v1/getinvoices", {"PeriodStart": d, "PeriodEnd": d})]
    assert [i["SIHId"] for i in by_day] == [i["SIHId"] for i in whole]


@pytest.mark.parametrize("call", ["v1/getinvoices", "v1/getpurchorders", "v1/getpayments", "v1/getglbatches"])
def test_three_months_and_not_a_day_more(merit, call):
    assert merit.post(call, {"PeriodStart": "20251201", "PeriodEnd": "20260228"}).status_code == 200
    response = merit.post(call, {"PeriodStart": "20251201", "PeriodEnd": "20260301"})
    assert response.status_code == 400
    assert response.get_json()["Message"] == "Periood liiga pikk(max 3 kuud)"


def test_full_batches_take_31_days(merit):
    assert merit.post("v1/GetGLBatchesFull", {"PeriodStart": "20260101", "PeriodEnd": "20260131"}).status_code == 200
    response = merit.post("v1/GetGLBatchesFull", {"PeriodStart": "20260101", "PeriodEnd": "20260201"})
    assert response.status_code == 400
    assert "Message" in response.get_json()


@pytest.mark.parametrize("day", ["2026-02-01", "20260230", "yesterday", "", None, 5])
def test_a_bad_date_is_a_format_exception(merit, day):
    response = merit.post("v1/getinvoices", {"PeriodStart": day, "PeriodEnd": "20260228"})
    assert response.status_code == 500
    assert response.get_json()["ErrorCode"] == "FormatException"


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_a_malformed_payload_is_a_stack_trace_with_200(merit, body):
    response = merit.raw("v1/gettaxes", body)
    assert response.status_code == 200
    assert "Exception" in response.text and "   at " in response.text


def test_unpaid_lists_only_what_is_open(merit):
    everything = merit.get("v1/getinvoices", FEBRUARY)
    open_ones = merit.get("v1/getinvoices", {**FEBRUARY, "UnPaid": True})
    assert open_ones == [i for i in everything if not i["Paid"]]
    assert 0 < len(open_ones) < len(everything)


def test_paid_amount_is_the_sum_of_the_payments(merit):
    part_paid = 0
    for header in merit.get("v1/getinvoices", FEBRUARY):
        details = merit.get("v1/getinvoice", {"Id": header["SIHId"]})
        merit.clock.sleep(2)
        paid = sum(Decimal(str(p["Amount"])) for p in details["Payments"])
        assert paid == Decimal(str(header["PaidAmount"]))
        part_paid += bool(details["Payments"]) and not header["Paid"]
        lines = sum(Decimal(str(line["AmountExclVat"])) for line in details["Lines"])
        assert lines == Decimal(str(header["TotalAmount"]))
    assert part_paid


def test_every_document_has_its_batch_and_every_batch_balances(caller):
    for country in ("ee", "fi", "pl"):
        merit = caller(country)
        batches = merit.get("v1/GetGLBatchesFull", FULL)
        documents = Counter(b["DocId"] for b in batches if b["DocId"] != ZERO_GUID)
        sales, purchases = merit.get("v1/getinvoices", FEBRUARY), merit.get("v1/getpurchorders", FEBRUARY)
        payments = merit.get("v1/getpayments", FEBRUARY)
        ids = [i["SIHId"] for i in sales] + [i["PIHId"] for i in purchases] + [p["PIHId"] for p in payments]
        assert documents == Counter(ids) and set(documents.values()) == {1}
        named = {f"{b['BatchCode']}-{b['No']}" for b in batches}
        assert {i["BatchInfo"] for i in sales + purchases} <= named and len(named) == len(batches)
        for batch in batches:
            debit = sum(Decimal(str(e["DebitAmount"])) for e in batch["Entries"])
            assert debit == sum(Decimal(str(e["CreditAmount"])) for e in batch["Entries"])
        assert {b["GLBId"] for b in batches} == {b["GLBId"] for b in merit.get("v1/getglbatches", FEBRUARY)}


def test_entries_have_real_zero_and_missing_tax_ids(merit):
    entries = [e for b in merit.get("v1/GetGLBatchesFull", FULL) for e in b["Entries"]]
    rates = {t["Id"] for t in merit.get("v1/gettaxes")}
    found = {e["TaxId"] for e in entries}
    assert None in found and ZERO_GUID in found
    assert found - {None, ZERO_GUID} and found - {None, ZERO_GUID} <= rates
    assert len({e["EntryId"] for e in entries}) == len(entries)
    assert "AccontName" in entries[0]


def test_batches_without_lines(merit):
    assert all(b["Entries"] == [] for b in merit.get("v1/GetGLBatchesFull", {**FULL, "WithLines": 0}))


def test_batch_codes_differ_by_country(caller):
    codes = {c: {b["BatchCode"] for b in caller(c).get("v1/getglbatches", FEBRUARY)} for c in ("ee", "fi")}
    assert codes["ee"] == {"MA", "OA", "PA", "PÄ", "KD"}
    assert not codes["ee"] & codes["fi"]


def test_nothing_is_dated_after_today(merit):
    running = {"PeriodStart": "20260301", "PeriodEnd": "20260331"}
    batches = merit.get("v1/getglbatches", running)
    assert batches and max(b["BatchDate"] for b in batches) <= merit.clock.today().isoformat() + "T00:00:00"
    assert not any(b["BatchCode"] == "KD" for b in batches)


def test_three_years_back_and_nothing_before(merit):
    assert merit.get("v1/getinvoices", {"PeriodStart": "20230401", "PeriodEnd": "20230430"})
    assert not merit.get("v1/getinvoices", {"PeriodStart": "20220401", "PeriodEnd": "20220430"})


def test_an_empty_company_has_taxes_and_no_documents(caller):
    merit = caller("ee", "empty")
    assert merit.get("v1/gettaxes") and merit.get("v1/getitems")
    assert merit.get("v1/GetGLBatchesFull", FULL) == [] == merit.get("v1/getcustomers")


def test_changed_dates_reach_documents_paid_later(merit):
    changed = merit.get("v2/getinvoices", {**FEBRUARY, "DateType": 1})
    assert all(i["ChangedDate"].startswith("2026-02") for i in changed)
    assert any(i["DocumentDate"] < "2026-02" for i in changed)
    assert merit.post("v1/getglbatches", {**FEBRUARY, "DateType": "x"}).status_code == 500


def test_payments_in_the_later_version_name_their_invoices(merit):
    assert "PaymAPIDetails" not in merit.get("v1/getpayments", FEBRUARY)[0]
    paid = [p for p in merit.get("v2/getpayments", FEBRUARY) if p["Direction"] == 1]
    detail = paid[0]["PaymAPIDetails"][0]
    assert merit.get("v1/getinvoice", {"Id": detail["DocId"]})["Header"]["InvoiceNo"] == detail["DocNo"]


def test_find_by_number_customer_name_and_id(merit):
    wanted = merit.get("v1/getinvoices", FEBRUARY)[3]
    assert [i["SIHId"] for i in merit.get("v2/getinvoices2", {"InvNo": wanted["InvoiceNo"]})] == [wanted["SIHId"]]
    for fields in ({"CustId": wanted["CustomerId"]}, {"CustName": wanted["CustomerName"]}):
        assert wanted["SIHId"] in {i["SIHId"] for i in merit.get("v2/getinvoices2", fields)}
    assert merit.get("v2/getinvoices2", {"InvNo": "nothing"}) == []


def test_unknown_and_malformed_ids(merit):
    response = merit.post("v1/getinvoice", {"Id": "0f9d2c11-0000-4000-8000-000000000001"})
    assert response.status_code == 400 and response.get_json()["Message"]
    assert merit.post("v1/getinvoice", {"Id": "12"}).status_code == 500


def test_customer_filters(merit):
    everyone = merit.get("v1/getcustomers")
    one = everyone[5]
    for fields in ({"Id": one["CustomerId"]}, {"RegNo": one["RegNo"]}, {"VatRegNo": one["VatRegNo"]}):
        assert merit.get("v1/getcustomers", fields) == [one]
    assert one in merit.get("v1/getcustomers", {"Name": one["Name"][:5].lower()})
    assert len(merit.get("v1/getcustomers", {"ChangedDate": "20240701"})) < len(everyone)


def test_small_lists(merit):
    assert merit.get("v1/getbanks")[0]["BankId"]
    assert merit.get("v1/getdepartments")[0]["Code"]
    assert merit.get("v1/getaccounts")[0]["Code"]
    assert merit.get("v2/getpaymenttypes", {"Type": 3})[0]["Name"]
    periods = merit.get("v2/getaccperiods")
    assert periods["SaveFrom"] == "2025-01-01T00:00:00" and len(periods["AccPeriods"]) == 2
    assert date.fromisoformat(periods["SaveTo"][:10]) > merit.clock.today()


def test_items_have_text_and_number_of_kind(merit):
    item = merit.get("v1/getitems", {"Code": "A001"})[0]
    assert (item["Type"], item["Type0"], item["Usage0"]) == ("Teenus", 2, 1)
    assert item["VatTaxName"] == "24% käibemaks"


def test_a_filterless_customer_list_of_a_large_company_fails(clock):
    large = merit_company("ee", 9, "Suur AS", clock.today(), "huge")
    http = create_sandbox(clock, firm_clients=[large]).test_client()
    http.post("/_control/switches", json={"fault": "lenient"})

    def ask(fields):
        api_id = large.books.credentials["api_id"]
        return http.post(f"/merit/ee/api/v1/getcustomers?ApiId={api_id}", data=json.dumps(fields))

    assert ask({}).status_code == 500
    assert ask({"Name": "a"}).status_code == 200
