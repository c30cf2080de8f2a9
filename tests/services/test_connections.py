"""A company's own credentials: reading, testing, keeping, another account, trouble and disconnecting."""

import sys
from dataclasses import replace
from types import SimpleNamespace

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Account, AuditEntry, Client, Connection, ConnectionState, Integration, Link, Notice
from uku_web.services import client_links, connections, links
from uku_web.services.errors import Invalid, NotFound
from uku_web.vendors import records, registry
from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, RateLimited, Refused, Temporary
from uku_web.vendors.spec import (
    Auth,
    BucketKey,
    Budget,
    Direction,
    Field,
    Mark,
    OperatorSetting,
    StatField,
    Sync,
    Variant,
    VendorSpec,
)

SECRET, OTHER_SECRET = "s3cret-of-paper", "0ther-secret-of-paper"
COUNTRIES = (Variant("ee", "Estonia", {"api": "https://ee.paper.test"}), Variant("lv", "Latvia", {"api": "https://x"}))
SPEC = VendorSpec(
    kind="paper",
    label="Paper Books",
    aliases=("Paberiköide",),
    regions=("EE", "LV"),
    auth=Auth.API_KEY,
    variants=COUNTRIES,
    variant_field="country",
    variant_noun="Country",
    credentials=(
        Field("app_id", "App ID", pattern=r"[\w-]+", pattern_error="An App ID has letters, digits and hyphens."),
        Field("key", "Key", secret=True, help_anchor="key"),
        Field("country", "Country", choices=(("ee", "Estonia"), ("lv", "Latvia"))),
    ),
    options=(Field("unit", "Unit", required=False, pattern=r".{1,5}", pattern_error="A unit has at most 5 letters."),),
    syncs=(Sync("Work statistics", Direction.IN, "Monthly."), Sync("Invoices", Direction.OUT)),
    statistics=(
        StatField("income", "Income", "The net sum.", more=True, money=True),
        StatField("documents", "Documents", "All documents."),
        StatField("entries", "Entries", "All entries.", customer=True),
    ),
    budgets=(Budget("minute", BucketKey.TENANT, 60),),
    mark=Mark("P", 1),
    summary="Books on paper.",
    rights="An admin.",
    variants_exclusive=True,
    likely_causes=("A space was copied along.", "The key was revoked."),
    removal="Tear the page out.",
)


class Paper:
    """The vendor's side: which credentials open which account, and whether it answers at all."""

    accounts: dict = {}
    trouble: Exception | None = None
    asked: list = []

    def __init__(self, values):
        self.values = values

    def test(self) -> records.Tested:
        Paper.asked.append(self.values["country"])
        assert not db.session.registry().in_transaction(), "a transaction was open while the vendor was asked"
        if Paper.trouble:
            raise Paper.trouble
        account = Paper.accounts.get((self.values["country"], self.values["app_id"], self.values["key"]))
        if account is None:
            raise NeedsReauth("Paper Books does not know this key.", field="key")
        return records.Tested(account)

    def customers(self):
        names = ("Aru OÜ", "Benn AS", "Closed OÜ")
        return iter([records.Customer(str(i), name, active=name != "Closed OÜ") for i, name in enumerate(names)])

    def forecast(self, targets, fields, months):
        return records.Forecast(len(months) * len(targets))


@pytest.fixture
def paper(monkeypatch):
    """A vendor to test with; `declare` changes its declaration."""

    def declare(**changes) -> VendorSpec:
        spec = replace(SPEC, **changes)
        monkeypatch.setitem(sys.modules, "paper_books.spec", SimpleNamespace(SPEC=spec))
        registry.spec_of.cache_clear()
        return spec

    monkeypatch.setitem(registry.VENDORS, "paper", "paper_books")
    connector = SimpleNamespace(Connector=lambda _door, values, **_rest: Paper(values))
    monkeypatch.setitem(sys.modules, "paper_books.connector", connector)
    for module in (connections, client_links):
        monkeypatch.setattr(module, "open_connector", lambda _kind, values, **_rest: Paper(values))
    Paper.accounts = {
        ("ee", "firm-0001", SECRET): records.Account("F1", "Firm OÜ"),
        ("ee", "firm-0002", OTHER_SECRET): records.Account("F2", "Second OÜ"),
        ("lv", "latvian-1", SECRET): records.Account("L1", "SIA Firma"),
    }
    Paper.trouble, Paper.asked = None, []
    declare()
    yield SimpleNamespace(declare=declare, vendor=Paper)
    registry.spec_of.cache_clear()
    registry.connector_class.cache_clear()


