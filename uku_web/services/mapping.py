"""The Settings tab of a vendor: summary tasks, which data field goes into which custom field, and vendor options."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from string import Formatter

from sqlalchemy import delete, func, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import FieldMapping, FieldType, ImportWhen, Integration, TaskField, Topic
from uku_web.services import audit, task_fields
from uku_web.services.errors import Invalid, NotNow
from uku_web.texts import gettext as _
from uku_web.vendors import registry
from uku_web.vendors.errors import BadSettings
from uku_web.vendors.spec import Field, StatField, VendorSpec

PLACEHOLDERS = ("month", "year", "client", "vendor")
DEFAULT_TITLE = "{vendor}: {month} {year}"
IMPORT_DAYS = range(1, 29)
GROUP = "statistics"
NEW = "new"  # chosen in a dropdown: made from the name typed beside it
_NOT_SEEN = "\u200b\u2060\ufeff"  # what copying from web pages brings along besides spaces


def read_fields(
    fields: Iterable[Field], form: Mapping[str, str], stored: Mapping[str, str] | None = None, prefix: str = ""
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Declared fields out of a form: the values, trimmed, and the labels of those that needed it.

    What is blank stays as stored. A value under "use.<name>" is one the person accepted from us. Raises Invalid, or
    BadSettings with a suggestion.
    """
    values, trimmed, errors = {}, [], {}
    for field in fields:
        raw = form.get(f"use.{prefix}{field.name}") or form.get(prefix + field.name) or ""
        value = raw.strip().strip(_NOT_SEEN).strip()
        if value != raw:
            trimmed.append(field.label)
        values[field.name] = value or (stored or {}).get(field.name) or field.default
        if wrong := _wrong(field, values[field.name]):
            errors[prefix + field.name] = wrong
    if errors:
        raise Invalid(errors)
    return values, tuple(trimmed)


def _wrong(field: Field, value: str) -> str | None:
    """What is wrong with a value, in a sentence. Raises BadSettings where a better one is found inside of it."""
    if not value:
        missing = _("Choose %(label)s.") if field.choices else _("Enter %(label)s.")
        return missing % {"label": field.label} if field.required else None
    if field.choices and value not in dict(field.choices):
        return _("Choose %(label)s from the list.", label=field.label)
    if field.kind == "date" and not _is_date(value):
        return _("Enter %(label)s as a date, such as 2027-01-31.", label=field.label)
    if field.pattern and not re.fullmatch(field.pattern, value):
        sentence = field.pattern_error or _("%(label)s cannot be right.", label=field.label)
        better = field.suggest(value) if field.suggest else None
        if better:
            raise BadSettings(sentence, field=field.name, suggestion=better)
        return sentence
    return None


def _is_date(value: str) -> bool:
    try:
        return bool(date.fromisoformat(value))
    except ValueError:
        return False


@dataclass(frozen=True)
class Row:
    """One data field with the custom fields it may go into: (id, name)."""

    stat: StatField
    field_id: int | None
    options: tuple[tuple[int, str], ...]


def rows(spec: VendorSpec) -> list[Row]:
    """The declared data fields, common ones first, as mapped now."""
    fields = list(db.session.scalars(select(TaskField).order_by(func.lower(TaskField.name))))
    mapped = mapped_fields(spec.kind)
    return [
        Row(stat, mapped.get(stat.key), tuple(_options(fields, stat, mapped.get(stat.key))))
        for stat in sorted(spec.statistics, key=lambda stat: stat.more)
    ]


def _options(fields: list[TaskField], stat: StatField, mapped: int | None) -> Iterable[tuple[int, str]]:
    for field in fields:
        if fits(field, stat):
            yield field.id, field.name
        elif field.id == mapped:  # archived since: saving something else must not unmap it unasked
            yield field.id, _("%(name)s (archived)", name=field.name)


def fits(field: TaskField, stat: StatField) -> bool:
    return not field.archived and (field.type == FieldType.NUMBER or (stat.money and field.type == FieldType.PRICE))


def mapped_fields(kind: str) -> dict[str, int]:
    """Vendor field -> custom task field's id, as saved."""
    query = select(FieldMapping.vendor_field, FieldMapping.field_id)
    rows = db.session.execute(query.where(FieldMapping.kind == kind, FieldMapping.group == GROUP))
    return {row.vendor_field: row.field_id for row in rows}


def topics() -> list[Topic]:
    """Those a task can be filed under."""
    return list(db.session.scalars(select(Topic).where(Topic.archived.is_(False)).order_by(func.lower(Topic.name))))


def integration_of(kind: str) -> Integration:
    """The vendor's row in this company. Raises NotNow before it was enabled."""
    found = db.session.scalar(select(Integration).where(Integration.kind == kind))
    if found is None:
        label = registry.spec_of(kind).label
        raise NotNow(_("Enable %(vendor)s on its Overview tab first.", vendor=label))
    return found


