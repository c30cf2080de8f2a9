"""The dialog Integration configuration of a client."""

import re
from types import SimpleNamespace

import pytest

# ruff: noqa: F811 - fixtures of another file are used by their names
from tests.services.test_connections import FIRST, OTHER_SECRET, SECOND, SECRET, Paper, paper  # noqa: F401
from tests.views.test_integration import HTMX, configured, enabled, rung  # noqa: F401
from uku_web.db import db
from uku_web.models import Client, Link, Run
from uku_web.services import client_links, connections, integrations
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors.errors import NeedsReauth, Temporary

KIND = {"kind": "paper"}


@pytest.fixture
def client(configured) -> SimpleNamespace:
    made = Client(name="Aru OÜ")
    db.session.add(made)
    db.session.commit()
    return SimpleNamespace(id=made.id, url=f"/clients/{made.id}/integration", firm=configured)


def link(client) -> Link | None:
    db.session.expire_all()
    with company_scope(client.firm.id):
        return client_links.of(client.id, "paper")


def books(client) -> str | None:
    """The name of the account the client is linked to."""
    found = link(client)
    with company_scope(client.firm.id):
        return found.account.name if found and found.account else None


def connect(client, values=FIRST) -> None:
    with company_scope(client.firm.id):
        client_links.save_own(client.id, "paper", values)
        db.session.commit()


@pytest.mark.parametrize("path", ["", "/reload?kind=paper", "/delete?kind=paper", "/progress?kind=paper&run=1"])
def test_members_and_passers_by_open_nothing(client, signed_in, app, path):
    assert app.test_client().get(client.url + path).status_code == 303
    assert signed_in("member").get(client.url + path).status_code == 403


@pytest.mark.parametrize("path", ["/test", "/save", "/customers", "/reload", "/delete"])
def test_members_and_passers_by_change_nothing(client, signed_in, app, path):
    assert app.test_client().post(client.url + path, data=FIRST | KIND).status_code == 303
    assert signed_in("member").post(client.url + path, data=FIRST | KIND).status_code == 403
    assert link(client) is None


@pytest.mark.parametrize("path", ["", "/reload?kind=paper", "/delete?kind=paper", "/progress?kind=paper&run=1"])
def test_another_companys_client_does_not_exist(client, signed_in, path):
    assert signed_in("stranger").get(client.url + path).status_code == 404


@pytest.mark.parametrize("path", ["/test", "/save", "/customers", "/reload", "/delete"])
def test_another_companys_client_cannot_be_changed(client, signed_in, path):
    connect(client)
    stranger = signed_in("stranger")
    stranger.post("/settings/paper/enable")
    assert stranger.post(client.url + path, data=SECOND | KIND).status_code == 404
    assert books(client) == "Firm OÜ"


def test_the_dialog_has_the_fields_of_the_chosen_vendor(client, signed_in):
    browser = signed_in("admin")
    for headers in ({}, HTMX):
        page = browser.get(client.url, headers=headers).text
        for text in ("Integration configuration", "Aru OÜ", "App ID", "Key", "Country", "Test connection", "Save"):
            assert text in page
        assert "Read the manual" in page
        for text in ("Reload data", ">Delete<"):
            assert text not in page  # nothing is saved yet


def test_without_an_enabled_vendor_it_leads_to_settings_and_apps(client, signed_in):
    with company_scope(client.firm.id):
        integrations.disable("paper")
        db.session.commit()
    page = signed_in("owner").get(client.url).text
    assert "No integration is enabled" in page
    assert 'href="/settings"' in page


def test_testing_then_saving_links_the_client(client, signed_in):
    browser = signed_in("admin")
    tested = browser.post(client.url + "/test", data=FIRST | KIND, headers=HTMX)
    assert (tested.status_code, "Connection successful!" in tested.text) == (200, True)
    assert link(client) is None
    saved = browser.post(client.url + "/save", data=FIRST | KIND)
    assert (saved.status_code, saved.location) == (303, f"{client.url}?kind=paper")
    assert books(client) == "Firm OÜ"
    page = browser.get(saved.location).text
    for text in ("Firm OÜ", "whole books", "Reload data", "Delete", "Leave blank to keep it."):
        assert text in page
    assert SECRET not in page
    assert "firm-0001" not in page


