"""A vendor's dialog: tabs, connecting, settings and reloading, by whoever may and nobody else."""

import re

import pytest
from sqlalchemy import func, select

# ruff: noqa: F811 - fixtures of another file are used by their names
from tests.services.test_connections import FIRST, OTHER_SECRET, SECOND, SECRET, SETTING, Paper, paper  # noqa: F401
from uku_web.db import db
from uku_web.models import Client, Company, Connection, Integration, Plan, Run, TaskField, Topic
from uku_web.services import client_links, connections, integrations, links, mapping
from uku_web.tenancy import company_scope, set_company
from uku_web.vendors import records
from uku_web.vendors.errors import NeedsReauth, Temporary
from uku_web.views import forms

HTMX = {"HX-Request": "true"}
PAGES = ("", "/connect", "/settings", "/disconnect", "/reload", "/manual", "/progress?run=1")
POSTS = (
    "/enable",
    "/disable",
    "/connect/test",
    "/connect/save",
    "/connect/choose",
    "/disconnect",
    "/settings",
    "/settings/new-field",
    "/reload",
)


@pytest.fixture
def rung(monkeypatch) -> list[int]:
    ids: list[int] = []
    monkeypatch.setattr(forms, "ring", ids.append)
    return ids


@pytest.fixture
def enabled(paper, firm, rung):
    with company_scope(firm.id):
        integrations.enable("paper")
        db.session.commit()
    set_company(firm.id)
    yield firm


@pytest.fixture
def configured(enabled):
    topic, field = Topic(name="Summary"), TaskField(name="Documents")
    db.session.add_all([topic, field])
    db.session.flush()
    mapping.save("paper", settings(topic, field))
    db.session.commit()
    return enabled


def settings(topic, field) -> dict[str, str]:
    return {
        "task_title": "{vendor} {month}",
        "topic": str(topic.id),
        "import_when": "last_day",
        "map.documents": str(field.id),
    }


def company_level(firm) -> Connection | None:
    db.session.expire_all()
    with company_scope(firm.id):
        return links.company_connection("paper")


def row(firm) -> Integration:
    db.session.expire_all()
    with company_scope(firm.id):
        return mapping.integration_of("paper")


@pytest.mark.parametrize("path", PAGES)
def test_members_and_passers_by_open_no_tab(enabled, signed_in, app, path):
    assert app.test_client().get(f"/settings/paper{path}").status_code == 303
    assert signed_in("member").get(f"/settings/paper{path}").status_code == 403


@pytest.mark.parametrize("path", POSTS)
def test_members_and_passers_by_change_nothing(enabled, signed_in, app, path):
    assert app.test_client().post(f"/settings/paper{path}", data=FIRST).status_code == 303
    assert signed_in("member").post(f"/settings/paper{path}", data=FIRST).status_code == 403
    assert row(enabled).enabled
    assert company_level(enabled) is None


@pytest.mark.parametrize("path", ["", "/connect", "/settings"])
@pytest.mark.parametrize("name", ["owner", "admin"])
def test_each_tab_has_its_own_address_as_page_and_as_dialog(enabled, signed_in, name, path):
    client = signed_in(name)
    page, part = client.get(f"/settings/paper{path}"), client.get(f"/settings/paper{path}", headers=HTMX)
    assert (page.status_code, part.status_code) == (200, 200)
    assert "<html" in page.text
    assert "<html" not in part.text
    for text in ("Overview", "Connect", "Settings", "Paper Books"):
        assert text in part.text


def test_an_unknown_vendor_is_not_found(firm, signed_in):
    client = signed_in("owner")
    assert client.get("/settings/nobody").status_code == 404
    assert client.post("/settings/nobody/enable").status_code == 404


def test_the_overview_tells_rights_syncs_and_what_is_missing(enabled, signed_in):
    page = signed_in("admin").get("/settings/paper", headers=HTMX).text
    for text in ("An admin.", "What syncs", "Paper Books → Uku", "Read the manual", "Disable"):
        assert text in page
    assert "Uku → Paper Books" not in page, "the connector can, but the app does not send invoices yet"
    assert re.search(r'<li class="is-missing">.*?href="/settings/paper/connect".*?not connected', page, re.S)
    for text in ("0 clients linked", "0 fields mapped", "no import day yet"):
        assert text in page