def save(kind: str, form: Mapping[str, str]) -> bool:
    """Check and keep the whole tab; True when the mapping changed. Starts nothing. The caller commits.

    Form names: task_title, topic, import_when, import_day, map.<field>, option.<name>. Raises Invalid.
    """
    spec, integration = registry.spec_of(kind), integration_of(kind)
    errors: dict[str, str] = {}
    options = _checked_options(spec, form, errors)
    settings = _checked_settings(form, errors) if spec.statistics else {}
    chosen = _checked_fields(spec, form, errors)
    if errors:
        raise Invalid(errors)
    for name, value in settings.items():
        setattr(integration, name, value)
    integration.options = {**integration.options, **options}
    changed = _remap(spec, integration, chosen)
    if chosen and integration.configured_at is None:
        integration.configured_at = now()
    audit.record("integration.settings", spec.label, fields=len(chosen), mapping_changed=changed)
    return changed


def _checked_options(spec: VendorSpec, form: Mapping[str, str], errors: dict[str, str]) -> dict[str, str]:
    try:
        return read_fields(spec.options, form, prefix="option.")[0]
    except Invalid as wrong:
        errors |= wrong.errors
    except BadSettings as wrong:
        hint = _("Did you mean %(value)s?", value=wrong.suggestion)
        errors[f"option.{wrong.field}"] = f"{wrong.sentence} {hint}"
    return {}


def _checked_settings(form: Mapping[str, str], errors: dict[str, str]) -> dict[str, object]:
    title, topic, when = (form.get(name, "").strip() for name in ("task_title", "topic", "import_when"))
    if wrong := _wrong_title(title):
        errors["task_title"] = wrong
    if topic not in {str(each.id) for each in topics()}:
        errors["topic"] = _("Choose a topic.")
    if when not in list(ImportWhen):
        errors["import_when"] = _("Choose when data is imported.")
    settings = {"task_title": title, "topic_id": int(topic) if topic.isdecimal() else None, "import_when": when}
    day = form.get("import_day", "")
    if when == ImportWhen.FOLLOWING_DAY:
        if day not in map(str, IMPORT_DAYS):
            errors["import_day"] = _("Choose a day from 1 to 28.")
        settings["import_day"] = int(day) if day.isdecimal() else 1
    return settings


def _wrong_title(title: str) -> str | None:
    allowed = ", ".join(f"{{{name}}}" for name in PLACEHOLDERS)
    if not title:
        return _("Enter a task title.")
    if len(title) > 255:
        return _("The task title is too long: at most 255 letters.")
    try:
        for _text, name, rest, conversion in Formatter().parse(title):
            if name is not None and (name not in PLACEHOLDERS or rest or conversion):
                return _("{%(name)s} is not known here. Use %(allowed)s.", name=name, allowed=allowed)
    except ValueError:
        return _("A curly bracket stands alone. Use %(allowed)s, or no brackets.", allowed=allowed)
    return None


def _checked_fields(spec: VendorSpec, form: Mapping[str, str], errors: dict[str, str]) -> dict[str, int]:
    """{data field: custom field's id}."""
    fields = {str(field.id): field for field in db.session.scalars(select(TaskField))}
    mapped, chosen, used = mapped_fields(spec.kind), {}, {}
    for stat in spec.statistics:
        name, value = f"map.{stat.key}", form.get(f"map.{stat.key}", "")
        if not value:
            continue
        field = fields.get(value)
        if field is None or not (fits(field, stat) or mapped.get(stat.key) == field.id):
            errors[name] = _("Choose a field from the list.")
        elif field.id in used:
            errors[name] = _("%(field)s is already filled by %(other)s.", field=field.name, other=used[field.id])
        else:
            chosen[stat.key], used[field.id] = field.id, stat.label
    return chosen


def _remap(spec: VendorSpec, integration: Integration, chosen: dict[str, int]) -> bool:
    if chosen == mapped_fields(spec.kind):
        return False
    db.session.execute(delete(FieldMapping).where(FieldMapping.kind == spec.kind, FieldMapping.group == GROUP))
    for key, field_id in chosen.items():
        db.session.add(FieldMapping(kind=spec.kind, group=GROUP, vendor_field=key, field_id=field_id))
    integration.mapping_version += 1
    db.session.flush()
    return True


def make_new(spec: VendorSpec, form: dict[str, str]) -> None:
    """Make what was asked for with "new" in a dropdown, and choose it in `form`. Commits. Raises Invalid."""
    for stat in spec.statistics:
        kind = FieldType.PRICE if stat.money else FieldType.NUMBER
        _make(form, f"map.{stat.key}", lambda name, kind=kind: task_fields.save_field(None, name, kind))
    _make(form, "topic", lambda name: task_fields.save_topic(None, name))


def _make(form: dict[str, str], name: str, make: Callable[[str], TaskField | Topic]) -> None:
    if form.get(name) != NEW:
        return
    try:
        form[name] = str(make(form.get(f"new.{name}", "")).id)
    except Invalid as wrong:
        raise Invalid({f"new.{name}": wrong.sentence}) from wrong
    form.pop(f"new.{name}", None)
