"""No secret in any text, whatever form it travelled in."""

import base64
import json
from types import SimpleNamespace
from urllib.parse import quote, quote_plus, urlencode

import pytest

from uku_web.vendors.calls import Call
from uku_web.vendors.errors import Refused
from uku_web.vendors.redact import MASK, Redactor
from uku_web.vendors.spec import Field, SecretPlaces, SignIn

SECRET = 'k/9+ "quöted"=='
SPEC = SimpleNamespace(
    credentials=(Field("company", "Company"), Field("key", "Key", secret=True)),
    secret_places=SecretPlaces(headers=("X-Key",), query=("signature",), body=("pin",), path=("token",)),
    sign_in=None,
)
CREDENTIALS = {"company": "larch-ltd", "key": SECRET}

FORMS = {
    "raw": SECRET,
    "in an address": quote(SECRET, safe=""),
    "with slashes kept": quote(SECRET),
    "in lower-case hex": quote(SECRET, safe="").lower(),
    "in a form": quote_plus(SECRET),
    "in JSON": json.dumps(SECRET),
    "in plain JSON": json.dumps(SECRET, ensure_ascii=False),
    "in a Python repr": repr(SECRET),
    "as password": base64.b64encode(f"larch-ltd:{SECRET}".encode()).decode(),
    "as lone password": base64.b64encode(f":{SECRET}".encode()).decode(),
    "as password of nobody": base64.b64encode(f"0:{SECRET}".encode()).decode(),
    "as user": base64.b64encode(f"{SECRET}:".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_value_is_masked_in_every_form(form):
    text = Redactor(SPEC, CREDENTIALS)(f"before <{FORMS[form]}> after")
    assert MASK in text and text.startswith("before ") and text.endswith(" after")
    assert FORMS[form].strip("\"'") not in text


def test_values_that_are_no_secret_stay_readable():
    assert Redactor(SPEC, CREDENTIALS)("company larch-ltd") == "company larch-ltd"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("X-KEY: abc def\nAccept: json", f"X-KEY: {MASK}\nAccept: json"),
        ("authorization: Bearer abc", f"authorization: {MASK}"),
        ("/p?a=1&signature=abc%3D&b=2", f"/p?a=1&signature={MASK}&b=2"),
        ('{"pin": "12\\n34", "x": 1}', f'{{"pin": "{MASK}", "x": 1}}'),
        ('{"pin":1234,"x":1}', f'{{"pin":{MASK},"x":1}}'),
        ("{'x-key': 'abc'}", f"{{'x-key': '{MASK}'}}"),
        ("[('signature', 'abc')]", f"[('signature', '{MASK}')]"),
        ("<pin>1234</pin><y>2</y>", f"<pin>{MASK}</pin><y>2</y>"),
        (r"b'{\"access_token\": \"abc\"}'", rf"b'{{\"access_token\": \"{MASK}\"}}'"),
        ("refresh_token=abc&x=1", f"refresh_token={MASK}&x=1"),
        ("opinion=1", "opinion=1"),
    ],
)
def test_named_places_are_masked_whatever_stands_there(text, masked):
    assert Redactor(SPEC, {})(text) == masked


def test_a_callback_of_a_sign_in_loses_its_code():
    spec = SimpleNamespace(credentials=(), secret_places=SecretPlaces(), sign_in=SignIn("/a"))
    assert Redactor(spec, {})("GET /back?code=abc&state=def&x=1") == f"GET /back?code={MASK}&state={MASK}&x=1"


def test_renewed_tokens_are_learned_and_old_ones_stay_secret():
    redact = Redactor(SPEC, CREDENTIALS)
    redact.learn({"session_token": "fresh-token", "expires_at": "2026-01-15"})
    assert redact(f"fresh-token until 2026-01-15, before {SECRET}") == f"{MASK} until 2026-01-15, before {MASK}"


def test_a_call_s_own_secret_places_are_masked_in_texts_about_it():
    call = Call(
        "DELETE",
        "/session/{token}",
        path_values={"token": "sess-1234"},
        query=(("signature", "sig-5678"),),
        headers={"X-Key": "Basic abcd-9"},
    )
    text = Redactor(SPEC, CREDENTIALS).seeing(call)("echo sess-1234, sig-5678, abcd-9 and " + SECRET)
    assert text == f"echo {MASK}, {MASK}, {MASK} and {MASK}"


def test_an_error_loses_secrets_from_sentence_detail_and_text():
    error = Redactor(SPEC, CREDENTIALS).clean(Refused(f"no {SECRET}", detail=urlencode({"x": SECRET})))
    assert (error.sentence, error.detail, str(error)) == (f"no {MASK}", f"x={MASK}", f"no {MASK}")


def test_short_and_empty_values_do_not_shred_the_text():
    assert Redactor(SPEC, {"key": "a", "company": ""})("a plain text") == "a plain text"
