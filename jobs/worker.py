"""The worker process: RQ's, made to notice lost jobs in seconds and to leave no process behind.

Also usable by RQ's own command: `rq worker -w jobs.worker.UkuWorker -S json people background`.
"""

import contextlib
import ctypes
import logging
import os
import signal
import sys

import redis
from rq import Worker
from rq.serializers import JSONSerializer

from jobs import bell, holding, intervals, warm, work
from uku_web.db import db

PR_SET_PDEATHSIG = 1
log = logging.getLogger(__name__)


class UkuWorker(Worker):
    def __init__(self, *args, **options):
        options.update(
            job_monitoring_interval=intervals.WORKER_LOOKS,
            maintenance_interval=intervals.WORKER_LOOKS,
            worker_ttl=intervals.WORKER_TTL,
        )
        super().__init__(*args, **options)
        warm.up()

    def get_heartbeat_ttl(self, job) -> int:
        return intervals.JOB_LOST_AFTER

    def clean_registries(self) -> None:
        """RQ's own housekeeping must not end the worker; runs are looked after in the database."""
        try:
            super().clean_registries()
        except (ValueError, redis.ResponseError) as error:
            log.warning("the queue could not be tidied: %s", error)

    def main_work_horse(self, job, queue) -> None:
        """In the forked child, which dies with its worker: an orphan would do the job beside its successor."""
        if sys.platform == "linux":
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if os.getppid() != self.pid:
                os._exit(1)
        if work.app.cache_info().currsize:
            with work.app().app_context():
                db.engine.dispose(close=False)  # connections must not be shared over a fork
        super().main_work_horse(job, queue)

    def setup_work_horse_signals(self) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda _number, _frame: holding.asked_to_stop.set())

    def handle_warm_shutdown_request(self) -> None:
        """The job is told to let go of its run, instead of being waited for: a reload may take an hour."""
        if self.horse_pid:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.horse_pid, signal.SIGTERM)


def main() -> None:
    """Works until asked to stop."""
    app = work.app()  # made before the fork, so that no job waits for it
    connection = redis.Redis.from_url(app.extensions["uku_config"].redis_url)
    UkuWorker(list(bell.QUEUES), connection=connection, serializer=JSONSerializer).work(logging_level="WARNING")