FIRST = {"app_id": "firm-0001", "key": SECRET, "country": "ee"}
SECOND = {"app_id": "firm-0002", "key": OTHER_SECRET, "country": "ee"}


def save(values=FIRST, **rest) -> connections.TestOutcome:
    outcome = connections.save("paper", values, **rest)
    db.session.commit()
    return outcome


def company() -> Connection | None:
    return links.company_connection("paper")


def notices() -> list[Notice]:
    return list(db.session.scalars(select(Notice).where(Notice.closed_at.is_(None))))


def test_values_are_trimmed_and_the_person_is_told(paper, in_firm):
    form = {"app_id": " firm-0001\u200b", "key": f"{SECRET}\n", "country": "ee"}
    values, trimmed = connections.read_form(registry.spec_of("paper"), form)
    assert values == FIRST
    assert connections.trimmed_sentence(trimmed) == "Spaces around App ID and Key were removed."
    assert connections.trimmed_sentence(("API key",)) == "Spaces around API key were removed."


def test_what_is_missing_or_cannot_be_right_is_told_by_field(paper, in_firm):
    with pytest.raises(Invalid) as wrong:
        connections.read_form(registry.spec_of("paper"), {"app_id": "a b", "country": "fi"})
    assert wrong.value.errors == {
        "app_id": "An App ID has letters, digits and hyphens.",
        "key": "Enter Key.",
        "country": "Choose Country from the list.",
    }


def test_a_better_value_inside_a_wrong_one_is_suggested_and_can_be_accepted(paper, in_firm):
    field = replace(SPEC.credentials[0], suggest=lambda value: value.partition(".")[0].removeprefix("https://"))
    spec = paper.declare(credentials=(field, *SPEC.credentials[1:]))
    form = {"app_id": "https://acme.paper.test/", "key": "k", "country": "ee"}
    with pytest.raises(BadSettings) as wrong:
        connections.read_form(spec, form)
    assert (wrong.value.field, wrong.value.suggestion) == ("app_id", "acme")
    assert connections.read_form(spec, form | {"use.app_id": "acme"})[0]["app_id"] == "acme"


def test_a_blank_secret_keeps_the_stored_one(paper, in_firm):
    save()
    values, _trimmed = connections.read_form(
        registry.spec_of("paper"), {"app_id": "", "key": "", "country": "lv"}, connections.stored(company())
    )
    assert values == FIRST | {"country": "lv"}


def test_a_passed_test_names_the_company_and_keeps_nothing(paper, in_firm):
    outcome = connections.test("paper", FIRST)
    assert (outcome.ok, outcome.title, outcome.sentence) == (True, "Connection successful!", "Firm OÜ")
    assert company() is None


def test_keys_of_another_country_are_recognized(paper, in_firm):
    outcome = connections.test("paper", {"app_id": "latvian-1", "key": SECRET, "country": "ee"})
    assert outcome.sentence == "These keys belong to Paper Books Latvia. Switch?"
    assert (outcome.ok, outcome.field, outcome.other_variant.key) == (False, "country", "lv")
    paper.declare(variants_exclusive=False)
    Paper.asked.clear()
    assert connections.test("paper", FIRST | {"app_id": "latvian-1"}).other_variant is None
    assert Paper.asked == ["ee"]


