"""How a statistics run ends: done, in doubt, waiting for the vendor, or failed with its reason, told by its kind."""

from datetime import timedelta

from sqlalchemy import func, select, update

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Connection, Due, ItemState, Link, Run, RunItem, RunState, Task, ValueWrite
from uku_web.services import connections, notices, run_ends, runs, statistics, summary
from uku_web.services.runs import Hold
from uku_web.services.statistics_job import CannotStart, Job, LostKey
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors.errors import BadSettings, NeedsReauth, NotPermitted, RateLimited, Temporary, VendorError
from uku_web.vendors.records import Month

# How long to leave a vendor in trouble alone before each further try. A person waits in front of a reload;
# an import has the whole night.
PAUSES = {
    "reload": [timedelta(seconds=s) for s in (20, 60, 180)],
    "import": [timedelta(minutes=m) for m in (1, 5, 15, 60, 60, 120)],
}
UNKNOWN_RESET = timedelta(minutes=2)  # the vendor's limit is reached and it did not say for how long


def incomplete(missing: int) -> VendorError:
    """The connector came to its end without all numbers: nothing may claim success."""
    return Temporary(
        _("The accounting system's answer was not complete. We will try again."), detail=f"{missing} months missing"
    )


def refuse(hold: Hold, stop: CannotStart) -> None:
    run = runs.get(hold.run_id)
    connection = db.session.get(Connection, run.connection_id) if run.connection_id else None
    if isinstance(stop, LostKey) and connection is not None:
        connections.mark_problem(connection, NeedsReauth(stop.sentence))
    run_ends.fail_items(hold.run_id, stop.sentence)
    _due_is_open(hold.run_id, run_ends.TRY_AGAIN)
    runs.finish(hold, RunState.FAILED, stop.sentence, code="settings", counts=run_ends.item_counts(hold.run_id))
    db.session.commit()


def done(job: Job) -> None:
    counts = run_ends.item_counts(job.hold.run_id)
    state, outcome = RunState.DONE, _outcome(job, counts)
    if fell := _fell_to_zero(job.hold.run_id):
        state = RunState.DOUBT
        outcome += " " + _("Zero was counted where there used to be something: %(names)s.", names=_names(fell))
    connection = _connection_as_asked(job)
    if connection is not None:
        connections.clear_problem(connection)
    notices.close(run_ends.late_cause(job.connection_id))
    runs.finish(job.hold, state, outcome, counts=counts)
    db.session.execute(update(Due).where(Due.run_id == job.hold.run_id).values(settled_at=now()))
    db.session.commit()


def _outcome(job: Job, counts: dict[str, int]) -> str:
    text = run_ends.in_words(counts) + " " + _written(job.hold.run_id)
    if job.kept:
        text += " " + _("%(n)s values were left alone: edited by a person, or the task is finished.", n=job.kept)
    if _some_unknown(job.hold.run_id):
        text += " " + _("Some values are unknown and were left as they are; the reasons stand with the clients.")
    return text


def _written(run_id: int) -> str:
    total = db.session.scalar(select(func.sum(RunItem.written)).where(RunItem.run_id == run_id)) or 0
    return ngettext("%(n)s value written.", "%(n)s values written.", total)


def _fell_to_zero(run_id: int) -> list[str]:
    """Clients in which this run wrote zero over a number, told from what is stored: the run may have been resumed."""
    query = (
        select(Client.name)
        .join(Task, Task.client_id == Client.id)
        .join(ValueWrite, ValueWrite.task_id == Task.id)
        .where(ValueWrite.run_id == run_id, ValueWrite.number == 0, ValueWrite.before_number != 0)
    )
    return list(db.session.scalars(query.distinct().order_by(Client.name)))


def _some_unknown(run_id: int) -> bool:
    query = select(RunItem.id).where(
        RunItem.run_id == run_id, RunItem.state == ItemState.DONE, RunItem.reason.is_not(None)
    )
    return db.session.scalar(query.limit(1)) is not None


def _connection_as_asked(job: Job) -> Connection | None:
    """The connection, unless its credentials were replaced while the old ones were used: what the vendor said of the
    old ones says nothing about the new."""
    connection = db.session.get(Connection, job.connection_id)
    return connection if connection is not None and connection.sealed == job.sealed else None


def _names(names: list[str], shown: int = 5) -> str:
    text = ", ".join(names[:shown])
    return text + (_(" and %(n)s more", n=len(names) - shown) if len(names) > shown else "")


def stopped(job: Job, error: VendorError) -> None:
    """The class of the error decides who is told and what happens next."""
    if isinstance(error, RateLimited):
        runs.wait(job.hold, error.until or now() + UNKNOWN_RESET, error.sentence, code=error.code)
        _forget_tries(job.hold)  # a limit is no failure
    elif isinstance(error, Temporary) and (pause := _pause(job)) is not None:
        if job.trigger == "import":
            _mark_pending(job, error.sentence)
        runs.wait(job.hold, now() + pause, error.sentence, code=error.code)
    else:
        _failed(job, error)
    db.session.commit()


def _pause(job: Job) -> timedelta | None:
    """The pause before the next try; None when there were enough."""
    pauses = PAUSES.get(job.trigger, PAUSES["reload"])
    tries = db.session.scalar(select(Run.attempts).where(Run.id == job.hold.run_id))
    return pauses[tries - 1] if tries <= len(pauses) else None


def _forget_tries(hold: Hold) -> None:
    db.session.execute(update(Run).where(Run.id == hold.run_id, Run.fence == hold.fence).values(attempts=0))


def _failed(job: Job, error: VendorError) -> None:
    if job.trigger == "import":
        _mark_pending(job, error.sentence)
    run_ends.fail_items(job.hold.run_id, error.sentence)
    connection = _connection_as_asked(job)
    if connection is not None and isinstance(error, (NeedsReauth, NotPermitted, BadSettings)):
        connections.mark_problem(connection, error)
        _due_is_open(job.hold.run_id, None)  # caught up when a test has passed
    elif job.trigger == "import":
        run_ends.tell_late(runs.get(job.hold.run_id), error.sentence)
        _due_is_open(job.hold.run_id, run_ends.TRY_AGAIN)
    counts = run_ends.item_counts(job.hold.run_id)
    runs.finish(job.hold, RunState.FAILED, error.sentence, code=error.code, counts=counts)


def _due_is_open(run_id: int, later: timedelta | None) -> None:
    """What the run was to settle falls due again."""
    values: dict = {"run_id": None}
    if later is not None:
        values["not_before"] = now() + later
    db.session.execute(update(Due).where(Due.run_id == run_id).values(**values))


def _mark_pending(job: Job, sentence: str) -> None:
    """The month's tasks stand even when the vendor fails on the day, and say that their counts are pending."""
    maker = summary.Maker.of(statistics.integration_of(job.kind))
    for part in job.parts:
        link = db.session.get(Link, part.link_id)
        if link is None:
            continue
        for month in part.months:
            task: Task = maker.task(link.client, Month(month.year, month.month))
            if not task.values:
                task.counts_pending = sentence


def links_are_well(link_ids: list[int]) -> None:
    if link_ids:
        db.session.execute(
            update(Link)
            .where(Link.id.in_(link_ids))
            .values(synced_at=now(), problem_code=None, problem=None, problem_since=None),
            execution_options={"synchronize_session": False},
        )
