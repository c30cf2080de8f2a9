"""What Merit's answers mean."""

import pytest

from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, Refused, Temporary, Uncertain
from uku_web.vendors.merit import faults
from uku_web.vendors.merit.reading import post

READ = post("getinvoices")
WRITE = post("sendinvoice", repeat=False)


def meaning(fake_door, said, call=READ):
    return faults.explain(fake_door(lambda _: said).answer(call))


@pytest.mark.parametrize("text", [b"timestamp expired", b'"api-invalidTimestamp"', b"Timestamp is too old\n"])
def test_a_refused_stamp_blames_the_servers_clock(fake_door, text):
    error = meaning(fake_door, (401, {}, text))
    assert type(error) is BadSettings
    assert "clock of this server" in error.sentence


def test_an_unknown_401_is_about_credentials(fake_door):
    error = meaning(fake_door, (401, {}, b"Ligipaas keelatud"))
    assert type(error) is NeedsReauth and error.field == "api_id"


def test_a_licence_answer_is_told_as_licence(fake_door):
    error = meaning(fake_door, (401, {}, b"\xef\xbb\xbfapi-wronglicense\r\n"))
    assert type(error) is NotPermitted and error.what == "licence"


@pytest.mark.parametrize("status", [200, 400])
@pytest.mark.parametrize(
    ("message", "duplicate", "says"),
    [
        ("KORDUV ARVE number UKU-1007\n", True, "already has an invoice"),
        ("Dokumendi kuupäev ei ole avatud majandusaastas", False, "financial year"),
        ("api-custexists", False, "already has a customer"),
        ("Kliendi andmed on puudulikud", False, "Kliendi andmed on puudulikud"),
    ],
)
def test_a_refused_invoice_says_why(fake_door, status, message, duplicate, says):
    error = meaning(fake_door, (status, {}, {"Message": message, "Id": None}), WRITE)
    assert type(error) is Refused
    assert error.duplicate is duplicate
    assert says in error.sentence


def test_a_refusal_inside_a_text_is_read(fake_door):
    error = meaning(fake_door, (400, {}, b'"{\\"Message\\":\\"Korduv arve\\"}"'), WRITE)
    assert error.duplicate


def test_a_malformed_value_in_a_write_is_refused(fake_door):
    error = meaning(
        fake_door, (500, {}, {"Message": "Guid should contain 32 digits", "ErrorCode": "FormatException"}), WRITE
    )
    assert type(error) is Refused


@pytest.mark.parametrize(
    "said",
    [
        (500, {}, b"System.NullReferenceException\r\n   at Merit"),
        (503, {}, b"<html>busy</html>"),
        (200, {}, b"System.Exception: at Merit.Send"),
        (200, {}, b'{"CustomerId":"7c1e'),
        (200, {}, b""),
        (200, {}, b"null"),
        (200, {}, b"<!doctype html><p>Hooldus</p>"),
    ],
)
def test_an_unclear_answer_is_temporary_for_a_read_and_uncertain_for_a_write(fake_door, said):
    assert type(meaning(fake_door, said, READ)) is Temporary
    assert type(meaning(fake_door, said, WRITE)) is Uncertain


@pytest.mark.parametrize("good", [b"[]", b"\xef\xbb\xbf [] \n", b'"[]"', b"{}", b'{"Header":{},"Message":"hi"}'])
def test_a_good_answer_is_left_alone(fake_door, good):
    assert meaning(fake_door, (200, {}, good)) is None
