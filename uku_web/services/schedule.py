"""What falls due: this month's summary tasks, and the imports of their days. Any number of ticks may look at once.

A due import is a row of its own, one per connection and month, however often it is looked for. It stays open until a
run has done it: days missed while the server was off, or while the connection needed attention, are caught up.

All is looked up first, without keeping anybody from writing, and then written in small pieces.
"""

import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import delete, func, or_, select, update

from uku_web.clock import now
from uku_web.db import db, insert_new, reading
from uku_web.models import Company, Connection, ConnectionState, Due, Integration, RunCall, Task
from uku_web.services import import_days, links, statistics, summary
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors.records import Month
from uku_web.vendors.registry import kinds

log = logging.getLogger(__name__)
JOB = "import"
LOOK_BACK = 13  # months for which a missed import is still caught up
PIECE = 100  # rows written in one transaction
KEEP_CALLS = timedelta(days=30)
T = TypeVar("T")


def plan_and_claim(moment: datetime) -> list[int]:
    """Make what falls due, open runs for what is due. Commits piece by piece; returns the runs to ring for."""
    opened: list[int] = []
    for company_id, integration_id in _scheduled():
        with company_scope(company_id):
            try:
                opened += _one(integration_id, moment)
            except Exception:
                # One company's trouble must not stop the others' month; the next tick tries again.
                log.exception("scheduling of integration %s failed", integration_id)
                db.session.rollback()
    return opened


def _scheduled() -> list[tuple[int, int]]:
    with across_companies(), reading():
        rows = db.session.execute(
            select(Integration.company_id, Integration.id)
            .join(Company, Company.id == Integration.company_id)
            .where(
                Integration.enabled,
                Integration.configured_at.is_not(None),
                Integration.kind.in_(kinds()),
                Company.integration_on,
            )
            .order_by(Integration.id)
        ).all()
    return [(row.company_id, row.id) for row in rows]


def _one(integration_id: int, moment: datetime) -> list[int]:
    with reading():
        integration = db.session.get(Integration, integration_id)
        company = db.session.get(Company, integration.company_id)
        if not company.has_integrations or not summary.is_configured(integration):
            return []
        served = links.live(integration.kind)
        connections = _connections(list(links.by_connection(served)))
        dues, moved = _dues(integration, company, connections, moment)
        tasks = summary.missing_tasks(integration, served, summary.this_month(company, moment))
    for piece in _pieces(tasks):
        insert_new(Task, piece)
        db.session.commit()
    for piece in _pieces(dues):
        insert_new(Due, piece)
        db.session.commit()
    for piece in _pieces(moved):
        db.session.execute(update(Due), piece)
        db.session.commit()
    return _claim(integration_id, set(connections), moment)


def _pieces(rows: Sequence[T]) -> Iterator[list[T]]:
    return (rows[start : start + PIECE] for start in range(0, len(rows), PIECE))


def _connections(ids: list[int]) -> dict[int, Connection]:
    return {each.id: each for each in db.session.scalars(select(Connection)) if each.id in set(ids)}


def _dues(
    integration: Integration, company: Company, connections: dict[int, Connection], moment: datetime
) -> tuple[list[dict], list[dict]]:
    """Rows to make, and rows whose day has moved with the settings.

    A month is due for a connection when its import day lies after the settings, and the connection, were there.
    """
    months = _months(integration, company, moment)
    known = _known(integration.kind, months[0])
    new, moved = [], []
    for connection in connections.values():
        since = max(integration.enabled_at, integration.configured_at, connection.created_at)
        for month in months:
            at = import_days.import_moment(month, integration, company, str(connection.id))
            subject = f"{integration.kind}:{connection.id}"
            due = known.get((subject, str(month)))
            if due is None and at >= since:
                new.append(
                    {"company_id": company.id, "job": JOB, "subject": subject, "period": str(month), "due_at": at}
                )
            elif due is not None and due.settled_at is None and due.due_at != at:
                moved.append({"id": due.id, "due_at": at})
    return new, moved


def _months(integration: Integration, company: Company, moment: datetime) -> list[Month]:
    """From the last month that was looked at, or the month before the settings were there, to the current one."""
    since = max(integration.enabled_at, integration.configured_at)
    current = summary.this_month(company, moment)
    first = max(Month.of(since.astimezone(ZoneInfo(company.timezone)).date()).shift(-1), current.shift(-LOOK_BACK))
    seen = db.session.scalar(
        select(func.max(Due.period)).where(Due.job == JOB, Due.subject.startswith(f"{integration.kind}:"))
    )
    if seen is not None:
        first = max(first, min(Month.parse(seen), current.shift(-1)))
    months = [first]
    while months[-1] < current:
        months.append(months[-1].shift(1))
    return months


def _known(kind: str, first: Month) -> dict[tuple[str, str], Due]:
    query = select(Due).where(Due.job == JOB, Due.subject.startswith(f"{kind}:"), Due.period >= str(first))
    return {(due.subject, due.period): due for due in db.session.scalars(query)}


def _claim(integration_id: int, served: set[int], moment: datetime) -> list[int]:
    """Open a run for each connection's oldest due month. One that needs attention waits for a person."""
    with reading():
        integration = db.session.get(Integration, integration_id)
        kind, enabled_at = integration.kind, integration.enabled_at
        ids = list(db.session.scalars(_open_dues(kind, moment)))
    opened: list[int] = []
    for piece in _pieces(ids):
        due = select(Due).where(Due.id.in_(piece), Due.run_id.is_(None), Due.settled_at.is_(None)).order_by(Due.period)
        for each in db.session.scalars(due.with_for_update(skip_locked=True)).all():  # of two ticks, one claims
            if each.due_at < enabled_at:  # its day passed while the integration was disabled
                each.settled_at = moment
            elif (run_id := _open_run(each, served)) is not None:
                each.run_id = run_id
                opened.append(run_id)
        db.session.commit()
    return opened


def _open_dues(kind: str, moment: datetime):
    return (
        select(Due.id)
        .where(
            Due.job == JOB,
            Due.subject.startswith(f"{kind}:"),
            Due.settled_at.is_(None),
            Due.run_id.is_(None),
            Due.due_at <= moment,
            or_(Due.not_before.is_(None), Due.not_before <= moment),
        )
        .order_by(Due.period, Due.id)
    )


def _open_run(due: Due, served: set[int]) -> int | None:
    connection = db.session.get(Connection, int(due.subject.partition(":")[2]))
    if connection is None or connection.id not in served or connection.state == ConnectionState.ATTENTION:
        return None
    run, new = statistics.open_import(connection, Month.parse(due.period))
    return run.id if new else None


def unverified() -> list[int]:
    """Companies that have credentials whose test is still to be made."""
    with across_companies(), reading():
        query = select(Connection.company_id).where(Connection.state == ConnectionState.UNVERIFIED).distinct()
        return list(db.session.scalars(query))


def housekeeping() -> None:
    """Old request logs go. Commits."""
    with across_companies():
        db.session.execute(delete(RunCall).where(RunCall.at < now() - KEEP_CALLS))
        db.session.commit()
