"""Run integration: one month of many clients, in one run."""

import pytest
import time_machine
from sqlalchemy import func, select

from tests.services.counting import SETUP, do, link_client, moment
from uku_web.db import db
from uku_web.models import (
    Account,
    AuditEntry,
    Client,
    Company,
    Connection,
    Integration,
    Level,
    Link,
    Notice,
    Plan,
    Run,
    RunEvent,
    RunState,
    Task,
)
from uku_web.services import bulk, run_views, runs, statistics, statistics_run
from uku_web.services.clients import Wanted
from uku_web.services.errors import Invalid, NotNow
from uku_web.tenancy import company_scope
from uku_web.vendors import registry
from uku_web.vendors.errors import Refused
from uku_web.vendors.records import Month

KIND = registry.kinds()[0]
EVERYBODY = Wanted()
TODAY = moment("2026-11-21T10:00")
OCTOBER = Month(2026, 10)


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


def open_run(books, chosen=EVERYBODY, month=OCTOBER) -> Run:
    run = bulk.open_bulk("fake", chosen, month, books.firm.people["admin"])
    db.session.commit()
    return run


def finish(run_id: int) -> Run:
    for child in do(run_id):
        do(child)
    return runs.get(run_id)


def outcome(run_id: int) -> dict[str, tuple[str, str]]:
    """Client's name -> state and reason, as the run's page lists them."""
    return {item.client.name: (item.state, item.reason or "") for item in run_views.items(run_id)[0]}


def add(name: str, **values) -> Client:
    client = Client(name=name, **values)
    db.session.add(client)
    db.session.commit()
    return client


def many(firm, count: int, connections: int) -> list[int]:
    """Clients whose links share some connections."""
    rows = [{"name": f"Client {n:05d}", "company_id": firm.id, "active": True} for n in range(count)]
    rows = [row | {"sort_name": row["name"].casefold(), "search_text": row["name"].casefold()} for row in rows]
    ids = list(db.session.scalars(db.insert(Client).returning(Client.id), rows))
    shared = [link_client(f"Shared {n}").connection for n in range(connections)]
    tied = [(client_id, shared[n % connections]) for n, client_id in enumerate(ids)]
    own = {"company_id": firm.id, "kind": "fake"}
    db.session.execute(
        db.insert(Link),
        [own | {"client_id": each, "account_id": held.account_id, "connection_id": held.id} for each, held in tied],
    )
    db.session.commit()
    return ids


def test_the_chosen_clients_are_counted_by_connection_and_the_others_are_named(books):
    add("Cilla")
    add("Dora", active=False)
    asleep = add("Ekke")
    account = Account(kind="fake", vendor_id="gone")
    db.session.add(account)
    db.session.flush()
    db.session.add(Link(client_id=asleep.id, kind="fake", account_id=account.id))
    db.session.commit()
    run = open_run(books, Wanted(state="all"))
    ended = finish(run.id)
    assert outcome(run.id) == {
        "Aru OÜ": ("done", ""),
        "Benn AS": ("done", ""),
        "Cilla": ("skipped", "Has no Fake Books link."),
        "Dora": ("skipped", "Is inactive: no run touches it."),
        "Ekke": ("skipped", "Its Fake Books link sleeps: the account is not connected."),
    }
    assert (ended.state, ended.counts) == (RunState.DONE, {"done": 2, "skipped": 3})
    said = list(db.session.scalars(select(RunEvent.text).where(RunEvent.run_id == run.id)))
    assert "1 left out: Has no Fake Books link." in said
    assert [months for _targets, _fields, months in books.fake.asked] == [[OCTOBER], [OCTOBER]]


def test_the_person_is_told_once_with_the_counts(books):
    add("Cilla")
    run = open_run(books)
    books.fake.script = [(0, Refused("The books are closed."))]
    assert finish(run.id).state == RunState.DOUBT
    notice = db.session.scalars(select(Notice)).one()
    assert (notice.person_id, notice.path) == (books.firm.people["admin"], f"/runs/{run.id}")
    assert "Run integration: October 2026" in notice.title
    counts, *why = notice.body.splitlines()
    assert counts == "1 client done, 1 skipped, 1 failed."
    assert sorted(why) == ["1 client: Has no Fake Books link.", "1 client: The books are closed."]
    assert outcome(run.id)["Aru OÜ"] == ("failed", "The books are closed.")


