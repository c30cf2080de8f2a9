"""The contract that every accounting system keeps, asked of all of them in one place.

A new vendor brings `tests/vendors/<kind>/sample.py` and nothing else. The sample holds

    CREDENTIALS   values of the declaration's fields, and what a sign-in would have given
    reply(call)   the vendor's good answer to a prepared call: JSON value, bytes, or (status, headers, either)
    LIMITED       [(headers of a 429 at NOW, the moment they mean or None)], in each form the vendor uses
    OWN_ERRORS    [(status, body, error class, the field or None)], the vendor's own ways to say no
    and, for what its class can do: TARGETS and MONTHS (statistics), INVOICE (send-invoice),
    EXPORTED (payments), CUSTOMER (push-customer, ledger), CALLBACK and TOKEN (accounts);
    EMPTY, its empty list, where that is not [] in JSON; SECRETS, where it has more than the secret fields;
    STATUS, {status: error class}, where it means something else by one.
"""

import importlib.util
import re
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import parse_qsl, quote

import pytest

from uku_web.vendors.capabilities import CAPABILITIES, capabilities_of
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    Temporary,
    Uncertain,
    VendorError,
)
from uku_web.vendors.registry import all_specs, connector_class, kinds, spec_of
from uku_web.vendors.retry import retry_after
from uku_web.vendors.spec import Auth, Direction, Replay

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)

# A row of "What syncs" -> what the class must be able to do. A new kind of data gets a line here.
SYNCS = {
    ("Clients", Direction.IN): {"customers"},
    ("Clients", Direction.BOTH): {"customers", "push-customer"},
    ("Products", Direction.IN): {"products"},
    ("Tax rates", Direction.IN): {"tax-rates"},
    ("Currencies", Direction.IN): {"currencies"},
    ("Work statistics", Direction.IN): {"statistics"},
    ("Sales ledger", Direction.IN): {"ledger"},
    ("Invoices", Direction.OUT): {"send-invoice"},
    ("Invoice paid status", Direction.IN): {"payments"},
}
# The same data under the vendor's own name.
OWN_NAMES = {"Articles": "Products", "VAT types": "Tax rates", "Transaction volumes": "Work statistics"}
SILENT = {"Contacts", "Addresses"}  # they come with the clients
UNSAID = {"test", "accounts", "renew", "revoke"}  # no data

HTML = b"<!doctype html><html><body><h1>Service unavailable</h1></body></html>"

USES = {
    "test": lambda connector, sample: [connector.test()],
    "accounts": lambda connector, sample: connector.accounts(sample.CALLBACK, sample.TOKEN),
    "renew": lambda connector, sample: [connector.renew(NOW)],
    "revoke": lambda connector, sample: [connector.revoke()],
    "customers": lambda connector, sample: list(connector.customers()),
    "push-customer": lambda connector, sample: [connector.push_customer(sample.CUSTOMER, ["name"], key="k")],
    "products": lambda connector, sample: list(connector.products()),
    "tax-rates": lambda connector, sample: list(connector.tax_rates()),
    "currencies": lambda connector, sample: list(connector.currencies()),
    "statistics": lambda connector, sample: list(
        connector.statistics(sample.TARGETS, _stat_keys(connector, sample), sample.MONTHS)
    ),
    "ledger": lambda connector, sample: list(connector.ledger(sample.CUSTOMER.id)),
    "send-invoice": lambda connector, sample: list(connector.send_invoice(sample.INVOICE, {}, key="k")),
    "payments": lambda connector, sample: list(connector.payments(sample.EXPORTED)),
}
WRITES = {"send-invoice", "push-customer", "renew", "revoke"}
READS_LISTS = {"customers", "products", "tax-rates", "currencies", "ledger"}


def _stat_keys(connector, sample):
    whole_books = all(target.customer_id is None for target in sample.TARGETS)
    return [field.key for field in connector.spec.countable(whole_books=whole_books)]


