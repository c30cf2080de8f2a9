"""Tasks and imports fall due by the calendar: once each, however many ticks look, and missed days are caught up."""

from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from tests.services.counting import do, link_client, moment
from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Connection, ConnectionState, Due, ItemState, Run, RunItem, RunState, Task, TaskValue
from uku_web.services import runs, schedule
from uku_web.tenancy import company_scope
from uku_web.vendors.errors import NeedsReauth, Temporary
from uku_web.vendors.records import Month


@pytest.fixture
def clock():
    with time_machine.travel(moment("2026-06-10T09:00"), tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _ready(clock, books):
    """Configured on 10 June 2026."""


def tick(books) -> list[int]:
    opened = schedule.plan_and_claim(now())
    return opened


def tick_and_do(books) -> list[Run]:
    done = []
    for run_id in tick(books):
        do(run_id)
        done.append(runs.get(run_id))
    return done


def count(model) -> int:
    return db.session.scalar(select(func.count()).select_from(model))


def test_the_months_tasks_are_made_once_however_many_ticks_look(books, clock):
    tick(books)
    tick(books)
    assert count(Task) == 2
    task = db.session.scalars(select(Task)).first()
    assert (task.month, task.starts_on, str(task.due_on)) == (Month(2026, 6).first, Month(2026, 6).first, "2026-06-30")
    clock.move_to(moment("2026-06-30T21:05"))  # already July in Tallinn
    tick(books)
    assert count(Task) == 4


def test_nothing_is_imported_before_the_import_day(books, clock):
    clock.move_to(moment("2026-06-30T18:59"))
    assert tick(books) == []
    assert count(TaskValue) == 0


def test_on_the_import_day_each_linked_client_gets_its_values_once(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    done = tick_and_do(books)
    assert [run.state for run in done] == [RunState.DONE] * 2
    assert count(TaskValue) == 4
    assert tick(books) == []
    clock.shift(timedelta(hours=5))
    assert tick(books) == []


def test_two_ticks_in_the_same_moment_open_one_run_each(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    assert len(tick(books)) == 2
    assert tick(books) == []


def test_days_missed_while_the_server_was_off_are_caught_up_month_by_month(books, clock):
    tick(books)
    clock.move_to(moment("2026-09-05T08:00"))
    months = []
    for _round in range(5):
        months += [run.params["months"][0] for run in tick_and_do(books)]
    assert sorted(months) == ["2026-06"] * 2 + ["2026-07"] * 2 + ["2026-08"] * 2
    assert tick(books) == []


def test_a_connection_that_needs_attention_waits_and_is_caught_up(books, clock):
    books.fake.script = [(0, NeedsReauth("Refused."))]
    clock.move_to(moment("2026-06-30T20:00"))
    assert sorted(run.state for run in tick_and_do(books)) == ["done", "failed"]
    assert tick(books) == []
    broken = db.session.scalar(select(Connection).where(Connection.state == ConnectionState.ATTENTION))
    clock.shift(timedelta(days=3))
    broken.state = ConnectionState.OK
    db.session.commit()
    (run,) = tick_and_do(books)
    assert (run.state, run.params["months"]) == (RunState.DONE, ["2026-06"])


def test_an_import_that_failed_for_good_is_tried_again_an_hour_later(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    first, second = tick(books)
    do(second)
    for minutes in (0, 1, 5, 15, 60, 60, 120):
        clock.shift(timedelta(minutes=minutes))
        books.fake.script = [(0, Temporary("Down."))]
        do(first)
    assert runs.get(first).state == RunState.FAILED
    assert tick(books) == []
    clock.shift(timedelta(hours=1, minutes=1))
    (run,) = tick_and_do(books)
    assert run.state == RunState.DONE


def test_disabled_integrations_rest_and_do_not_catch_up_their_rest(books, clock):
    tick(books)
    books.integration.enabled = False
    db.session.commit()
    clock.move_to(moment("2026-07-05T08:00"))
    assert tick(books) == []
    books.integration.enabled, books.integration.enabled_at = True, now()
    db.session.commit()
    assert tick(books) == []
    clock.move_to(moment("2026-07-31T20:30"))
    assert {run.params["months"][0] for run in tick_and_do(books)} == {"2026-07"}


def test_the_master_switch_stops_everything(books, clock):
    from uku_web.models import Company

    db.session.get(Company, books.firm.id).integration_on = False
    db.session.commit()
    clock.move_to(moment("2026-06-30T20:00"))
    assert tick(books) == []
    assert count(Task) == 0


def test_a_changed_import_day_moves_what_is_still_open(books, clock):
    tick(books)
    clock.move_to(moment("2026-06-30T12:00"))
    books.integration.import_when, books.integration.import_day = "following_day", 5
    db.session.commit()
    clock.move_to(moment("2026-06-30T20:00"))
    assert tick(books) == []
    clock.move_to(moment("2026-07-05T03:10"))
    assert {run.params["months"][0] for run in tick_and_do(books)} == {"2026-06"}


def test_a_client_linked_later_is_in_the_next_import(books, clock):
    tick(books)
    link = link_client("Cesis SIA")
    db.session.commit()
    clock.move_to(moment("2026-06-30T20:00"))
    tick_and_do(books)
    item = db.session.scalar(select(RunItem).where(RunItem.client_id == link.client_id))
    assert item.state == ItemState.DONE


def test_a_clock_set_back_makes_nothing_twice(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    tick_and_do(books)
    before = (count(Task), count(Due), count(TaskValue))
    clock.move_to(moment("2026-06-30T18:00"))
    tick(books)
    clock.move_to(moment("2026-06-30T20:00"))
    assert tick(books) == []
    assert (count(Task), count(Due), count(TaskValue)) == before


def test_the_tick_works_without_a_chosen_company(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    with company_scope(books.firm.other_id):
        assert len(schedule.plan_and_claim(now())) == 2


def test_companies_with_untested_credentials_are_told(books):
    assert schedule.unverified() == []
    db.session.get(Connection, books.links[0].connection_id).state = ConnectionState.UNVERIFIED
    db.session.commit()
    assert schedule.unverified() == [books.firm.id]


def test_linking_later_backfills_nothing_by_itself(books, clock):
    tick(books)
    clock.move_to(moment("2027-05-20T09:00"))
    link = link_client("Dzintars SIA")
    db.session.commit()
    tick_and_do(books)
    tick_and_do(books)
    months = db.session.scalars(select(Task.month).where(Task.client_id == link.client_id)).all()
    assert months == [Month(2027, 5).first]


def test_credentials_that_no_key_opens_are_told_once_and_not_tried_in_circles(books, clock):
    for link in books.links:
        db.session.get(Connection, link.connection_id).sealed = "sealed by a key that is gone"
    db.session.commit()
    clock.move_to(moment("2026-06-30T20:00"))
    assert {run.state for run in tick_and_do(books)} == {RunState.FAILED}
    for _round in range(5):
        clock.shift(timedelta(minutes=30))
        assert tick(books) == []
    states = db.session.scalars(select(Connection.state)).all()
    assert set(states) == {ConnectionState.ATTENTION}


def test_an_import_that_was_given_up_falls_due_again_and_is_told(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    first, second = tick(books)
    do(second)
    for _loss in range(runs.MAX_TAKES):
        assert runs.take(first, "dies")
        clock.shift(timedelta(seconds=31))
        runs.reap()
    assert runs.get(first).state == RunState.INTERRUPTED
    assert tick(books) == []
    clock.shift(timedelta(hours=1, minutes=1))
    (run,) = tick_and_do(books)
    assert run.state == RunState.DONE


def test_a_cancelled_import_is_not_started_again(books, clock):
    clock.move_to(moment("2026-06-30T20:00"))
    first, second = tick(books)
    do(second)
    runs.cancel(runs.get(first))
    db.session.commit()
    clock.shift(timedelta(days=2))
    assert tick(books) == []


def test_one_integrations_trouble_does_not_stop_the_others(books, clock, monkeypatch):
    clock.move_to(moment("2026-06-30T20:00"))
    real = schedule._one
    monkeypatch.setattr(schedule, "_scheduled", lambda: [(books.firm.id, 999), (books.firm.id, books.integration.id)])
    assert schedule._one is real
    assert len(tick(books)) == 2
