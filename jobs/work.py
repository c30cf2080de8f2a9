"""The job: take the run, say that it is alive, let its service do it, and record what the service could not."""

import logging
import os
import socket
import threading
from collections.abc import Callable
from functools import cache
from time import monotonic

from flask import Flask, current_app, has_app_context
from sqlalchemy import select
from sqlalchemy.exc import InterfaceError, OperationalError

from jobs import bell, holding
from jobs.intervals import PARTS_AT_MOST
from uku_web import create_app
from uku_web.db import db
from uku_web.models import Run
from uku_web.services import integrations, runs, statistics_run
from uku_web.services.runs import Hold
from uku_web.services.vendor_setup import vendor_setup
from uku_web.tenancy import company_scope
from uku_web.vendors.access import Setup

log = logging.getLogger(__name__)

# What a run is -> the service that does it to its end; it returns the runs to ring for.
SERVICES: dict[str, Callable[[Hold, Setup], list[int]]] = {
    "statistics": statistics_run.work,
    "statistics-all": statistics_run.work,
}


@cache
def app() -> Flask:
    """A worker makes it once, before it forks; inside an app's context that one is used."""
    return create_app()


def work(run_id: int) -> None:
    """May be called twice for one run, at once too: only one call gets hold of it.

    Goes on with further parts of the same run: a process of its own for each would cost more than most parts do.
    """
    here = current_app._get_current_object() if has_app_context() else app()
    tried: set[int] = set()
    until = monotonic() + PARTS_AT_MOST
    following: int | None = run_id
    while following is not None:
        tried.add(following)
        with here.app_context():
            _take_and_do(here, following)
        with here.app_context():
            following = runs.next_part(run_id, tried) if monotonic() < until and _may_go_on() else None


def _take_and_do(here: Flask, run_id: int) -> None:
    hold = runs.take(run_id, _owner())
    if hold is None:
        log.info("run %s is not free", run_id)
        return
    with company_scope(hold.company_id), holding.heartbeat(here, hold):
        _do(hold)


def _may_go_on() -> bool:
    """Not when the worker is asked to stop, nor while a person waits for one."""
    return not holding.asked_to_stop.is_set() and not bell.people_wait()


def verify(company_id: int) -> None:
    """Test the credentials that could not be tested when they were saved."""
    here = current_app._get_current_object() if has_app_context() else app()
    with here.app_context(), company_scope(company_id):
        passed = integrations.retry_unverified()
        log.info("company %s: %s connections that waited for their test have passed it", company_id, passed)


def _owner() -> str:
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{threading.get_ident() % 10000}"


def _do(hold: Hold) -> None:
    what, connection_id = db.session.execute(select(Run.what, Run.connection_id).where(Run.id == hold.run_id)).one()
    db.session.rollback()
    about = f"run {hold.run_id} ({what}, connection {connection_id}, taking {hold.fence})"
    log.info("%s begins", about)
    try:
        bell.ring_all(SERVICES[what](hold, vendor_setup()))
        log.info("%s: this taking is over", about)
    except runs.LostHold:
        db.session.rollback()
        log.warning("%s was let go or went to another worker; nothing more is written here", about)
    except runs.Cancelled:
        db.session.rollback()
        holding.cancelled(hold)
        log.info("%s was cancelled", about)
    except (OperationalError, InterfaceError):
        # The database is away or full. The lease runs out by itself, and the run is taken up when it is back.
        log.exception("%s: the database does not answer", about)
        db.session.rollback()
    except Exception:
        # What a vendor can do wrong is handled by the service; this is our own mistake.
        log.exception("%s failed", about)
        db.session.rollback()
        holding.failed(hold)