def test_enabling_and_disabling(paper, firm, rung, signed_in):
    client = signed_in("admin")
    assert client.post("/settings/paper/enable").status_code == 303
    assert row(firm).enabled
    assert "Paper Books is enabled." in client.get("/settings/paper", headers=HTMX).text
    client.post("/settings/paper/disable")
    assert not row(firm).enabled
    assert (Paper.asked, rung) == ([], [])


def test_the_free_plan_refuses_to_enable(paper, firm, signed_in):
    db.session.get(Company, firm.id).plan = Plan.FREE
    db.session.commit()
    client = signed_in("owner")
    refused = client.post("/settings/paper/enable")
    assert (refused.status_code, "Team plan or higher" in refused.text) == (422, True)
    assert 'action="/settings/paper/enable"' not in client.get("/settings/paper").text


def test_a_missing_operator_setting_is_named(paper, firm, signed_in):
    paper.declare(operator_settings=(SETTING,))
    page = signed_in("owner").get("/settings/paper").text
    assert "UKU_PAPER_APP" in page
    assert "Not set up" in page


def test_testing_tells_success_and_keeps_what_was_typed_but_no_secret(enabled, signed_in):
    client = signed_in("admin")
    data = FIRST | {"key": f" {SECRET} "}
    for headers in ({}, HTMX):
        page = client.post("/settings/paper/connect/test", data=data, headers=headers)
        assert page.status_code == 200
        for text in ("Connection successful!", "Firm OÜ", "Spaces around Key were removed.", 'value="firm-0001"'):
            assert text in page.text
        assert "hx-preserve" in page.text
        assert SECRET not in page.text
    assert company_level(enabled) is None


def test_a_failed_test_names_the_field_and_the_likely_causes(enabled, signed_in):
    page = signed_in("admin").post(
        "/settings/paper/connect/test", data=FIRST | {"key": "wrong-key-value"}, headers=HTMX
    )
    assert "Authentication error" in page.text
    assert "A space was copied along." in page.text
    assert re.search(r'id="f-key-error">.*?Paper Books does not know this key', page.text, re.S)
    assert "wrong-key-value" not in page.text


def test_keys_of_another_country_are_offered_to_switch_to(enabled, signed_in):
    client = signed_in("admin")
    data = {"app_id": "latvian-1", "key": SECRET, "country": "ee"}
    page = client.post("/settings/paper/connect/test", data=data, headers=HTMX).text
    assert "These keys belong to Paper Books Latvia. Switch?" in page
    assert re.search(r'<button[^>]*name="use.country" value="lv"[^>]*formaction="/settings/paper/connect/test"', page)
    switched = client.post("/settings/paper/connect/test", data=data | {"use.country": "lv"}, headers=HTMX).text
    assert "Connection successful!" in switched
    assert re.search(r'<option value="lv" selected>', switched)


def test_wrong_input_comes_back_with_a_summary_and_the_sentence_beside_the_field(enabled, signed_in):
    page = signed_in("admin").post("/settings/paper/connect/save", data={"app_id": "a b", "key": "", "country": "ee"})
    assert page.status_code == 422
    assert "There is a problem" in page.text
    assert 'href="#f-key"' in page.text
    assert 'value="a b"' in page.text
    assert re.search(r'id="f-app_id-error">.*?letters, digits and hyphens', page.text, re.S)


def test_saving_connects_and_secrets_are_never_shown_again(enabled, signed_in):
    client = signed_in("owner")
    saved = client.post("/settings/paper/connect/save", data=FIRST)
    assert (saved.status_code, saved.location) == (303, "/settings/paper")
    assert company_level(enabled).name == "Firm OÜ"
    assert "Firm OÜ" in client.get("/settings/paper").text
    for path in PAGES[:-1]:
        page = client.get(f"/settings/paper{path}").text
        assert SECRET not in page
        assert "firm-0001" not in page
    connect = client.get("/settings/paper/connect").text
    assert "Saved, ends in 0001. Leave blank to keep it." in connect
    assert "Saved. Leave blank to keep it." in connect
    assert client.post("/settings/paper/connect/save", data={"country": "ee"}).status_code == 303
    assert Paper.asked == ["ee", "ee"]


def test_refused_credentials_are_not_saved(enabled, signed_in):
    refused = signed_in("owner").post("/settings/paper/connect/save", data=FIRST | {"key": "nope-nope"}, headers=HTMX)
    assert (refused.status_code, "Authentication error" in refused.text) == (422, True)
    assert "nope-nope" not in refused.text
    assert company_level(enabled) is None


