from datetime import timedelta
from decimal import Decimal
from xml.etree import ElementTree

import pytest

SERVICE = "purchasesales/clientinvoices"
SYNC = {"dateType": "modifydate", "dateFrom": "18.03.2026"}


def keys(response):
    assert response.status_code == 400, response.text
    return [error["key"] for error in response.get_json()["errors"]]


@pytest.fixture
def draft(smart):
    """Fields of a small invoice to a known client; what is given differs."""
    client = smart.get("purchasesales/clients:get")["clients"][0]

    def make(row=None, **changes):
        rows = [{"code": "A001", "description": "Nõustamine", "price": 100, "quantity": 1, "vatPc": "24"} | (row or {})]
        return {"clientId": client["id"], "date": "15.03.2026", "currency": "EUR", "rows": rows} | changes

    return make


@pytest.fixture
def add(smart):
    def send(fields):
        response = smart.post(f"{SERVICE}:add", fields)
        assert response.status_code == 200, response.text
        return response.get_json()

    return send


def read(smart, invoice_id, **more):
    return smart.get(f"{SERVICE}:get", id=invoice_id, **more)["clientInvoices"][0]


def test_an_invoice_is_booked_at_once(smart, draft, add):
    fields = draft(invoiceNumber="UKU-1007", comment="our id 5", invoiceNote="Aitäh", dueDate="29.03.2026")
    made = add(fields)
    assert set(made) >= {
        "invoiceId",
        "clientId",
        "number",
        "invoiceNumber",
        "referenceNumber",
        "interest",
        "warehouseId",
    }
    assert (made["amount"], made["vatAmount"], made["totalAmount"], made["roundAmount"]) == (100, 24, 124, 0)
    assert (made["invoiceNumber"], made["referenceNumber"], made["dueDate"]) == ("UKU-1007", 10074, "29.03.2026")
    found = read(smart, made["invoiceId"], fetchRows="true")
    assert (found["outstandingAmount"], found["comment"], found["invoiceNote"]) == (124, "our id 5", "Aitäh")
    assert found["rows"][0]["description"] == "Nõustamine" and found["type"] is None
    month = {"dateFrom": "15.03.2026", "dateTo": "15.03.2026", "docType": "CLIENT_INVOICE", "fetchRows": "true"}
    (entry,) = (e for e in smart.get("general/entries:get", **month)["entries"] if e["document"] == "UKU-1007")
    assert {row["account"]: row["debitAmount"] - row["creditAmount"] for row in entry["rows"]} == {
        "1210": 124,
        "2310": -24,
        "3010": -100,
    }


def test_numbers_may_repeat_and_are_made_when_absent(smart, draft, add):
    first, second = (add(draft(invoiceNumber="UKU-1")) for _ in range(2))
    assert first["invoiceId"] != second["invoiceId"]
    day = {"dateFrom": "15.03.2026", "dateTo": "15.03.2026", "invoiceNumber": "UKU-1"}
    assert len(smart.get(f"{SERVICE}:get", **day)["clientInvoices"]) == 2
    made = {add(draft())["invoiceNumber"] for _ in range(2)}
    assert len(made) == 2 and all(made)


@pytest.mark.parametrize(("total", "rounding"), [(124, 0), (124.02, 0.02), (123.99, -0.01)])
def test_the_difference_to_the_given_total_is_rounding(draft, add, total, rounding):
    made = add(draft(totalAmount=total))
    assert (made["totalAmount"], made["roundAmount"], made["amount"]) == (total, rounding, 100)


def test_discount_quantity_and_several_rates(draft, add):
    fields = draft({"quantity": 3, "discount": 10, "price": 0.335})
    fields["rows"].append({"code": "A004", "description": "Raamat", "price": 10, "quantity": 2, "vatPc": "9"})
    made = add(fields)
    assert (made["amount"], made["vatAmount"]) == (pytest.approx(20.91), pytest.approx(1.8 + 0.22))


