"""Holding a run: the heartbeat beside the work, letting go when the worker is asked to stop, and sudden ends."""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask
from sqlalchemy import update
from sqlalchemy.exc import SQLAlchemyError

from jobs.intervals import HEARTBEAT
from uku_web.db import db
from uku_web.models import Run, RunState
from uku_web.services import run_ends, runs
from uku_web.services.runs import Hold
from uku_web.tenancy import company_scope
from uku_web.texts import gettext as _

log = logging.getLogger(__name__)
# Set by the worker's SIGTERM. No exception is thrown into the work: it might strike between a vendor's answer and
# the commit of what it brought. The run goes back to the queue, and the work stops at its next guard.
asked_to_stop = threading.Event()


@contextmanager
def heartbeat(app: Flask, hold: Hold) -> Iterator[None]:
    """While inside, another thread renews the lease."""
    over = threading.Event()
    thread = threading.Thread(target=_beat, args=(app, hold, over), name=f"heartbeat of run {hold.run_id}")
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _beat(app: Flask, hold: Hold, over: threading.Event) -> None:
    waited = 0.0
    while not over.wait(0.5):
        waited += 0.5
        if asked_to_stop.is_set():
            if _carry_out(app, hold, let_go) is not None:
                return
        elif waited >= HEARTBEAT:
            waited = 0.0
            if _carry_out(app, hold, runs.renew) is False:
                return  # the work finds out at its next guard


def _carry_out(app: Flask, hold: Hold, act) -> bool | None:
    """With a session of its own. None: the database did not answer; there is time for another try."""
    with app.app_context(), company_scope(hold.company_id):
        try:
            return act(hold)
        except SQLAlchemyError as error:
            db.session.rollback()
            log.warning("run %s: heartbeat failed: %s", hold.run_id, type(error).__name__)
            return None


def let_go(hold: Hold) -> bool:
    """Back to the queue, for another worker at once; it does not count as a try. Commits."""
    result = db.session.execute(
        update(Run)
        .where(Run.id == hold.run_id, Run.fence == hold.fence, Run.state == RunState.RUNNING)
        .values(state=RunState.QUEUED, lease_owner=None, lease_until=None, attempts=Run.attempts - 1),
        execution_options={"synchronize_session": False},
    )
    if result.rowcount == 1:
        runs.event(hold.run_id, _("The worker was asked to stop; the run goes on where it stood."))
    db.session.commit()
    return result.rowcount == 1


def cancelled(hold: Hold) -> None:
    """A person asked to stop. Commits."""
    _end(hold, RunState.CANCELLED, _("Cancelled before it was done."))


def failed(hold: Hold) -> None:
    """Something that no service foresaw. Commits."""
    sentence = _("Something went wrong on our side. Start it again; if it fails again, tell your operator.")
    _end(hold, RunState.FAILED, sentence, code="internal")


def _end(hold: Hold, state: RunState, sentence: str, *, code: str | None = None) -> None:
    try:
        if state == RunState.FAILED:
            run_ends.fail_items(hold.run_id, sentence)
        runs.finish(hold, state, sentence, code=code, counts=run_ends.item_counts(hold.run_id))
        db.session.commit()
    except runs.LostHold:
        log.info("run %s ended elsewhere", hold.run_id)
    except SQLAlchemyError:
        # The lease runs out by itself, and another worker takes the run up.
        db.session.rollback()
        log.exception("run %s: its end could not be written", hold.run_id)
