"""From a kind and credentials to a connector: addresses, overrides, budgets and secrets."""

from dataclasses import replace
from datetime import UTC, datetime
from types import SimpleNamespace

import httpx
import pytest

from uku_web.vendors import registry
from uku_web.vendors.access import Setup, base_urls, identities, open_connector, open_sign_in
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.budget import Budgets, LocalBudgets
from uku_web.vendors.calls import Call
from uku_web.vendors.errors import BadSettings, RateLimited
from uku_web.vendors.spec import (
    Auth,
    BucketKey,
    Budget,
    Field,
    Mark,
    OperatorSetting,
    SignIn,
    Variant,
    VendorSpec,
)

NOW = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
SPEC = VendorSpec(
    kind="larch-books",
    label="Larch",
    regions=("GLOBAL",),
    auth=Auth.OAUTH2,
    variants=(
        Variant("live", "Live", {"api": "https://{site}.larch.example/v2", "files": "https://files.larch.example"}),
        Variant("test", "Test", {"api": ""}, auth_host="https://login.larch.example"),
    ),
    variant_field="environment",
    credentials=(
        Field("environment", "Environment", choices=(("live", "Live"), ("test", "Test"))),
        Field("site", "Site"),
        Field("key", "Key", secret=True),
    ),
    syncs=(),
    statistics=(),
    budgets=(Budget("minute", BucketKey.TENANT, 2, reserve=0.0),),
    mark=Mark("L", 1),
    summary="",
    rights="",
    sign_in=SignIn("/authorize", token_path="/token", client_id_setting="LARCH_ID", scopes_setting="LARCH_SCOPES"),
    operator_settings=(OperatorSetting("LARCH_ID", "App id"), OperatorSetting("LARCH_X", "X", variants=("live",))),
)
LIVE = {"environment": "live", "site": "alder", "key": "k-123456"}
TEST = LIVE | {"environment": "test"}


class Connector(BaseConnector):
    spec = SPEC


@pytest.fixture(autouse=True)
def larch(monkeypatch):
    monkeypatch.setattr(registry, "spec_of", lambda kind: SPEC)
    monkeypatch.setattr(registry, "connector_class", lambda kind: Connector)


class World:
    def __init__(self, environ=None, **more):
        self.asked, self.records = [], []
        transport = httpx.MockTransport(lambda request: self.asked.append(str(request.url)) or httpx.Response(200))
        self.setup = Setup(environ=environ or {}, now=lambda: NOW, transport=transport, sleep=lambda _: None, **more)

    def open(self, credentials=LIVE, **more):
        return open_connector("larch-books", credentials, setup=self.setup, log=self.records.append, **more)


def test_a_connector_reaches_its_variant_s_hosts():
    world = World()
    connector = world.open(account_id="7", options={"layout": "3"})
    connector.send(Call("GET", "/items"))
    connector.send(Call("GET", "/pdf", host="files"))
    assert world.asked == ["https://alder.larch.example/v2/items", "https://files.larch.example/pdf"]
    assert [record.host for record in world.records] == ["alder.larch.example", "files.larch.example"]
    assert (connector.account_id, connector.options, connector.credentials) == ("7", {"layout": "3"}, LIVE)


def test_a_site_that_is_no_label_never_becomes_a_host():
    world = World()
    with pytest.raises(BadSettings) as error:
        world.open(LIVE | {"site": "evil.example/"})
    assert error.value.field == "site"
    world.open().send(Call("GET", "/items"))


def test_an_override_stands_for_all_hosts_and_the_variant_s_own_wins():
    environ = {
        "UKU_VENDOR_URL_LARCH_BOOKS": "http://127.0.0.1:81/all/",
        "UKU_VENDOR_URL_LARCH_BOOKS_TEST": "http://127.0.0.1:82/t",
    }
    world = World(environ)
    assert base_urls("larch-books", "live", world.setup) == {
        "api": "http://127.0.0.1:81/all",
        "files": "http://127.0.0.1:81/all",
    }
    assert base_urls("larch-books", "test", world.setup)["api"] == "http://127.0.0.1:82/t"
    world.open().send(Call("GET", "/x", host="files"))
    world.open(TEST).send(Call("GET", "/x"))
    assert world.asked == ["http://127.0.0.1:81/all/x", "http://127.0.0.1:82/t/x"]