def test_refused_credentials_are_not_saved_and_the_field_is_named(client, signed_in):
    page = signed_in("admin").post(client.url + "/save", data=FIRST | KIND | {"key": "nope-nope"}, headers=HTMX)
    assert page.status_code == 422
    assert re.search(r'id="f-key-error">.*?does not know this key', page.text, re.S)
    assert "nope-nope" not in page.text
    assert 'value="firm-0001"' in page.text
    assert link(client) is None


def test_missing_values_are_told_beside_their_fields(client, signed_in):
    page = signed_in("admin").post(client.url + "/save", data=KIND)
    assert page.status_code == 422
    assert 'href="#f-key"' in page.text
    assert 'href="#f-country"' in page.text


def test_keys_of_another_country_are_offered_to_switch_to(client, signed_in):
    data = KIND | {"app_id": "latvian-1", "key": SECRET, "country": "ee"}
    page = signed_in("admin").post(client.url + "/test", data=data, headers=HTMX).text
    assert "These keys belong to Paper Books Latvia. Switch?" in page
    assert f'formaction="{client.url}/test"' in page


def test_a_vendor_out_of_reach_leaves_the_link_not_verified(client, signed_in):
    Paper.trouble = Temporary("Paper Books is away.")
    browser = signed_in("admin")
    browser.post(client.url + "/save", data=FIRST | KIND)
    assert "Not verified yet" in browser.get(client.url).text
    Paper.trouble = None
    assert "Connection successful!" in browser.post(client.url + "/test", data=KIND | {"country": "ee"}).text
    assert "Not verified yet" not in browser.get(client.url).text


def test_the_companys_connection_is_offered_once_it_is_there(client, signed_in):
    browser = signed_in("admin")
    assert "The company&#39;s connection" not in browser.get(client.url).text
    with company_scope(client.firm.id):
        connections.save("paper", FIRST)
        db.session.commit()
    assert "The company&#39;s own books: Firm OÜ" in browser.get(client.url).text
    data = KIND | {"source": "company"}
    assert "Connection successful!" in browser.post(client.url + "/test", data=data).text
    assert browser.post(client.url + "/save", data=data).status_code == 303
    assert link(client).connection_id is None


def test_a_customer_can_be_found_and_picked(client, paper, signed_in):
    paper.declare(picks_customer=True)
    with company_scope(client.firm.id):
        connections.save("paper", FIRST)
        db.session.commit()
    browser = signed_in("admin")
    found = browser.post(client.url + "/customers", data=KIND | {"source": "company", "search": "benn"}, headers=HTMX)
    assert '<option value="1|Benn AS"' in found.text
    assert "The whole account" in found.text
    browser.post(client.url + "/save", data=KIND | {"source": "company", "customer": "1|Benn AS"})
    assert (link(client).customer_id, link(client).customer_name) == ("1", "Benn AS")
    assert "Benn AS" in browser.get(client.url).text


def test_a_pair_saved_for_another_client_is_offered_by_name(client, paper, signed_in):
    paper.declare(shares_pairs=True)
    connect(client)
    with company_scope(client.firm.id):
        other = Client(name="Benn AS")
        db.session.add(other)
        db.session.commit()
        url, pair = f"/clients/{other.id}/integration", client_links.pairs("paper")[0].id
    browser = signed_in("admin")
    page = browser.get(url).text
    assert f'value="pair:{pair}"' in page
    assert SECRET not in page
    assert browser.post(url + "/save", data=KIND | {"source": f"pair:{pair}"}).status_code == 303
    assert browser.post(url + "/save", data=KIND | {"source": "pair:999"}).status_code == 422


