"""The bell: tells the workers that a run is there. The ledger is the database; a ring that is lost is rung again."""

import contextlib
import logging
from collections.abc import Iterable

import redis
from flask import current_app
from redis.backoff import NoBackoff
from redis.retry import Retry as Attempts
from rq import Queue
from rq.exceptions import DuplicateJobError
from rq.serializers import JSONSerializer
from sqlalchemy import select

from jobs.intervals import FAILURES_KEPT, JOB_AT_MOST
from uku_web.db import db, only_reads
from uku_web.models import Run

log = logging.getLogger(__name__)

PEOPLE, BACKGROUND = "people", "background"
QUEUES = (PEOPLE, BACKGROUND)  # workers look in this order: nobody at the screen waits behind the night's work
JOB, VERIFY = "jobs.work.work", "jobs.work.verify"


def ring(run_id: int) -> None:
    """Call a worker for a committed run. Never raises; a run that is queued already is not queued again."""
    ring_all([run_id])


def ring_all(run_ids: Iterable[int]) -> None:
    ids = list(run_ids)
    if not ids:
        return
    try:
        for run_id, lane, fence in _called(ids):
            # Each taking of a run raises its fence: a call that was lost with its worker stands in no later one's way.
            name = f"run-{run_id}-{fence}"
            _put(PEOPLE if lane == "person" else BACKGROUND, JOB, run_id, name, f"run {run_id}")
    except redis.RedisError as error:
        # The run is committed: the tick rings for it as soon as Redis is back.
        log.warning("no bell for %s runs, Redis does not answer: %s", len(ids), error)


def _called(ids: list[int]) -> list[tuple[int, str, int]]:
    """(run, lane, fence), read beside the caller's session, whose transaction must neither end nor be waited for."""
    token = only_reads.set(True)
    try:
        with db.engine.connect() as connection:
            rows = connection.execute(select(Run.id, Run.lane, Run.fence).where(Run.id.in_(ids)).order_by(Run.id))
            return [tuple(row) for row in rows]
    finally:
        only_reads.reset(token)


def _put(lane: str, job: str, argument: int, job_id: str, description: str) -> None:
    queue = Queue(lane, connection=connection(), serializer=JSONSerializer)
    with contextlib.suppress(DuplicateJobError):
        queue.enqueue(
            job,
            argument,
            job_id=job_id,
            unique=True,
            result_ttl=0,  # history is the run's own
            failure_ttl=FAILURES_KEPT,  # not 0: RQ stumbles when it deletes a job whose worker was killed
            job_timeout=JOB_AT_MOST,
            description=description,
        )


def people_wait() -> bool:
    """Whether something that a person waits for is queued. False when Redis does not answer."""
    try:
        return Queue(PEOPLE, connection=connection(), serializer=JSONSerializer).count > 0
    except redis.RedisError:
        return False


def call_to_verify(company_ids: Iterable[int]) -> None:
    """Call a worker for each company with credentials that still wait for their test. Never raises."""
    try:
        for company_id in company_ids:
            _put(BACKGROUND, VERIFY, company_id, f"verify-{company_id}", f"credentials of company {company_id}")
    except redis.RedisError as error:
        log.warning("no bell for unverified credentials, Redis does not answer: %s", error)


def connection() -> redis.Redis:
    """One client a process, which gives up at once: whoever rings must not wait for a Redis that is away."""
    found = current_app.extensions.get("uku_bell")
    if found is None:
        found = current_app.extensions["uku_bell"] = redis.Redis.from_url(
            current_app.extensions["uku_config"].redis_url,
            socket_connect_timeout=2,
            socket_timeout=5,
            retry=Attempts(NoBackoff(), 0),
        )
    return found
