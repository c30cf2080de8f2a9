"""The tick rings for lost, due and waiting runs; one failing step stops no other."""

import logging
from datetime import timedelta

import pytest

from jobs import bell, tick
from uku_web import clock
from uku_web.db import db
from uku_web.models import Run, RunState
from uku_web.services import runs, schedule


class Hands:
    """A clock's hands that the test moves."""

    at = 100.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def hands():
    return Hands()


@pytest.fixture
def ticking(app, hands, queue):
    return tick.Tick(app, hands)


def test_a_lost_worker_s_run_is_rung_for_again(ticking, open_run, queued, seen):
    run_id = open_run()
    runs.take(run_id, "a worker that is gone")
    past = clock.now() - timedelta(seconds=1)
    db.session.execute(Run.__table__.update().where(Run.id == run_id).values(lease_until=past))
    db.session.commit()
    ticking.once()
    assert queued("background") == [f"run-{run_id}"]
    assert seen(run_id).state == RunState.QUEUED


def test_a_wait_that_is_over_is_rung_for_and_one_that_lasts_is_not(ticking, open_run, queued):
    over, lasting = open_run(), open_run()
    for run_id, minutes in ((over, -1), (lasting, 5)):
        hold = runs.take(run_id, "me")
        runs.wait(hold, clock.now() + timedelta(minutes=minutes), "The limit is reached.")
        db.session.commit()
    ticking.once()
    assert queued("background") == [f"run-{over}"]


def test_what_falls_due_is_rung_for_every_half_minute(ticking, open_run, queued, hands, monkeypatch):
    run_id, asked = open_run(), []
    monkeypatch.setattr(schedule, "plan_and_claim", lambda moment: asked.append(moment) or [run_id])
    ticking.once()
    hands.at += 5
    ticking.once()
    assert len(asked) == 1 and queued("background") == [f"run-{run_id}"]
    hands.at += 30
    ticking.once()
    assert len(asked) == 2


def test_a_failing_step_is_told_and_the_others_go_on(ticking, open_run, queued, hands, monkeypatch, caplog):
    def fail(_moment):
        raise RuntimeError("out of order")

    monkeypatch.setattr(schedule, "plan_and_claim", fail)
    run_id = open_run()
    with caplog.at_level(logging.ERROR):
        ticking.once()
    assert "tick: due failed" in caplog.text
    assert queued("background") == [f"run-{run_id}"]

    monkeypatch.setattr(schedule, "plan_and_claim", lambda _moment: [])
    caplog.clear()
    hands.at += 60
    ticking.once()
    assert "failed" not in caplog.text


def test_two_ticks_ring_once(app, queue, hands, open_run, queued):
    run_id = open_run()
    for _ in range(2):
        tick.Tick(app, hands).once()
    assert queued("background") == [f"run-{run_id}"]


def test_the_tick_says_that_it_was_here(ticking, database, queue):
    ticking.once()
    assert 0 < queue.ttl(tick.SEEN) <= 60


def test_a_redis_that_comes_back_is_rung_again(app, ticking, open_run, queued, hands, monkeypatch, queue):
    import redis

    run_id = open_run()
    with monkeypatch.context() as patch:
        patch.setitem(app.extensions, "uku_bell", redis.Redis(unix_socket_path="/nonexistent/socket", retry=None))
        ticking.once()
    assert queued("background") == []
    hands.at += 5
    ticking.once()
    assert queued("background") == [f"run-{run_id}"]
    assert bell.connection() is queue
