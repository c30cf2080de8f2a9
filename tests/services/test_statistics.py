"""A client's month, counted: reloads, imports, resuming, and how trouble is told."""

from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine
from sqlalchemy import func, select

from tests.services.counting import do, item_states, moment
from uku_web.db import db
from uku_web.models import (
    Company,
    Connection,
    ConnectionState,
    Link,
    Notice,
    Run,
    RunState,
    Task,
    TaskValue,
    ValueWrite,
)
from uku_web.services import runs, statistics, summary, value_writes
from uku_web.services.errors import NotNow
from uku_web.vendors.errors import NeedsReauth, RateLimited, Refused, Temporary
from uku_web.vendors.records import Month

TODAY = moment("2026-11-21T10:00")


@pytest.fixture(autouse=True)
def november():
    with time_machine.travel(TODAY, tick=False) as traveller:
        yield traveller


def reload(books, which=0) -> Run:
    run = statistics.open_reload_of_link(books.links[which], books.firm.people["admin"])
    db.session.commit()
    return run


def tasks(books, which=0) -> list[Task]:
    query = select(Task).where(Task.client_id == books.links[which].client_id).order_by(Task.month)
    return list(db.session.scalars(query))


def value(task: Task, field_id: int) -> TaskValue | None:
    return next((value for value in task.values if value.field_id == field_id), None)


def test_a_reload_fills_twelve_summary_tasks_of_which_only_the_newest_is_open(books):
    run = reload(books)
    do(run.id)
    made = tasks(books)
    assert [task.month for task in made] == [Month(2025, 11).shift(i).first for i in range(12)]
    assert [task.done for task in made] == [True] * 11 + [False]
    assert made[-1].title == "Fake Books October 2026"
    assert made[-1].due_on == date(2026, 10, 31)
    assert value(made[0], books.documents).number == Decimal(10)
    assert value(made[0], books.entries).number == Decimal(20)
    run = runs.get(run.id)
    assert (run.state, run.progress, run.total) == (RunState.DONE, 12, 12)


def test_the_person_who_asked_is_told_at_the_end(books):
    run = reload(books)
    do(run.id)
    notice = db.session.scalar(select(Notice))
    assert notice.person_id == books.firm.people["admin"]
    assert notice.path == f"/runs/{run.id}"
    assert "1 client done" in notice.body


def test_a_second_click_opens_the_running_run(books):
    assert reload(books).id == reload(books).id
    assert db.session.scalar(select(func.count()).select_from(Run)) == 1


def test_only_mapped_fields_are_asked_for(books):
    db.session.query(summary.FieldMapping).filter_by(vendor_field="entries").delete()
    db.session.commit()
    do(reload(books).id)
    assert books.fake.asked[0][1] == ["documents"]


def test_nothing_begins_before_title_topic_and_a_field_are_saved(books):
    books.integration.task_title = ""
    db.session.commit()
    with pytest.raises(NotNow):
        reload(books)
    books.integration.task_title = "Counts"
    db.session.commit()
    assert reload(books)


def test_a_killed_worker_is_resumed_and_nothing_is_written_twice(books, november):
    run = reload(books)
    books.fake.script = [(11, KeyboardInterrupt())]  # dies within the sixth month
    with pytest.raises(KeyboardInterrupt):
        do(run.id)
    db.session.rollback()
    assert runs.take(run.id, "other") is None, "the lease still stands"
    november.shift(timedelta(seconds=31))
    assert runs.reap() == [run.id]
    do(run.id)
    assert runs.get(run.id).state == RunState.DONE
    assert db.session.scalar(select(func.count()).select_from(ValueWrite)) == 24
    assert db.session.scalar(select(func.count()).select_from(Task)) == 12


def test_a_resumed_run_asks_only_for_what_is_missing(books, november, monkeypatch):
    monkeypatch.setattr("uku_web.services.statistics_run.BATCH", 1)
    run = reload(books)
    books.fake.script = [(11, KeyboardInterrupt())]
    with pytest.raises(KeyboardInterrupt):
        do(run.id)
    db.session.rollback()
    november.shift(timedelta(seconds=31))
    do(run.id)
    assert len(books.fake.asked[1][2]) == 7


def test_a_worker_that_lost_its_lease_writes_nothing_more(books, november):
    run = reload(books)
    hold = runs.take(run.id, "slow")
    november.shift(timedelta(seconds=31))
    do(run.id)  # another one takes over and ends it
    with pytest.raises(runs.LostHold):
        runs.guard(hold)
    with pytest.raises(runs.LostHold):
        runs.finish(hold, RunState.FAILED, "too late")


def test_refused_credentials_pause_the_connection_and_tell_the_managers(books):
    run = reload(books)
    books.fake.script = [(0, NeedsReauth("The key was refused.", field="key"))]
    do(run.id)
    run = runs.get(run.id)
    connection = db.session.get(Connection, books.links[0].connection_id)
    assert (run.state, run.outcome_code, run.outcome) == (RunState.FAILED, "credentials", "The key was refused.")
    assert (connection.state, connection.problem) == (ConnectionState.ATTENTION, "The key was refused.")
    told = set(db.session.scalars(select(Notice.person_id).where(Notice.cause.is_not(None))))
    assert told == {books.firm.people["owner"], books.firm.people["admin"]}
    do(reload(books).id)  # the key was mended
    assert db.session.get(Connection, connection.id).state == ConnectionState.OK
    assert not db.session.scalars(select(Notice).where(Notice.cause.is_not(None), Notice.closed_at.is_(None))).all()


