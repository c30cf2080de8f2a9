from copy import deepcopy
from decimal import Decimal

import pytest

MARCH = {"PeriodStart": "20260301", "PeriodEnd": "20260331"}


@pytest.fixture
def taxes(merit):
    return {tax["Code"]: tax["Id"] for tax in merit.get("v1/gettaxes")}


@pytest.fixture
def order(taxes):
    """Two rows of the standard rate and one of the reduced."""
    item = {"Code": "KONS", "Description": "Nõustamine", "Type": 2, "UOMName": "h"}
    book = {"Code": "A004", "Description": "Käsiraamat", "Type": 3, "UOMName": "tk"}
    return {
        "Customer": {"Name": "Uus Klient OÜ", "CountryCode": "EE", "NotTDCustomer": "false", "RegNo": "90001234"},
        "InvoiceNo": "UKU-1007",
        "DocDate": "20260315000000",
        "DueDate": "20260329000000",
        "CurrencyCode": "EUR",
        "InvoiceRow": [
            {"Item": item, "Quantity": 3, "Price": 33.333, "TaxId": taxes["24%"]},
            {"Item": item, "Quantity": 1, "Price": 50, "DiscountPct": 10, "TaxId": taxes["24%"]},
            {"Item": book, "Quantity": "2", "Price": "10.00", "TaxId": taxes["9%"]},
        ],
        "TaxAmount": [{"TaxId": taxes["24%"], "Amount": 34.80}, {"TaxId": taxes["9%"], "Amount": 1.80}],
        "TotalAmount": 165.00,
        "RoundingAmount": 0,
    }


def refused(merit, order, status=400, call="v1/sendinvoice"):
    before = merit.get("v1/getcustomers")
    response = merit.post(call, order)
    assert response.status_code == status, response.text
    assert merit.get("v1/getcustomers") == before
    assert merit.get("v2/getinvoices2", {"InvNo": "UKU-1007"}) == []
    return response


def test_a_sent_invoice_is_answered_listed_and_booked(merit, order):
    answer = merit.get("v1/sendinvoice", order)
    assert set(answer) == {"CustomerId", "InvoiceId", "InvoiceNo", "RefNo", "NewCustomer"}
    assert (answer["InvoiceNo"], answer["RefNo"]) == ("UKU-1007", "10074")
    assert answer["NewCustomer"] == "Uus Klient OÜ"
    listed = next(i for i in merit.get("v1/getinvoices", MARCH) if i["SIHId"] == answer["InvoiceId"])
    assert (listed["TotalAmount"], listed["TaxAmount"], listed["TotalSum"]) == (165.0, 36.6, 201.6)
    assert (listed["UserName"], listed["Paid"], listed["PaidAmount"]) == ("Merit API", False, 0)
    batches = merit.get("v1/GetGLBatchesFull", {**MARCH, "WithLines": 1})
    booked = [b for b in batches if b["DocId"] == answer["InvoiceId"]]
    assert len(booked) == 1 and booked[0]["Document"] == "UKU-1007"
    assert listed["BatchInfo"] == f"{booked[0]['BatchCode']}-{booked[0]['No']}"
    details = merit.get("v1/getinvoice", {"Id": answer["InvoiceId"].upper()})
    assert [line["AmountExclVat"] for line in details["Lines"]] == [100, 45, 20]


def test_customer_by_id_and_an_existing_name_is_used_again(merit, order):
    known = merit.get("v1/getcustomers")[0]
    order["Customer"] = {"Id": known["CustomerId"]}
    assert merit.get("v1/sendinvoice", order)["NewCustomer"] is None
    order |= {"Customer": {"Name": known["Name"]}, "InvoiceNo": "UKU-1008"}
    assert merit.get("v1/sendinvoice", order)["CustomerId"] == known["CustomerId"]


def test_unknown_items_are_created_with_the_invoice(merit, order):
    assert merit.get("v1/getitems", {"Code": "KONS"}) == []
    merit.get("v1/sendinvoice", order)
    created = merit.get("v1/getitems", {"Code": "KONS"})
    assert [(i["Name"], i["UnitofMeasureName"], i["Type0"]) for i in created] == [("Nõustamine", "h", 2)]


def test_property_names_in_any_case(merit, order):
    lower = {name.lower(): value for name, value in order.items()}
    assert merit.get("v1/sendinvoice", lower)["InvoiceNo"] == "UKU-1007"


