"""The signature, against the vendor's own example and against values reproduced with another client."""

from datetime import UTC, datetime, timedelta, timezone
from urllib.parse import parse_qs

import pytest

from uku_web.vendors.errors import BadSettings
from uku_web.vendors.merit.reading import post
from uku_web.vendors.merit.signing import sign

STAMP = datetime(2025, 1, 31, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        ("", "5LdfPUYuzJXx1wVI%2Ftk8mDTKVR8ml%2BKkoZIQ89k2tC8%3D"),
        ("{}", "AgWziQgJEom7hJUdFfFTaQySI68ii8hHMYemqrJ3nQo%3D"),
        (
            '{"PeriodStart":"20250101","PeriodEnd":"20250131","UnPaid":false}',
            "7RVaQ0%2FzHIoiGM9rsFSd3ZTVyLfQtY6Qmvb9xjslqyM%3D",
        ),
        ('{"Name":"Õunapuu OÜ"}', "k%2Bipr1jsp4qcrVpDWOfIsbGDR6WglJ2%2FMcHRBv8wSHQ%3D"),
    ],
)
def test_a_body_signs_to_the_known_query(sample, body, signature):
    query = sign(body.encode(), sample.CREDENTIALS, STAMP)
    assert query == (f"ApiId=11111111-2222-4333-8444-555555555555&timestamp=20250131235959&signature={signature}")


def test_the_example_of_the_vendors_manual():
    credentials = {
        "api_id": "670fe52f-558a-4be8-ade0-526e01a106d0",
        "api_key": "AoCmZGUfWMMhLJ+Eb6oRF4pAEw9XJP9b/RL5c2Gqk2w=",
    }
    body = (
        b'{"CustName":"Kliendinimi","CustId":"3a274294-9c60-4a3d-93f0-1874253f073e",'
        b'"OverDueDays":5,"DebtDate":"20220501"}'
    )
    query = parse_qs(sign(body, credentials, datetime(2024, 6, 24, 20, 59, 2, tzinfo=UTC)))
    assert query["signature"] == ["dt6dkfuj+OfX01YkvvAoN/fekAUGr6AvVlQhUUja9Qc="]


@pytest.mark.parametrize(
    "wrong",
    [
        "SHbGOyyj+I4M73FvmG84fb47hBQ43UkhryMLDNC2GyI=",  # the key decoded first
        "QWdXemlRZ0pFb203aEpVZEZmRlRhUXlTSTY4aWk4aEhNWWVtcXJKM25Rbz0=",  # base64 twice
    ],
)
def test_known_mistakes_are_not_made(sample, wrong):
    assert parse_qs(sign(b"{}", sample.CREDENTIALS, STAMP))["signature"] != [wrong]


def test_the_stamp_is_utc_wherever_the_clock_stands(sample):
    tallinn = STAMP.astimezone(timezone(timedelta(hours=2)))
    assert sign(b"{}", sample.CREDENTIALS, tallinn) == sign(b"{}", sample.CREDENTIALS, STAMP)


def test_each_attempt_is_signed_anew(merit):
    connector = merit()
    call = post("gettaxes")
    first, second = (connector.prepare(call, STAMP + timedelta(seconds=n)) for n in (0, 1))
    assert first.query_text != second.query_text
    assert first.body == second.body == b"{}"
    assert call.query_text is None


def test_a_key_with_an_accented_letter_names_its_field(sample):
    with pytest.raises(BadSettings) as caught:
        sign(b"{}", {**sample.CREDENTIALS, "api_key": "võti"}, STAMP)
    assert caught.value.field == "api_key"
