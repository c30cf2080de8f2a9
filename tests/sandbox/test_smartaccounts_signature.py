from datetime import UTC, datetime, timedelta

import pytest

from uku_web.sandbox.smartaccounts import sign
from uku_web.sandbox.smartaccounts_fields import is_fresh

SECRET, END = "sandboxSecret0001", "timestamp=31012025235959&apikey=sandboxPublic0001"
VAT_TYPES = "settings/vatpcs:get"
INVOICE = (
    '{"clientId":"c-1001","date":"16.07.2025","currency":"EUR","rows":[{"code":"TEENUS",'
    '"description":"Raamatupidamine juuli","price":100,"quantity":1,"vatPc":"24"}]}'
)


@pytest.mark.parametrize(
    ("query", "body", "signature"),
    [
        (END, "", "a4ee5e724c8a1a272fdfbcf52d4660c33297d4bf1081c79f5b244dbf91f3410b"),
        (
            f"dateFrom=01.01.2025&dateTo=31.01.2025&pageNumber=1&{END}",
            "",
            "a95386ce62dae5888fbedbcd43c80e5142877d52e21d7627376cb2c05413330f",
        ),
        (
            f"nameOrRegCode=%C3%95unapuu%20O%C3%9C&{END}",
            "",
            "6145280035e4fd1ada7575c7b4d2e943213c91bf1f736f9ba00e3e3d6cc04b43",
        ),
        (
            END,
            '{"name":"Õunapuu OÜ","vatPc":"22"}',
            "c74be93365011d539445673c8ae9ac5c070378af18a1337c37ebf4f01fe164c7",
        ),
        (
            "timestamp=16072025003000&apikey=sandboxPublic0001",
            INVOICE,
            "9771a634eb0954bd1051142549ef284b0411914cab4bc3cc130e04ea339aadb6",
        ),
        # The two mistakes: the text decoded, and a plus for the space.
        (f"nameOrRegCode=Õunapuu OÜ&{END}", "", "8303b4de0a119e7ba4514976210b78224d8157cd32230e739ded2f5612bb5f02"),
        (
            f"nameOrRegCode=%C3%95unapuu+O%C3%9C&{END}",
            "",
            "5f6f9881706e81d7ede52dae21c2be6ce82f82b20679882798c659ecc4997f26",
        ),
    ],
)
def test_worked_examples(query, body, signature):
    assert sign(SECRET, query, body.encode()) == signature


def refused(response):
    assert response.status_code == 401, response.text
    return response.get_json()["errors"][0]["key"]


def test_a_signed_call_is_answered_under_each_prefix(smart):
    for prefix in ("", "/et", "/en"):
        response = smart.open(VAT_TYPES, smart.signed(), prefix=prefix)
        assert response.status_code == 200 and response.mimetype == "application/json"


def test_the_signature_covers_the_query_as_it_was_sent(smart):
    name = "nameOrRegCode"
    sent = smart.signed(f"{name}=%C3%95una%20O%C3%9C")
    query, signature = sent.rsplit("&signature=", 1)
    assert smart.open("purchasesales/clients:get", sent).status_code == 200
    for other in (query.replace("%20", "+"), query.replace("%C3%95", "%c3%95"), "&".join(query.split("&")[::-1])):
        assert refused(smart.open("purchasesales/clients:get", f"{other}&signature={signature}")) == "SIGNATURE-INVALID"


@pytest.mark.parametrize("mistake", ["Õuna OÜ", "%C3%95una+O%C3%9C"])
def test_signing_another_spelling_of_what_is_sent_fails(smart, mistake):
    end = f"&timestamp={smart.stamp()}&apikey={smart.api_key}"
    signature = sign(smart.api_secret, f"nameOrRegCode={mistake}{end}")
    sent = f"nameOrRegCode=%C3%95una%20O%C3%9C{end}&signature={signature}"
    assert refused(smart.open("purchasesales/clients:get", sent)) == "SIGNATURE-INVALID"


def test_the_order_of_the_other_parameters_is_free(smart):
    query = f"apikey={smart.api_key}&timestamp={smart.stamp()}&code=A001"
    signed = f"{query}&signature={sign(smart.api_secret, query)}"
    assert len(smart.open("purchasesales/articles:get", signed).get_json()["articles"]) == 1