def test_the_same_number_again(merit, order):
    merit.get("v1/sendinvoice", order)
    response = merit.post("v1/sendinvoice", order)
    assert response.status_code == 400 and "korduv arve" in response.get_json()["Message"].lower()
    assert len(merit.get("v2/getinvoices2", {"InvNo": "UKU-1007"})) == 1
    order["InvoiceNo"] = merit.get("v1/getinvoices", MARCH)[0]["InvoiceNo"]
    assert "Korduv arve" in merit.post("v1/sendinvoice", order).get_json()["Message"]
    order["InvoiceNo"] = "UKU-1008"
    merit.get("v1/sendinvoice", order)


@pytest.mark.parametrize("missing", ["Customer", "InvoiceRow", "TaxAmount"])
@pytest.mark.parametrize("null", [True, False])
def test_missing_parts_are_a_stack_trace(merit, order, missing, null):
    wrong = {**order, missing: None} if null else {k: v for k, v in order.items() if k != missing}
    assert "   at " in refused(merit, wrong, 500).text


def test_a_row_without_an_item_is_a_stack_trace(merit, order):
    del order["InvoiceRow"][0]["Item"]
    refused(merit, order, 500)


@pytest.mark.parametrize("tax_id", ["", None, "24%"])
def test_a_tax_id_that_is_no_guid(merit, order, tax_id):
    order["InvoiceRow"][0]["TaxId"] = tax_id
    assert refused(merit, order, 500).get_json()["ErrorCode"] == "FormatException"


@pytest.mark.parametrize("field", ["DocDate", "DueDate"])
def test_dates_of_documents(merit, order, field):
    for wrong in ("2026-03-15", "202603", "20261315"):
        assert refused(merit, {**order, field: wrong}, 500).get_json()["ErrorCode"] == "FormatException"
    assert merit.post("v1/sendinvoice", {**order, field: "20260315"}).status_code == 200


def test_a_malformed_number(merit, order):
    order["InvoiceRow"][0]["Quantity"] = "three"
    assert refused(merit, order, 500).get_json()["ErrorCode"] == "FormatException"


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"InvoiceNo": ""}, "number"),
        ({"InvoiceNo": "N" * 36}, "InvoiceNo"),
        ({"DocDate": "20241231"}, "Dokumendi kuup"),
        ({"TotalAmount": 165.01}, "summa"),
        ({"TotalAmount": 201.60}, "summa"),
        ({"CurrencyCode": "XXX"}, "Valuutat"),
        ({"Customer": {"Name": "Uus", "CountryCode": "EE"}}, "NotTDCustomer"),
        ({"Customer": {"Name": "Uus", "NotTDCustomer": "true"}}, "CountryCode"),
        ({"Customer": {"Id": "0f9d2c11-0000-4000-8000-000000000001"}}, "Id-ga"),
        ({"Payment": {"PaymentMethod": "Unknown", "PaidAmount": 1, "PaymDate": "202603151200"}}, "Makseviisi"),
    ],
)
def test_what_is_refused_with_a_message(merit, order, change, part):
    assert part in refused(merit, order | change).get_json()["Message"]


def test_tax_sums_are_checked_unless_left_to_merit(merit, order, taxes):
    wrong = deepcopy(order)
    wrong["TaxAmount"][0]["Amount"] = 33.00
    refused(merit, wrong)
    wrong["TaxAmount"] = [order["TaxAmount"][0]]
    refused(merit, wrong)
    answer = merit.get("v1/sendinvoice", {**order, "TaxAmount": []})
    assert merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})["Header"]["TaxAmount"] == 36.6


def test_more_than_200_rows(merit, order):
    order["InvoiceRow"] = [order["InvoiceRow"][0]] * 201
    refused(merit, order)


def test_items_need_their_fields_and_lengths(merit, order):
    for item in ({"Code": "NEW"}, {"Code": "N" * 21, "Description": "x", "Type": 2}, {"Description": "x", "Type": 2}):
        wrong = deepcopy(order)
        wrong["InvoiceRow"][0]["Item"] = item
        refused(merit, wrong)


def test_credit_note_has_negative_rows_and_positive_tax(merit, order):
    for row in order["InvoiceRow"]:
        row["Quantity"] = -int(row["Quantity"])
    order["TotalAmount"] = -165.00
    negative = deepcopy(order)
    for amount in negative["TaxAmount"]:
        amount["Amount"] *= -1
    refused(merit, negative)
    answer = merit.get("v1/sendinvoice", order)
    header = merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})["Header"]
    assert (header["TotalSum"], header["TaxAmount"]) == (-201.6, -36.6)


