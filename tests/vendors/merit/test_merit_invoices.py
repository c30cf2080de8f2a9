"""Sending invoices, finding them again, and what was paid."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from uku_web.vendors.errors import Refused, Uncertain
from uku_web.vendors.merit.invoices import _rate
from uku_web.vendors.records import Address, Found, InvoiceCustomer, InvoiceRow, Paid, Step, TaxRate

TAX24, TAX0 = "5b7d0f2e-0000-4000-8000-000000000024", "5b7d0f2e-0000-4000-8000-000000000000"
D = Decimal


def row(quantity, price, tax="24%", **more):
    return InvoiceRow("Töö", D(quantity), D(price), product="RAAMATUP", tax_code=tax, **more)


def sent_body(connector, invoice):
    list(connector.send_invoice(invoice, {}, key="k"))
    return json.loads(connector.door.sent[-1].body, parse_float=D)


def test_an_invoice_goes_out_whole_and_comes_back_as_one_step(merit, sample):
    connector = merit()
    (step,) = connector.send_invoice(sample.INVOICE, {}, key="k")
    assert step == Step(
        "invoice",
        {
            "id": "0F9D2C11-0000-4000-8000-000000000001",
            "number": "UKU-1007",
            "date": "2025-01-15",
            "customer_id": "7c1e0000-0000-4000-8000-0000000000aa",
            "reference_number": "10074",
        },
        last=True,
    )
    assert connector.door.paths == ["/v1/gettaxes", "/v1/sendinvoice"]
    assert connector.door.sent[-1].repeat is False
    assert json.loads(connector.door.sent[-1].body) == {
        "Customer": {"Id": "7c1e0000-0000-4000-8000-0000000000aa"},
        "DocDate": "20250115000000",
        "DueDate": "20250129000000",
        "TransactionDate": "20250115000000",
        "InvoiceNo": "UKU-1007",
        "CurrencyCode": "EUR",
        "InvoiceRow": [
            {
                "Item": {"Code": "RAAMATUP", "Description": "Raamatupidamine", "Type": 2},
                "Quantity": 1,
                "Price": 100,
                "TaxId": TAX24,
            }
        ],
        "TotalAmount": 100.00,
        "TaxAmount": [{"TaxId": TAX24, "Amount": 24.00}],
    }


def test_the_rates_are_read_once_for_many_invoices(merit, sample):
    connector = merit()
    for _ in range(3):
        list(connector.send_invoice(sample.INVOICE, {}, key="k"))
    assert connector.door.paths.count("/v1/gettaxes") == 1


def test_a_step_that_is_done_is_not_repeated(merit, sample):
    connector = merit()
    assert list(connector.send_invoice(sample.INVOICE, {"invoice": {"id": "x"}}, key="k")) == []
    assert connector.door.sent == []


def test_rows_are_rounded_one_by_one_and_taxes_summed_by_rate(merit, sample):
    rows = (
        row("3", "0.335", unit="h"),  # 1.005 -> 1.01
        row("1", "416.67", discount_percent=D(10)),  # 416.67 - 41.667 -> 375.00
        row("2", "10", tax=TAX0.upper()),
    )
    body = sent_body(merit(), replace(sample.INVOICE, rows=rows))
    assert body["TotalAmount"] == D("396.01")
    assert body["TaxAmount"] == [{"TaxId": TAX24, "Amount": D("90.24")}, {"TaxId": TAX0, "Amount": D("0.00")}]
    assert body["InvoiceRow"][0]["Item"]["UOMName"] == "h"
    assert body["InvoiceRow"][1]["DiscountPct"] == 10
    assert body["InvoiceRow"][1]["DiscountAmount"] == D("41.667")
    assert body["InvoiceRow"][2]["TaxId"] == TAX0


@pytest.mark.parametrize("sign", [1, -1])
def test_a_credit_note_has_negative_quantities_and_total_and_positive_tax(merit, sample, sign):
    rows = (row(sign, "416.67", discount_percent=D(10)), row(sign * 2, "5", tax="0% EL"))
    body = sent_body(merit(), replace(sample.INVOICE, rows=rows, credit_of="0f9d"))
    assert [line["Quantity"] for line in body["InvoiceRow"]] == [-1, -2]
    assert [line["Price"] for line in body["InvoiceRow"]] == [D("416.67"), 5]
    assert body["InvoiceRow"][0]["DiscountAmount"] == D("-41.667")
    assert body["InvoiceRow"][0]["DiscountPct"] == 10
    assert body["TotalAmount"] == D("-385.00")
    assert body["TaxAmount"] == [{"TaxId": TAX24, "Amount": D("90.00")}, {"TaxId": TAX0, "Amount": 0}]


@pytest.mark.parametrize(
    ("home", "country", "register_number", "vat_number", "private"),
    [
        ("ee", "EE", "10000001", "EE100000001", "false"),
        ("ee", "EE", "10000001", None, "false"),
        ("ee", None, "10000001", None, "false"),
        ("ee", "EE", None, None, "true"),
        ("ee", "LV", "4000", "LV4000", "true"),
        ("pl", "DE", "HRB 1", "DE1", "false"),
        ("pl", "PL", None, None, "true"),
    ],
)
def test_a_new_customer_is_given_whole(merit, sample, home, country, register_number, vat_number, private):
    customer = InvoiceCustomer(
        name="Õunapuu OÜ",
        register_number=register_number,
        vat_number=vat_number,
        email="arve@example.test",
        country=country,
        address=Address(street="Aia 1", city="Tartu", postal_code="50001"),
    )
    body = sent_body(merit(country=home), replace(sample.INVOICE, customer=customer))
    expected = {
        "Name": "Õunapuu OÜ",
        "CountryCode": country or home.upper(),
        "NotTDCustomer": private,
        "RegNo": register_number,
        "VatRegNo": vat_number,
        "Email": "arve@example.test",
        "Address": "Aia 1",
        "City": "Tartu",
        "PostalCode": "50001",
    }
    assert body["Customer"] == {name: value for name, value in expected.items() if value}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"rows": (row("1", "1", tax=None),)}, "no tax rate"),
        ({"rows": (row("1", "1", tax="20%"),)}, "no tax rate"),
        ({"rows": (row("1", "1", tax_percent=D(22)),)}, "taxed with 22 %"),
        ({"rows": (InvoiceRow("x", D(1), D(1), tax_code="24%"),)}, "no item"),
        ({"rows": (row("1", "1"),) * 201}, "at most 200 rows"),
        ({"number": "N" * 36}, "at most 35"),
    ],
)
def test_what_merit_would_refuse_is_told_before_anything_is_sent(merit, sample, change, says):
    connector = merit()
    with pytest.raises(Refused, match=says):
        list(connector.send_invoice(replace(sample.INVOICE, **change), {}, key="k"))
    assert "/v1/sendinvoice" not in connector.door.paths
    assert len(list(connector.send_invoice(sample.INVOICE, {}, key="k"))) == 1


def test_a_row_without_an_article_takes_the_item_of_the_settings(merit, sample):
    rows = (InvoiceRow("Kiire töö", D(1), D(1), tax_code="24%"),)
    body = sent_body(merit(options={"item_code": "MUU"}), replace(sample.INVOICE, rows=rows))
    assert body["InvoiceRow"][0]["Item"]["Code"] == "MUU"


def test_a_create_that_answers_no_id_is_uncertain(merit, sample):
    connector = merit(lambda call: {} if call.path.endswith("sendinvoice") else sample.reply(call))
    with pytest.raises(Uncertain):
        list(connector.send_invoice(sample.INVOICE, {}, key="k"))
    connector.door.reply = sample.reply
    assert connector.find_invoice(sample.INVOICE)


def test_an_invoice_is_found_by_its_number_among_the_days(merit, sample):
    connector = merit()
    assert connector.find_invoice(sample.INVOICE) == [
        Found(
            refs={
                "id": "0f9d2c11-0000-4000-8000-000000000001",
                "number": "UKU-1007",
                "date": "2025-01-15",
                "customer_id": "7c1e0000-0000-4000-8000-0000000000aa",
                "reference_number": "14",
            },
            number="UKU-1007",
            customer_id="7c1e0000-0000-4000-8000-0000000000aa",
            customer_name="Näidis OÜ",
            total=D("124.0"),
        )
    ]
    assert json.loads(connector.door.sent[0].body) == {
        "UnPaid": False,
        "PeriodStart": "20250115",
        "PeriodEnd": "20250115",
    }
    assert connector.find_invoice(replace(sample.INVOICE, number="UKU-100")) == []


def refs(number, day, **more):
    return {"id": f"0F9D2C11-0000-4000-8000-{number:012d}", "date": day, **more}


def test_payments_in_full_in_part_and_not_at_all(merit):
    connector = merit()
    exported = [refs(1, "2025-01-15"), refs(2, "2025-01-31"), refs(4, "2025-03-01")]
    unpaid, full, part = connector.payments(exported)
    assert full == Paid(exported[0]["id"], D("124.0"), D("124.0"), D(0), date(2025, 2, 3))
    assert (part.paid, part.total, part.on) == (D("0.05"), D("0.12"), date(2025, 2, 3))
    assert unpaid == Paid(exported[2]["id"], D("0.25"), D(0))
    assert connector.door.paths == ["/v1/getinvoices", "/v1/getinvoice", "/v1/getinvoice"]


def test_a_part_payment_known_already_is_not_asked_again(merit):
    connector = merit()
    assert list(connector.payments([refs(2, "2025-01-31", paid="0.05")])) == []
    assert connector.door.paths == ["/v1/getinvoices"]


def test_one_list_for_each_three_months_that_hold_an_invoice(merit):
    connector = merit(lambda call: [] if call.path.endswith("getinvoices") else {"Message": "puudub"})
    list(connector.payments([refs(1, "2024-01-15"), refs(2, "2025-01-31"), refs(3, "2025-03-01")]))
    asked = [json.loads(call.body) for call in connector.door.sent if call.path.endswith("getinvoices")]
    assert [(body["PeriodStart"], body["PeriodEnd"]) for body in asked] == [
        ("20240101", "20240131"),
        ("20250101", "20250331"),
    ]


def test_an_invoice_deleted_at_merit_is_voided(merit):
    connector = merit(
        lambda call: [] if call.path.endswith("getinvoices") else (400, {}, {"Message": "Pole dokumenti"})
    )
    (paid,) = connector.payments([refs(1, "2025-01-15")])
    assert paid == Paid(refs(1, "")["id"], D(0), D(0), voided=True)


def test_an_invoice_moved_to_another_date_is_read_by_its_id(merit):
    (paid,) = merit().payments([refs(1, "2024-01-15")])
    assert (paid.paid, paid.on, paid.voided) == (D("124.0"), date(2025, 2, 3), False)


def test_a_credited_remainder_is_settled_without_payment(merit, sample):
    closed = {**sample.fixture("getinvoices")[0], "PaidAmount": D("100.00"), "Paid": True}
    detail = {**sample.fixture("getinvoice"), "Payments": []}
    connector = merit(lambda call: [closed] if call.path.endswith("getinvoices") else detail)
    (paid,) = connector.payments([refs(1, "2025-01-15")])
    assert paid.settled_without_payment == D("24.00")
    assert (paid.on, paid.estimated) == (None, True)


def test_a_payment_dated_never_has_an_estimated_date(merit, sample):
    detail = {**sample.fixture("getinvoice"), "Payments": [{"PaymDate": "1901-01-01T00:00:00", "Amount": D(124)}]}
    connector = merit(lambda call: detail if call.path.endswith("getinvoice") else sample.reply(call))
    (paid,) = connector.payments([refs(1, "2025-01-15")])
    assert (paid.on, paid.estimated) == (None, True)


def test_only_the_first_version_of_the_api_is_asked(merit, sample):
    connector = merit()
    connector.test()
    list(connector.products())
    list(connector.statistics(sample.TARGETS, [f.key for f in connector.spec.statistics], sample.MONTHS))
    list(connector.send_invoice(sample.INVOICE, {}, key="k"))
    connector.find_invoice(sample.INVOICE)
    list(connector.payments(sample.EXPORTED))
    assert {path.split("/")[1] for path in connector.door.paths} == {"v1"}
    assert not [path for path in connector.door.paths if "/v2/" in path]


def test_a_row_without_a_code_takes_the_only_rate_of_its_percent_and_never_guesses_between_two():
    rates = [TaxRate("a", "24%", "24 %", Decimal(24)), TaxRate("b", "0", "0 % A", Decimal(0)),
             TaxRate("c", "0", "0 % B", Decimal(0))]  # fmt: skip
    row = InvoiceRow("x", Decimal(1), Decimal(1), tax_percent=Decimal(24))
    assert _rate(1, row, rates).id == "a"
    for percent in (Decimal(0), Decimal(9), None):
        with pytest.raises(Refused):
            _rate(1, InvoiceRow("x", Decimal(1), Decimal(1), tax_percent=percent), rates)