def test_500_clients_behind_three_connections_make_three_parts(books, count_sql):
    ids = many(books.firm, 500, 3)
    with count_sql() as few:
        open_run(books, ids[:5])
    with count_sql() as sent:
        run = open_run(books, ids)
    assert len(sent) == len(few) <= 12
    assert len(runs.children(run.id)) == 0
    children = do(run.id)
    assert [len(runs.get(child).params["links"]) for child in children] == [167, 167, 166]
    assert all("clients" not in runs.get(child).params for child in children)
    for child in children:
        do(child)
    assert runs.get(run.id).counts == {"done": 500}


def test_more_connections_than_one_transaction_makes_are_each_made_once(books):
    for n in range(statistics_run.FAN_BATCH + 10):
        link_client(f"Own {n}")
    db.session.commit()
    children = do(open_run(books).id)
    assert len({runs.get(child).connection_id for child in children}) == statistics_run.FAN_BATCH + 12


def test_a_fan_out_that_was_killed_in_the_middle_goes_on_where_it_stood(books, november, monkeypatch):
    add("Cilla")
    links = [link_client(f"Own {n}") for n in range(statistics_run.FAN_BATCH)]
    db.session.commit()
    run_id, real, made = open_run(books).id, statistics.open_child, []

    def killed(parent, connection, served):
        if len(made) == statistics_run.FAN_BATCH + 1:
            raise KeyboardInterrupt
        made.append(connection.id)
        return real(parent, connection, served)

    monkeypatch.setattr(statistics, "open_child", killed)
    with pytest.raises(KeyboardInterrupt):
        do(run_id)
    db.session.rollback()
    monkeypatch.setattr(statistics, "open_child", real)
    assert len(runs.children(run_id)) == statistics_run.FAN_BATCH
    november.shift(60)
    assert runs.reap() == [run_id]
    children = do(run_id)
    assert len(children) == len({runs.get(child).connection_id for child in children}) == len(links) + 2
    for child in children:
        do(child)
    assert runs.get(run_id).counts == {"done": len(links) + 2, "skipped": 1}


def test_parts_made_before_a_cancel_was_seen_are_cancelled_too(books, monkeypatch):
    run_id, real = open_run(books).id, statistics.open_child

    def cancelled_meanwhile(parent, connection, served):
        made = real(parent, connection, served)
        runs.get(run_id).cancel_asked = True
        db.session.commit()
        return made

    monkeypatch.setattr(statistics, "open_child", cancelled_meanwhile)
    with pytest.raises(runs.Cancelled):
        do(run_id)
    assert {child.state for child in runs.children(run_id)} == {RunState.CANCELLED}


def test_a_second_click_opens_the_running_run_and_another_choice_its_own(books):
    first = open_run(books)
    ids = [link.client_id for link in books.links]
    assert open_run(books, ids).id == open_run(books, ids[::-1]).id == first.id
    assert open_run(books, ids[:1]).id != first.id
    assert open_run(books, month=OCTOBER.shift(-1)).id != first.id
    assert db.session.scalar(select(func.count()).select_from(Run)) == 3
    acts = list(db.session.scalars(select(AuditEntry.act)))
    assert acts.count("bulk.started") == 3
    finish(first.id)
    assert open_run(books).id != first.id


def test_two_bulk_runs_over_the_same_books_are_both_done(books):
    one, other = open_run(books), open_run(books, month=OCTOBER.shift(-1))
    parts = do(one.id) + do(other.id)
    assert len(parts) == 4
    for part in parts:
        do(part)
    assert runs.get(one.id).counts == runs.get(other.id).counts == {"done": 2}


