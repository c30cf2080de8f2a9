"""What answers mean that are no data."""

from datetime import UTC, datetime

import pytest

from uku_web.vendors.calls import Answer
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    Temporary,
    Uncertain,
)
from uku_web.vendors.smartaccounts.catalog import VAT_TYPES
from uku_web.vendors.smartaccounts.faults import explain, message_of
from uku_web.vendors.smartaccounts.reading import add

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
CREATE = add("purchasesales/clientinvoices:add", {})


def answer(status, body=b"", headers=None, call=VAT_TYPES):
    return Answer(status, headers or {}, body, call, NOW)


@pytest.mark.parametrize(
    ("date", "error"),
    [
        ("Thu, 15 Jan 2026 10:44:00 GMT", NeedsReauth),
        ("Thu, 15 Jan 2026 10:46:00 GMT", BadSettings),
        ("Thu, 15 Jan 2026 09:30:00 GMT", BadSettings),
        ("soon", NeedsReauth),
    ],
)
def test_the_vendors_own_clock_tells_a_wrong_one_where_words_do_not(date, error):
    assert type(explain(answer(401, b"", {"date": date}))) is error
    assert type(explain(answer(401, b"Wrong signature", {"date": date}))) is NeedsReauth


@pytest.mark.parametrize(
    ("body", "headers", "read", "write"),
    [
        (b"Request limit exceeded", {}, RateLimited, RateLimited),
        (b"Too many requests", {"retry-after": "30"}, RateLimited, RateLimited),
        (b"<html>limit</html>", {"retry-after": "30"}, RateLimited, Uncertain),
        (b"<html></html>", {"retry-after": "30"}, RateLimited, Uncertain),
        (b"<html></html>", {}, Temporary, Uncertain),
        (b"java.lang.NullPointerException", {}, Temporary, Uncertain),
        (b'{"x":"Try later"}', {}, RateLimited, Uncertain),
        (b"", {}, RateLimited, Uncertain),
        (b'"Your bill is unpaid"', {}, NotPermitted, NotPermitted),
        (b'{"message":"Arve tasumata"}', {"retry-after": "30"}, NotPermitted, NotPermitted),
    ],
)
def test_the_meanings_of_503(body, headers, read, write):
    """Only what the limit's own words refuse is surely not done."""
    assert type(explain(answer(503, body, headers))) is read
    assert type(explain(answer(503, body, headers, CREATE))) is write


def test_an_unpaid_bill_says_who_can_mend_it():
    error = explain(answer(503, b"unpaid"))
    assert error.what == "bill" and "Pay it" in error.sentence


@pytest.mark.parametrize(
    ("body", "sentence", "duplicate"),
    [
        (b'{"errors":[{"key":"PERIOD-LOCKED","message":"Period is locked"}]}', "period that is locked", False),
        (b'{"a":"Periood on lukustatud"}', "period that is locked", False),
        (b'{"k":"CREDIT-INVOICE-EARLIER-THAN-BASE"}', "before the invoice that it credits", False),
        (b'{"k":"CREDIT-INVOICE-ENTRY-EARLIER-THAN-BASE"}', "before the invoice that it credits", False),
        (b"Article number 7 does not exist", "Article number 7 does not exist", False),
        (b"Invoice number does not exist", "Invoice number does not exist", False),
        (b"INVOICE-NUMBER-DUPLICATE", "has an invoice with this number", True),
        (b"There is already one of this invoice number", "has an invoice with this number", True),
        (b"Invoice number already exists", "has an invoice with this number", True),
        (b'{"m":"Selline arve number on juba olemas"}', "has an invoice with this number", True),
        (
            b'{"k":"VAT-MISSING","m":"Row has no VAT-ID.","l":["Row has no VAT-ID."]}',
            "refused it: Row has no VAT-ID.",
            False,
        ),
        (b'{"k":"VAT-MISSING"}', "refused it: VAT-MISSING.", False),
        (b'{"m":"vatPc is missing."}', "SmartAccounts refused it: vatPc is missing.", False),
        (b"", "SmartAccounts refused it.", False),
        (b"<html>no</html>", "SmartAccounts refused it.", False),
    ],
)
def test_refusals_say_why(body, sentence, duplicate):
    for call in (VAT_TYPES, CREATE):
        error = explain(answer(400, body, call=call))
        assert isinstance(error, Refused) and error.duplicate is duplicate
        assert sentence in error.sentence


def test_all_texts_of_an_error_are_read_codes_first():
    body = b'{"status":400,"a":[{"text":"The row\\n has no code","key":"ROW-CODE"},"and",{"x":["more"]}],"n":null}'
    assert message_of(answer(400, body)) == "ROW-CODE The row has no code and more"
    assert len(message_of(answer(400, b"a" * 999))) == 300


@pytest.mark.parametrize("body", [b"", b"null", b"12", b'"text"', b"<p>", b'{"a":', b"[1", b"\xff\xfe"])
def test_an_unreadable_success_is_temporary_to_read_and_uncertain_to_write(body):
    assert type(explain(answer(200, body))) is Temporary
    assert type(explain(answer(201, body, call=CREATE))) is Uncertain


@pytest.mark.parametrize("status", [408, 500, 502, 504])
def test_an_outage_during_a_write_is_uncertain(status):
    assert type(explain(answer(status, b"oops", call=CREATE))) is Uncertain


def test_good_answers_pass():
    for body in (b"{}", b"[]", b' {"vatPcs": []}\n', b'"{}"'):
        assert explain(answer(200, body)) is None