def test_other_currency_is_booked_at_a_rate(merit, order):
    order["CurrencyCode"] = "USD"
    answer = merit.get("v1/sendinvoice", order)
    batches = merit.get("v1/GetGLBatchesFull", {**MARCH, "WithLines": 1})
    lines = next(b for b in batches if b["DocId"] == answer["InvoiceId"])["Entries"]
    assert sum(Decimal(str(e["CreditCurrency"])) for e in lines) == Decimal("201.60")
    debit = sum(Decimal(str(e["DebitAmount"])) for e in lines)
    assert debit == sum(Decimal(str(e["CreditAmount"])) for e in lines) != Decimal("201.60")


def test_paid_by_the_control_call_in_parts(merit, order, http):
    answer = merit.get("v1/sendinvoice", order)
    pay = {"api_id": merit.api_id, "invoice_no": "UKU-1007"}
    first = http.post("/_control/merit/ee/pay", json={**pay, "amount": "100.00", "date": "2026-03-16"})
    assert (first.status_code, first.get_json()["Open"]) == (201, 101.6)
    header = merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})["Header"]
    assert (header["Paid"], header["PaidAmount"]) == (False, 100)
    assert http.post("/_control/merit/ee/pay", json=pay).get_json()["Open"] == 0
    details = merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})
    assert details["Header"]["Paid"]
    assert [p["PaymDate"] for p in details["Payments"]] == ["2026-03-16T00:00:00", "2026-03-18T00:00:00"]
    batches = {b["DocId"] for b in merit.get("v1/GetGLBatchesFull", MARCH)}
    assert {p["PaymentId"] for p in details["Payments"]} <= batches
    assert http.post("/_control/merit/ee/pay", json={**pay, "invoice_no": "none"}).status_code == 400
    assert http.post("/_control/merit/ee/pay", json={}).status_code == 404


def test_paid_while_sending(merit, order):
    bank = merit.get("v2/getpaymenttypes")[0]["Name"]
    order["Payment"] = {"PaymentMethod": bank, "PaidAmount": 201.60, "PaymDate": "202603151200"}
    answer = merit.get("v1/sendinvoice", order)
    assert merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})["Header"]["Paid"]


def test_paid_over_the_api_and_then_locked(merit, order):
    answer = merit.get("v1/sendinvoice", order)
    payment = {"InvoiceNo": "UKU-1007", "CustomerName": "Uus Klient OÜ", "PaymentDate": "202603171200", "Amount": 50}
    assert merit.post("v2/sendpayment", payment | {"CustomerName": "Keegi"}).status_code == 400
    merit.get("v2/sendpayment", payment)
    assert merit.get("v1/getinvoice", {"Id": answer["InvoiceId"]})["Header"]["PaidAmount"] == 50
    assert merit.post("v1/deleteinvoice", {"Id": answer["InvoiceId"]}).status_code == 400


def test_delete_answers_a_sentence_and_frees_the_number(merit, order):
    answer = merit.get("v1/sendinvoice", order)
    sentence = merit.get("v1/deleteinvoice", {"Id": answer["InvoiceId"]})
    assert "UKU-1007" in sentence and "15/03/2026" in sentence
    assert merit.get("v2/getinvoices2", {"InvNo": "UKU-1007"}) == []
    assert merit.post("v1/deleteinvoice", {"Id": answer["InvoiceId"]}).status_code == 400
    merit.get("v1/sendinvoice", order)


def test_the_later_version_takes_the_same_invoice(merit, order):
    assert merit.get("v2/sendinvoice", order)["InvoiceNo"] == "UKU-1007"
    assert merit.get("v2/sendinvoice", {**order, "InvoiceNo": None})["InvoiceNo"] is None


def test_customers_are_sent_and_changed(merit):
    wanted = {"Name": "Sild OÜ", "CountryCode": "EE", "NotTDCustomer": False, "Email": "sild@sild.example"}
    made = merit.get("v2/sendcustomer", wanted)
    assert set(made) == {"Id", "Name"}
    again = merit.post("v2/sendcustomer", wanted)
    assert (again.status_code, again.get_json()["Message"]) == (400, "api-custexists")
    assert merit.post("v2/sendcustomer", {"Name": "Uus"}).status_code == 400
    merit.get("v1/updatecustomer", {"Id": made["Id"], "City": "Tartu"})
    found = merit.get("v1/getcustomers", {"Id": made["Id"]})[0]
    assert (found["City"], found["Email"]) == ("Tartu", "sild@sild.example")


def test_reset_forgets_what_was_written(merit, order, http):
    merit.get("v1/sendinvoice", order)
    http.post("/_control/reset")
    assert merit.get("v2/getinvoices2", {"InvNo": "UKU-1007"}) == []