def test_the_sign_in_has_an_override_of_its_own():
    world = World(
        {"UKU_VENDOR_AUTH_URL_LARCH_BOOKS": "http://127.0.0.1:83/auth", "LARCH_ID": "app", "LARCH_SCOPES": "few"}
    )
    url = open_sign_in("larch-books", "test", setup=world.setup).authorize_url("https://hub.example/back", "st")
    assert url.startswith("http://127.0.0.1:83/auth/authorize?response_type=code&client_id=app") and "scope=few" in url
    assert base_urls("larch-books", "test", world.setup) == {"api": "", "auth": "http://127.0.0.1:83/auth"}
    plain = World({"LARCH_ID": "app"}).setup
    url = open_sign_in("larch-books", "test", setup=plain).authorize_url("https://hub.example/back", "st")
    assert url.startswith("https://login.larch.example/authorize?")


def test_what_the_operator_must_set_is_named():
    with pytest.raises(BadSettings, match="UKU_VENDOR_URL_LARCH_BOOKS_TEST"):
        World().open(TEST)
    with pytest.raises(BadSettings, match="LARCH_ID and LARCH_X"):
        open_sign_in("larch-books", "live", setup=World().setup)
    World({"UKU_VENDOR_URL_LARCH_BOOKS_TEST": "http://127.0.0.1:81"}).open(TEST).send(Call("GET", "/x"))


@pytest.mark.parametrize(
    "url", ["127.0.0.1:81", "ftp://x", "http://", "http://u:p@x", "http://x?a=1", "http://x:port", "http://{site}"]
)
def test_an_override_that_is_no_address_names_its_setting(url):
    with pytest.raises(BadSettings, match="UKU_VENDOR_URL_LARCH_BOOKS "):
        World({"UKU_VENDOR_URL_LARCH_BOOKS": url}).open()
    assert World({"UKU_VENDOR_URL_LARCH_BOOKS": "http://127.0.0.1:81"}).open()


def test_an_unknown_variant_is_refused():
    with pytest.raises(LookupError):
        World().open(LIVE | {"environment": "moon"})


def test_connectors_of_one_account_share_a_budget_and_others_do_not():
    world = World()
    for _ in range(2):
        world.open(account_id="7").send(Call("GET", "/x"))
    with pytest.raises(RateLimited):
        world.open(account_id="7").send(Call("GET", "/x"))
    world.open(account_id="8").send(Call("GET", "/x"))


def whose(credentials=LIVE, account_id=None):
    return identities(SPEC, SPEC.variant_of(credentials), credentials, account_id)


def test_a_renewed_token_does_not_open_a_fresh_budget():
    assert whose() == whose(LIVE | {"session_token": "fresh"}) != whose(LIVE | {"key": "another"})
    assert whose(account_id="7")[BucketKey.TENANT] == whose(LIVE | {"key": "another"}, "7")[BucketKey.TENANT]
    assert whose(account_id="7")[BucketKey.TENANT] != whose(TEST, "7")[BucketKey.TENANT]
    assert whose()[BucketKey.APP] == whose(LIVE | {"key": "another"})[BucketKey.APP]


def test_no_secret_stands_in_an_identity_or_a_key_of_the_store():
    assert "k-123456" not in repr(whose())
    world = World()
    world.open().send(Call("GET", "/x"))
    assert all("k-123456" not in key and "alder" not in key for key in world.setup.budgets._states)


def test_redis_is_used_where_there_is_one():
    client = SimpleNamespace(register_script=lambda text: None)
    assert isinstance(Setup(redis=client).budgets, Budgets)
    alone = Setup()
    assert isinstance(alone.budgets, LocalBudgets) and alone.budgets is alone.budgets


def test_one_pool_of_connections_serves_all_connectors_that_may_go_to_the_same_places():
    setup = Setup(environ={"UKU_VENDOR_URL_LARCH_BOOKS_TEST": "http://127.0.0.1:81"})
    first, second, other = (
        open_connector("larch-books", given, setup=setup).door.client for given in (LIVE, LIVE, TEST)
    )
    assert first._transport is second._transport is not other._transport
    setup.close()


def test_the_settings_stay_out_of_the_setup_s_text():
    assert "s3cret" not in repr(Setup(environ={"LARCH_SECRET": "s3cret"}))


def test_a_vendor_without_sign_in_says_so(monkeypatch):
    monkeypatch.setattr(registry, "spec_of", lambda kind: replace(SPEC, sign_in=None))
    with pytest.raises(LookupError, match="no sign-in"):
        open_sign_in("larch-books", "live", setup=World().setup)
