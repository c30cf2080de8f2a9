"""A real Valkey on a socket of its own, the bell that rings on it, and a run to work on."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import redis
from rq import Queue, SimpleWorker
from rq.serializers import JSONSerializer

from jobs import bell, work
from tests.jobs.waiting import until
from uku_web.config import read_config
from uku_web.db import db
from uku_web.launcher import valkey
from uku_web.services import runs
from uku_web.tenancy import company_scope


@pytest.fixture(scope="session")
def queue_server() -> Iterator[str]:
    """Its address. A short folder: a socket's path is at most 107 bytes long."""
    folder = Path(tempfile.mkdtemp(prefix="uku-"))
    config = read_config({"UKU_DATA": str(folder)})
    process = subprocess.Popen(valkey.command(config), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: valkey.answers(config))
    yield valkey.redis_url(config)
    process.terminate()
    process.wait(10)
    shutil.rmtree(folder)


@pytest.fixture
def queue(app, queue_server) -> Iterator[redis.Redis]:
    """The bell's Redis, empty."""
    client = app.extensions["uku_bell"] = redis.Redis.from_url(queue_server)
    client.flushall()
    yield client
    del app.extensions["uku_bell"]
    client.close()


@pytest.fixture
def queued(queue):
    """queued("people") -> the ids of the jobs that wait there, without the run's fence."""

    def names(name: str) -> list[str]:
        return [job.rpartition("-")[0] for job in Queue(name, connection=queue, serializer=JSONSerializer).job_ids]

    return names


@pytest.fixture
def open_run(in_firm):
    """open_run(lane="person") -> the id of a committed run."""

    def opener(**rest) -> int:
        number = len(runs.to_ring())
        run, _new = runs.open_run(
            what="statistics", kind="fake", trigger="reload", active_key=f"test:{number}", title="Test", **rest
        )
        run_id = run.id
        db.session.commit()  # and nothing read afterwards: an open transaction would lock SQLite
        return run_id

    return opener


@pytest.fixture
def service(monkeypatch):
    """What stands in for the service: service.do is called with the hold."""
    stand_in = SimpleNamespace(do=lambda hold: None, holds=[])

    def call(hold, _setup) -> list[int]:
        stand_in.holds.append(hold)
        return stand_in.do(hold) or []

    monkeypatch.setitem(work.SERVICES, "statistics", call)
    return stand_in


@pytest.fixture
def work_off(queue):
    """Work on everything that is queued, in this process."""

    def burst() -> None:
        SimpleWorker(list(bell.QUEUES), connection=queue, serializer=JSONSerializer).work(
            burst=True, logging_level="ERROR"
        )

    return burst


@pytest.fixture
def seen(firm):
    """seen(run_id) -> the run as it stands in the database now."""

    def look(run_id: int):
        db.session.rollback()
        db.session.expire_all()
        with company_scope(firm.id):
            run = runs.get(run_id)
            db.session.expunge(run)
            db.session.rollback()
            return run

    return look
