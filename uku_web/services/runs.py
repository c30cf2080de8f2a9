"""The ledger of runs: opening, taking, holding, ending. The queue only rings; what counts stands here.

A worker takes a run under a lease and raises its fence. Every write of that worker passes `guard`, in the same
transaction: a worker whose lease went to another can write nothing any more.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import ACTIVE, Run, RunEvent, RunState
from uku_web.services import audit, run_ends
from uku_web.services.errors import NotFound
from uku_web.tenancy import across_companies, company_scope
from uku_web.texts import gettext as _

LEASE = timedelta(seconds=30)
_UNSYNCED = {"synchronize_session": False}
MAX_TAKES = 12  # a run that was taken so often without an end is given up


@dataclass(frozen=True)
class Hold:
    """A worker's hold of a run."""

    run_id: int
    company_id: int
    owner: str
    fence: int


class LostHold(Exception):
    """Another worker holds the run now; this one must stop without writing."""


class Cancelled(Exception):
    """A person asked the run to stop."""


def open_run(*, what: str, kind: str, trigger: str, active_key: str, title: str, **rest: object) -> tuple[Run, bool]:
    """The active run of this key, or a new one; True when it is new. Commits nothing."""
    while (running := active(active_key)) is None:
        run = Run(what=what, kind=kind, trigger=trigger, active_key=active_key, title=title[:255], **rest)
        try:
            with db.session.begin_nested():
                db.session.add(run)
            return run, True
        except IntegrityError:  # somebody else opened it in this very moment; it may even have ended again
            continue
    return running, False


def active(active_key: str) -> Run | None:
    return db.session.scalar(select(Run).where(Run.active_key == active_key, Run.state.in_(ACTIVE)))


def get(run_id: int) -> Run:
    run = db.session.scalar(select(Run).where(Run.id == run_id))
    if run is None:
        raise NotFound
    return run


def take(run_id: int, owner: str) -> Hold | None:
    """Take the run if it is free: queued, its wait over, or its worker's lease run out. Commits."""
    moment = _now_that_it_can_be_written()
    free = or_(
        Run.state == RunState.QUEUED,
        (Run.state == RunState.WAITING) & (Run.not_before <= moment),
        (Run.state == RunState.RUNNING) & (Run.lease_until < moment),
    )
    with across_companies():
        taken = db.session.execute(
            update(Run)
            .where(Run.id == run_id, free)
            .values(
                state=RunState.RUNNING,
                lease_owner=owner,
                lease_until=moment + LEASE,
                fence=Run.fence + 1,
                attempts=Run.attempts + 1,
                started_at=func.coalesce(Run.started_at, moment),
                not_before=None,
            )
            .returning(Run.company_id, Run.fence),
            execution_options=_UNSYNCED,
        ).first()
        db.session.commit()
    return Hold(run_id, taken.company_id, owner, taken.fence) if taken else None


def renew(hold: Hold) -> bool:
    """The heartbeat. False: the run is no longer ours. Commits."""
    held = _extend(hold)
    db.session.commit()
    return held


def guard(hold: Hold) -> None:
    """Before the commit of every write of a run. Raises LostHold or Cancelled."""
    if not _extend(hold):
        db.session.rollback()
        raise LostHold(hold.run_id)
    if db.session.scalar(select(Run.cancel_asked).where(Run.id == hold.run_id)):
        db.session.rollback()
        raise Cancelled(hold.run_id)


def _now_that_it_can_be_written() -> datetime:
    """A lease begins when the database is ours to write; SQLite may let us wait for that."""
    db.session.connection()
    return now()


def _extend(hold: Hold) -> bool:
    until = _now_that_it_can_be_written() + LEASE
    result = db.session.execute(
        update(Run)
        .where(Run.id == hold.run_id, Run.fence == hold.fence, Run.state == RunState.RUNNING)
        .values(lease_until=until),
        execution_options=_UNSYNCED,
    )
    return result.rowcount == 1


def progress(hold: Hold, done: int, total: int, doing: str) -> None:
    db.session.execute(
        update(Run)
        .where(Run.id == hold.run_id, Run.fence == hold.fence)
        .values(progress=done, total=total, doing=doing[:255])
    )


def event(run_id: int, text: str, level: str = "info") -> None:
    db.session.add(RunEvent(run_id=run_id, text=text, level=level))


def finish(hold: Hold, state: RunState, outcome: str, *, code: str | None = None, counts: dict | None = None) -> None:
    """The end of a run, in the caller's transaction; the caller commits. Raises LostHold."""
    result = db.session.execute(
        update(Run)
        .where(Run.id == hold.run_id, Run.fence == hold.fence, Run.state == RunState.RUNNING)
        .values(
            state=state,
            outcome=outcome,
            outcome_code=code,
            counts=counts or {},
            ended_at=now(),
            lease_owner=None,
            lease_until=None,
            doing="",
        )
    )
    if result.rowcount != 1:
        db.session.rollback()
        raise LostHold(hold.run_id)
    event(hold.run_id, outcome, "info" if state == RunState.DONE else "warn")
    run_ends.ended(get(hold.run_id))


