"""Settings & Apps: the cards, the filters and the master switch."""

import pytest

# ruff: noqa: F811 - fixtures of another file are used by their names
from tests.services.test_connections import FIRST, SECRET, paper  # noqa: F401
from uku_web.db import db
from uku_web.models import Client, Company, Plan
from uku_web.services import client_links, integrations
from uku_web.tenancy import company_scope


def company(firm) -> Company:
    db.session.expire_all()
    return db.session.get(Company, firm.id)


@pytest.mark.parametrize("name", ["owner", "admin"])
def test_managers_see_a_card_per_vendor_and_the_master_switch(paper, firm, signed_in, name):
    page = signed_in(name).get("/settings")
    assert page.status_code == 200
    for text in ("Settings &amp; Apps", "Integrations", "Paper Books", "Books on paper.", "Integration</h3>"):
        assert text in page.text


def test_members_are_refused_in_a_sentence(paper, firm, signed_in):
    client = signed_in("member")
    assert client.get("/settings").status_code == 403
    assert client.post("/settings/integration-app", data={"on": "0"}).status_code == 403
    assert company(firm).integration_on


def test_nobody_enters_without_signing_in(paper, firm, app):
    assert app.test_client().get("/settings").status_code == 303


def test_the_same_address_gives_the_cards_alone_when_htmx_filters(paper, firm, signed_in):
    client = signed_in("admin")
    part = client.get("/settings?q=PAPER books&region=LV", headers={"HX-Request": "true"})
    assert "Paper Books" in part.text
    assert "<html" not in part.text
    assert part.headers["Vary"] == "HX-Request" or "HX-Request" in part.headers.get("Vary", "")
    none = client.get("/settings?q=nothing like it")
    assert "No integration matches" in none.text
    assert "<html" in none.text


def test_the_master_switch_turns_the_integration_app_off_and_on(paper, firm, signed_in):
    client = signed_in("owner")
    assert client.post("/settings/integration-app", data={"on": "0"}).status_code == 303
    assert not company(firm).integration_on
    assert "The Integration app is off" in client.get("/settings").text
    client.post("/settings/integration-app", data={"on": "1"})
    assert company(firm).integration_on


def test_the_free_plan_shows_the_cards_and_says_what_they_need(paper, firm, signed_in):
    company(firm).plan = Plan.FREE
    db.session.commit()
    page = signed_in("owner").get("/settings").text
    assert "Team plan or higher" in page
    assert "Paper Books" in page


def test_one_companys_states_are_not_anothers(paper, firm, signed_in):
    with company_scope(firm.id):
        integrations.enable("paper")
        db.session.commit()
    assert "Enabled" in signed_in("admin").get("/settings?q=paper", headers={"HX-Request": "1"}).text
    assert "Enabled" not in signed_in("stranger").get("/settings?q=paper", headers={"HX-Request": "1"}).text


def test_the_page_takes_as_many_statements_with_many_clients_as_with_one(paper, firm, signed_in, count_sql):
    with company_scope(firm.id):
        integrations.enable("paper")
        db.session.commit()

    def add(count: int):
        with company_scope(firm.id):
            for number in range(count):
                made = Client(name=f"Client {number}")
                db.session.add(made)
                db.session.flush()
                client_links.save_own(made.id, "paper", FIRST)
            db.session.commit()

    client = signed_in("admin")

    def statements() -> int:
        with count_sql() as sent:
            page = client.get("/settings")
        assert page.status_code == 200
        assert SECRET not in page.text
        return len(sent)

    add(1)
    few = statements()
    add(20)
    assert statements() == few <= 12