def test_reloading_asks_starts_and_shows_progress_until_it_ends(client, rung, signed_in):
    connect(client)
    browser = signed_in("admin")
    asked = browser.get(client.url + "/reload?kind=paper", headers=HTMX).text
    assert "reloads the last 12 months of data and may overwrite existing summary task values" in asked
    assert "Overwrite" in asked
    assert rung == []
    assert browser.post(client.url + "/reload", data=KIND).location == f"{client.url}?kind=paper"
    page = browser.get(client.url + "?kind=paper", headers=HTMX).text
    poll = re.search(rf'hx-get="({client.url}/progress[^"]*)"', page).group(1).replace("&amp;", "&")
    assert browser.get(poll, headers=HTMX).status_code == 204
    with company_scope(client.firm.id):
        run = db.session.get(Run, rung[0])
        run.state, run.outcome = "done", "1 clients done."
        db.session.commit()
    ended = browser.get(poll, headers=HTMX)
    assert (ended.status_code, "1 clients done." in ended.text) == (200, True)
    assert "hx-trigger" not in ended.text


def test_a_reload_before_the_settings_are_saved_leads_there(enabled, rung, signed_in):
    made = Client(name="Aru OÜ")
    db.session.add(made)
    db.session.flush()
    client_links.save_own(made.id, "paper", FIRST)
    db.session.commit()
    url = f"/clients/{made.id}/integration/reload"
    browser = signed_in("admin")
    page = browser.get(f"{url}?kind=paper").text
    assert "save the task title" in page
    assert 'href="/settings/paper/settings"' in page
    assert browser.post(url, data=KIND).status_code == 422
    assert rung == []


def test_what_is_not_linked_cannot_be_reloaded_or_deleted(client, rung, signed_in):
    browser = signed_in("admin")
    assert browser.get(client.url + "/reload?kind=paper").status_code == 404
    assert browser.post(client.url + "/reload", data=KIND).status_code == 404
    assert browser.post(client.url + "/delete", data=KIND).status_code == 404
    assert rung == []


def test_deleting_asks_first_and_says_what_stays(client, signed_in):
    connect(client)
    browser = signed_in("admin")
    asked = browser.get(client.url + "/delete?kind=paper", headers=HTMX).text
    assert "Values in its summary tasks stay." in asked
    assert link(client)
    assert browser.post(client.url + "/delete", data=KIND).status_code == 303
    assert link(client) is None
    assert "Paper Books is removed from this client." in browser.get(client.url).text


def test_trouble_shows_its_reason(client, signed_in):
    connect(client)
    with company_scope(client.firm.id):
        connections.mark_problem(client_links.of(client.id, "paper").connection, NeedsReauth("Revoked."))
        db.session.commit()
    page = signed_in("owner").get(client.url).text
    assert "Needs attention" in page
    assert "Revoked." in page


def test_an_unknown_or_disabled_vendor_is_refused(client, signed_in):
    browser = signed_in("admin")
    assert browser.post(client.url + "/save", data=FIRST | {"kind": "nobody"}).status_code == 404
    with company_scope(client.firm.id):
        integrations.disable("paper")
        db.session.commit()
    refused = browser.post(client.url + "/save", data=FIRST | KIND)
    assert (refused.status_code, "is not enabled" in refused.text) == (422, True)


def test_secrets_stand_in_no_page_of_the_dialog(client, signed_in):
    connect(client, SECOND)
    browser = signed_in("owner")
    for path in ("", "?kind=paper", "/reload?kind=paper", "/delete?kind=paper"):
        assert OTHER_SECRET not in browser.get(client.url + path).text
    assert OTHER_SECRET not in browser.get("/settings").text


def test_the_dialog_takes_no_more_than_twelve_statements(client, signed_in, count_sql):
    connect(client)
    with across_companies():
        browser = signed_in("admin")
    with count_sql() as sent:
        assert browser.get(client.url + "?kind=paper", headers=HTMX).status_code == 200
    assert len(sent) <= 12, "\n".join(sent)
