"""Custom task fields and topics: keeping them, and what may be typed into a field."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import func, select

from uku_web.db import db
from uku_web.models import FieldMapping, FieldType, Integration, Task, TaskField, TaskValue, Topic, ValueWrite
from uku_web.services import audit
from uku_web.services.errors import Invalid, NotFound, NotNow, ServiceError
from uku_web.texts import gettext as _

LONGEST_NAME = 100
LARGEST = Decimal(10) ** 13
YES, NO = "yes", "no"  # what a checkbox holds


@dataclass(frozen=True)
class Entry:
    """A field or topic, how many tasks use it, and the vendors that write into it."""

    row: TaskField | Topic
    tasks: int
    kinds: tuple[str, ...]

    @property
    def used(self) -> bool:
        return bool(self.tasks or self.kinds)


def type_names() -> dict[str, str]:
    return {
        FieldType.NUMBER: _("Number"),
        FieldType.TEXT: _("Text"),
        FieldType.CHOICE: _("Choice"),
        FieldType.CHECKBOX: _("Checkbox"),
        FieldType.PRICE: _("Price"),
    }


def fields() -> list[Entry]:
    """All custom task fields, those in use first. A constant number of statements."""
    # A field whose value was taken away still stands in the history, so it counts as used.
    used = select(TaskValue.field_id, TaskValue.task_id).union(select(ValueWrite.field_id, ValueWrite.task_id))
    counts = _counts(select(used.subquery()))
    kinds = _kinds(select(FieldMapping.field_id, FieldMapping.kind))
    rows = db.session.scalars(select(TaskField).order_by(TaskField.archived, func.lower(TaskField.name)))
    return [Entry(row, counts.get(row.id, 0), kinds.get(row.id, ())) for row in rows]


def topics() -> list[Entry]:
    """All topics, those in use first."""
    counts = _counts(select(Task.topic_id, Task.id).where(Task.topic_id.is_not(None)))
    kinds = _kinds(select(Integration.topic_id, Integration.kind).where(Integration.topic_id.is_not(None)))
    rows = db.session.scalars(select(Topic).order_by(Topic.archived, func.lower(Topic.name)))
    return [Entry(row, counts.get(row.id, 0), kinds.get(row.id, ())) for row in rows]


def topic_names(*, archived: bool = False) -> dict[int, str]:
    """Those a task can be filed under; with `archived` also those it may still stand under."""
    query = select(Topic.id, Topic.name).order_by(func.lower(Topic.name))
    query = query if archived else query.where(Topic.archived.is_(False))
    return {row.id: row.name for row in db.session.execute(query)}


def _counts(pairs) -> dict[int, int]:
    inner = pairs.subquery()
    column = inner.c[0]
    return {row_id: count for row_id, count in db.session.execute(select(column, func.count()).group_by(column))}


def _kinds(pairs) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for row_id, kind in db.session.execute(pairs):
        found[row_id] = tuple(sorted({*found.get(row_id, ()), kind}))
    return found


def entry(model: type[TaskField] | type[Topic], row_id: int) -> Entry:
    for each in fields() if model is TaskField else topics():
        if each.row.id == row_id:
            return each
    raise NotFound


def save_field(one: Entry | None, name: str, type: str, choices: str = "") -> TaskField:
    """Create or change a field; `choices` is one to a line. The type of a used field stays. Commits. Raises Invalid."""
    row = one.row if one else None
    name, errors = _checked_name(name, row, (each.row for each in fields()))
    type = row.type if one and one.used else type
    listed = list(dict.fromkeys(line.strip() for line in choices.splitlines() if line.strip()))
    if type not in set(FieldType):
        errors["type"] = _("Choose a type.")
    if type == FieldType.CHOICE and len(listed) < 2:
        errors["choices"] = _("Enter at least two choices, one to a line.")
    if errors:
        raise Invalid(errors)
    made, row = row is None, row or TaskField()
    row.name, row.type, row.choices = name, type, listed if type == FieldType.CHOICE else []
    return _store(row, "task_field.created" if made else "task_field.changed", type=str(type))


def save_topic(one: Entry | None, name: str) -> Topic:
    """Commits. Raises Invalid."""
    row = one.row if one else None
    name, errors = _checked_name(name, row, (each.row for each in topics()))
    if errors:
        raise Invalid(errors)
    made, row = row is None, row or Topic()
    row.name = name
    return _store(row, "topic.created" if made else "topic.changed")


def _checked_name(name: str, row, others: Iterable) -> tuple[str, dict[str, str]]:
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME:
        return name, {"name": _("Enter a name of at most %(n)s characters.", n=LONGEST_NAME)}
    for other in others:
        if other is not row and other.name.casefold() == name.casefold():
            archived = _("There is an archived one of this name. Restore it instead.")
            return name, {"name": archived if other.archived else _("There is one of this name already.")}
    return name, {}


def _store(row, act: str, **detail):
    db.session.add(row)
    audit.record(act, row.name, **detail)
    db.session.commit()
    return row


def set_archived(one: Entry, archived: bool) -> None:
    """An archived one cannot be chosen any more and stays where it is used. Commits."""
    noun = _noun(one)
    if one.row.archived != archived:
        one.row.archived = archived
        _store(one.row, f"{noun}.archived" if archived else f"{noun}.restored")


def remove(one: Entry) -> None:
    """Only what was never used. Commits. Raises NotNow."""
    if one.used:
        raise NotNow(_("%(name)s is in use, so it can only be archived.", name=one.row.name))
    audit.record(f"{_noun(one)}.deleted", one.row.name)
    db.session.delete(one.row)
    db.session.commit()


def _noun(one: Entry) -> str:
    return "topic" if isinstance(one.row, Topic) else "task_field"


def as_text(field: TaskField, number: Decimal | None, text: str | None) -> str:
    if not FieldType(field.type).is_numeric:
        return text or ""
    if number is None:
        return ""
    return f"{number:.2f}" if field.type == FieldType.PRICE and number == round(number, 2) else f"{number:f}"


def parse(field: TaskField, raw: str) -> tuple[Decimal | None, str | None]:
    """(number, text) of what was typed. Raises ServiceError with a sentence."""
    raw = raw.strip()
    if field.type == FieldType.CHECKBOX:
        return None, YES if raw in (YES, "1", "on") else NO
    if not raw:
        return None, None
    if FieldType(field.type).is_numeric:
        return parse_number(raw), None
    if field.type == FieldType.CHOICE and raw not in field.choices:
        raise ServiceError(_("Choose one of: %(choices)s.", choices=", ".join(field.choices)))
    if len(raw) > 2000:
        raise ServiceError(_("A text has at most 2000 characters."))
    return None, raw


def parse_number(raw: str) -> Decimal:
    """Comma or point before the decimals; spaces or the other of the two between the thousands."""
    text = re.sub(r"[\s'’]", "", raw).replace("−", "-")
    marks = [mark for mark in text if mark in ".,"]
    if len(set(marks)) == 2 or len(marks) > 1:
        decimal = marks[-1] if marks.count(marks[-1]) == 1 else ""
        whole, _mark, rest = text.rpartition(decimal) if decimal else (text, "", "")
        if not re.fullmatch(r"[+-]?\d{1,3}([.,])\d{3}(\1\d{3})*", whole):
            raise ServiceError(_("“%(raw)s” is not a number. Write it like 1234,50.", raw=raw[:40]))
        text = re.sub("[.,]", "", whole) + ("." + rest if decimal else "")
    text = text.replace(",", ".")
    if not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", text, re.ASCII):
        raise ServiceError(_("“%(raw)s” is not a number. Write it like 1234,50.", raw=raw[:40]))
    number = Decimal(text)
    if abs(number) >= LARGEST:
        raise ServiceError(_("This number is too large."))
    if number != round(number, 4):
        raise ServiceError(_("A number has at most four decimals."))
    return number