def test_another_currency(smart, draft, add):
    made = add(draft(currency="USD", exchangeRate=1.1))
    found = read(smart, made["invoiceId"])
    assert (found["currency"], found["exchangeRate"]) == ("USD", 1.1)
    assert keys(smart.post(f"{SERVICE}:add", draft(currency="XXX"))) == ["CURRENCY-NOT-FOUND"]


def test_a_credit_invoice(smart, draft, add):
    base = add(draft(invoiceNumber="UKU-2"))
    wanted = {"type": "CRE", "baseForCreditInvoiceId": base["invoiceId"]}
    made = add(draft(**wanted, date="16.03.2026", totalAmount=124))
    assert (made["totalAmount"], made["roundAmount"]) == (-124, 0)
    found = read(smart, made["invoiceId"], fetchRows="true")
    assert (found["type"], found["baseForCreditInvoiceId"]) == ("CRE", base["invoiceId"])
    assert found["rows"][0]["quantity"] == 1 and found["outstandingAmount"] == -124
    early = smart.post(f"{SERVICE}:add", draft(**wanted, date="14.03.2026"))
    assert keys(early) == ["CREDIT-INVOICE-EARLIER-THAN-BASE", "CREDIT-INVOICE-ENTRY-EARLIER-THAN-BASE"]
    booked_early = smart.post(f"{SERVICE}:add", draft(**wanted, entryDate="14.03.2026"))
    assert keys(booked_early) == ["CREDIT-INVOICE-ENTRY-EARLIER-THAN-BASE"]
    negative = smart.post(f"{SERVICE}:add", draft({"quantity": -1}, **wanted))
    assert keys(negative) == ["CREDIT-INVOICE-NEGATIVE-QUANTITY"]
    for change in ({"baseForCreditInvoiceId": "inv-0"}, {"type": None}):
        assert keys(smart.post(f"{SERVICE}:add", draft(**wanted | change))) == ["CREDIT-INVOICE-BASE-NOT-FOUND"]


@pytest.mark.parametrize(
    ("row", "change", "key"),
    [
        ({}, {"clientId": ""}, "MISSING-PROPERTY"),
        ({}, {"rows": []}, "MISSING-PROPERTY"),
        ({}, {"date": None}, "MISSING-PROPERTY"),
        ({}, {"date": "2026-03-15"}, "INVALID-DATE"),
        ({}, {"date": "31.02.2026"}, "INVALID-DATE"),
        ({"code": ""}, {}, "MISSING-PROPERTY"),
        ({"vatPc": None}, {}, "MISSING-PROPERTY"),
        ({"vatPc": 24}, {}, "INVALID-PROPERTY"),
        ({"price": "100.00"}, {}, "INVALID-PROPERTY"),
        ({"qty": 1}, {}, "UNKNOWN-PROPERTY"),
        ({}, {"number": "1"}, "UNKNOWN-PROPERTY"),
        ({}, {"type": "DEB"}, "INVALID-PROPERTY"),
        ({"vatPc": "24%"}, {}, "VATPC-NOT-FOUND"),
        ({"code": "NONE"}, {}, "ARTICLE-NOT-FOUND"),
        ({}, {"clientId": "c-1001"}, "CLIENT-NOT-FOUND"),
        ({}, {"paymentMethod": "Kullas"}, "PAYMENT-METHOD-NOT-FOUND"),
    ],
)
def test_invoices_that_are_refused(smart, draft, row, change, key):
    assert keys(smart.post(f"{SERVICE}:add", draft(row, **change))) == [key]
    day = {"dateFrom": "15.03.2026", "dateType": "modifydate"}
    assert smart.get("general/entries:get", docType="CLIENT_INVOICE", **day)["deleted"] == []


def test_every_broken_rule_is_told_in_the_language_of_the_address(smart, draft):
    fields = draft({"code": "NONE", "vatPc": "x"}, clientId="c-0", date="31.12.2024")
    answer = smart.post(f"{SERVICE}:add", fields)
    assert set(keys(answer)) == {"CLIENT-NOT-FOUND", "PERIOD-LOCKED", "ARTICLE-NOT-FOUND", "VATPC-NOT-FOUND"}
    estonian = smart.post(f"{SERVICE}:add", fields, prefix="/et").get_json()["errors"]
    assert "Periood on lukustatud" in {error["message"] for error in estonian}