def test_the_signature_is_the_last_parameter(smart):
    query, signature = smart.signed("code=A001").rsplit("&signature=", 1)
    for moved in (f"signature={signature}&{query}", f"{query}&signature={signature}&pageNumber=1", query):
        assert refused(smart.open("purchasesales/articles:get", moved)) == "SIGNATURE-INVALID"


def test_the_signature_is_lower_case_hex(smart):
    query, signature = smart.signed().rsplit("&signature=", 1)
    assert refused(smart.open(VAT_TYPES, f"{query}&signature={signature.upper()}")) == "SIGNATURE-INVALID"


def test_the_signature_covers_the_exact_bytes_of_the_body(smart):
    signed, service = smart.signed(body=b"{}"), "purchasesales/clients:add"
    assert smart.open(service, signed, b"{}", "POST").status_code == 400
    assert refused(smart.open(service, signed, b"{ }", "POST")) == "SIGNATURE-INVALID"


def test_a_list_may_be_read_by_post(smart):
    assert smart.open(VAT_TYPES, smart.signed(body=b"{}"), b"{}", "POST").status_code == 200


def test_unknown_and_missing_key(smart):
    smart.api_key = "sandbox-smartaccounts-public-999999"
    assert refused(smart.ask(VAT_TYPES)) == "APIKEY-INVALID"
    assert refused(smart.open(VAT_TYPES, "")) == "APIKEY-INVALID"


def test_wrong_secret_and_that_of_another_company(smart, smart_caller):
    for secret in ("wrong", smart_caller("small").api_secret):
        smart.api_secret = secret
        assert refused(smart.ask(VAT_TYPES)) == "SIGNATURE-INVALID"


@pytest.mark.parametrize(("seconds", "status"), [(-900, 200), (900, 200), (-901, 401), (901, 401)])
def test_stamp_has_fifteen_minutes_either_way(smart, seconds, status):
    off = smart.clock.now() + timedelta(hours=2, seconds=seconds)  # March: two hours ahead of UTC
    stamp = off.strftime("%d%m%Y%H%M%S")
    response = smart.open(VAT_TYPES, smart.signed(stamp=stamp))
    assert response.status_code == status
    if status == 401:
        assert refused(response) == "TIMESTAMP-INVALID"


@pytest.mark.parametrize("stamp", ["20260318123000", "18.03.2026", "1803202612300", "31022026123000", "x"])
def test_stamp_that_is_none(smart, stamp):
    assert refused(smart.open(VAT_TYPES, smart.signed(stamp=stamp))) == "TIMESTAMP-INVALID"


@pytest.mark.parametrize(
    ("moment", "hours"),
    [(datetime(2026, 1, 15, 22, 30, tzinfo=UTC), 2), (datetime(2026, 7, 15, 21, 30, tzinfo=UTC), 3)],
)
def test_estonian_time_in_winter_and_summer(smart, moment, hours):
    smart.clock.advance(moment - smart.clock.now())
    for ahead in (0, 2, 3):
        stamp = (moment + timedelta(hours=ahead)).strftime("%d%m%Y%H%M%S")
        status = smart.open(VAT_TYPES, smart.signed(stamp=stamp)).status_code
        assert status == (200 if ahead == hours else 401), ahead


def test_the_hour_that_comes_twice_counts_as_either():
    first, window = datetime(2026, 10, 25, 0, 30, tzinfo=UTC), timedelta(minutes=15)
    assert is_fresh("25102026033000", first, window)
    assert is_fresh("25102026033000", first + timedelta(hours=1), window)
    assert not is_fresh("25102026033000", first + timedelta(hours=2), window)


def test_faults_of_the_keys_recover(smart, switch, http):
    for fault, key in (("revoke", "APIKEY-INVALID"), ("licence", "ACCESS-DENIED")):
        switch(fault, times=1, account=smart.api_key)
        assert refused(smart.ask(VAT_TYPES)) == key
    switch("skew", value=3600, times=1)
    assert refused(smart.ask(VAT_TYPES)) == "TIMESTAMP-INVALID"
    assert smart.ask(VAT_TYPES).status_code == 200
    switch("lenient")
    assert smart.open(VAT_TYPES, f"apikey={smart.api_key}").status_code == 200


def test_wrong_paths_and_methods(smart):
    for service in ("settings/nothing:get", "settings/vatpcs", "purchasesales/clientinvoices"):
        assert smart.ask(service).status_code == 404
    assert smart.ask(VAT_TYPES, prefix="/ru").status_code == 404
    assert smart.ask("purchasesales/clientinvoices:delete", id="x").status_code == 405
