"""Doing a statistics run: read the counts, write each finished month, and record how it ended.

No transaction is open while the vendor is asked. A month of a client is written in one transaction together with its
checkpoint, so a run that is taken up again asks only for what is missing.
"""

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from time import monotonic

from sqlalchemy import Row, select, update

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Company, Connection, ItemState, Run, RunCall, RunItem, RunState
from uku_web.services import bulk, links, runs, statistics, statistics_end, summary, value_writes
from uku_web.services.runs import Hold
from uku_web.services.statistics_job import CannotStart, Job, Part, load
from uku_web.texts import gettext as _
from uku_web.vendors.access import Setup, open_connector
from uku_web.vendors.errors import VendorError
from uku_web.vendors.records import Count, Month

FAN_BATCH = 50  # children made in one transaction
TURN = timedelta(seconds=15)  # how often a run that waits for its turn looks
Ready = tuple[Part, Month, dict[str, Count]]  # a client's month of which all fields have come
BATCH, BATCH_SECONDS = 200, 1.0  # months of clients written in one transaction, and how long they may wait for it


def work(hold: Hold, setup: Setup) -> list[int]:
    """Do one run to its end. Returns the runs to ring for."""
    if db.session.scalar(select(Run.what).where(Run.id == hold.run_id)) == "statistics-all":
        return fan_out(hold)
    if _lets_another_go_first(hold):
        return []
    try:
        job = load(hold)
    except CannotStart as stop:
        statistics_end.refuse(hold, stop)
        return []
    try:
        _count(job, setup)
    except VendorError as error:
        db.session.rollback()
        flush_calls(job)
        statistics_end.stopped(job, error)
    else:
        statistics_end.done(job)
    return []


def _lets_another_go_first(hold: Hold) -> bool:
    """A part waits while an older run of the same books is being done: both may write the same months."""
    run = runs.get(hold.run_id)
    if run.parent_id is None or run.connection_id is None:
        return False
    older = select(Run.id).where(Run.connection_id == run.connection_id, Run.id < run.id)
    if db.session.scalar(older.where(Run.state == RunState.RUNNING).limit(1)) is None:
        return False
    runs.wait(hold, now() + TURN, _("Waits until another run of the same books has ended."))
    mine = update(Run).where(Run.id == hold.run_id, Run.fence == hold.fence)
    db.session.execute(mine.values(attempts=Run.attempts - 1))  # waiting is no try
    db.session.commit()
    return True


def _count(job: Job, setup: Setup) -> None:
    if not job.parts:
        return
    connector = open_connector(
        job.kind,
        job.credentials,
        setup=setup,
        account_id=job.account_id,
        options=job.options,
        lane=job.lane,
        log=job.calls.append,
    )
    by_months: dict[tuple[Month, ...], list[Part]] = {}
    for part in job.parts:
        by_months.setdefault(part.months, []).append(part)
    for months, parts in by_months.items():
        fields = frozenset().union(*(part.fields for part in parts))
        counts = connector.statistics([part.target for part in parts], fields, months)
        _write_as_they_come(job, {part.target.key: part for part in parts}, counts)


def _write_as_they_come(job: Job, parts: dict[str, Part], counts: Iterable[Count]) -> None:
    """A client's month is written when the last of its fields has come; one that never came is an error."""
    pending: dict[tuple[str, Month], dict[str, Count]] = {}
    expected = {(key, month) for key, part in parts.items() for month in part.months}
    ready: list[Ready] = []
    written_at = monotonic()
    for count in counts:
        key = (count.target, count.month)
        if key not in expected:
            continue
        got = pending.setdefault(key, {})
        got[count.field] = count
        if parts[count.target].fields <= got.keys():
            ready.append((parts[count.target], count.month, pending.pop(key)))
            expected.discard(key)
        if len(ready) >= BATCH or (ready and monotonic() - written_at > BATCH_SECONDS):
            _write(job, ready)
            ready, written_at = [], monotonic()
    _write(job, ready)
    if expected:
        raise statistics_end.incomplete(len(expected))


