"""Tasks: the list, the values people type into them, and how a value came to be."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import Select, and_, func, or_, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import (
    Client,
    FieldMapping,
    Person,
    Run,
    Task,
    TaskField,
    TaskValue,
    Topic,
    ValueWrite,
)
from uku_web.services import people, value_writes
from uku_web.services.errors import Invalid, NotFound, ServiceError
from uku_web.services.paging import Page
from uku_web.services.task_fields import NO, as_text, parse
from uku_web.texts import gettext as _
from uku_web.vendors.records import Month


@dataclass(frozen=True)
class Wanted:
    """What the list is asked for."""

    q: str = ""  # client or title
    month: Month | None = None
    topic: int | None = None
    member: int | None = None
    client_id: int | None = None
    state: str = "open"  # or "done", "pending", "all"
    sort: str = "due"
    page: int = 1
    size: int = 50


SORTS = {
    "title": func.lower(Task.title),
    "client": Client.sort_name,
    "month": Task.month,
    "due": Task.due_on,
    "assignee": func.lower(Person.name),
    "topic": func.lower(Topic.name),
}
_SORT_JOINS = {
    "assignee": (Person, Person.id == Task.assignee_id),
    "topic": (Topic, Topic.id == Task.topic_id),
}


def _matching(wanted: Wanted) -> Select:
    query = select(Task).join(Client, Client.id == Task.client_id)
    for term in wanted.q.casefold().split():
        in_title = func.lower(Task.title).contains(term, autoescape=True)
        query = query.where(or_(Client.search_text.contains(term, autoescape=True), in_title))
    if wanted.month is not None:
        by_due = and_(Task.month.is_(None), Task.due_on.between(wanted.month.first, wanted.month.last))
        query = query.where(or_(Task.month == wanted.month.first, by_due))
    for column, value in (
        (Task.topic_id, wanted.topic),
        (Task.assignee_id, wanted.member),
        (Task.client_id, wanted.client_id),
    ):
        query = query if value is None else query.where(column == value)
    if wanted.state != "all":
        query = query.where(Task.done_at.is_not(None) if wanted.state == "done" else Task.done_at.is_(None))
    if wanted.state == "pending":
        query = query.where(Task.counts_pending.is_not(None))
    return query


def found(wanted: Wanted) -> tuple[list[Task], Page]:
    """One page of the list with clients, people, topics and values. A constant number of statements."""
    query = _matching(wanted)
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(Task.id).subquery()))
    page = Page.of(wanted.page, wanted.size, total)
    key = wanted.sort.removeprefix("-")
    column = SORTS.get(key, Task.due_on)
    if key in _SORT_JOINS:
        query = query.outerjoin(*_SORT_JOINS[key])
    order = column.desc() if wanted.sort.startswith("-") else column.asc()
    query = query.order_by(column.is_(None), order, Client.sort_name, Task.id).limit(page.size).offset(page.offset)
    query = query.options(
        db.joinedload(Task.client),
        db.joinedload(Task.topic),
        db.joinedload(Task.assignee),
        db.selectinload(Task.values).joinedload(TaskValue.field),
    )
    return list(db.session.scalars(query)), page


def get(task_id: int) -> Task:
    task = db.session.scalar(
        select(Task)
        .where(Task.id == task_id)
        .options(db.joinedload(Task.client), db.selectinload(Task.values).joinedload(TaskValue.field))
    )
    if task is None:
        raise NotFound
    return task


@dataclass(frozen=True)
class Slot:
    """A field of a task with what it holds; value None: nothing was ever written."""

    field: TaskField
    value: TaskValue | None

    @property
    def text(self) -> str:
        return "" if self.value is None else typed(self.field, self.value)

    @property
    def by_run(self) -> bool:
        return self.value is not None and self.value.run_id is not None


def slots(task: Task) -> list[Slot]:
    """The fields that have a value, and those that the task's vendor fills and has not filled yet."""
    held = {value.field_id: value for value in task.values}
    fields = {value.field_id: value.field for value in task.values}
    if task.kind:
        mapped = select(FieldMapping.field_id).where(FieldMapping.kind == task.kind, FieldMapping.group == "statistics")
        waiting = select(TaskField).where(TaskField.id.in_(mapped), TaskField.archived.is_(False))
        fields |= {field.id: field for field in db.session.scalars(waiting)}
    ordered = sorted(fields.values(), key=lambda field: (field.name.casefold(), field.id))
    return [Slot(field, held.get(field.id)) for field in ordered]


def addable(task: Task) -> list[TaskField]:
    taken = {slot.field.id for slot in slots(task)}
    query = select(TaskField).where(TaskField.archived.is_(False)).order_by(func.lower(TaskField.name))
    return [field for field in db.session.scalars(query) if field.id not in taken]


def add_field(task: Task, field_id: int) -> None:
    """An empty field, for a person or a later run to fill. Commits."""
    if field_id in {field.id for field in addable(task)}:
        task.values.append(TaskValue(field_id=field_id))
    db.session.commit()


def typed(field: TaskField, value: TaskValue | ValueWrite) -> str:
    """The value as a person would type it; empty when there is none."""
    return as_text(field, value.number, value.text)