def test_a_locked_period_takes_no_invoice_and_lets_none_go(smart, draft, add, http):
    made = add(draft())
    lock = {"api_key": smart.api_key, "until": "2026-03-15"}
    assert http.post("/_control/smartaccounts/lock", json=lock).status_code == 201
    assert keys(smart.post(f"{SERVICE}:add", draft())) == ["PERIOD-LOCKED"]
    assert keys(smart.post(f"{SERVICE}:add", draft(date="16.03.2026", entryDate="15.03.2026"))) == ["PERIOD-LOCKED"]
    assert keys(smart.post(f"{SERVICE}:delete", {}, f"id={made['invoiceId']}")) == ["PERIOD-LOCKED"]
    assert keys(smart.post(f"{SERVICE}:edit", draft(id=made["invoiceId"], date="17.03.2026"))) == ["PERIOD-LOCKED"]
    add(draft(date="16.03.2026"))
    http.post("/_control/reset")
    add(draft())


def test_a_deleted_invoice_is_told_on_page_one_of_the_changes(smart, draft, add):
    made = add(draft())
    before = smart.get(f"{SERVICE}:get", **SYNC)
    assert made["invoiceId"] in {i["id"] for i in before["clientInvoices"]} and before["deleted"] == []
    smart.clock.advance(timedelta(minutes=5))
    assert smart.post(f"{SERVICE}:delete", {}, f"id={made['invoiceId']}").status_code == 200
    after = smart.get(f"{SERVICE}:get", **SYNC)
    assert after["deleted"] == [made["invoiceId"]]
    assert made["invoiceId"] not in {i["id"] for i in after["clientInvoices"]}
    assert "deleted" not in smart.get(f"{SERVICE}:get", pageNumber=2, **SYNC)
    assert "deleted" not in smart.get(f"{SERVICE}:get", dateFrom="18.03.2026")
    later = {"dateType": "modifydate", "dateFrom": "18.03.2026_12:35:01"}
    assert smart.get(f"{SERVICE}:get", **later)["deleted"] == []
    assert len(smart.get("general/entries:get", **SYNC)["deleted"]) == 1
    assert keys(smart.post(f"{SERVICE}:delete", {}, f"id={made['invoiceId']}")) == ["INVOICE-NOT-FOUND"]


def test_what_a_delete_needs(smart, draft, add, http):
    assert keys(smart.post(f"{SERVICE}:delete", {"id": "x"})) == ["MISSING-PARAMETER"]
    made = add(draft(invoiceNumber="UKU-3"))
    http.post("/_control/smartaccounts/pay", json={"api_key": smart.api_key, "invoice_no": "UKU-3", "amount": 1})
    assert keys(smart.post(f"{SERVICE}:delete", {}, f"id={made['invoiceId']}")) == ["INVOICE-HAS-PAYMENTS"]


def test_an_edit_replaces_the_whole_invoice(smart, draft, add):
    made = add(draft(invoiceNumber="UKU-4", comment="ours"))
    smart.clock.advance(timedelta(days=1))
    edited = smart.post(f"{SERVICE}:edit", draft({"price": 50}, id=made["invoiceId"], invoiceNumber="UKU-4"))
    assert edited.get_json()["totalAmount"] == 62
    found = read(smart, made["invoiceId"])
    assert (found["totalAmount"], found["comment"], found["number"]) == (62, None, made["number"])
    assert (found["dateCreated"], found["dateUpdated"]) == ("18.03.2026", "19.03.2026")
    assert keys(smart.post(f"{SERVICE}:edit", {"id": made["invoiceId"], "comment": "x"})) == ["MISSING-PROPERTY"]
    assert keys(smart.post(f"{SERVICE}:edit", draft(id="inv-0"))) == ["INVOICE-NOT-FOUND"]