def _write(job: Job, ready: list[Ready]) -> None:
    """Some clients' months with their checkpoints, in one transaction."""
    if not ready:
        return
    maker = summary.Maker.of(statistics.integration_of(job.kind))
    clients = _clients({part.client_id for part, _month, _counts in ready})
    batch = [
        value_writes.MonthOfCounts(
            clients[part.client_id], month, _numbers(job, part, counts), _is_past(job, maker.company, month)
        )
        for part, month, counts in ready
    ]
    written = value_writes.write(
        maker, batch, run_id=job.hold.run_id, mapping_version=job.mapping_version, overwrite=job.overwrite
    )
    job.kept += sum(each.kept for each in written.values())
    job.done += len(ready)
    _checkpoint(ready, written)
    part, month, _counts = ready[-1]
    doing = _("%(client)s, %(month)s", client=clients[part.client_id].name, month=str(month))
    runs.progress(job.hold, job.done, job.total, doing)
    flush_calls(job, commit=False)
    runs.guard(job.hold)
    db.session.commit()


def _clients(ids: set[int]) -> dict[int, Row]:
    query = select(Client.id, Client.name, Client.default_member_id).where(Client.id.in_(ids))
    return {row.id: row for row in db.session.execute(query)}


def _numbers(job: Job, part: Part, counts: dict[str, Count]) -> dict[int, tuple[str, Decimal]]:
    return {
        job.mapping[count.field]: (count.field, count.value)
        for count in counts.values()
        if count.value is not None and count.field in part.fields
    }


def _is_past(job: Job, company: Company, month: Month) -> bool:
    """Tasks of months long past are made as done; the newest finished month still waits for a person."""
    if job.trigger == "bulk":
        return month < summary.this_month(company, now()).shift(-1)
    return job.trigger == "reload" and month != job.newest


def _checkpoint(ready: list[Ready], written: dict[value_writes.Key, value_writes.Written]) -> None:
    ids = {part.item_id for part, _month, _counts in ready}
    items = {item.id: item for item in db.session.scalars(select(RunItem).where(RunItem.id.in_(ids)))}
    ended: list[int] = []
    for part, month, counts in ready:
        item = items[part.item_id]
        item.months_done = [*item.months_done, str(month)]
        item.written += written[part.client_id, month].count
        for why in sorted({count.why for count in counts.values() if count.value is None and count.why}):
            if why not in (item.reason or ""):
                item.reason = f"{item.reason} {why}" if item.reason else why
        if not set(map(str, part.months)) - set(item.months_done):
            item.state = ItemState.DONE
            ended.append(part.link_id)
    statistics_end.links_are_well(ended)


def flush_calls(job: Job, *, commit: bool = True) -> None:
    """The requests made since the last time, into the run's history."""
    while job.calls:
        call = job.calls.popleft()
        db.session.add(
            RunCall(
                run_id=job.hold.run_id,
                at=call.at,
                method=call.method,
                path=call.path[:255],
                status=call.status,
                ms=call.ms,
                attempt=call.attempt,
                note=(call.reason or "")[:255] or None,
            )
        )
    if commit:
        db.session.commit()


def fan_out(hold: Hold) -> list[int]:
    """A run over many clients: one child run per connection. Returns the children to ring for.

    What stands already is kept: killed in the middle and done again, nothing is made twice.
    """
    try:
        _make_children(hold)
        runs.guard(hold)
    except runs.Cancelled:  # parts that were made while the person clicked go with it
        runs.cancel(runs.get(hold.run_id))
        db.session.commit()
        raise
    ids = [child.id for child in runs.children(hold.run_id) if child.active]
    runs.wait_for_children(hold, _("Counting"))
    db.session.commit()
    return ids


def _make_children(hold: Hold) -> None:
    """In short transactions: nobody else can write meanwhile."""
    parent = runs.get(hold.run_id)
    served = links.live(parent.kind)
    if "clients" in parent.params:
        served = bulk.leave_out(parent, served)
    left_out = set(db.session.scalars(select(RunItem.client_id).where(RunItem.run_id == parent.id)))
    groups = links.by_connection(link for link in served if link.client_id not in left_out)
    have = {child.connection_id for child in runs.children(parent.id)}
    missing = [group for group in groups.items() if group[0] not in have]
    for made, (connection_id, group) in enumerate(missing):
        if made % FAN_BATCH == 0:
            runs.guard(hold)
            db.session.commit()
        statistics.open_child(parent, db.session.get(Connection, connection_id), group)
