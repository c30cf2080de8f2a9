"""Writing counts into summary tasks: many clients' months at once, each value with what stood before.

A batch is a handful of statements however many values it holds; runs over thousands of clients depend on that.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Row, insert, select, tuple_, update

from uku_web.clock import now
from uku_web.db import db, insert_new
from uku_web.models import Client, Task, TaskValue, ValueWrite
from uku_web.services.summary import Maker
from uku_web.tenancy import current_company_id
from uku_web.vendors.records import Month

Key = tuple[int, Month]  # client, month


@dataclass(frozen=True)
class MonthOfCounts:
    """What is to be written for one client and month: {field id: (vendor field, number)}."""

    client: Client  # or a row with its id, name and default member
    month: Month
    numbers: Mapping[int, tuple[str, Decimal]]
    is_past: bool  # a task made now for it is made as done

    @property
    def key(self) -> Key:
        return self.client.id, self.month


@dataclass
class Written:
    """What came of one client's month."""

    count: int = 0
    kept: int = 0  # a person's value or a finished task, which a scheduled import leaves alone


def write(
    maker: Maker, batch: Sequence[MonthOfCounts], *, run_id: int, mapping_version: int, overwrite: bool
) -> dict[Key, Written]:
    """Write a batch; tasks that are not there are made. What this run wrote already stays as it is.

    Without `overwrite`, values a person edited and finished tasks are left alone. Nobody else, person or run, changes
    the batch's tasks before the caller has committed.
    """
    tasks = _tasks(maker, batch)
    ids = [task.id for task in tasks.values()]
    standing = _standing(ids)
    done_before = _written_before(run_id, ids)
    new, changed, history = [], [], []
    results: dict[Key, Written] = {}
    moment, company_id = now(), current_company_id()
    for each in batch:
        task, result = tasks[each.key], results.setdefault(each.key, Written())
        for field_id, (vendor_field, number) in each.numbers.items():
            before = standing.get((task.id, field_id))
            if (task.id, field_id) in done_before:
                continue
            if not overwrite and (task.done_at is not None or (before is not None and before.person_id is not None)):
                result.kept += 1
                continue
            result.count += 1
            about = {"company_id": company_id, "task_id": task.id, "field_id": field_id, "run_id": run_id}
            history.append(
                {
                    **about,
                    "at": moment,
                    "vendor_field": vendor_field,
                    "mapping_version": mapping_version,
                    "number": number,
                    "before_number": before.number if before else None,
                    "before_text": before.text if before else None,
                    "before_person_id": before.person_id if before else None,
                    "before_run_id": before.run_id if before else None,
                    "before_at": before.changed_at if before else None,
                }
            )
            value = {"number": number, "text": None, "run_id": run_id, "person_id": None, "changed_at": moment}
            if before is None:
                new.append({**about, **value})
            else:
                changed.append({"id": before.id, **value})
    _store(new, changed, history)
    _counts_have_come(ids)
    return results


def _tasks(maker: Maker, batch: Sequence[MonthOfCounts]) -> dict[Key, Row]:
    """The tasks of the batch, locked where the database has more than one writer; missing ones are made."""
    found = _find(maker, batch)
    missing = [each for each in batch if each.key not in found]
    if missing:
        insert_new(Task, [maker.row(each.client, each.month, done=each.is_past) for each in missing])
        found = _find(maker, batch)
    return found


def _find(maker: Maker, batch: Sequence[MonthOfCounts]) -> dict[Key, Row]:
    wanted = tuple_(Task.client_id, Task.month).in_([(each.client.id, each.month.first) for each in batch])
    query = select(Task.id, Task.client_id, Task.month, Task.done_at).where(Task.kind == maker.integration.kind, wanted)
    # In the order of their ids: two writers of the same tasks must not wait for each other.
    rows = db.session.execute(query.order_by(Task.id).with_for_update()).all()
    return {(row.client_id, Month.of(row.month)): row for row in rows}


def _standing(task_ids: Iterable[int]) -> dict[tuple[int, int], Row]:
    columns = (
        TaskValue.id,
        TaskValue.task_id,
        TaskValue.field_id,
        TaskValue.number,
        TaskValue.text,
        TaskValue.person_id,
        TaskValue.run_id,
        TaskValue.changed_at,
    )
    rows = db.session.execute(select(*columns).where(TaskValue.task_id.in_(task_ids))).all()
    return {(row.task_id, row.field_id): row for row in rows}


def _written_before(run_id: int, task_ids: Iterable[int]) -> set[tuple[int, int]]:
    rows = db.session.execute(
        select(ValueWrite.task_id, ValueWrite.field_id).where(
            ValueWrite.run_id == run_id, ValueWrite.task_id.in_(task_ids)
        )
    )
    return {(row.task_id, row.field_id) for row in rows}


def _store(new: list[dict], changed: list[dict], history: list[dict]) -> None:
    if new:
        db.session.execute(insert(TaskValue), new)
    if changed:
        db.session.execute(update(TaskValue), changed)
    if history:
        db.session.execute(insert(ValueWrite), history)


def _counts_have_come(task_ids: Iterable[int]) -> None:
    db.session.execute(
        update(Task).where(Task.id.in_(task_ids), Task.counts_pending.is_not(None)).values(counts_pending=None),
        execution_options={"synchronize_session": False},
    )


def provenance(task_id: int, field_id: int) -> list[ValueWrite]:
    """All that was written into one value, newest first."""
    return list(
        db.session.scalars(
            select(ValueWrite)
            .where(ValueWrite.task_id == task_id, ValueWrite.field_id == field_id)
            .order_by(ValueWrite.id.desc())
        )
    )
