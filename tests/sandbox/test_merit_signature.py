import json
from datetime import timedelta

import pytest

from uku_web.sandbox.merit import sign

API_ID, API_KEY = "11111111-2222-4333-8444-555555555555", "c2FuZGJveC1tZXJpdC1rZXktMDAwMQ=="


def test_the_vendors_published_vector():
    body = (
        '{"CustName":"Kliendinimi","CustId":"3a274294-9c60-4a3d-93f0-1874253f073e",'
        '"OverDueDays":5,"DebtDate":"20220501"}'
    )
    made = sign(
        "670fe52f-558a-4be8-ade0-526e01a106d0",
        "AoCmZGUfWMMhLJ+Eb6oRF4pAEw9XJP9b/RL5c2Gqk2w=",
        "20240624205902",
        body.encode(),
    )
    assert made == "dt6dkfuj+OfX01YkvvAoN/fekAUGr6AvVlQhUUja9Qc="


@pytest.mark.parametrize(
    ("body", "signature"),
    [
        ("", "5LdfPUYuzJXx1wVI/tk8mDTKVR8ml+KkoZIQ89k2tC8="),
        ("{}", "AgWziQgJEom7hJUdFfFTaQySI68ii8hHMYemqrJ3nQo="),
        (
            '{"PeriodStart":"20250101","PeriodEnd":"20250131","UnPaid":false}',
            "7RVaQ0/zHIoiGM9rsFSd3ZTVyLfQtY6Qmvb9xjslqyM=",
        ),
        ('{"Name":"Õunapuu OÜ"}', "k+ipr1jsp4qcrVpDWOfIsbGDR6WglJ2/McHRBv8wSHQ="),
    ],
)
def test_worked_examples(body, signature):
    assert sign(API_ID, API_KEY, "20250131235959", body.encode()) == signature


@pytest.mark.parametrize(
    "wrong",
    [
        "SHbGOyyj+I4M73FvmG84fb47hBQ43UkhryMLDNC2GyI=",  # the key decoded from base64 first
        "QWdXemlRZ0pFb203aEpVZEZmRlRhUXlTSTY4aWk4aEhNWWVtcXJKM25Rbz0=",  # base64 applied twice
    ],
)
def test_usual_mistakes_differ_from_the_right_signature(wrong):
    assert sign(API_ID, API_KEY, "20250131235959", b"{}") != wrong


def test_a_signed_call_is_answered(merit):
    response = merit.post("v1/gettaxes")
    assert response.status_code == 200
    assert response.mimetype == "application/json"


@pytest.mark.parametrize("name", ["apiId", "APIID", "ApiId"])
def test_parameter_names_in_any_case(merit, name):
    assert merit.raw("v1/gettaxes", **{"ApiId": None, name: merit.api_id}).status_code == 200


def test_api_id_in_upper_case_is_the_same_company(merit):
    merit.api_id = merit.api_id.upper()
    assert merit.post("v1/gettaxes").status_code == 200


def test_get_without_a_body_is_signed_over_nothing(merit):
    assert merit.raw("v1/gettaxes", b"", method="GET").status_code == 200


@pytest.mark.parametrize("missing", ["ApiId", "timestamp", "signature"])
def test_missing_parameter(merit, missing):
    response = merit.raw("v1/gettaxes", **{missing: None})
    assert (response.status_code, response.text) == (401, "api-missingurlparam")


def test_unknown_api_id_is_refused_without_a_word(merit):
    merit.api_id = "5a4db0c5-0ee0-4000-8000-999999999999"
    response = merit.post("v1/gettaxes")
    assert (response.status_code, response.text) == (401, "")


def test_keys_of_one_country_are_unknown_in_the_others(merit):
    response = merit.raw("v1/gettaxes", country="pl")
    assert (response.status_code, response.text) == (401, "")


def test_wrong_key(merit):
    merit.api_key = "d3Jvbmc="
    response = merit.post("v1/gettaxes")
    assert (response.status_code, response.text) == (401, "api-invalidSignature")


def test_signature_covers_the_exact_bytes(merit):
    signed = json.dumps({"Code": "A001"}).encode()
    stamp = merit.clock.now().strftime("%Y%m%d%H%M%S")
    signature = sign(merit.api_id, merit.api_key, stamp, signed)
    assert merit.raw("v1/getitems", signed, signature=signature).status_code == 200
    assert merit.raw("v1/getitems", signed + b" ", signature=signature).status_code == 401


def test_a_plus_that_was_not_escaped_arrives_as_a_space(merit):
    for second in range(120):
        stamp = (merit.clock.now() + timedelta(seconds=second)).strftime("%Y%m%d%H%M%S")
        signature = sign(merit.api_id, merit.api_key, stamp, b"{}")
        if "+" in signature:
            break
    assert merit.raw("v1/gettaxes", timestamp=stamp, signature=signature.replace("+", " ")).status_code == 401
    assert merit.raw("v1/gettaxes", timestamp=stamp, signature=signature).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(-300, 200), (300, 200), (-301, 401), (301, 401), (7200, 401)])
def test_stamp_has_five_minutes_either_way(merit, seconds, status):
    stamp = (merit.clock.now() + timedelta(seconds=seconds)).strftime("%Y%m%d%H%M%S")
    assert merit.raw("v1/gettaxes", timestamp=stamp).status_code == status


@pytest.mark.parametrize("stamp", ["2026-03-18T10:30:00", "20260318103", "20261318103000"])
def test_stamp_that_is_none(merit, stamp):
    assert merit.raw("v1/gettaxes", timestamp=stamp).status_code == 401


def test_lenient_company_takes_wrong_and_missing_signatures_but_no_unknown_id(merit, switch):
    switch("lenient", vendor="merit", variant="ee")
    assert merit.raw("v1/gettaxes", signature="nonsense").status_code == 200
    assert merit.raw("v1/gettaxes", signature=None, timestamp=None).status_code == 200
    merit.api_id = "5a4db0c5-0ee0-4000-8000-999999999999"
    assert merit.raw("v1/gettaxes", signature="nonsense").status_code == 401


def test_vendor_clock_off_by_an_hour(merit, switch, http):
    switch("skew", value=3600)
    assert merit.post("v1/gettaxes").status_code == 401
    http.post("/_control/reset")
    assert merit.post("v1/gettaxes").status_code == 200


def test_revoked_key_and_missing_licence_recover(merit, switch, http):
    first = switch("revoke", account=merit.api_id)
    assert merit.post("v1/gettaxes").status_code == 401
    http.delete(f"/_control/switches/{first}")
    switch("licence", times=1)
    response = merit.post("v1/gettaxes")
    assert (response.status_code, response.text) == (401, "api-wronglicense")
    assert merit.post("v1/gettaxes").status_code == 200


def test_wrong_path_is_an_html_page(merit):
    for path in ("v1/getnothing", "v3/gettaxes", "v1/getinvoices2", "v1/gettaxes/more"):
        response = merit.post(path)
        assert (response.status_code, response.mimetype) == (404, "text/html")
