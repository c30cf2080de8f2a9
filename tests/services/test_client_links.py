"""One client's tie to its books, and the badges of a page of clients."""

# ruff: noqa: F811 - fixtures of another file are used by their names
from datetime import timedelta

import pytest
from sqlalchemy import func, select

from tests.services.test_connections import FIRST, SECOND, SECRET, Paper, company, paper  # noqa: F401
from uku_web.clock import now
from uku_web.db import db
from uku_web.models import (
    Client,
    Company,
    Connection,
    Level,
    Link,
    Notice,
    Plan,
    Run,
    RunState,
    Task,
)
from uku_web.services import client_links, connections, integrations, links
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.tenancy import across_companies
from uku_web.vendors import records
from uku_web.vendors.errors import NeedsReauth, Temporary


@pytest.fixture
def clients(paper, in_firm) -> list[Client]:
    integrations.enable("paper")
    made = [Client(name=name) for name in ("Aru OÜ", "Benn AS", "Cirk OÜ")]
    db.session.add_all(made)
    db.session.commit()
    return made


def own(client, values=FIRST, **rest) -> connections.TestOutcome:
    outcome = client_links.save_own(client.id, "paper", values, **rest)
    db.session.commit()
    return outcome


def link_of(client) -> Link | None:
    return links.of_client(client.id, "paper")


def client_level() -> int:
    query = select(func.count()).select_from(Connection).where(Connection.level == Level.CLIENT)
    return db.session.scalar(query)


def badge(client) -> client_links.Badge:
    return client_links.badges_for([client])[client.id][0]


def test_own_credentials_link_a_client_to_the_whole_books_they_open(clients):
    assert own(clients[0]).kept == "saved"
    link = link_of(clients[0])
    assert (link.account.name, link.customer_id, link.connection.level) == ("Firm OÜ", None, Level.CLIENT)
    assert badge(clients[0]).state == "connected"
    assert SECRET not in link.connection.sealed


def test_refused_credentials_leave_no_link(clients):
    assert own(clients[0], FIRST | {"key": "wrong"}).kept == ""
    assert (link_of(clients[0]), client_level()) == (None, 0)
    assert own(clients[0]).kept == "saved"


def test_a_vendor_that_does_not_answer_leaves_the_link_not_verified_until_a_test_passes(clients):
    Paper.trouble = Temporary("Away.")
    assert own(clients[0]).kept == "unverified"
    link = link_of(clients[0])
    assert (link.account_id, badge(clients[0]).state) == (None, "unverified")
    Paper.trouble = None
    assert integrations.retry_unverified() == 1
    assert (link_of(clients[0]).account.name, badge(clients[0]).state) == ("Firm OÜ", "connected")


def test_other_credentials_replace_the_clients_live_link(clients):
    own(clients[0])
    own(clients[0], SECOND)
    assert link_of(clients[0]).account.name == "Second OÜ"
    assert (client_level(), db.session.scalar(select(func.count()).select_from(Link))) == (1, 1)


def test_own_credentials_go_before_the_companys(clients):
    connections.save("paper", FIRST)
    client_links.link_by_company(clients[0].id, "paper")
    own(clients[0], SECOND)
    assert link_of(clients[0]).connection.level == Level.CLIENT
    client_links.link_by_company(clients[0].id, "paper")
    db.session.commit()
    assert (link_of(clients[0]).connection, client_level()) == (None, 0)
    assert connections.stored(company()) == FIRST


def test_the_company_name_defaults_to_the_clients(clients, paper):
    paper.declare(tells_name=False)
    Paper.accounts[("ee", "firm-0001", SECRET)] = records.Account("F1")
    own(clients[0], name="")
    assert link_of(clients[0]).account.name == "Aru OÜ"


def test_a_saved_pair_is_shared_and_goes_with_its_last_link(clients, paper):
    paper.declare(shares_pairs=True)
    own(clients[0])
    pair = client_links.pairs("paper")[0]
    client_links.link_by_pair(clients[1].id, "paper", pair.id)
    own(clients[2])  # the same account pasted again
    db.session.commit()
    assert client_level() == 1
    for client in clients[:2]:
        client_links.delete(client.id, "paper")
    assert client_level() == 1
    client_links.delete(clients[2].id, "paper")
    db.session.commit()
    assert client_level() == 0
    with pytest.raises(Invalid):
        client_links.link_by_pair(clients[0].id, "paper", pair.id)


def test_pairs_are_not_offered_where_the_vendor_does_not_share_them(clients):
    own(clients[0])
    assert client_links.pairs("paper") == []


