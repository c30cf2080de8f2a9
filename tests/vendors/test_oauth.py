"""The sign-in door, against invented vendors."""

import json
import logging
import socket
import threading
from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
import requests
import responses
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from uku_web.vendors.access import Purse, Setup, identities
from uku_web.vendors.addresses import Guard
from uku_web.vendors.errors import BadSettings, NeedsReauth, RateLimited, Refused, Temporary, Uncertain
from uku_web.vendors.oauth import SignInDoor, authorize_url
from uku_web.vendors.spec import BucketKey, Budget, SecretPlaces, SignIn, Variant

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
AUTH = "https://login.larch.example"
TOKEN, REVOKE = f"{AUTH}/token", f"{AUTH}/revoke"
GIVEN = {"access_token": "at-12345", "refresh_token": "rt-67890", "expires_in": 1800, "scope": "books", "realm": "9"}
SECRETS = ("app-secret", "old-refresh", "the-code", "the-verifier", "at-12345", "rt-67890")
PLAIN = SignIn(
    "/authorize",
    token_path="/token",
    revoke_path="/revoke",
    scopes=("books", "offline access"),
    client_id_setting="UKU_LARCH_ID",
    client_secret_setting="UKU_LARCH_SECRET",
)


def spec(sign_in=PLAIN, budgets=()):
    return SimpleNamespace(
        kind="larch",
        label="Larch",
        budgets=budgets,
        credentials=(),
        variant_field=None,
        variants=(Variant("", "", {"api": "https://api.larch.example"}, auth_host=AUTH),),
        secret_fields=frozenset,
        secret_places=SecretPlaces(),
        sign_in=sign_in,
    )


class World:
    def __init__(self, sign_in=PLAIN, budgets=(), hosts=None, **more):
        declared, self.records, self.at, self.slept = spec(sign_in, budgets), [], NOW, []
        setup = Setup(now=lambda: self.at, sleep=self.slept.append)
        self.door = SignInDoor(
            spec=declared,
            hosts=hosts or {"auth": AUTH},
            client_id="app-id",
            client_secret="app-secret",
            purse=Purse(declared, identities(declared, declared.variants[0], {}, None), setup, "background"),
            now=setup.now,
            log=self.records.append,
            **{"guard": Guard(), **more},
        )


@pytest.fixture
def vendor():
    with responses.RequestsMock() as mock:
        yield mock


def sent(vendor, number=-1) -> dict:
    return {name: values[0] for name, values in parse_qs(vendor.calls[number].request.body).items()}


def query(url: str) -> dict:
    return dict(parse_qsl(urlsplit(url).query))


# The address of the sign-in


def test_the_sign_in_address_holds_what_was_declared():
    declared = spec(replace(PLAIN, authorize_extra={"access_type": "offline"}))
    url = authorize_url(declared, declared.variants[0], "app-id", "https://hub.example/back?x=1", "st")
    assert url.startswith(f"{AUTH}/authorize?")
    assert query(url) == {
        "response_type": "code",
        "client_id": "app-id",
        "redirect_uri": "https://hub.example/back?x=1",
        "scope": "books offline access",
        "state": "st",
        "access_type": "offline",
    }


def test_with_pkce_the_challenge_travels_and_the_verifier_stays():
    declared = spec(replace(PLAIN, pkce=True))
    url = authorize_url(declared, declared.variants[0], "app-id", "https://hub.example/back", "st", "verifier" * 8)
    assert query(url)["code_challenge"] == create_s256_code_challenge("verifier" * 8)
    assert query(url)["code_challenge_method"] == "S256" and "verifierverifier" not in url
    with pytest.raises(ValueError, match="verifier"):
        authorize_url(declared, declared.variants[0], "app-id", "https://hub.example/back", "st")


def test_parameters_get_the_vendor_s_names_or_are_left_out():
    grant = SignIn(
        "/grant.aspx", renames={"client_id": "appId", "redirect_uri": "back", "state": "", "response_type": ""}
    )
    url = World(grant).door.authorize_url("https://hub.example/back/st", "st")
    assert query(url) == {"appId": "app-id", "back": "https://hub.example/back/st"}


def test_scopes_and_hosts_can_be_replaced_by_the_operator():
    door = World(hosts={"auth": AUTH, "authorize": "https://sign.larch.example"}, scopes="books.read").door
    url = door.authorize_url("https://hub.example/back", "st")
    assert url.startswith("https://sign.larch.example/authorize?") and query(url)["scope"] == "books.read"


def test_a_sign_in_over_plain_http_is_refused_unless_it_is_the_operator_s():
    with pytest.raises(BadSettings):
        World(hosts={"auth": "http://login.larch.example"}).door.authorize_url("https://hub.example", "st")
    local = {"hosts": {"auth": "http://127.0.0.1:81"}, "plain": ["127.0.0.1:81"]}
    assert World(**local).door.authorize_url("https://hub.example", "st").startswith("http://127.0.0.1:81/authorize?")


