"""The job takes its run, keeps it, and records every end."""

import logging
import threading

import pytest
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from jobs import bell, holding, work
from uku_web.db import db
from uku_web.models import Due, ItemState, Run, RunEvent, RunItem, RunState
from uku_web.services import runs


@pytest.fixture(autouse=True)
def _queue(queue):
    """Ends may ring; they must have somewhere to ring."""


def test_the_service_gets_the_hold_inside_its_company(open_run, service, seen, in_firm):
    run_id = open_run()
    service.do = lambda hold: (runs.finish(hold, RunState.DONE, "All read."), db.session.commit())[1]
    work.work(run_id)
    run = seen(run_id)
    assert (run.state, run.outcome, run.attempts) == ("done", "All read.", 1)
    assert service.holds[0].company_id == in_firm.id


def test_a_run_is_worked_on_by_one_worker_only(open_run, service):
    run_id = open_run()
    service.do = lambda hold: work.work(run_id)  # the same job a second time, meanwhile
    work.work(run_id)
    assert len(service.holds) == 1


def test_the_runs_that_a_service_opened_are_rung_for(open_run, service, queued):
    parent, child = open_run(), open_run()
    service.do = lambda hold: [child]
    work.work(parent)
    assert queued("background") == [f"run-{child}"]


def test_an_unforeseen_error_is_recorded_and_can_be_started_again(open_run, service, seen, in_firm, caplog):
    from uku_web.models import Client

    run_id = open_run()
    client = Client(name="Aru OÜ")
    db.session.add(client)
    db.session.flush()
    db.session.add(RunItem(run_id=run_id, client_id=client.id, months_done=[]))
    due = Due(job="import", subject="fake:1", period="2026-03", due_at=runs.now(), run_id=run_id)
    db.session.add(due)
    db.session.commit()

    def fail(_hold):
        raise KeyError("nobody thought of this")

    service.do = fail
    with caplog.at_level(logging.ERROR):
        work.work(run_id)
    run = seen(run_id)
    assert (run.state, run.outcome_code) == ("failed", "internal")
    assert "Start it again" in run.outcome and "nobody thought" not in run.outcome
    assert f"run {run_id} (statistics, connection None" in caplog.text and "nobody thought of this" in caplog.text
    assert db.session.scalar(select(RunItem.state)) == ItemState.FAILED
    due = db.session.scalars(select(Due)).one()
    assert due.run_id is None and due.settled_at is None and due.not_before is not None

    again = open_run()
    service.do = lambda hold: (runs.finish(hold, RunState.DONE, "Well."), db.session.commit())[1]
    work.work(again)
    assert seen(again).state == "done"


def test_a_database_in_trouble_leaves_the_run_to_its_lease(open_run, service, seen):
    run_id = open_run()

    def fail(_hold):
        raise OperationalError("SELECT", {}, Exception("disk full"))

    service.do = fail
    work.work(run_id)
    assert seen(run_id).state == "running"


def test_a_person_who_asks_to_stop_ends_it_at_the_next_guard(open_run, service, seen):
    run_id = open_run()

    def cancelled_meanwhile(hold):
        runs.cancel(runs.get(run_id))
        db.session.commit()
        runs.guard(hold)

    service.do = cancelled_meanwhile
    work.work(run_id)
    assert seen(run_id).state == "cancelled"


def test_a_worker_that_lost_its_run_writes_nothing(open_run, service, seen, caplog):
    run_id = open_run()

    def taken_away(hold):
        db.session.execute(Run.__table__.update().where(Run.id == run_id).values(fence=hold.fence + 1))
        db.session.commit()
        runs.guard(hold)

    service.do = taken_away
    with caplog.at_level(logging.WARNING):
        work.work(run_id)
    run = seen(run_id)
    assert run.state == "running" and run.outcome is None
    assert "nothing more is written here" in caplog.text


def test_the_heartbeat_keeps_the_lease(open_run, service, seen, monkeypatch):
    monkeypatch.setattr(holding, "HEARTBEAT", 0.5)
    run_id, leases = open_run(), []

    def wait_for_a_beat(_hold):
        leases.append(seen(run_id).lease_until)
        threading.Event().wait(1.3)
        leases.append(seen(run_id).lease_until)

    service.do = wait_for_a_beat
    work.work(run_id)
    assert leases[0] < leases[1]


def test_a_worker_asked_to_stop_lets_go_and_another_goes_on(open_run, service, seen, in_firm):
    run_id = open_run()

    def asked_meanwhile(hold):
        holding.asked_to_stop.set()
        for _ in range(40):
            threading.Event().wait(0.1)
            runs.guard(hold)
            db.session.commit()

    service.do = asked_meanwhile
    try:
        work.work(run_id)
    finally:
        holding.asked_to_stop.clear()
    run = seen(run_id)
    assert (run.state, run.attempts, run.lease_owner) == ("queued", 0, None)
    assert "asked to stop" in db.session.scalar(select(RunEvent.text).where(RunEvent.run_id == run_id))
    db.session.rollback()

    service.do = lambda hold: (runs.finish(hold, RunState.DONE, "Went on."), db.session.commit())[1]
    work.work(run_id)
    assert seen(run_id).state == "done"


def test_a_run_from_the_queue_is_done_by_a_worker(open_run, service, seen, work_off):
    run_id = open_run(lane="person")
    service.do = lambda hold: (runs.finish(hold, RunState.DONE, "Done."), db.session.commit())[1]
    bell.ring(run_id)
    work_off()
    assert seen(run_id).state == "done"


def parts(in_firm, count: int) -> list[int]:
    """Queued parts of one run."""
    made = []
    parent = Run(
        what="statistics-all", kind="x", trigger="reload", active_key="p", title="t", params={}, state="waiting"
    )
    db.session.add(parent)
    db.session.flush()
    for number in range(count):
        part = Run(
            what="statistics", kind="x", trigger="reload", active_key=f"p{number}", title="t", params={},
            parent_id=parent.id,
        )  # fmt: skip
        db.session.add(part)
        made.append(part)
    db.session.flush()
    ids = [part.id for part in made]
    db.session.commit()
    return ids


def test_one_job_goes_on_with_the_other_parts_of_its_run(queue, in_firm, monkeypatch):
    done = []

    def service(hold, _setup):
        done.append(hold.run_id)
        runs.finish(hold, RunState.DONE, "done")
        db.session.commit()
        return []

    monkeypatch.setitem(work.SERVICES, "statistics", service)
    ids = parts(in_firm, 3)
    work.work(ids[0])
    assert done == ids


def test_a_person_who_waits_ends_the_series(queue, in_firm, monkeypatch):
    done = []
    monkeypatch.setitem(work.SERVICES, "statistics", lambda hold, _setup: done.append(hold.run_id) or [])
    monkeypatch.setattr(bell, "people_wait", lambda: True)
    ids = parts(in_firm, 3)
    work.work(ids[0])
    assert done == ids[:1]