@pytest.mark.parametrize(
    ("error", "title", "causes"),
    [
        (NeedsReauth("Refused.", field="key"), "Authentication error", True),
        (NotPermitted("No licence.", what="licence"), "Not permitted", True),
        (BadSettings("Wrong place.", field="app_id"), "A setting is wrong", True),
        (Temporary("Away."), "Not reachable at the moment", False),
        (RateLimited("Too much."), "Limit reached", False),
        (Refused("No."), "The test failed", False),
    ],
)
def test_each_kind_of_trouble_is_told_in_its_own_way(paper, in_firm, error, title, causes):
    paper.declare(variants_exclusive=False)
    Paper.trouble = error
    outcome = connections.test("paper", FIRST)
    assert (outcome.ok, outcome.title, outcome.sentence) == (False, title, error.sentence)
    assert bool(outcome.causes) == causes
    Paper.trouble = None
    assert connections.test("paper", FIRST).ok


def test_saving_seals_the_credentials_and_shows_only_what_is_no_secret(paper, in_firm):
    assert save().kept == "saved"
    connection = company()
    assert (connection.state, connection.name, connection.account.vendor_id) == (ConnectionState.OK, "Firm OÜ", "F1")
    assert connection.hints == {"variant": "ee", "choices": {"country": "ee"}, "ends": {"app_id": "0001"}}
    assert SECRET not in connection.sealed
    assert connections.stored(connection) == FIRST
    entries = db.session.scalars(select(AuditEntry)).all()
    assert {"connection.tested", "connection.saved"} <= {entry.act for entry in entries}
    assert not any(SECRET in repr((entry.subject, entry.detail)) for entry in entries)


def test_refused_credentials_are_not_saved(paper, in_firm):
    outcome = save(FIRST | {"key": "wrong"})
    assert (outcome.kept, outcome.field) == ("", "key")
    assert company() is None


def test_a_vendor_that_does_not_answer_leaves_them_saved_and_not_verified(paper, in_firm):
    Paper.trouble = Temporary("Away.")
    assert save().kept == "unverified"
    assert (company().state, company().account_id) == (ConnectionState.UNVERIFIED, None)
    Paper.trouble = None
    outcome = connections.test("paper", connections.stored(company()), connection=company())
    db.session.commit()
    assert outcome.ok
    assert (company().state, company().account.vendor_id) == (ConnectionState.OK, "F1")


def test_the_company_name_is_asked_where_the_vendor_does_not_tell_it(paper, in_firm):
    paper.declare(tells_name=False)
    Paper.accounts[("ee", "firm-0001", SECRET)] = records.Account("F1")
    with pytest.raises(Invalid) as wrong:
        save(name="  ")
    assert list(wrong.value.errors) == ["company_name"]
    save(name=" Firma ")
    assert (company().name, company().account.name) == ("Firma", "Firma")


def test_another_account_overwrites_nothing_until_a_person_has_chosen(paper, in_firm):
    save()
    assert save(SECOND).kept == "choose"
    assert (company().name, connections.candidate("paper").name) == ("Firm OÜ", "Second OÜ")
    assert connections.stored(company()) == FIRST
    connections.choose("paper", switch=False)
    db.session.commit()
    assert (company().name, connections.candidate("paper")) == ("Firm OÜ", None)
    save(SECOND)
    connections.choose("paper", switch=True)
    db.session.commit()
    assert (company().name, connections.stored(company()), connections.candidate("paper")) == (
        "Second OÜ",
        SECOND,
        None,
    )
    with pytest.raises(NotFound):
        connections.choose("paper", switch=True)


def test_links_sleep_when_another_account_is_connected_and_wake_when_it_returns(paper, in_firm):
    save()
    client = Client(name="Aru OÜ")
    db.session.add_all([client, Integration(kind="paper", enabled=True)])
    db.session.flush()
    client_links.link_by_company(client.id, "paper")
    db.session.commit()
    assert links.of_client(client.id, "paper")
    save(SECOND)
    connections.choose("paper", switch=True)
    assert links.of_client(client.id, "paper") is None
    save(FIRST)
    connections.choose("paper", switch=True)
    assert links.of_client(client.id, "paper")


