"""Finding clients, keeping their details, and what goes when one is deleted."""

import pytest
from sqlalchemy import func, select

from uku_web.db import db
from uku_web.models import (
    Account,
    AuditEntry,
    Client,
    Connection,
    Contact,
    Integration,
    Invoice,
    Level,
    Link,
    Run,
    RunItem,
    Task,
)
from uku_web.services import clients, people
from uku_web.services.clients import Wanted
from uku_web.services.errors import Invalid, NotNow
from uku_web.vendors import registry

KIND = registry.kinds()[0]


def names(**wanted) -> list[str]:
    return [client.name for client in clients.found(Wanted(**wanted))[0]]


def link(client: Client, *, account=None, connection=None, **rest) -> Link:
    made = Link(
        client_id=client.id,
        kind=KIND,
        account_id=account and account.id,
        connection_id=connection and connection.id,
        **rest,
    )
    db.session.add(made)
    db.session.commit()
    return made


def held(level: Level, account: Account | None = None, state: str = "ok") -> Connection:
    made = Connection(kind=KIND, level=level, account_id=account and account.id, sealed="", state=state)
    db.session.add(made)
    db.session.flush()
    return made


@pytest.fixture
def some_clients(in_firm):
    for name, code, email in (("Õun OÜ", "A-1", "info@oun.test"), ("aas AS", None, None), ("Zoo 100%", "B_2", None)):
        clients.save(None, {"name": name, "code": code or "", "email": email or ""})
    return in_firm


def test_search_finds_parts_of_names_codes_and_e_mails_in_any_case(some_clients):
    assert names(q="õUN") == ["Õun OÜ"]
    assert names(q="a-1") == ["Õun OÜ"]
    assert names(q="oun.test oü") == ["Õun OÜ"]
    assert names(q="nothing") == []


def test_signs_that_mean_something_to_the_database_are_searched_for_as_they_are(some_clients):
    assert names(q="100%") == ["Zoo 100%"]
    assert names(q="b_2") == ["Zoo 100%"]
    assert names(q="%") == ["Zoo 100%"]


def test_the_list_sorts_without_regard_to_case_and_puts_what_is_empty_last(some_clients):
    assert names() == ["aas AS", "Zoo 100%", "Õun OÜ"]
    assert names(sort="-name") == ["Õun OÜ", "Zoo 100%", "aas AS"]
    assert names(sort="code") == ["Õun OÜ", "Zoo 100%", "aas AS"]
    assert names(sort="-code") == ["Zoo 100%", "Õun OÜ", "aas AS"]
    assert names(sort="member") == names()


def test_inactive_clients_are_shown_on_demand(some_clients):
    clients.set_active(db.session.scalar(select(Client).where(Client.code == "A-1")), False)
    assert names() == ["aas AS", "Zoo 100%"]
    assert names(state="inactive") == ["Õun OÜ"]
    assert len(names(state="all")) == 3


def test_pages_hold_what_they_promise_and_the_last_one_stands_for_those_beyond(in_firm):
    db.session.add_all([Client(name=f"Client {n:03d}") for n in range(105)])
    db.session.commit()
    rows, page = clients.found(Wanted(page=3, size=50))
    assert (len(rows), page.pages, page.first, page.last, page.total) == (5, 3, 101, 105, 105)
    assert clients.found(Wanted(page=99, size=50))[1].number == 3
    assert clients.found(Wanted(q="nothing"))[1].first == 0


def test_the_filter_knows_the_states_that_the_badges_show(in_firm):
    db.session.add(Integration(kind=KIND, enabled=True))
    ours = Account(kind=KIND, vendor_id="1")
    theirs = Account(kind=KIND, vendor_id="2")
    db.session.add_all([ours, theirs])
    db.session.flush()
    held(Level.COMPANY, ours)
    broken = held(Level.CLIENT, theirs, "attention")
    made = {name: clients.save(None, {"name": name}) for name in ("own", "asleep", "broken", "faulty", "none")}
    link(made["own"], account=ours)
    link(made["asleep"], account=theirs)
    link(made["broken"], account=theirs, connection=broken)
    link(made["faulty"], account=ours, problem_code="refused")
    assert names(integration="connected") == ["own"]
    assert names(integration="asleep") == ["asleep"]
    assert names(integration="attention") == ["broken", "faulty"]
    assert names(integration="none") == ["none"]


def test_links_of_a_vendor_that_is_not_enabled_do_not_count(in_firm):
    link(clients.save(None, {"name": "Kask"}), connection=held(Level.CLIENT))
    assert names(integration="none") == ["Kask"]
    assert names(integration="connected") == []


def test_a_group_is_made_once_by_its_name(in_firm):
    one = clients.save(None, {"name": "One", "group": "Monthly"})
    other = clients.save(None, {"name": "Other", "group": " monthly "})
    assert one.group_id == other.group_id
    assert names(group=one.group_id) == ["One", "Other"]


def test_wrong_details_are_told_field_by_field_and_nothing_is_kept(in_firm):
    wrong = {"name": " ", "email": "nobody", "country": "XX", "default_member": str(in_firm.people["stranger"])}
    with pytest.raises(Invalid) as refused:
        clients.save(None, {**wrong, "code": "x" * 65})
    assert set(refused.value.errors) == {"name", "email", "country", "default_member", "code"}
    assert db.session.scalar(select(func.count()).select_from(Client)) == 0


def test_the_audit_log_names_the_changed_fields_and_not_what_they_hold(in_firm):
    client = clients.save(None, {"name": "Kask"})
    clients.save(client, {"name": "Kask", "email": "info@kask.test"})
    clients.save(client, {"name": "Kask", "email": "info@kask.test"})
    entries = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
    assert [(entry.act, entry.detail) for entry in entries] == [
        ("client.created", {}),
        ("client.changed", {"fields": "email"}),
    ]


def test_deleting_a_client_takes_its_tasks_contacts_links_and_own_credentials(in_firm):
    gone, stays = clients.save(None, {"name": "Gone"}), clients.save(None, {"name": "Stays"})
    own, shared = held(Level.CLIENT), held(Level.CLIENT)
    accounts = [Account(kind=KIND, vendor_id=str(n)) for n in range(2)]
    db.session.add_all([*accounts, Task(client_id=gone.id, title="March")])
    db.session.flush()
    link(gone, account=accounts[0], connection=own)
    link(gone, account=accounts[1], connection=shared)
    link(stays, account=accounts[1], connection=shared)
    people.save_contact(gone, None, {"name": "Juta"})
    assert len(clients.what_goes(gone)) == 3
    clients.remove(gone)
    assert [db.session.scalar(select(func.count()).select_from(model)) for model in (Client, Task, Contact, Link)] == [
        1,
        0,
        0,
        1,
    ]
    assert db.session.scalars(select(Connection.id)).all() == [shared.id]


def test_a_client_with_invoices_is_not_deleted(in_firm):
    client = clients.save(None, {"name": "Kask"})
    db.session.add(Invoice(client_id=client.id))
    db.session.commit()
    with pytest.raises(NotNow):
        clients.remove(client)
    assert names() == ["Kask"]


def test_a_client_that_a_run_is_working_on_is_deleted_after_the_run(in_firm):
    client = clients.save(None, {"name": "Kask"})
    run = Run(what="statistics", kind=KIND, trigger="reload", active_key="k", title="Reload")
    db.session.add(run)
    db.session.flush()
    db.session.add(RunItem(run_id=run.id, client_id=client.id))
    db.session.commit()
    with pytest.raises(NotNow):
        clients.remove(client)
    run.state = "done"
    db.session.commit()
    clients.remove(client)
    assert names() == []