def test_a_customer_is_picked_from_the_connected_account(clients, paper):
    connections.save("paper", FIRST)
    db.session.commit()
    with pytest.raises(Invalid):
        client_links.link_by_company(clients[0].id, "paper", "7", "Aru")
    paper.declare(picks_customer=True)
    assert [each.name for each in client_links.customers("paper", " aru")] == ["Aru OÜ"]
    assert len(client_links.customers("paper")) == 2  # the inactive one is left out
    link = client_links.link_by_company(clients[0].id, "paper", "7", "Aru")
    db.session.commit()
    assert (link.customer_id, link.customer_name, link.account_id) == ("7", "Aru", company().account_id)


def test_linking_by_the_company_needs_its_connection(clients):
    with pytest.raises(NotNow, match="not connected"):
        client_links.link_by_company(clients[0].id, "paper")


def test_deleting_removes_credentials_and_keeps_values_and_stops_runs(clients):
    own(clients[0])
    link = link_of(clients[0])
    run = Run(
        what="statistics", kind="paper", trigger="reload", active_key="x", title="x", connection_id=link.connection_id
    )
    db.session.add_all([run, Task(client_id=clients[0].id, kind="paper", month=now().date(), title="x")])
    connections.mark_problem(link.connection, NeedsReauth("Revoked."))
    db.session.commit()
    client_links.delete(clients[0].id, "paper")
    db.session.commit()
    assert (link_of(clients[0]), client_level()) == (None, 0)
    assert db.session.scalar(select(func.count()).select_from(Task)) == 1
    assert db.session.get(Run, run.id).state == RunState.CANCELLED
    assert db.session.scalar(select(func.count()).select_from(Notice).where(Notice.closed_at.is_(None))) == 0
    with pytest.raises(NotFound):
        client_links.delete(clients[0].id, "paper")


def test_a_broken_client_connection_leads_to_the_clients_dialog(clients):
    own(clients[0])
    connections.mark_problem(link_of(clients[0]).connection, NeedsReauth("Revoked."))
    notice = db.session.scalars(select(Notice)).first()
    assert notice.path == f"/clients/{clients[0].id}/integration?kind=paper"
    assert notice.title == "Paper Books · Aru OÜ needs attention"
    assert (badge(clients[0]).state, badge(clients[0]).reason) == ("attention", "Revoked.")
    own(clients[0])
    assert badge(clients[0]).state == "connected"


def test_only_enabled_vendors_can_be_linked_and_count_as_badges(clients):
    own(clients[0])
    integrations.disable("paper")
    db.session.commit()
    assert client_links.badges_for(clients)[clients[0].id] == []
    with pytest.raises(NotNow, match="not enabled"):
        own(clients[1])


def test_a_link_to_an_account_that_is_not_connected_sleeps(clients):
    connections.save("paper", FIRST)
    client_links.link_by_company(clients[0].id, "paper")
    connections.save("paper", SECOND)
    connections.choose("paper", switch=True)
    db.session.commit()
    assert (badge(clients[0]).state, "Firm OÜ" in badge(clients[0]).reason) == ("asleep", True)
    client_links.link_by_company(clients[0].id, "paper")  # to the account connected now: the other one goes on sleeping
    db.session.commit()
    assert badge(clients[0]).state == "connected"
    assert client_links.of(clients[0].id, "paper").account.name == "Second OÜ"


def test_what_ends_soon_or_waits_for_the_plan_is_said(clients, in_firm):
    own(clients[0])
    link_of(clients[0]).connection.expires_on = now().date() + timedelta(days=7)
    db.session.commit()
    assert badge(clients[0]).state == "expiring"
    db.session.get(Company, in_firm.id).plan = Plan.FREE
    db.session.commit()
    assert badge(clients[0]).state == "paused"


def test_an_inactive_clients_link_is_still_its_link(clients):
    own(clients[0])
    clients[0].active = False
    db.session.commit()
    assert client_links.of(clients[0].id, "paper") is not None
    own(clients[0], SECOND)
    assert db.session.scalar(select(func.count()).select_from(Link)) == 1


def test_badges_take_the_same_number_of_statements_for_one_client_and_for_many(clients, count_sql):
    many = [Client(name=f"Client {number}") for number in range(20)]
    db.session.add_all(many)
    db.session.flush()
    for client in many:
        own(client)

    def statements(page) -> int:
        found = [db.session.get(Client, client.id) for client in page]
        with count_sql() as sent:
            client_links.badges_for(found)
        return len(sent)

    assert statements(many[:1]) == statements(many) <= 4


def test_a_client_of_another_company_does_not_exist(clients, in_firm):
    with across_companies():
        stranger = Client(name="Stranger", company_id=in_firm.other_id)
        db.session.add(stranger)
        db.session.commit()
        number = stranger.id
    db.session.expunge_all()
    with pytest.raises(NotFound):
        client_links.save_own(number, "paper", FIRST)
    with pytest.raises(NotFound):
        client_links.delete(number, "paper")
