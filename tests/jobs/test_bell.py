"""The bell rings by lane, once, and never fails."""

import logging

import redis

from jobs import bell
from uku_web.db import db
from uku_web.models import Run
from uku_web.services import runs


def test_runs_of_people_wait_before_the_others(queued, open_run):
    night, person = open_run(), open_run(lane="person")
    bell.ring_all([night, person])
    assert queued("people") == [f"run-{person}"]
    assert queued("background") == [f"run-{night}"]
    assert bell.QUEUES == ("people", "background")


def test_a_run_that_is_queued_already_is_not_queued_again(queued, open_run):
    run_id = open_run()
    bell.ring(run_id)
    bell.ring(run_id)
    assert queued("background") == [f"run-{run_id}"]


def test_ringing_leaves_the_callers_transaction_alone(queued, open_run, in_firm):
    run_id = open_run()
    db.session.connection()  # holds SQLite's write lock
    bell.ring(run_id)
    assert db.session().in_transaction()
    assert queued("background") == [f"run-{run_id}"]


def test_a_redis_that_is_away_is_no_error(app, open_run, monkeypatch, caplog):
    away = redis.Redis(unix_socket_path="/nonexistent/socket", retry=None)
    monkeypatch.setitem(app.extensions, "uku_bell", away)
    with caplog.at_level(logging.WARNING):
        bell.ring(open_run())
    assert "Redis does not answer" in caplog.text


def test_the_id_is_free_again_after_the_work(queue, queued, open_run, service, work_off):
    run_id = open_run()
    bell.ring(run_id)
    work_off()
    assert [hold.run_id for hold in service.holds] == [run_id]
    assert not [key for key in queue.keys("rq:job:*")]
    bell.ring(run_id)
    assert queued("background") == [f"run-{run_id}"]


def test_a_call_that_died_with_its_worker_does_not_stand_in_the_next_ones_way(queue, queued, open_run):
    run_id = open_run()
    queue.hset(f"rq:job:run-{run_id}-0", mapping={"status": "started"})  # as RQ leaves it after some kills
    bell.ring(run_id)
    assert queued("background") == []
    runs.take(run_id, "killed later")
    db.session.query(Run).update({"state": "queued"})
    db.session.commit()
    bell.ring(run_id)
    assert queued("background") == [f"run-{run_id}"]
