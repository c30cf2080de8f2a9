"""Sending invoices, finding them again, and what was paid of them."""

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from uku_web.vendors.errors import Refused, Temporary, Uncertain
from uku_web.vendors.records import Address, InvoiceCustomer, InvoiceRow

FIND = "clientinvoices:get"


def sent(connector, service):
    return [json.loads(call.body, parse_float=Decimal) for call in connector.door.sent if call.path.endswith(service)]


def services(connector):
    return [path.rpartition("/")[2] for path in connector.door.paths]


def export(connector, invoice, done=None):
    return list(connector.send_invoice(invoice, done or {}, key="k"))


def row(quantity="1", price="100", **more):
    return InvoiceRow("Töö", Decimal(quantity), Decimal(price), **{"product": "TEENUS", "tax_code": "24", **more})


# --- sending


def test_an_invoice_as_it_is_sent(smart, sample):
    connector = smart()
    invoice = replace(
        sample.INVOICE,
        rows=(
            row("3", "0.335", unit="h", tax_percent=Decimal(24)),
            row("1", "10", discount_percent=Decimal("12.5")),
            row("2", "5", tax_code="0-EU"),
        ),
    )
    customer, step = export(connector, invoice)
    (body,) = sent(connector, "clientinvoices:add")
    assert body == {
        "clientId": "c-1001",
        "date": "15.01.2025",
        "dueDate": "29.01.2025",
        "currency": "EUR",
        "invoiceNumber": "UKU-1007",
        "comment": "uku-7",
        "totalAmount": Decimal("22.10"),  # 1.01 + 8.75 + 24 % of 9.76, and 10
        "rows": [
            {
                "code": "TEENUS",
                "description": "Töö",
                "price": Decimal("0.335"),
                "quantity": 3,
                "vatPc": "24",
                "order": 1,
                "unit": "h",
            },
            {
                "code": "TEENUS",
                "description": "Töö",
                "price": 10,
                "quantity": 1,
                "vatPc": "24",
                "order": 2,
                "discount": Decimal("12.5"),
            },
            {"code": "TEENUS", "description": "Töö", "price": 5, "quantity": 2, "vatPc": "0-EU", "order": 3},
        ],
    }
    assert (customer.name, customer.refs, customer.last) == ("customer", {"id": "c-1001"}, False)
    assert step.refs == {
        "id": "inv-501",
        "number": "UKU-1007",
        "date": "2025-01-15",
        "customer_id": "c-1001",
        "reference_number": "10074",
    }
    assert (step.last, step.total) == (True, Decimal("22.10"))


def test_a_credit_note_has_positive_quantities_and_a_negative_total(smart, sample):
    for quantity in ("1", "-1"):
        connector = smart()
        credit = replace(sample.INVOICE, credit_of="inv-500", rows=(row(quantity), row(quantity, "-20")))
        step = export(connector, credit)[-1]
        (body,) = sent(connector, "clientinvoices:add")
        assert (body["type"], body["baseForCreditInvoiceId"]) == ("CRE", "inv-500")
        assert [each["quantity"] for each in body["rows"]] == [1, 1]
        assert (body["totalAmount"], step.total) == (Decimal("99.20"), Decimal("-99.20"))
        assert step.net + step.tax == step.total


def test_the_article_of_the_settings_serves_rows_that_have_none(smart, sample):
    connector = smart(options={"article_code": "MUU"})
    export(connector, replace(sample.INVOICE, rows=(row(product=None), row())))
    assert [each["code"] for each in sent(connector, "clientinvoices:add")[0]["rows"]] == ["MUU", "TEENUS"]


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": ()}, "without rows"),
        ({"rows": (row(), row(product=None))}, "Row 2 has no article"),
        ({"rows": (row(tax_code=None),)}, "Row 1 has no VAT type"),
        ({"rows": (row(tax_code="22"),)}, "Row 1 has no VAT type"),
        ({"rows": (row(tax_code="24P"),)}, "no longer sells with"),
        ({"rows": (row(tax_percent=Decimal(22)),)}, "taxed with 22 %"),
        ({"rows": (row("-1"),)}, "only for an invoice that it has"),
    ],
)
def test_what_cannot_be_taken_is_refused_before_anything_is_made(smart, sample, changes, said):
    connector = smart()
    with pytest.raises(Refused, match=said):
        export(connector, replace(sample.INVOICE, **changes))
    assert set(services(connector)) <= {"vatpcs:get"}


def test_vat_types_are_read_once_for_all_invoices(smart, sample):
    connector = smart()
    for _ in range(3):
        export(connector, sample.INVOICE)
    assert services(connector).count("vatpcs:get") == 1


# --- the client


def to(sample, **customer):
    return replace(sample.INVOICE, customer=InvoiceCustomer(**{"name": "Uus OÜ", **customer}))


