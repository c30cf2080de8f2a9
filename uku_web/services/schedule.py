"""What falls due: this month's summary tasks, and the imports of their days. Any number of ticks may look at once.

A due import is a row of its own, one per connection and month, however often it is looked for. It stays open until a
run has done it: days missed while the server was off, or while the connection needed attention, are caught up.
"""

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, or_, select
from sqlalchemy.exc import IntegrityError, SQLAlchemyError

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Company, Connection, ConnectionState, Due, Integration, Link, RunCall
from uku_web.services import import_days, links, statistics, summary
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors.records import Month

log = logging.getLogger(__name__)
JOB = "import"
LOOK_BACK = 13  # months for which a missed import is still caught up
KEEP_CALLS = timedelta(days=30)


def plan_and_claim(moment: datetime) -> list[int]:
    """Make what falls due, open runs for what is due. Commits per integration; returns the runs to ring for."""
    opened: list[int] = []
    for company_id, integration_id in _scheduled():
        with company_scope(company_id):
            try:
                opened += _one(integration_id, moment)
            except SQLAlchemyError:
                # One company's trouble must not stop the others' month; the next tick tries again.
                log.exception("scheduling of integration %s failed", integration_id)
                db.session.rollback()
    return opened


def _scheduled() -> list[tuple[int, int]]:
    with across_companies():
        rows = db.session.execute(
            select(Integration.company_id, Integration.id)
            .join(Company, Company.id == Integration.company_id)
            .where(Integration.enabled, Integration.configured_at.is_not(None), Company.integration_on)
            .order_by(Integration.id)
        ).all()
        db.session.rollback()
    return [(row.company_id, row.id) for row in rows]


def _one(integration_id: int, moment: datetime) -> list[int]:
    integration = db.session.get(Integration, integration_id)
    company = db.session.get(Company, integration.company_id)
    if not company.has_integrations or not summary.is_configured(integration):
        return []
    served = links.live(integration.kind)
    _make_tasks(integration, served, summary.this_month(company, moment))
    groups = links.by_connection(served)
    _make_dues(integration, company, groups, moment)
    opened = _claim(integration, groups, moment)
    db.session.commit()
    return opened


def _make_tasks(integration: Integration, served: list[Link], month: Month) -> None:
    missing = summary.missing_tasks(integration, served, month)
    if missing:
        maker = summary.Maker.of(integration)
        for link in missing:
            maker.task(link.client, month)


def _make_dues(integration: Integration, company: Company, groups: Iterable[int], moment: datetime) -> None:
    """Rows for the months whose import day lies after the settings were there; moved when the day was changed."""
    since = max(integration.enabled_at, integration.configured_at)
    current = summary.this_month(company, moment)
    first = max(Month.of(since.astimezone(ZoneInfo(company.timezone)).date()).shift(-1), current.shift(-LOOK_BACK))
    known = _known(integration.kind)
    for connection_id in groups:
        month = first
        while month <= current:
            at = import_days.import_moment(month, integration, company, str(connection_id))
            _put_due(known.get((connection_id, month)), integration.kind, connection_id, month, at, since)
            month = month.shift(1)


def _known(kind: str) -> dict[tuple[int, Month], Due]:
    rows = db.session.scalars(select(Due).where(Due.job == JOB, Due.subject.startswith(f"{kind}:")))
    return {(_connection_id(due), Month.parse(due.period)): due for due in rows}


def _connection_id(due: Due) -> int:
    return int(due.subject.partition(":")[2])


def _put_due(due: Due | None, kind: str, connection_id: int, month: Month, at: datetime, since: datetime) -> None:
    if due is None and at >= since:
        try:
            with db.session.begin_nested():
                db.session.add(Due(job=JOB, subject=f"{kind}:{connection_id}", period=str(month), due_at=at))
        except IntegrityError:
            pass  # another tick made it in this very moment
    elif due is not None and due.settled_at is None and due.due_at != at:
        due.due_at = at


def _claim(integration: Integration, groups: Iterable[int], moment: datetime) -> list[int]:
    """Open a run for each connection's oldest due month. One that needs attention waits for a person."""
    due = db.session.scalars(
        select(Due)
        .where(
            Due.job == JOB,
            Due.subject.startswith(f"{integration.kind}:"),
            Due.settled_at.is_(None),
            Due.run_id.is_(None),
            Due.due_at <= moment,
            or_(Due.not_before.is_(None), Due.not_before <= moment),
        )
        .order_by(Due.period)
        .with_for_update(skip_locked=True)  # of two ticks, one claims
    )
    opened = []
    for each in due:
        if each.due_at < integration.enabled_at:  # its day passed while the integration was disabled
            each.settled_at = moment
            continue
        connection = db.session.get(Connection, _connection_id(each))
        if connection is None or connection.id not in groups or connection.state == ConnectionState.ATTENTION:
            continue
        run, new = statistics.open_import(connection, Month.parse(each.period))
        if new:
            each.run_id = run.id
            opened.append(run.id)
    return opened


def unverified() -> list[int]:
    """Companies that have credentials whose test is still to be made."""
    with across_companies():
        query = select(Connection.company_id).where(Connection.state == ConnectionState.UNVERIFIED).distinct()
        return list(db.session.scalars(query))


def housekeeping() -> None:
    """Old request logs go. Commits."""
    with across_companies():
        db.session.execute(delete(RunCall).where(RunCall.at < now() - KEEP_CALLS))
        db.session.commit()