def wait_for_children(hold: Hold, doing: str) -> None:
    """Let go of the run until its children have ended; when they already have, it ends now. The caller commits."""
    wait(hold, None, doing)
    run_ends.settle_parent(hold.run_id)


def wait(hold: Hold, until: datetime | None, why: str, *, code: str | None = None) -> None:
    """Let go of the run until a moment (None: until somebody else ends it). The caller commits."""
    db.session.execute(
        update(Run)
        .where(Run.id == hold.run_id, Run.fence == hold.fence, Run.state == RunState.RUNNING)
        .values(
            state=RunState.WAITING,
            not_before=until,
            doing=why[:255],
            outcome_code=code,
            lease_owner=None,
            lease_until=None,
        )
    )
    event(hold.run_id, why)


def cancel(run: Run) -> None:
    """Stops a waiting run at once and a running one at its next checkpoint; children with it. The caller commits."""
    for each in [run, *children(run.id)]:
        if not each.active:
            continue
        event(each.id, _("%(name)s asked to stop.", name=audit.actor().name))
        stopped = db.session.execute(
            update(Run)
            .where(Run.id == each.id, Run.state.in_([RunState.QUEUED, RunState.WAITING]))
            .values(state=RunState.CANCELLED, ended_at=now(), outcome=_("Cancelled before it was done."), doing=""),
            execution_options=_UNSYNCED,
        )
        if stopped.rowcount == 1:
            run_ends.ended(each)
        else:
            _ask_to_stop(each.id)


def _ask_to_stop(run_id: int) -> None:
    """A worker may have ended it in this very moment: what has ended stays as it is."""
    db.session.execute(
        update(Run).where(Run.id == run_id, Run.state == RunState.RUNNING).values(cancel_asked=True),
        execution_options=_UNSYNCED,
    )


def children(run_id: int) -> list[Run]:
    return list(db.session.scalars(select(Run).where(Run.parent_id == run_id).order_by(Run.id)))


def next_part(run_id: int, tried: set[int]) -> int | None:
    """Another part of the same run that nobody has begun."""
    with across_companies():
        parent = select(Run.parent_id).where(Run.id == run_id).scalar_subquery()
        query = select(Run.id).where(Run.parent_id == parent, Run.state == RunState.QUEUED, Run.id.not_in(tried))
        found = db.session.scalar(query.order_by(Run.id).limit(1))
        db.session.rollback()
        return found


def reap() -> list[int]:
    """Runs whose worker was lost go back to the queue, over all companies; their ids. Commits."""
    moment = now()
    with across_companies():
        lost = db.session.execute(
            select(Run.id, Run.company_id, Run.attempts).where(Run.state == RunState.RUNNING, Run.lease_until < moment)
        ).all()
        db.session.rollback()
    back = []
    for run_id, company_id, attempts in lost:
        with company_scope(company_id):
            if _take_back(run_id, moment, give_up=attempts >= MAX_TAKES):
                back.append(run_id)
            db.session.commit()
    return back


def _take_back(run_id: int, moment: datetime, *, give_up: bool) -> bool:
    """True: it waits for another worker. A worker that ended or renewed it meanwhile keeps its word."""
    text, values = _("The worker was lost; the run goes on where it stood."), {"state": RunState.QUEUED}
    if give_up:
        text = _("The worker was lost again and again; the run was given up. Start it again.")
        values = {"state": RunState.INTERRUPTED, "ended_at": moment, "outcome": text, "doing": ""}
    lost = db.session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state == RunState.RUNNING, Run.lease_until < moment)
        .values(lease_owner=None, lease_until=None, **values),
        execution_options=_UNSYNCED,
    )
    if lost.rowcount != 1:
        return False
    event(run_id, text, "warn")
    if give_up:
        run_ends.ended(get(run_id))
    return not give_up


def settle_parents() -> None:
    """End the parents whose children have all ended, should the moment have been missed. Commits."""
    with across_companies():
        child = aliased(Run)
        left = select(child.id).where(child.parent_id == Run.id, child.state.in_(ACTIVE)).exists()
        started = select(child.id).where(child.parent_id == Run.id).exists()
        query = select(Run.id, Run.company_id).where(
            Run.state == RunState.WAITING, Run.not_before.is_(None), started, ~left
        )
        over = db.session.execute(query).all()
        db.session.rollback()
    for run_id, company_id in over:
        with company_scope(company_id):
            run_ends.settle_parent(run_id)
            db.session.commit()


def to_ring() -> list[int]:
    """Queued runs, and waiting ones whose wait is over: ringing twice does no harm, forgetting would."""
    with across_companies():
        query = select(Run.id).where(
            or_(Run.state == RunState.QUEUED, (Run.state == RunState.WAITING) & (Run.not_before <= now()))
        )
        ids = list(db.session.scalars(query.order_by(Run.lane.desc(), Run.id).limit(1000)))
        db.session.rollback()  # nothing may be locked while the bell is rung
        return ids