def test_a_vendor_out_of_reach_leaves_them_not_verified(enabled, signed_in):
    Paper.trouble = Temporary("Paper Books is away.")
    client = signed_in("owner")
    assert client.post("/settings/paper/connect/save", data=FIRST).location == "/settings/paper/connect"
    page = client.get("/settings/paper/connect").text
    assert "saved as not verified yet" in page
    assert "Not verified yet" in page


def test_the_company_name_is_asked_on_save_where_the_vendor_does_not_tell_it(enabled, paper, signed_in):
    paper.declare(tells_name=False)
    client = signed_in("owner")
    told, key = dict(Paper.accounts), ("ee", "firm-0001", SECRET)
    Paper.accounts[key] = records.Account("F1")
    asked = client.post("/settings/paper/connect/save", data=FIRST)
    assert asked.status_code == 422
    assert 'href="#f-company_name"' in asked.text
    assert client.post("/settings/paper/connect/save", data=FIRST | {"company_name": "Mine"}).status_code == 303
    Paper.accounts = told  # some vendors tell it sometimes: then nothing is asked
    assert client.post("/settings/paper/connect/save", data=FIRST).status_code == 303


def test_another_account_waits_for_a_persons_choice(enabled, signed_in):
    client = signed_in("owner")
    client.post("/settings/paper/connect/save", data=FIRST)
    client.post("/settings/paper/connect/save", data=SECOND)
    page = client.get("/settings/paper/connect").text
    assert "Keep Firm OÜ" in page
    assert "Switch to Second OÜ" in page
    assert OTHER_SECRET not in page
    client.post("/settings/paper/connect/choose", data={"act": "keep"})
    assert company_level(enabled).name == "Firm OÜ"
    client.post("/settings/paper/connect/save", data=SECOND)
    client.post("/settings/paper/connect/choose", data={"act": "switch"})
    assert company_level(enabled).name == "Second OÜ"
    assert client.post("/settings/paper/connect/choose", data={"act": "switch"}).status_code == 404


def test_trouble_shows_its_reason_and_ends_with_a_passed_test(enabled, signed_in):
    connections.save("paper", FIRST)
    connections.mark_problem(links.company_connection("paper"), NeedsReauth("The key was revoked."))
    db.session.commit()
    client = signed_in("owner")
    for path in ("", "/connect"):
        page = client.get(f"/settings/paper{path}").text
        assert "Needs attention" in page
        assert "The key was revoked." in page
    assert "Connection successful!" in client.post("/settings/paper/connect/test", data={"country": "ee"}).text
    assert "Needs attention" not in client.get("/settings/paper").text


def test_disconnecting_asks_first(enabled, signed_in):
    client = signed_in("owner")
    client.post("/settings/paper/connect/save", data=FIRST)
    asked = client.get("/settings/paper/disconnect", headers=HTMX).text
    assert "Tear the page out." in asked
    assert company_level(enabled)
    assert client.post("/settings/paper/disconnect").status_code == 303
    assert company_level(enabled) is None
    assert client.post("/settings/paper/disconnect").status_code == 404


def test_the_settings_offer_fields_and_show_what_each_counts(configured, signed_in):
    page = signed_in("admin").get("/settings/paper/settings", headers=HTMX).text
    for text in ("Task title", "Topic", "Recurrence", "Import data", "Configure data fields", "Show more", "28th"):
        assert text in page
    assert "Counts for whole books and for one customer." in page
    assert "New custom field" in page
    assert page.index("Documents") < page.index("Income")


def test_saving_settings_offers_a_reload_and_starts_nothing(enabled, rung, signed_in):
    topic, field, client = Topic(name="Summary"), TaskField(name="Documents"), Client(name="Aru OÜ")
    db.session.add_all([topic, field, client])
    db.session.flush()
    client_links.save_own(client.id, "paper", FIRST)
    db.session.commit()
    data = settings(topic, field)
    browser = signed_in("admin")
    assert browser.post("/settings/paper/settings", data=data).status_code == 303
    page = browser.get("/settings/paper/settings", headers=HTMX).text
    assert re.search(r'Saved\..*href="/settings/paper/reload"[^>]*>Reload data', page, re.S)
    assert rung == []
    assert row(enabled).mapping_version == 1
    browser.post("/settings/paper/settings", data=data)
    assert "To fill the past" not in browser.get("/settings/paper/settings", headers=HTMX).text