def test_a_reached_limit_frees_the_worker_until_the_vendors_reset(books, november):
    run = reload(books)
    until = TODAY + timedelta(minutes=7)
    books.fake.script = [(4, RateLimited("The limit is reached.", until=until))]
    do(run.id)
    run = runs.get(run.id)
    assert (run.state, run.not_before) == (RunState.WAITING, until)
    assert run.id not in runs.to_ring()
    november.shift(timedelta(minutes=7))
    assert run.id in runs.to_ring()
    do(run.id)
    assert runs.get(run.id).state == RunState.DONE


def test_an_outage_is_tried_again_and_told_to_nobody_until_the_tries_are_over(books, november):
    run = reload(books)
    for seconds in (20, 60, 180):
        books.fake.script = [(0, Temporary("It is down."))]
        do(run.id)
        assert runs.get(run.id).state == RunState.WAITING
        assert not db.session.scalars(select(Notice)).all()
        november.shift(timedelta(seconds=seconds))
    books.fake.script = [(0, Temporary("It is down."))]
    do(run.id)
    assert runs.get(run.id).state == RunState.FAILED
    assert item_states(run.id) == ["failed"]
    do(reload(books).id)
    assert len(tasks(books)) == 12


def test_a_connector_that_ends_early_is_no_success(books, monkeypatch):
    monkeypatch.setattr(books.fake, "statistics", lambda *_args: iter(()))
    run = reload(books)
    do(run.id)
    assert runs.get(run.id).state == RunState.WAITING
    monkeypatch.undo()


def test_zero_is_written_and_zero_over_a_number_is_doubted(books):
    do(reload(books).id)
    books.fake.numbers["documents"] = Decimal(0)
    run = reload(books)
    do(run.id)
    assert value(tasks(books)[3], books.documents).number == 0
    run = runs.get(run.id)
    assert run.state == RunState.DOUBT
    assert "Aru OÜ" in run.outcome


def test_unknown_stays_empty_and_never_overwrites(books):
    books.fake.numbers["entries"] = None
    run = reload(books)
    do(run.id)
    assert value(tasks(books)[0], books.entries) is None
    assert runs.get(run.id).state == RunState.DONE
    books.fake.numbers["entries"] = Decimal(7)
    do(reload(books).id)
    books.fake.numbers["entries"] = None
    do(reload(books).id)
    assert value(tasks(books)[0], books.entries).number == 7


def edit(task: Task, field_id: int, number: int, person_id: int) -> None:
    value(task, field_id).number, value(task, field_id).person_id = Decimal(number), person_id
    value(task, field_id).run_id = None
    db.session.commit()


def test_a_reload_overwrites_a_persons_value_and_remembers_it(books):
    do(reload(books).id)
    person = books.firm.people["member"]
    edit(tasks(books)[0], books.documents, 99, person)
    run = reload(books)
    do(run.id)
    assert value(tasks(books)[0], books.documents).number == 10
    newest = value_writes.provenance(tasks(books)[0].id, books.documents)[0]
    assert (newest.run_id, newest.before_number, newest.before_person_id) == (run.id, Decimal(99), person)
    assert (newest.vendor_field, newest.mapping_version) == ("documents", 1)


def run_import(books, month: Month, which=0) -> Run:
    connection = db.session.get(Connection, books.links[which].connection_id)
    run, _new = statistics.open_import(connection, month)
    db.session.commit()
    do(run.id)
    return runs.get(run.id)


def test_a_scheduled_import_leaves_a_persons_value_and_a_finished_task_alone(books):
    run_import(books, Month(2026, 10))
    edit(tasks(books)[0], books.documents, 99, books.firm.people["member"])
    books.fake.numbers["entries"] = Decimal(21)
    run = run_import(books, Month(2026, 10))
    assert value(tasks(books)[0], books.documents).number == 99
    assert value(tasks(books)[0], books.entries).number == 21
    assert "1 values were left alone" in run.outcome
    tasks(books)[0].done_at = TODAY
    db.session.commit()
    books.fake.numbers["entries"] = Decimal(22)
    run_import(books, Month(2026, 10))
    assert value(tasks(books)[0], books.entries).number == 21


def test_when_the_vendor_fails_on_the_day_the_task_stands_with_counts_pending(books, november):
    books.fake.script = [(0, Temporary("It is down."))]
    run = run_import(books, Month(2026, 10))
    task = tasks(books)[0]
    assert task.counts_pending == "It is down."
    november.shift(timedelta(minutes=2))
    do(run.id)
    assert tasks(books)[0].counts_pending is None
    assert value(tasks(books)[0], books.documents).number == 10


