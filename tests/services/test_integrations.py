"""The cards of Settings & Apps and what a vendor's dialog tells."""

import pytest
from flask import current_app

# ruff: noqa: F811 - fixtures of another file are used by their names
from tests.services.test_connections import FIRST, SECOND, SETTING, Paper, company, paper  # noqa: F401
from uku_web.db import db
from uku_web.models import Client, Company, ConnectionState, FieldMapping, Plan, TaskField, Topic
from uku_web.services import client_links, connections, integrations
from uku_web.services.errors import NotNow
from uku_web.services.vendor_setup import vendor_setup
from uku_web.vendors.errors import NeedsReauth, Temporary


def card(search="Paper Books") -> integrations.Card:
    return integrations.cards(search)[0]


def enable():
    integrations.enable("paper")
    db.session.commit()


def link(name="Aru OÜ", values=SECOND) -> Client:
    client = Client(name=name)
    db.session.add(client)
    db.session.flush()
    client_links.save_own(client.id, "paper", values)
    db.session.commit()
    return client


def test_the_states_of_a_card(paper, in_firm):
    assert card().state == "off"
    enable()
    assert card().state == "enabled"
    connections.save("paper", FIRST)
    assert card().state == "connected"
    connections.mark_problem(company(), NeedsReauth("The key was revoked."))
    db.session.commit()
    assert (card().state, card().why, card().since) == ("attention", "The key was revoked.", company().problem_since)
    integrations.disable("paper")
    db.session.commit()
    assert card().state == "off"
    assert connections.stored(company()) == FIRST


def test_a_client_in_trouble_shows_on_the_card(paper, in_firm):
    enable()
    client = link()
    assert (card().state, card().linked) == ("enabled", 1)
    connections.mark_problem(client_links.of(client.id, "paper").connection, NeedsReauth("Revoked."))
    db.session.commit()
    assert (card().state, card().why) == ("attention", "The connection of 1 client needs attention.")


def test_unverified_credentials_do_not_count_as_connected(paper, in_firm):
    enable()
    Paper.trouble = Temporary("Away.")
    connections.save("paper", FIRST)
    db.session.commit()
    assert (card().state, card().why) == ("enabled", "The credentials are not verified yet.")
    assert integrations.retry_unverified() == 0
    Paper.trouble = None
    assert integrations.retry_unverified() == 1
    assert card().state == "connected"


def test_everything_pauses_while_the_integration_app_is_off(paper, in_firm):
    enable()
    integrations.set_app(False)
    db.session.commit()
    assert card().state == "paused"
    integrations.set_app(True)
    db.session.commit()
    assert card().state == "enabled"


def test_what_the_operator_has_to_set_is_named(paper, in_firm, monkeypatch):
    paper.declare(operator_settings=(SETTING,))
    assert (card().state, "UKU_PAPER_APP" in card().why) == ("not_set_up", True)
    with pytest.raises(NotNow, match="UKU_PAPER_APP"):
        integrations.enable("paper")
    config = current_app.extensions["uku_config"]
    monkeypatch.setitem(config.environ, "UKU_PAPER_APP", "app-1")
    vendor_setup()
    enable()
    assert card().state == "enabled"


def test_the_free_plan_refuses_with_a_sentence_and_still_shows_the_cards(paper, in_firm):
    db.session.get(Company, in_firm.id).plan = Plan.FREE
    db.session.commit()
    with pytest.raises(NotNow, match="Team plan"):
        integrations.enable("paper")
    assert (card().state, "Team plan" in card().why) == ("off", True)


@pytest.mark.parametrize("search", ["paperbooks", "PAPER  BOOKS", "paper-b", "paberikoide", ""])
def test_the_search_minds_neither_case_nor_spaces_nor_accents(paper, in_firm, search):
    assert "paper" in [each.spec.kind for each in integrations.cards(search)]


def test_search_and_region_leave_out_what_does_not_match(paper, in_firm):
    assert integrations.cards("no such vendor") == []
    assert [each.spec.kind for each in integrations.cards("paper", "LV")] == ["paper"]
    assert integrations.cards("paper", "NO") == []
    assert ("LV", "Latvia") in integrations.regions()


def test_enabling_asks_the_vendor_nothing(paper, in_firm):
    enable()
    assert Paper.asked == []
    assert [spec.kind for spec in integrations.enabled_specs()] == ["paper"]


def test_the_chain_tells_what_is_missing_until_counts_flow(paper, in_firm):
    chain = integrations.overview("paper").chain
    assert (chain.connected, chain.linked, chain.mapped, chain.next_import) == (False, 0, 0, None)
    enable()
    connections.save("paper", FIRST)
    link()
    row = integrations.overview("paper").integration
    topic, field = Topic(name="Summary"), TaskField(name="Documents")
    db.session.add_all([topic, field])
    db.session.flush()
    row.task_title, row.topic_id = "{month}", topic.id
    db.session.add(FieldMapping(kind="paper", vendor_field="documents", field_id=field.id))
    db.session.commit()
    chain = integrations.overview("paper").chain
    assert (chain.connected, chain.linked, chain.mapped) == (True, 1, 1)
    assert chain.next_import is not None


def test_a_waiting_candidate_is_no_connection_of_the_card(paper, in_firm):
    enable()
    connections.save("paper", FIRST)
    connections.save("paper", SECOND)
    db.session.commit()
    overview = integrations.overview("paper")
    assert (overview.connection.name, overview.candidate.name) == ("Firm OÜ", "Second OÜ")
    assert overview.card.state == "connected"
    assert overview.connection.state == ConnectionState.OK


def test_cards_and_overview_take_the_same_number_of_statements_however_many_clients(paper, in_firm, count_sql):
    enable()
    connections.save("paper", FIRST)
    db.session.commit()

    def statements() -> tuple[int, int]:
        with count_sql() as for_cards:
            integrations.cards()
        with count_sql() as for_overview:
            integrations.overview("paper")
        return len(for_cards), len(for_overview)

    link("Zero")
    few = statements()
    for number in range(10):
        link(f"Client {number}")
    db.session.expire_all()
    assert statements() == few
    assert max(few) <= 8