# Tokens


def test_a_code_becomes_tokens(vendor):
    vendor.post(TOKEN, json=GIVEN)
    tokens = World().door.exchange_code("the-code", "https://hub.example/back", "the-verifier")
    assert (tokens.access_token, tokens.refresh_token, tokens.scope) == ("at-12345", "rt-67890", "books")
    assert tokens.expires_at == NOW + timedelta(seconds=1800) and tokens.more == {"realm": "9"}
    assert sent(vendor) == {
        "grant_type": "authorization_code",
        "code": "the-code",
        "redirect_uri": "https://hub.example/back",
        "code_verifier": "the-verifier",
    }
    basic = b64encode(b"app-id:app-secret").decode()
    assert vendor.calls[0].request.headers["Authorization"] == f"Basic {basic}"
    assert not any(secret in repr(tokens) for secret in SECRETS)


def test_client_credentials_go_in_the_body_where_the_vendor_wants_them_there(vendor):
    vendor.post(TOKEN, json=GIVEN)
    World(replace(PLAIN, client_auth="client_secret_post")).door.refresh("old-refresh")
    assert (sent(vendor)["client_id"], sent(vendor)["client_secret"]) == ("app-id", "app-secret")
    assert "Authorization" not in vendor.calls[0].request.headers


def test_a_refresh_gives_the_rotated_token_or_keeps_the_old_one(vendor):
    vendor.post(TOKEN, json=GIVEN)
    vendor.post(TOKEN, json={"access_token": "at-12345"})
    door = World().door
    assert door.refresh("old-refresh").refresh_token == "rt-67890"
    assert sent(vendor) == {"grant_type": "refresh_token", "refresh_token": "old-refresh"}
    kept = door.refresh("rt-67890")
    assert kept.refresh_token == "rt-67890" and kept.expires_at is None


ERRORS = [
    ({"json": {"error": "invalid_grant"}, "status": 400}, NeedsReauth),
    ({"json": {"error": "access_denied"}, "status": 403}, NeedsReauth),
    ({"json": {"error": "invalid_client"}, "status": 401}, BadSettings),
    ({"body": "HTTP Basic: Access denied.", "status": 401}, BadSettings),
    ({"json": {"error": "invalid_scope"}, "status": 400}, BadSettings),
    ({"status": 302, "headers": {"Location": "https://evil.example/token"}}, BadSettings),
    ({"body": "<html>", "status": 503}, Temporary),
    ({"json": {"error": "server_error"}, "status": 500}, Temporary),
    ({"body": "<html>blocked", "status": 403}, Temporary),
    ({"body": "<html>welcome", "status": 200}, Uncertain),
    ({"json": {"hello": 1}, "status": 200}, Uncertain),
    ({"json": [], "status": 200}, Uncertain),
    ({"body": requests.ConnectTimeout("slow")}, Temporary),
    ({"body": requests.ReadTimeout("late")}, Uncertain),
    ({"body": requests.ConnectionError("dropped")}, Uncertain),
]


@pytest.mark.parametrize(("answer", "error"), ERRORS)
def test_a_refresh_that_fails_is_told_by_kind_and_never_repeated_by_itself(vendor, answer, error):
    vendor.post(TOKEN, **answer)
    world = World()
    with pytest.raises(error) as told:
        world.door.refresh("old-refresh")
    assert type(told.value) is error and len(vendor.calls) == 1
    assert world.records[0].outcome == error.code and world.records[0].attempt == 1
    vendor.replace(responses.POST, TOKEN, json=GIVEN)
    assert world.door.refresh("old-refresh").access_token == "at-12345"


def test_a_wrong_app_secret_names_the_settings(vendor):
    vendor.post(TOKEN, json={"error": "invalid_client"}, status=401)
    with pytest.raises(BadSettings, match="UKU_LARCH_ID and UKU_LARCH_SECRET"):
        World().door.refresh("old-refresh")
    vendor.replace(responses.POST, TOKEN, json=GIVEN)
    assert World().door.refresh("old-refresh")


def test_no_secret_is_told_by_errors_or_logs(vendor, caplog):
    caplog.set_level(logging.INFO)
    vendor.post(TOKEN, body=f"<html>{' '.join(SECRETS)} code=abc", status=500)
    world = World()
    with pytest.raises(Temporary) as told:
        world.door.exchange_code("the-code", "https://hub.example/back", "the-verifier")
    seen = f"{told.value!r} {told.value.detail} {told.value.__context__} {world.records} {caplog.text}"
    assert not any(secret in seen for secret in SECRETS[:1] + SECRETS[2:4])
    vendor.replace(responses.POST, TOKEN, json=GIVEN)
    assert world.door.exchange_code("the-code", "https://hub.example/back", "the-verifier")
    assert not any(secret in repr(world.records) for secret in SECRETS)