def test_wrong_settings_come_back_as_typed(configured, signed_in):
    page = signed_in("admin").post("/settings/paper/settings", data={"task_title": "{week}", "import_when": "last_day"})
    assert page.status_code == 422
    assert 'value="{week}"' in page.text
    assert 'href="#f-topic"' in page.text
    assert row(configured).task_title == "{vendor} {month}"


def test_a_new_field_is_made_in_place_without_losing_what_was_typed(configured, signed_in):
    data = {
        "task_title": "Typed {month}",
        "map.entries": "new",
        "new.map.entries": "Entries",
        "import_when": "last_day",
    }
    page = signed_in("admin").post("/settings/paper/settings/new-field", data=data, headers=HTMX)
    assert page.status_code == 200
    assert 'value="Typed {month}"' in page.text
    assert re.search(r'<option value="\d+" selected>Entries', page.text)
    assert row(configured).task_title == "{vendor} {month}"
    again = signed_in("admin").post("/settings/paper/settings/new-field", data=data, headers=HTMX)
    assert again.status_code == 422
    assert "f-new.map.entries-error" in again.text


def test_reloading_tells_its_cost_first_and_runs_in_the_background(configured, rung, signed_in):
    client = Client(name="Aru OÜ")
    db.session.add(client)
    db.session.flush()
    client_links.save_own(client.id, "paper", FIRST)
    db.session.commit()
    browser = signed_in("admin")
    asked = browser.get("/settings/paper/reload", headers=HTMX).text
    for text in ("last 12 months", "1 linked client ", "may overwrite", "12 requests", "about a minute", "Overwrite"):
        assert text in asked
    assert rung == []
    assert browser.post("/settings/paper/reload").status_code == 303
    assert len(rung) == 1
    browser.post("/settings/paper/reload")  # a second click finds the running one
    assert rung[0] == rung[1]
    page = browser.get("/settings/paper/settings", headers=HTMX).text
    poll = re.search(r'hx-get="(/settings/paper/progress[^"]*)"', page).group(1).replace("&amp;", "&")
    assert browser.get(poll, headers=HTMX).status_code == 204
    with company_scope(configured.id):
        db.session.get(Run, rung[0]).state = "done"
        db.session.commit()
    ended = browser.get(poll, headers=HTMX)
    assert ended.status_code == 200
    assert "hx-trigger" not in ended.text


def test_a_reload_that_cannot_start_says_why(enabled, rung, signed_in):
    browser = signed_in("admin")
    assert "save the task title" in browser.get("/settings/paper/reload").text
    assert browser.post("/settings/paper/reload").status_code == 422
    assert rung == []


def test_another_companys_run_is_not_shown(configured, rung, signed_in):
    run = Run(what="statistics-all", kind="paper", trigger="reload", active_key="x", title="x")
    db.session.add(run)
    db.session.commit()
    assert signed_in("stranger").get(f"/settings/paper/progress?run={run.id}").status_code == 404
    owner = signed_in("owner")
    assert owner.get(f"/settings/paper/progress?run={run.id}", headers=HTMX).status_code == 200
    assert owner.get(f"/settings/paper/progress?run={run.id}").location == f"/runs/{run.id}"
    assert owner.get("/settings/paper/progress").status_code == 204


def test_the_other_company_sees_and_changes_only_its_own(configured, signed_in):
    connections.save("paper", FIRST)
    db.session.commit()
    stranger = signed_in("stranger")
    page = stranger.get("/settings/paper").text
    assert "Firm OÜ" not in page
    assert stranger.post("/settings/paper/disconnect").status_code == 404
    stranger.post("/settings/paper/enable")
    assert company_level(configured) is not None
    set_company(None)
    with company_scope(configured.other_id):
        assert db.session.scalar(select(func.count()).select_from(Integration)) == 1


@pytest.mark.parametrize("path", ["", "/connect", "/settings"])
def test_no_tab_takes_more_than_twelve_statements(configured, signed_in, count_sql, path):
    connections.save("paper", FIRST)
    db.session.commit()
    client = signed_in("admin")
    with count_sql() as sent:
        assert client.get(f"/settings/paper{path}", headers=HTMX).status_code == 200
    assert len(sent) <= 12, "\n".join(sent)
