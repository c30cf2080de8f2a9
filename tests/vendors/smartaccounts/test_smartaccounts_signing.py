"""The signature, against values that were computed by other programs."""

from datetime import UTC, datetime
from urllib.parse import parse_qsl

import pytest

from uku_web.vendors.calls import Call
from uku_web.vendors.smartaccounts.reading import add, get
from uku_web.vendors.smartaccounts.signing import sign

KEYS = {"api_key": "sandboxPublic0001", "api_secret": "sandboxSecret0001"}
NEW_YEAR = datetime(2025, 1, 31, 21, 59, 59, tzinfo=UTC)  # 23:59:59 in Estonia
SUMMER = datetime(2025, 7, 15, 21, 30, tzinfo=UTC)  # half past midnight of the next day there
PERIOD = (("dateFrom", "01.01.2025"), ("dateTo", "31.01.2025"), ("pageNumber", "1"))
INVOICE = (
    '{"clientId":"c-1001","date":"16.07.2025","currency":"EUR","rows":[{"code":"TEENUS",'
    '"description":"Raamatupidamine juuli","price":100,"quantity":1,"vatPc":"24"}]}'
)

VECTORS = [
    (
        (),
        "",
        NEW_YEAR,
        "timestamp=31012025235959&apikey=sandboxPublic0001",
        "a4ee5e724c8a1a272fdfbcf52d4660c33297d4bf1081c79f5b244dbf91f3410b",
    ),
    (
        PERIOD,
        "",
        NEW_YEAR,
        "dateFrom=01.01.2025&dateTo=31.01.2025&pageNumber=1&timestamp=31012025235959&apikey=sandboxPublic0001",
        "a95386ce62dae5888fbedbcd43c80e5142877d52e21d7627376cb2c05413330f",
    ),
    (
        (("nameOrRegCode", "Õunapuu OÜ"),),
        "",
        NEW_YEAR,
        "nameOrRegCode=%C3%95unapuu%20O%C3%9C&timestamp=31012025235959&apikey=sandboxPublic0001",
        "6145280035e4fd1ada7575c7b4d2e943213c91bf1f736f9ba00e3e3d6cc04b43",
    ),
    (
        (),
        '{"name":"Õunapuu OÜ","vatPc":"22"}',
        NEW_YEAR,
        "timestamp=31012025235959&apikey=sandboxPublic0001",
        "c74be93365011d539445673c8ae9ac5c070378af18a1337c37ebf4f01fe164c7",
    ),
    (
        (),
        INVOICE,
        SUMMER,
        "timestamp=16072025003000&apikey=sandboxPublic0001",
        "9771a634eb0954bd1051142549ef284b0411914cab4bc3cc130e04ea339aadb6",
    ),
]


@pytest.mark.parametrize(("query", "body", "now", "text", "signature"), VECTORS)
def test_requests_are_signed_as_documented(query, body, now, text, signature):
    assert sign(query, body.encode(), KEYS, now) == f"{text}&signature={signature}"


def test_what_is_signed_is_neither_the_decoded_text_nor_a_form():
    signed = sign((("nameOrRegCode", "Õunapuu OÜ"),), b"", KEYS, NEW_YEAR)
    for wrong in (
        "8303b4de0a119e7ba4514976210b78224d8157cd32230e739ded2f5612bb5f02",
        "5f6f9881706e81d7ede52dae21c2be6ce82f82b20679882798c659ecc4997f26",
    ):
        assert wrong not in signed


@pytest.mark.parametrize(
    ("now", "stamp"),
    [
        (datetime(2025, 3, 30, 0, 59, 59, tzinfo=UTC), "30032025025959"),
        (datetime(2025, 3, 30, 1, 0, tzinfo=UTC), "30032025040000"),  # the clocks go forward
        (datetime(2025, 10, 26, 0, 30, tzinfo=UTC), "26102025033000"),
        (datetime(2025, 10, 26, 1, 30, tzinfo=UTC), "26102025033000"),  # the clocks go back: the hour comes twice
        (datetime(2025, 12, 31, 22, 0, tzinfo=UTC), "01012026000000"),
    ],
)
def test_the_stamp_follows_the_estonian_clock(now, stamp):
    assert dict(parse_qsl(sign((), b"", KEYS, now)))["timestamp"] == stamp


def test_the_signature_stands_last_and_everything_is_encoded():
    text = sign((("a b", "1&2=3/+:ü"),), b"", {"api_key": "k&=", "api_secret": "ŝecret"}, NEW_YEAR)
    assert text.startswith("a%20b=1%262%3D3%2F%2B%3A%C3%BC&timestamp=31012025235959&apikey=k%26%3D&signature=")
    assert len(text.rpartition("=")[2]) == 64 and text.rpartition("=")[2].islower()


def test_calls_are_signed_anew_with_query_and_body(smart):
    connector = smart()
    read = connector.prepare(get("general/entries:get", *PERIOD), NEW_YEAR)
    assert read.query_text.endswith(VECTORS[1][4]) and read.path == "/en/api/general/entries:get"
    write = connector.prepare(add("purchasesales/clients:add", {"name": "Õunapuu OÜ", "vatPc": "22"}), NEW_YEAR)
    assert write.query_text.endswith(VECTORS[3][4]) and not write.repeat
    again = connector.prepare(Call("GET", "/en/api/x"), SUMMER)
    assert "timestamp=16072025003000" in again.query_text
