"""Worker processes that are killed, or asked to stop, in the middle of a run."""

import itertools
import os
import signal
import subprocess
import sys
import time

import pytest

from jobs import bell, tick
from tests.jobs.waiting import until
from uku_web.db import db


@pytest.fixture
def start_worker(app, queue, queue_server, tmp_path):
    """start_worker() -> a process of its own session."""
    config = app.extensions["uku_config"]
    environ = {
        **os.environ,
        "UKU_DATA": str(config.data),
        "DATABASE_URL": db.engine.url.render_as_string(hide_password=False).replace("+psycopg", ""),
        "REDIS_URL": queue_server,
    }
    workers = []

    def start() -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.jobs.quick_worker", str(tmp_path / "diary")]
        with (tmp_path / f"worker-{len(workers)}.log").open("wb") as log:
            workers.append(subprocess.Popen(command, env=environ, stdout=log, stderr=log, start_new_session=True))
        return workers[-1]

    yield start
    for worker in workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
        worker.wait(5)


@pytest.fixture
def begun(open_run, start_worker, tmp_path):
    """A run in the hands of a worker: (run id, process)."""
    run_id = open_run()
    bell.ring(run_id)
    worker = start_worker()
    until((tmp_path / "diary").exists)
    return run_id, worker


@pytest.fixture
def state_after_a_tick(app, seen):
    """state_after_a_tick(run_id): the run's state, when every step of a tick was due once more."""
    ticking = tick.Tick(app, itertools.count(0, 10_000).__next__)

    def look(run_id: int) -> str:
        time.sleep(0.3)
        ticking.once()
        return seen(run_id).state

    return look


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-eo", "pid=,ppid="], capture_output=True, text=True, check=True).stdout
    return [int(child) for child, parent in map(str.split, found.splitlines()) if int(parent) == pid]


def alive(pid: int) -> bool:
    """What waits to be reaped is not."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(found.strip()) and not found.startswith("Z")


def test_a_killed_worker_s_run_is_resumed(begun, start_worker, seen, state_after_a_tick):
    run_id, worker = begun
    horses = children_of(worker.pid)
    assert horses
    worker.kill()
    worker.wait(5)
    if sys.platform == "linux":
        until(lambda: not any(map(alive, horses)))  # no orphan works on beside the next worker

    start_worker()
    until(lambda: state_after_a_tick(run_id) == "done", 30)
    assert seen(run_id).attempts == 2


def test_a_worker_asked_to_stop_ends_soon_and_hands_its_run_on(begun, start_worker, seen, state_after_a_tick):
    run_id, worker = begun
    worker.terminate()
    assert worker.wait(7) == 0
    assert seen(run_id).state == "queued"

    start_worker()
    until(lambda: state_after_a_tick(run_id) == "done", 20)