def test_new_credentials_that_cannot_be_tested_leave_the_working_ones_alone(paper, in_firm):
    save()
    Paper.trouble = Temporary("Away.")
    assert save(FIRST).kept == "saved"  # the same ones stay verified
    newer = {"app_id": "firm-0003", "key": OTHER_SECRET, "country": "ee"}
    assert save(newer).kept == "unverified"
    assert (company().state, connections.stored(company())) == (ConnectionState.OK, FIRST)
    Paper.trouble = None
    Paper.accounts[("ee", "firm-0003", OTHER_SECRET)] = records.Account("F1", "Firm OÜ")
    waiting = connections.candidate("paper")
    assert connections.test("paper", connections.stored(waiting), connection=waiting).ok
    db.session.commit()
    assert (connections.stored(company()), connections.candidate("paper")) == (newer, None)


def test_trouble_is_told_once_to_those_who_can_mend_it_and_closed_by_a_passed_test(paper, in_firm):
    save()
    for _time in range(2):
        connections.mark_problem(company(), NeedsReauth("The key was revoked."))
    connections.mark_problem(company(), Temporary("Away."))
    db.session.commit()
    assert (company().state, company().problem) == (ConnectionState.ATTENTION, "The key was revoked.")
    found = notices()
    assert {notice.person_id for notice in found} == {in_firm.people["owner"], in_firm.people["admin"]}
    assert {(n.count, n.path, n.title) for n in found} == {
        (2, "/settings/paper/connect", "Paper Books needs attention")
    }
    outcome = connections.test("paper", connections.stored(company()), connection=company())
    db.session.commit()
    assert outcome.ok
    assert (company().state, company().problem, notices()) == (ConnectionState.OK, None, [])


def test_a_test_of_other_credentials_settles_nothing(paper, in_firm):
    save()
    connections.mark_problem(company(), NeedsReauth("The key was revoked."))
    db.session.commit()
    assert connections.test("paper", SECOND, connection=company()).ok
    assert company().state == ConnectionState.ATTENTION
    assert save().kept == "saved"
    assert (company().state, notices()) == (ConnectionState.OK, [])


def test_stored_credentials_that_open_another_account_now_need_a_person(paper, in_firm):
    save()
    Paper.accounts[("ee", "firm-0001", SECRET)] = records.Account("F9", "Ninth OÜ")
    connections.test("paper", connections.stored(company()), connection=company())
    db.session.commit()
    assert (company().state, company().account.vendor_id) == (ConnectionState.ATTENTION, "F1")
    assert "another account" in company().problem


def test_disconnecting_forgets_credentials_and_keeps_everything_else(paper, in_firm):
    save()
    client = Client(name="Aru OÜ")
    db.session.add_all([client, Integration(kind="paper", enabled=True)])
    db.session.flush()
    client_links.link_by_company(client.id, "paper")
    own = Client(name="Benn AS")
    db.session.add(own)
    db.session.commit()
    client_links.save_own(own.id, "paper", SECOND)
    connections.mark_problem(company(), NeedsReauth("The key was revoked."))
    assert connections.disconnect("paper") == "Tear the page out."
    db.session.commit()
    assert (company(), notices()) == (None, [])
    assert links.of_client(client.id, "paper") is None
    assert links.of_client(own.id, "paper")
    assert db.session.scalar(select(Link).where(Link.client_id == client.id)).account.name == "Firm OÜ"
    save()
    assert links.of_client(client.id, "paper")


def test_nothing_of_another_company_is_seen(paper, firm):
    from uku_web.tenancy import company_scope

    with company_scope(firm.id):
        save()
    with company_scope(firm.other_id):
        assert company() is None
        save()
        assert db.session.scalars(select(Account)).one().company_id == firm.other_id
        with pytest.raises(NotFound):
            connections.choose("paper", switch=True)


def test_credentials_no_key_opens_count_as_none(paper, in_firm):
    save()
    company().sealed = "not a sealed value"
    db.session.commit()
    assert connections.stored(company()) == {}


SETTING = OperatorSetting("UKU_PAPER_APP", "App id")