def test_a_refused_record_ends_the_run_with_its_reason(books):
    books.fake.script = [(0, Refused("The period is closed."))]
    run = reload(books)
    do(run.id)
    assert runs.get(run.id).outcome == "The period is closed."


def test_a_reload_of_all_clients_has_one_child_per_connection_and_ends_with_them(books):
    run = statistics.open_reload_of_vendor("fake", books.firm.people["owner"])
    db.session.commit()
    children = do(run.id)
    assert len(children) == 2
    assert runs.get(run.id).state == RunState.WAITING
    do(children[0])
    assert runs.get(run.id).state == RunState.WAITING
    books.fake.script = [(0, Refused("No."))]
    do(children[1])
    parent = runs.get(run.id)
    assert parent.state == RunState.DOUBT
    assert parent.counts == {"done": 1, "failed": 1}
    assert [notice.path for notice in db.session.scalars(select(Notice))] == [f"/runs/{run.id}"]


def test_cancelling_stops_waiting_children_at_once_and_a_running_one_at_its_checkpoint(books):
    run = statistics.open_reload_of_vendor("fake", books.firm.people["owner"])
    db.session.commit()
    children = do(run.id)
    hold = runs.take(children[0], "test")
    runs.cancel(runs.get(run.id))
    db.session.commit()
    assert runs.get(children[1]).state == RunState.CANCELLED
    with pytest.raises(runs.Cancelled):
        runs.guard(hold)


def test_the_assignee_is_the_clients_default_member_else_the_owner(books):
    books.links[0].client.default_member_id = books.firm.people["member"]
    db.session.commit()
    do(reload(books, 0).id)
    do(reload(books, 1).id)
    assert tasks(books, 0)[0].assignee_id == books.firm.people["member"]
    assert tasks(books, 1)[0].assignee_id == books.firm.people["owner"]


def test_a_link_removed_before_the_run_began_is_skipped_and_said(books):
    run = statistics.open_reload_of_vendor("fake", books.firm.people["owner"])
    db.session.commit()
    children = do(run.id)
    db.session.delete(books.links[0])
    db.session.commit()
    do(children[0])
    assert item_states(children[0]) == ["skipped"]


def test_the_forecast_counts_every_connection(books):
    forecast = statistics.reload_forecast("fake")
    assert (forecast.links, forecast.requests, forecast.exact) == (2, 24, True)


def test_what_the_vendor_said_of_old_credentials_says_nothing_about_new_ones(books):
    run = reload(books)
    connection = db.session.get(Connection, books.links[0].connection_id)

    class SavesMeanwhile(NeedsReauth):
        def __init__(self):
            connection.sealed = connection.sealed + "="
            db.session.commit()
            super().__init__("The old key was refused.")

    original = books.fake.statistics

    def statistics_(self, *args):
        raise SavesMeanwhile

    books.fake.statistics = statistics_
    try:
        do(run.id)
    finally:
        books.fake.statistics = original
    assert runs.get(run.id).state == RunState.FAILED
    assert db.session.get(Connection, connection.id).state == ConnectionState.OK


def test_doubt_survives_a_resumed_run(books, november, monkeypatch):
    monkeypatch.setattr("uku_web.services.statistics_run.BATCH", 1)
    do(reload(books).id)
    books.fake.numbers["documents"] = Decimal(0)
    run = reload(books)
    books.fake.script = [(23, RateLimited("Wait.", until=TODAY + timedelta(minutes=5)))]
    do(run.id)
    november.shift(timedelta(minutes=6))
    books.fake.numbers["documents"] = Decimal(10)
    do(run.id)
    assert runs.get(run.id).state == RunState.DOUBT


def test_a_link_made_anew_while_its_run_waits_goes_on(books, november):
    run = reload(books)
    books.fake.script = [(4, RateLimited("Wait.", until=TODAY + timedelta(minutes=5)))]
    do(run.id)
    old = books.links[0]
    client_id, connection_id, account_id = old.client_id, old.connection_id, old.account_id
    db.session.delete(old)
    db.session.flush()
    db.session.add(Link(client_id=client_id, kind="fake", connection_id=connection_id, account_id=account_id))
    db.session.commit()
    november.shift(timedelta(minutes=6))
    do(run.id)
    assert runs.get(run.id).state in (RunState.DONE, RunState.FAILED)
    assert "todo" not in item_states(run.id)


def test_nothing_is_reloaded_on_the_free_plan_or_with_the_app_off(books):
    company = db.session.get(Company, books.firm.id)
    company.plan = "free"
    db.session.commit()
    with pytest.raises(NotNow, match="Team"):
        reload(books)
    company.plan, company.integration_on = "team", False
    db.session.commit()
    with pytest.raises(NotNow, match="Integration app"):
        reload(books)


def test_parents_are_settled_also_when_the_moment_was_missed(books):
    run = statistics.open_reload_of_vendor("fake", books.firm.people["owner"])
    db.session.commit()
    for child in do(run.id):
        db.session.query(Run).filter_by(id=child).update({"state": RunState.DONE})
    db.session.commit()
    runs.settle_parents()
    assert not runs.get(run.id).active