def load_sample(kind: str):
    path = HERE / kind / "sample.py"
    assert path.exists(), f"{kind} has no tests/vendors/{kind}/sample.py. This file's first lines say what it holds."
    spec = importlib.util.spec_from_file_location(f"sample_of_{kind}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def able(*among: str) -> list[tuple[str, str]]:
    """(kind, capability) of all vendors, in all or the given capabilities."""
    return [
        (kind, name)
        for kind in kinds()
        for name in sorted(capabilities_of(connector_class(kind)))
        if not among or name in among
    ]


@pytest.fixture
def build(fake_door):
    """build(kind, reply=None) -> connector and sample; the connector's door answers well unless told otherwise."""

    def building(kind, reply=None):
        sample = load_sample(kind)
        return connector_class(kind)(fake_door(reply or sample.reply, NOW), dict(sample.CREDENTIALS)), sample

    return building


every_vendor = pytest.mark.parametrize("kind", kinds())


# --- the declaration


@every_vendor
def test_the_declaration_is_complete(kind):
    spec = spec_of(kind)
    assert spec.kind == kind
    for name in ("label", "summary", "rights", "where_credentials", "removal", "docs_url"):
        assert getattr(spec, name).strip(), f"{kind}: {name} is empty"
    assert spec.summary.endswith(".") and spec.removal.endswith(".")
    assert all(cause.endswith(".") for cause in spec.likely_causes) and spec.likely_causes
    assert all(region == "GLOBAL" or re.fullmatch("[A-Z]{2}", region) for region in spec.regions) and spec.regions
    assert 1 <= len(spec.mark.text) <= 2 and 0 <= spec.mark.hue < 8
    assert spec.docs_url.startswith("https://")


@every_vendor
def test_each_budget_has_a_limit_or_learns_it(kind):
    budgets = spec_of(kind).budgets
    assert budgets
    assert len({budget.name for budget in budgets}) == len(budgets)
    for budget in budgets:
        assert budget.limit or budget.read, f"{kind}: {budget.name} has neither a limit nor headers that tell it"
        assert budget.window > 0 and 0 <= budget.reserve < 1


@every_vendor
def test_each_variant_has_its_own_secure_hosts(kind):
    spec = spec_of(kind)
    assert spec.variants
    assert len({variant.key for variant in spec.variants}) == len(spec.variants)
    for variant in spec.variants:
        assert "api" in variant.hosts
        hosts = [*variant.hosts.values(), *variant.older_hosts, *filter(None, [variant.auth_host])]
        assert all(host.startswith("https://") and not host.endswith("/") for host in hosts)
    if spec.variant_field is None:
        assert len(spec.variants) == 1
    else:
        field = next(field for field in spec.credentials if field.name == spec.variant_field)
        assert {value for value, _ in field.choices} == {variant.key for variant in spec.variants}
        assert spec.variant_noun


@every_vendor
def test_each_field_is_labelled_and_explained_in_the_manual(kind):
    spec = spec_of(kind)
    manual = (ROOT / "templates" / "vendors" / kind / "manual.html").read_text()
    anchors = set(re.findall(r'\bid="([^"]+)"', manual))
    fields = [*spec.credentials, *spec.options]
    assert len({field.name for field in fields}) == len(fields)
    for field in fields:
        assert field.label and (field.hint or field.choices), f"{kind}: {field.name} needs a label and a hint"
        assert field.help_anchor in anchors, f"{kind}: manual.html has no id={field.help_anchor!r}"
        assert bool(field.pattern) == bool(field.pattern_error)
        assert field.kind != "choice" or field.choices


@every_vendor
def test_the_manual_is_marked_for_translation(kind):
    manual = (ROOT / "templates" / "vendors" / kind / "manual.html").read_text()
    left = re.sub(r"\{\{.*?\}\}|\{[%#].*?[%#]\}|<[^>]+>", "", manual, flags=re.DOTALL)
    assert not left.strip(), f"{kind}: put this text into _(): {left.split()[:8]}"


@every_vendor
def test_each_data_field_says_what_it_counts(kind):
    statistics = spec_of(kind).statistics
    assert len({field.key for field in statistics}) == len(statistics)
    assert len({field.label for field in statistics}) == len(statistics)
    for field in statistics:
        assert field.help.endswith(".") and field.help[0].isupper(), f"{kind}: {field.key} needs a sentence"
        assert field.books or field.customer


@every_vendor
def test_what_syncs_and_what_the_class_can_do_agree(kind):
    spec, can = spec_of(kind), capabilities_of(connector_class(kind))
    said = set()
    for sync in spec.syncs:
        data = OWN_NAMES.get(sync.data, sync.data)
        assert sync.note.endswith("."), f"{kind}: the row {sync.data} needs a note"
        if data not in SILENT:
            assert (data, sync.direction) in SYNCS, f"{kind}: add {sync.data}, {sync.direction} to SYNCS here"
            said |= SYNCS[data, sync.direction]
    assert said == can - UNSAID
    assert "test" in can
    assert bool(spec.statistics) == ("statistics" in can)
    assert (spec.replay is Replay.NONE) == ("send-invoice" not in can)
    assert not spec.auth.by_sign_in or spec.sign_in is not None
    assert set(USES) == set(CAPABILITIES)


def test_the_cards_stand_by_label():
    labels = [spec.label.lower() for spec in all_specs()]
    assert labels == sorted(labels) and len(set(labels)) == len(labels)


# --- good answers


@pytest.mark.parametrize(("kind", "name"), able())
def test_each_capability_works(kind, name, build):
    connector, sample = build(kind)
    result = USES[name](connector, sample)
    assert result
    assert connector.door.sent
    if name not in WRITES:
        assert all(call.repeat for call in connector.door.sent), "reads may be repeated"


@pytest.mark.parametrize(("kind", "name"), able())
def test_secrets_travel_only_in_the_declared_places(kind, name, build):
    connector, sample = build(kind)
    USES[name](connector, sample)
    places = connector.spec.secret_places
    for call in connector.door.sent:
        query = [*call.query, *parse_qsl(call.query_text or "", keep_blank_values=True)]
        for secret in secrets_of(connector, sample):
            assert secret not in call.path
            assert_only_in(secret, call.headers.items(), places.headers)
            assert_only_in(secret, query, places.query)
            assert_only_in(secret, call.path_values.items(), places.path)
            assert secret.encode() not in (call.body or b"") or places.body


def assert_only_in(secret, pairs, names):
    declared = {name.lower() for name in names}
    found = {name for name, value in pairs if secret in str(value) and name.lower() not in declared}
    assert not found, f"a secret travels in {found}: add it to the declaration's secret places"


def secrets_of(connector, sample) -> set[str]:
    named = {connector.credentials.get(name, "") for name in connector.spec.secret_fields()}
    return {secret for secret in named | set(getattr(sample, "SECRETS", ())) if secret}


@every_vendor
def test_a_signed_request_declares_its_signature(kind):
    spec = spec_of(kind)
    places = spec.secret_places
    declared = [*places.headers, *places.query, *places.body, *places.path]
    assert declared, f"{kind}: secret_places is empty, so logs would show whatever lets us in"
    if spec.auth is Auth.SIGNED_KEY:
        assert any("signature" in name.lower() for name in declared)


@pytest.mark.parametrize(("kind", "name"), able("statistics"))
def test_each_number_comes_once_in_the_forecast_number_of_requests(kind, name, build):
    connector, sample = build(kind)
    keys = _stat_keys(connector, sample)
    counts = USES[name](connector, sample)
    told = [(count.target, count.month, count.field) for count in counts]
    wanted = {(target.key, month, key) for target in sample.TARGETS for month in sample.MONTHS for key in keys}
    assert set(told) == wanted
    assert len(told) == len(wanted)
    assert all(count.why for count in counts if count.value is None)
    forecast = connector.forecast(sample.TARGETS, keys, sample.MONTHS)
    sent = len(connector.door.sent)
    assert sent == forecast.requests if forecast.exact else sent >= forecast.requests


@pytest.mark.parametrize(("kind", "name"), able("send-invoice"))
def test_an_export_ends_in_a_last_step_and_can_be_found(kind, name, build):
    connector, sample = build(kind)
    steps = USES[name](connector, sample)
    assert [step.last for step in steps] == [False] * (len(steps) - 1) + [True]
    assert all(step.refs.get("id") for step in steps), "the vendor's id of the document is called id"
    assert any(not call.repeat for call in connector.door.sent), "a create must not be repeated by itself"
    found = connector.find_invoice(sample.INVOICE)
    assert sample.INVOICE.number in [invoice.number for invoice in found] and all(f.refs.get("id") for f in found)
    done = {step.name: step.refs for step in steps}
    asked = len(connector.door.sent)
    assert list(connector.send_invoice(sample.INVOICE, done, key="k")) == []
    assert not [call for call in connector.door.sent[asked:] if not call.repeat]


@pytest.mark.parametrize(("kind", "name"), able(*READS_LISTS))
def test_an_empty_list_is_no_error(kind, name, build):
    sample = load_sample(kind)
    connector, _ = build(kind, lambda call: getattr(sample, "EMPTY", []))
    assert USES[name](connector, sample) == []
    connector.door.reply = sample.reply
    assert USES[name](connector, sample)


# --- errors: each ends with recovery

BY_STATUS = [
    (401, NeedsReauth),
    (403, NotPermitted),
    (404, BadSettings),
    (409, Refused),
    (422, Refused),
    (429, RateLimited),
    (500, Temporary),
    (502, Temporary),
    (503, Temporary),
    (504, Temporary),
]
RESETS = [
    {"Retry-After": "30"},
    {"Retry-After": "Thu, 15 Jan 2026 10:31:00 GMT"},
    {"X-RateLimit-Reset": "1768473060"},
    {"X-RateLimit-Reset": "30"},
    {},
]
READS = [(kind, name) for kind, name in able() if name not in WRITES]


def failing(kind, name, build, said, expected):
    """Fails as expected with nothing secret in it; the same connector then works."""
    connector, sample = build(kind, lambda call: said)
    with pytest.raises(VendorError) as caught:
        USES[name](connector, sample)
    error = caught.value
    assert isinstance(error, expected), repr(error)
    assert_presentable(error, secrets_of(connector, sample))
    connector.door.reply = sample.reply
    assert USES[name](connector, sample)
    return error


def assert_presentable(error: VendorError, secrets: set[str]):
    assert error.sentence.endswith((".", "?")) and error.sentence[0].isupper(), error.sentence
    for secret in secrets:
        assert secret not in f"{error.sentence} {error.detail} {error!r}"


@pytest.mark.parametrize(("kind", "name"), READS)
@pytest.mark.parametrize(("status", "expected"), BY_STATUS)
@pytest.mark.parametrize("body", [b'{"status":"no"}', HTML], ids=["json", "html"])
def test_a_status_has_its_meaning(kind, name, status, expected, body, build):
    expected = getattr(load_sample(kind), "STATUS", {}).get(status, expected)
    error = failing(kind, name, build, (status, {}, body), expected)
    assert not isinstance(error, Refused) or error.duplicate is (status == 409)


@every_vendor
@pytest.mark.parametrize("headers", RESETS, ids=["seconds", "date", "epoch", "left", "none"])
def test_a_limit_is_a_limit_however_its_reset_is_told(kind, headers, build):
    failing(kind, "test", build, (429, headers, b"slow down"), RateLimited)


@every_vendor
def test_the_vendors_own_reset_is_read(kind):
    sample = load_sample(kind)
    readers = [budget.read for budget in spec_of(kind).budgets if budget.read]
    for headers, resets_at in sample.LIMITED:
        lower = {name.lower(): value for name, value in headers.items()}
        readings = [reading.resets_at for read in readers if (reading := read(lower, NOW))]
        assert resets_at == (retry_after(lower, NOW) or next(filter(None, readings), None))


@pytest.mark.parametrize(("kind", "name"), READS)
@pytest.mark.parametrize("said", [HTML, b"", b"{", b"null"], ids=["html", "nothing", "brace", "null"])
def test_a_success_that_is_no_data_is_temporary(kind, name, said, build):
    failing(kind, name, build, said, Temporary)


@pytest.mark.parametrize(("kind", "name"), READS)
def test_an_answer_cut_short_is_temporary(kind, name, build):
    connector, sample = build(kind)

    def cut(call):
        body = connector.door.answer(call).body
        return body[: len(body) // 2]

    whole = connector.door
    broken, _ = build(kind)
    broken.door.reply = lambda call: type(whole)(sample.reply, NOW).answer(call).body[:-7]
    with pytest.raises(Temporary):
        USES[name](broken, sample)
    broken.door.reply = cut
    with pytest.raises(Temporary):
        USES[name](broken, sample)
    broken.door.reply = sample.reply
    assert USES[name](broken, sample)


@pytest.mark.parametrize(
    ("kind", "own"), [(kind, own) for kind in kinds() for own in load_sample(kind).OWN_ERRORS], ids=str
)
def test_the_vendors_own_errors_are_known(kind, own, build):
    status, body, expected, field = own
    error = failing(kind, "test", build, (status, {}, body), expected)
    assert getattr(error, "field", None) == field


@every_vendor
@pytest.mark.parametrize("status", [200, 400, 401, 403, 404, 422, 429, 500, 503])
def test_a_vendor_that_repeats_our_secrets_does_not_bring_them_into_an_error(kind, status, build):
    connector, sample = build(kind)
    secrets = secrets_of(connector, sample)
    said = " ".join([*secrets, *(quote(secret, safe="") for secret in secrets)])
    failing(kind, "test", build, (status, {}, f"Bad request: {said}".encode()), VendorError)


@pytest.mark.parametrize(("kind", "name"), able("send-invoice"))
@pytest.mark.parametrize("said", [(500, {}, b"oops"), (503, {}, HTML), (200, {}, HTML), (200, {}, b'{"Id')])
def test_an_unclear_answer_to_a_create_is_never_taken_for_a_no(kind, name, said, build):
    connector, sample = build(kind)
    connector.door.reply = lambda call: sample.reply(call) if call.repeat else said
    with pytest.raises((Uncertain, Temporary)):
        USES[name](connector, sample)
    connector.door.reply = sample.reply
    assert connector.find_invoice(sample.INVOICE)
    assert USES[name](connector, sample)[-1].last