def test_an_older_invoice_can_be_edited_and_stays_one(smart, draft):
    month = {"dateFrom": "01.02.2026", "dateTo": "28.02.2026"}
    before = smart.walk(f"{SERVICE}:get", "clientInvoices", **month)
    one = before[0]
    smart.post(f"{SERVICE}:edit", draft(id=one["id"], date=one["date"], invoiceNumber=str(one["invoiceNumber"])))
    after = smart.walk(f"{SERVICE}:get", "clientInvoices", **month)
    assert sorted(i["id"] for i in after) == sorted(i["id"] for i in before)
    assert read(smart, one["id"])["totalAmount"] == 124
    entries = smart.walk("general/entries:get", "entries", docType="CLIENT_INVOICE", **month)
    assert len(entries) == len(after)
    changed = smart.walk("general/entries:get", "entries", docType="CLIENT_INVOICE", **SYNC)
    assert str(one["invoiceNumber"]) in {entry["document"] for entry in changed}


def test_a_control_call_pays(smart, draft, add, http):
    made = add(draft(invoiceNumber="UKU-5"))
    wanted = {"api_key": smart.api_key, "invoice_no": "UKU-5"}
    part = http.post("/_control/smartaccounts/pay", json={**wanted, "amount": "20.00", "date": "2026-03-16"})
    assert (part.status_code, part.get_json()["outstandingAmount"]) == (201, 104)
    rest = http.post("/_control/smartaccounts/pay", json={**wanted, "method": "Kassa"}).get_json()
    assert (rest["amount"], rest["accountType"], rest["outstandingAmount"]) == (104, "CASH", 0)
    found = read(smart, made["invoiceId"])
    assert found["outstandingAmount"] == 0
    changed = smart.walk("purchasesales/payments:get", "payments", fetchRows="true", partnerType="CLIENT", **SYNC)
    mine = [p for p in changed if p["rows"][0]["id"] == made["invoiceId"]]
    assert [(p["date"], p["amount"]) for p in mine] == [("16.03.2026", 20), ("18.03.2026", 104)]
    for wrong, status in (
        ({"api_key": "x"}, 404),
        ({"invoice_no": "y"}, 400),
        ({"date": "z"}, 400),
        ({"amount": "w"}, 400),
    ):
        assert http.post("/_control/smartaccounts/pay", json=wanted | wrong).status_code == status


def test_a_payment_leaves_the_invoices_time_of_change_alone(smart, draft, add, http):
    made = add(draft(invoiceNumber="UKU-6"))
    smart.clock.advance(timedelta(days=1))
    http.post("/_control/smartaccounts/pay", json={"api_key": smart.api_key, "invoice_id": made["invoiceId"]})
    changed = smart.get(f"{SERVICE}:get", dateType="modifydate", dateFrom="19.03.2026")["clientInvoices"]
    assert made["invoiceId"] not in {invoice["id"] for invoice in changed}


def test_paid_when_made(smart, draft, add):
    made = add(draft(paymentMethod="Kassa", paymentAmount=24))
    assert read(smart, made["invoiceId"])["outstandingAmount"] == 100


def test_the_e_invoice_names_the_seller_and_the_number(smart, draft, add):
    made = add(draft(invoiceNumber="UKU-7"))
    response = smart.ask(f"{SERVICE}:getxml", id=made["invoiceId"])
    assert (response.status_code, response.mimetype) == (200, "application/xml")
    root = ElementTree.fromstring(response.data)
    assert root.findtext(".//SellerParty/Name") == "Äri 1 OÜ"
    assert root.findtext(".//InvoiceInformation/InvoiceNumber") == "UKU-7"
    assert Decimal(root.findtext(".//TotalSum")) == 124
    assert keys(smart.ask(f"{SERVICE}:getxml", id="inv-0")) == ["INVOICE-NOT-FOUND"]
    assert keys(smart.ask(f"{SERVICE}:getxml")) == ["MISSING-PARAMETER"]


def test_what_was_written_is_forgotten_by_a_reset(smart, draft, add, http):
    made = add(draft())
    http.post("/_control/reset")
    assert keys(smart.ask(f"{SERVICE}:get", id=made["invoiceId"])) == ["INVOICE-NOT-FOUND"]