def test_token_calls_have_a_budget_of_their_own(vendor):
    vendor.post(TOKEN, json=GIVEN)
    world = World(budgets=[Budget("refreshes", BucketKey.APP, 15, 60.0, purpose="token", reserve=0.0)])
    for _ in range(15):
        world.door.refresh("old-refresh")
    with pytest.raises(RateLimited):
        world.door.refresh("old-refresh")
    assert len(vendor.calls) == 15
    world.at += timedelta(seconds=62)
    assert world.door.refresh("old-refresh")


def test_a_limit_on_sign_ins_tells_when_it_resets_and_holds_back_the_next(vendor):
    vendor.post(TOKEN, status=429, headers={"Retry-After": "40"})
    world = World()
    for _ in range(2):
        with pytest.raises(RateLimited) as told:
            world.door.refresh("old-refresh")
        assert told.value.until == NOW + timedelta(seconds=40)
    assert len(vendor.calls) == 1
    vendor.replace(responses.POST, TOKEN, json=GIVEN)
    world.at += timedelta(seconds=40)
    assert world.door.refresh("old-refresh")


def test_a_sign_in_without_token_call_says_so():
    with pytest.raises(LookupError):
        World(SignIn("/grant")).door.refresh("old-refresh")


# Revocation


def test_a_token_is_revoked_by_form_or_json(vendor):
    vendor.post(REVOKE, json={"revoked": True})
    World().door.revoke("old-refresh")
    assert sent(vendor) == {"token": "old-refresh", "token_type_hint": "refresh_token"}
    World(replace(PLAIN, revoke_as_json=True)).door.revoke("old-refresh")
    assert json.loads(vendor.calls[-1].request.body) == {"token": "old-refresh"}
    assert all(call.request.headers["Authorization"].startswith("Basic ") for call in vendor.calls)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ({"status": 503}, Temporary),
        ({"body": requests.ReadTimeout("late")}, Temporary),
        ({"status": 400}, Refused),
        ({"status": 401}, BadSettings),
    ],
)
def test_a_revocation_that_fails_can_be_retried_later(vendor, answer, error):
    vendor.post(REVOKE, **answer)
    world = World()
    with pytest.raises(error):
        world.door.revoke("old-refresh")
    vendor.replace(responses.POST, REVOKE, status=200)
    world.door.revoke("old-refresh")
    assert world.records[-1].outcome == "good"


def test_without_a_revoke_call_there_is_nothing_to_call():
    with pytest.raises(LookupError):
        World(replace(PLAIN, revoke_path=None)).door.revoke("old-refresh")


# Sockets


def serve(*answers: bytes):
    listener = socket.create_server(("127.0.0.1", 0))

    def run():
        with listener:
            for answer in answers:
                with listener.accept()[0] as peer:
                    heard = b""
                    while b"grant_type" not in heard:
                        heard += peer.recv(65536)
                    if answer == b"never":
                        peer.recv(1)
                    peer.sendall(answer)

    thread = threading.Thread(target=run)
    thread.start()
    return f"127.0.0.1:{listener.getsockname()[1]}", thread


def local(place, **more):
    return World(hosts={"auth": f"http://{place}"}, plain=[place], **more)


def answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body)


def test_loopback_is_refused_unless_the_operator_named_it():
    place, thread = serve(answer(json.dumps(GIVEN).encode()))
    with pytest.raises(BadSettings, match="private network"):
        local(place).door.refresh("old-refresh")
    assert local(place, guard=Guard([place])).door.refresh("old-refresh").access_token == "at-12345"
    thread.join(5)


@pytest.mark.parametrize(
    "lost", [b"", b"never", answer(b"x" * 2_000_000), b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"]
)
def test_an_answer_that_is_lost_too_large_or_cut_is_uncertain(lost):
    place, thread = serve(lost, answer(json.dumps(GIVEN).encode()))
    opened = {"guard": Guard([place])}
    with pytest.raises(Uncertain):
        local(place, **opened, timeout=0.2).door.refresh("old-refresh")
    assert local(place, **opened).door.refresh("old-refresh").access_token == "at-12345"
    thread.join(5)


def test_an_answer_in_chunks_is_read_whole():
    body = json.dumps(GIVEN).encode()
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    place, thread = serve(head + b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:]))
    assert local(place, guard=Guard([place])).door.refresh("old-refresh").refresh_token == "rt-67890"
    thread.join(5)


def test_nobody_listening_is_temporary_for_nothing_was_sent():
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    world = local(place, guard=Guard([place]))
    with pytest.raises(Temporary):
        world.door.refresh("old-refresh")