def test_a_known_client_is_not_looked_for(smart, sample):
    for invoice, done in (
        (to(sample, vendor_id="c-7"), {}),
        (sample.INVOICE, {"customer": {"id": "c-7"}}),
    ):
        connector = smart()
        (step,) = export(connector, invoice, done)
        assert services(connector) == ["vatpcs:get", "clientinvoices:add"] and step.refs["customer_id"] == "c-7"


def test_the_register_code_must_be_the_same_to_the_letter(smart, sample):
    connector = smart()
    export(connector, to(sample, register_number="10000001"))
    assert sent(connector, "clientinvoices:add")[0]["clientId"] == "c-1001"
    assert dict(connector.door.sent[1].query) == {"nameOrRegCode": "10000001", "pageNumber": "1"}
    connector = smart()
    step, _ = export(connector, to(sample, register_number="1000000"))
    assert step.refs == {"id": "c-2001"} and len(sent(connector, "clients:add")) == 1


def test_without_a_register_code_the_exact_name_decides(smart, sample):
    connector = smart()
    step, _ = export(connector, to(sample, name=" näidis  oü"))
    assert step.refs == {"id": "c-1001"}
    step, _ = export(connector, to(sample, name="Näidis"))
    assert step.refs == {"id": "c-2001"}


def test_several_clients_of_one_register_code_are_told_apart_by_name_or_not_at_all(smart, sample):
    twins = [{"id": "c-1", "name": "Uus OÜ", "regCode": "1"}, {"id": "c-2", "name": "Vana OÜ", "regCode": 1}]

    def reply(call):
        return {"clients": twins, "hasMoreEntries": False} if call.path.endswith("clients:get") else sample.reply(call)

    connector = smart(reply)
    assert export(connector, to(sample, register_number="1"))[0].refs == {"id": "c-1"}
    asked = len(connector.door.sent)
    with pytest.raises(Refused, match="several clients"):
        export(connector, to(sample, name="Kolmas", register_number="1"))
    assert all(call.repeat for call in connector.door.sent[asked:])


def test_a_new_client_brings_what_is_known_of_it(smart, sample):
    connector = smart()
    where = Address(street="Pikk 1", city="Tallinn", postal_code="10123", region="Harju")
    export(
        connector,
        to(sample, register_number="5", vat_number="EE5", email="a@b.ee", country="EE", address=where),
    )
    assert sent(connector, "clients:add") == [
        {
            "name": "Uus OÜ",
            "vatPc": "24",
            "regCode": "5",
            "vatNumber": "EE5",
            "address": {
                "country": "EE",
                "county": "Harju",
                "city": "Tallinn",
                "address1": "Pikk 1",
                "postalCode": "10123",
            },
            "contacts": [{"type": "EMAIL", "value": "a@b.ee"}],
        }
    ]
    connector = smart()
    export(connector, to(sample))
    assert sent(connector, "clients:add") == [{"name": "Uus OÜ", "vatPc": "24"}]


@pytest.mark.parametrize("service", ["clients:add", "clientinvoices:add"])
def test_a_create_that_tells_no_id_is_uncertain(smart, sample, service):
    connector = smart(lambda call: {} if call.path.endswith(service) else sample.reply(call))
    with pytest.raises(Uncertain):
        export(connector, to(sample))


# --- finding


def hits(*rows):
    base = {"invoiceNumber": "UKU-1007", "clientId": "c-1", "totalAmount": Decimal(124)}
    found = [{"id": f"inv-{number}", **base, **row} for number, row in enumerate(rows)]
    return {"clientInvoices": found, "hasMoreEntries": False}


def test_an_invoice_is_found_by_number_and_day(smart, sample):
    connector = smart()
    (found,) = connector.find_invoice(sample.INVOICE)
    assert (found.refs["id"], found.customer_id, found.customer_name) == ("inv-501", "c-1001", "Näidis OÜ")
    assert (found.number, found.total) == ("UKU-1007", 124)
    assert dict(connector.door.sent[0].query) == {
        "invoiceNumber": "UKU-1007",
        "dateFrom": "15.01.2025",
        "dateTo": "15.01.2025",
        "pageNumber": "1",
    }
    assert smart().find_invoice(replace(sample.INVOICE, number="UKU-100")) == []


def test_a_number_told_as_a_number_is_the_same(smart, sample):
    (found,) = smart().find_invoice(replace(sample.INVOICE, number="1008", on=date(2025, 2, 3)))
    assert found.refs["id"] == "inv-502"


@pytest.mark.parametrize(
    ("rows", "ids"),
    [
        ([{}, {"invoiceNumber": "UKU-10071"}], ["inv-0"]),
        ([{}, {"comment": "another"}], ["inv-0", "inv-1"]),
        ([{"comment": "uku-77"}, {"comment": "paid by card uku-7"}], ["inv-1"]),
        ([], []),
    ],
)
def test_a_comment_tells_ours_and_else_all_are_given_to_compare(smart, sample, rows, ids):
    found = smart(lambda _: hits(*rows)).find_invoice(sample.INVOICE)
    assert [each.refs["id"] for each in found] == ids