def set_value(task_id: int, field_id: int, raw: str, person_id: int) -> None:
    """One value, as a person typed it. Commits. Raises Invalid."""
    set_values(task_id, {field_id: raw}, person_id)


def set_values(task_id: int, typed_values: Mapping[int, str], person_id: int) -> int:
    """What a person typed, by field; how many changed. What stood before is kept. Commits. Raises Invalid with
    the names "value-<field id>"."""
    # A run may write the same value at this moment; the one that comes second must see what the first one wrote.
    db.session.scalar(select(Task.id).where(Task.id == task_id).with_for_update())
    here = {slot.field.id: slot for slot in slots(get(task_id))}
    parsed, errors = {}, {}
    for field_id, raw in typed_values.items():
        if field_id not in here:
            raise NotFound
        try:
            parsed[field_id] = parse(here[field_id].field, raw)
        except ServiceError as error:
            errors[f"value-{field_id}"] = f"{here[field_id].field.name}: {error.sentence}"
    if errors:
        raise Invalid(errors)
    changed = sum(_put(task_id, here[field_id], *new, person_id) for field_id, new in parsed.items())
    db.session.commit()
    return changed


def _put(task_id: int, slot: Slot, number: Decimal | None, text: str | None, person_id: int) -> bool:
    before, moment = slot.value, now()
    stood = (before.number, before.text) if before else (None, None)
    if (number, text) == stood or (stood == (None, None) and text == NO):
        return False
    written = before is not None and (before.person_id or before.run_id) is not None
    db.session.add(
        ValueWrite(
            task_id=task_id,
            field_id=slot.field.id,
            person_id=person_id,
            at=moment,
            number=number,
            text=text,
            before_number=stood[0],
            before_text=stood[1],
            before_person_id=before.person_id if written else None,
            before_run_id=before.run_id if written else None,
            before_at=before.changed_at if written else None,
        )
    )
    value = before or TaskValue(task_id=task_id, field_id=slot.field.id)
    value.number, value.text, value.person_id, value.run_id, value.changed_at = number, text, person_id, None, moment
    db.session.add(value)
    return True


def person_name(person_id: int | None) -> str:
    return db.session.scalar(select(Person.name).where(Person.id == person_id)) or "" if person_id else ""


def set_done(task: Task, done: bool, person_id: int) -> None:
    """Commits."""
    if task.done != done:
        task.done_at, task.done_by_id = (now(), person_id) if done else (None, None)
    db.session.commit()


def save(task: Task | None, values: Mapping[str, str]) -> Task:
    """Create or change a task: title, client (an id; of a new one), topic, assignee, due. Commits. Raises Invalid."""
    errors: dict[str, str] = {}
    title = values.get("title", "").strip()
    if not title or len(title) > 255:
        errors["title"] = _("Enter a title of at most 255 characters.")
    if task is None and not (client_id := _known(Client, values.get("client", ""), errors, "client")):
        errors["client"] = _("Choose the client this is for.")
    topic_id = _known(Topic, values.get("topic", ""), errors, "topic")
    assignee_id = _known(Person, values.get("assignee", ""), errors, "assignee")
    if assignee_id and not people.is_member(assignee_id) and (task is None or task.assignee_id != assignee_id):
        errors["assignee"] = _("Choose a member of this company.")
    due = _day(values.get("due", ""), errors)
    if errors:
        raise Invalid(errors)
    task = task or Task(client_id=client_id)
    task.title, task.topic_id, task.assignee_id, task.due_on = title, topic_id, assignee_id, due
    db.session.add(task)
    db.session.commit()
    return task


def _known(model: type, raw: str, errors: dict[str, str], name: str) -> int | None:
    if not raw:
        return None
    row_id = int(raw) if raw.isdecimal() and len(raw) < 10 else 0
    if db.session.scalar(select(model.id).where(model.id == row_id)) is None:
        errors[name] = _("Choose from the list.")
    return row_id


def _day(raw: str, errors: dict[str, str]) -> date | None:
    try:
        return date.fromisoformat(raw) if raw else None
    except ValueError:
        errors["due"] = _("Enter the day like 2026-03-31.")
        return None


@dataclass(frozen=True)
class History:
    """All that was written into a value, newest first, with the people and runs that it names."""

    field: TaskField
    writes: list[ValueWrite]
    people: dict[int, str]
    runs: dict[int, Run]


def history(task: Task, field_id: int) -> History:
    field = db.session.scalar(select(TaskField).where(TaskField.id == field_id))
    if field is None:
        raise NotFound
    writes = value_writes.provenance(task.id, field_id)
    person_ids = {x for write in writes for x in (write.person_id, write.before_person_id) if x}
    run_ids = {x for write in writes for x in (write.run_id, write.before_run_id) if x}
    names = db.session.execute(select(Person.id, Person.name).where(Person.id.in_(person_ids))).all()
    runs = db.session.scalars(select(Run).where(Run.id.in_(run_ids)))
    return History(field, writes, {row.id: row.name for row in names}, {run.id: run for run in runs})