def test_a_part_waits_while_an_older_run_of_the_same_books_is_being_done(books, november):
    reload = statistics.open_reload_of_link(books.links[0], books.firm.people["admin"])
    db.session.commit()
    hold = runs.take(reload.id, "another")
    run = open_run(books, [books.links[0].client_id])
    (part,) = do(run.id)
    do(part)
    waiting = runs.get(part)
    assert (waiting.state, waiting.attempts) == (RunState.WAITING, 0)
    assert "another run of the same books" in waiting.doing
    assert books.fake.asked == []
    statistics_run.work(hold, SETUP)
    november.shift(statistics_run.TURN)
    do(part)
    assert outcome(run.id) == {"Aru OÜ": ("done", "")}


def test_only_the_tasks_of_long_past_months_are_made_as_done(books):
    current = Month(2026, 11)
    for back in (0, 1, 2, 14):
        finish(open_run(books, month=current.shift(-back)).id)
    made = db.session.scalars(select(Task).where(Task.client_id == books.links[0].client_id))
    states = {Month.of(task.month): task.done for task in made}
    assert states == {
        current: False,
        OCTOBER: False,
        current.shift(-2): True,
        current.shift(-14): True,
    }


def test_the_months_are_the_companys_current_one_and_36_back(books, november):
    company = db.session.get(Company, books.firm.id)
    assert company.timezone == "Europe/Tallinn"
    november.move_to(moment("2026-11-30T23:30"))  # December in Tallinn
    shown = bulk.months()
    assert (shown[0], shown[-1], len(shown)) == (Month(2026, 12), Month(2023, 12), 37)
    for month in (Month(2027, 1), Month(2023, 11)):
        with pytest.raises(Invalid):
            open_run(books, month=month)
    assert open_run(books, month=shown[-1])


def test_a_run_started_again_takes_the_same_clients_and_month(books):
    run = open_run(books, [books.links[1].client_id], OCTOBER.shift(-3))
    finish(run.id)
    again = run_views.start_again(runs.get(run.id), books.firm.people["owner"])
    finish(again.id)
    assert list(outcome(again.id)) == ["Benn AS"]
    assert runs.get(again.id).params == run.params


def test_a_client_deleted_before_the_run_began_is_left_out_in_silence(books):
    gone = add("Cilla")
    run = open_run(books)
    db.session.delete(gone)
    db.session.commit()
    assert finish(run.id).counts == {"done": 2}


def test_nothing_is_opened_that_could_do_nothing(books):
    company = db.session.get(Company, books.firm.id)
    for chosen in ([], [add("Cilla").id], Wanted(q="nobody")):
        with pytest.raises(NotNow, match="None of the chosen"):
            open_run(books, chosen)
    for change, sentence in (
        ((company, "integration_on", False), "Integration app is off"),
        ((company, "plan", Plan.FREE), "Team plan"),
        ((books.integration, "task_title", ""), "Settings tab"),
        ((books.integration, "enabled", False), "not enabled"),
    ):
        thing, name, value = change
        before = getattr(thing, name)
        setattr(thing, name, value)
        db.session.commit()
        with pytest.raises(NotNow, match=sentence):
            open_run(books)
        setattr(thing, name, before)
        db.session.commit()
    assert open_run(books)


def test_the_tally_counts_live_links_of_active_clients_by_vendor(books):
    company_books = Account(kind=KIND, vendor_id="1")
    cilla, dora = add("Cilla"), add("Dora", active=False)
    db.session.add_all([company_books, Integration(kind=KIND, enabled=True)])
    db.session.flush()
    db.session.add(Connection(kind=KIND, level=Level.COMPANY, account_id=company_books.id, sealed="", state="ok"))
    for client in (cilla, dora):
        db.session.add(Link(client_id=client.id, kind=KIND, account_id=company_books.id))
    db.session.commit()
    numbers = bulk.tally(Wanted(state="all"))
    assert (numbers.total, numbers.active, numbers.inactive) == (4, 3, 1)
    assert numbers.linked == {"fake": 2, KIND: 1}
    assert (numbers.unlinked("fake"), numbers.unlinked(KIND), numbers.unlinked("none")) == (1, 2, 3)


def test_another_companys_clients_are_not_there(books):
    with company_scope(books.firm.other_id):
        assert bulk.tally([link.client_id for link in books.links]).total == 0
        assert bulk.tally(Wanted(state="all")).linked == {}