@pytest.mark.parametrize("total", ["12.40", "-12.40"])
def test_a_credit_note_is_negative_with_whichever_sign_it_is_told(smart, sample, total):
    (found,) = smart(lambda _: hits({"type": "CRE", "totalAmount": Decimal(total)})).find_invoice(sample.INVOICE)
    assert found.total == Decimal("-12.40")


def test_a_search_that_does_not_say_whether_more_follow_proves_nothing(smart, sample):
    with pytest.raises(Temporary):
        smart(lambda _: {"clientInvoices": []}).find_invoice(sample.INVOICE)


# --- payments


def refs(number, day="2025-01-15", **more):
    return {"id": f"inv-{number}", "number": "x", "date": day, **more}


def paid(connector, *exported):
    return {each.invoice_ref: each for each in connector.payments(exported)}


def test_part_full_and_no_payment_with_their_dates(smart):
    connector = smart()
    found = paid(connector, refs(501), refs(502, "2025-02-03"), refs(505, "2025-03-01"))
    part, full, none = found["inv-501"], found["inv-502"], found["inv-505"]
    assert (part.total, part.paid, part.on, part.estimated) == (124, 100, date(2025, 1, 20), False)
    assert (full.total, full.paid, full.on, full.settled_without_payment) == (62, 62, date(2025, 2, 14), 0)
    assert (none.total, none.paid, none.on, none.estimated) == (Decimal("12.40"), 0, None, False)
    assert services(connector) == [FIND, FIND, "payments:get"]  # what is unpaid, the one that is not, the dates
    assert dict(connector.door.sent[0].query) == {
        "paymentStatus": "unpaid",
        "dateFrom": "15.01.2025",
        "pageNumber": "1",
    }
    assert dict(connector.door.sent[2].query) == {
        "partnerType": "CLIENT",
        "dateFrom": "15.12.2024",
        "fetchRows": "true",
        "pageNumber": "1",
    }


def test_a_part_payment_that_is_known_is_not_told_again(smart):
    connector = smart()
    assert paid(connector, refs(501, paid="100.00")) == {}
    assert services(connector) == [FIND]
    assert paid(smart(), refs(501, paid="60"))["inv-501"].paid == 100


def test_what_a_credit_note_closes_is_settled_without_payment(smart):
    connector = smart()
    found = paid(connector, refs(503, "2025-02-10"))["inv-503"]
    assert (found.paid, found.settled_without_payment, found.on, found.estimated) == (0, Decimal("12.40"), None, False)
    assert dict(connector.door.sent[-1].query)["clientId"] == "c-1002"


def without(sample, service, key):
    return lambda call: {key: [], "hasMoreEntries": False} if call.path.endswith(service) else sample.reply(call)


def test_a_payment_whose_date_cannot_be_read_is_estimated(smart, sample):
    found = paid(smart(without(sample, "payments:get", "payments")), refs(501))["inv-501"]
    assert (found.paid, found.on, found.estimated, found.settled_without_payment) == (100, None, True, 0)


def test_money_in_another_currency_is_not_taken_for_a_credit_note(smart, sample):
    def reply(call):
        answer = sample.reply(call)
        for payment in answer.get("payments", []):
            payment["currency"] = "SEK"
        return answer

    connector = smart(reply)
    found = paid(connector, refs(502, "2025-02-03"))["inv-502"]
    assert (found.paid, found.on) == (62, date(2025, 2, 14)) and services(connector)[-1] == "payments:get"


@pytest.mark.parametrize("said", [None, b'{"key":"INVOICE-NOT-FOUND"}', b"Invoice was not found", b"Arvet ei leitud"])
def test_an_invoice_that_is_gone_is_void(smart, sample, said):
    def reply(call):
        asked = dict(call.query)
        return (400, {}, said) if said and "id" in asked else sample.reply(call)

    found = paid(smart(reply), refs(999))["inv-999"]
    assert (found.voided, found.paid) == (True, 0)


def test_a_refusal_for_another_reason_is_not_taken_for_void(smart, sample):
    with pytest.raises(Refused):
        paid(smart(lambda call: (400, {}, b"no rights") if "id" in dict(call.query) else sample.reply(call)), refs(999))


def test_an_export_without_its_date_is_asked_for_alone(smart):
    connector = smart()
    assert paid(connector, {"id": "inv-502"})["inv-502"].paid == 62
    assert [dict(call.query).get("id") for call in connector.door.sent] == ["inv-502", None]


def test_a_paid_credit_note_is_negative(smart, sample):
    def reply(call):
        return sample.reply(call) if "payments" in call.path else hits({"type": "CRE", "date": "12.02.2025"} | cre)

    cre = {"id": "inv-504", "totalAmount": Decimal("12.4"), "outstandingAmount": Decimal("2.4"), "currency": "EUR"}
    found = paid(smart(reply), {"id": "inv-504"})["inv-504"]
    assert (found.total, found.paid) == (Decimal("-12.4"), -10)
