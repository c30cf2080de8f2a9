"""Tasks: the list by month, and one task with its values."""

from datetime import date

from babel.dates import format_date
from flask import Blueprint, flash, request, url_for
from flask_login import current_user

from uku_web.models import Task, TaskValue
from uku_web.services import clients, people, task_fields, tasks
from uku_web.services.errors import Invalid
from uku_web.services.paging import PAGE_SIZES
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors import registry
from uku_web.vendors.records import Month
from uku_web.views.companies import moment_now
from uku_web.views.guard import member
from uku_web.views.lists import list_url, number, page_size
from uku_web.views.render import dialog, render, see_other

blueprint = Blueprint("tasks", __name__)
MONTHS_BACK, MONTHS_AHEAD = 36, 2
STATES = ("open", "pending", "done", "all")


@blueprint.app_template_filter("month")
def month_name(day: date | Month | None) -> str:
    """March 2026"""
    day = day.first if isinstance(day, Month) else day
    return format_date(day, "MMMM y", locale="en") if day else ""


@blueprint.app_template_filter("shown")
def shown(value: TaskValue) -> str:
    """A value as people read it."""
    return task_fields.as_text(value.field, value.number, value.text)


@blueprint.app_template_filter("vendor_label")
def vendor_label(kind: str) -> str:
    try:
        return registry.spec_of(kind).label
    except registry.UnknownVendor:  # what a removed vendor left behind stays readable
        return kind


@blueprint.get("/tasks")
@member
def index():
    wanted = _wanted()
    rows, page = tasks.found(wanted)
    filters = {
        "q": wanted.q,
        "month": str(wanted.month) if wanted.month else "",
        "topic": wanted.topic,
        "member": wanted.member,
        "state": wanted.state if wanted.state != "open" else "",
        "size": wanted.size if wanted.size != 50 else "",
    }
    return render(
        "tasks/index.html",
        "tasks/_list.html",
        rows=rows,
        paging=page,
        wanted=wanted,
        filtered=any(filters[name] for name in ("q", "month", "topic", "member", "state")),
        sort_url=list_url("tasks.index", **filters),
        page_url=list_url("tasks.index", **filters, sort=wanted.sort if wanted.sort != "due" else ""),
        today=moment_now().date(),
        months=_months(),
        topics=list(task_fields.topic_names(archived=True).items()),
        members=[(person.id, person.name) for person in people.members()],
        sizes=PAGE_SIZES,
    )


def _wanted() -> tasks.Wanted:
    args = request.args
    try:
        month = Month.parse(args.get("month", ""))
    except ValueError:
        month = None
    known = {*tasks.SORTS, *(f"-{key}" for key in tasks.SORTS)}
    return tasks.Wanted(
        q=args.get("q", "").strip()[:100],
        month=month,
        topic=number("topic"),
        member=number("member"),
        state=args["state"] if args.get("state") in STATES else "open",
        sort=args["sort"] if args.get("sort") in known else "due",
        page=number("page", 1),
        size=page_size(),
    )


def _months() -> list[tuple[str, str]]:
    now = Month.of(moment_now().date())
    return [
        (str(month), month_name(month)) for month in (now.shift(n) for n in range(MONTHS_AHEAD, -MONTHS_BACK - 1, -1))
    ]


@blueprint.get("/tasks/new")
@member
def new():
    return _form(None, {"assignee": current_user.id, "client": number("client")})


@blueprint.post("/tasks/new")
@member
def create():
    return _save(None)


@blueprint.get("/tasks/<int:task_id>/edit")
@member
def edit(task_id: int):
    task = tasks.get(task_id)
    values = {"title": task.title, "topic": task.topic_id, "assignee": task.assignee_id, "due": task.due_on}
    return _form(task, values)


@blueprint.post("/tasks/<int:task_id>/edit")
@member
def update(task_id: int):
    return _save(tasks.get(task_id))


def _save(task: Task | None):
    try:
        saved = tasks.save(task, request.form)
    except Invalid as wrong:
        return _form(task, request.form, wrong.errors, status=422)
    return see_other(url_for("tasks.show", task_id=saved.id))


def _form(task, values, errors=None, status=200):
    topics = task_fields.topic_names()
    members = {person.id: person.name for person in people.members()}
    if task is not None and task.topic:  # an archived topic and a person who left stay where they are
        topics.setdefault(task.topic.id, task.topic.name)
    if task is not None and task.assignee:
        members.setdefault(task.assignee.id, task.assignee.name)
    return render(
        "tasks/form.html",
        status=status,
        task=task,
        values=values,
        errors=errors or {},
        clients=[] if task else clients.choices(),
        topics=list(topics.items()),
        members=list(members.items()),
    )


@blueprint.get("/tasks/<int:task_id>")
@member
def show(task_id: int):
    return _page(tasks.get(task_id))


@blueprint.post("/tasks/<int:task_id>/values")
@member
def save_values(task_id: int):
    """Only what the person changed is written: a run may have written the rest since the page was opened."""
    form = request.form
    typed = {}
    for slot in tasks.slots(tasks.get(task_id)):
        raw = form.get(f"value-{slot.field.id}", "")
        before = form.get(f"was-{slot.field.id}")
        if before is not None and raw.strip() != before:
            typed[slot.field.id] = raw
    try:
        changed = tasks.set_values(task_id, typed, current_user.id)
    except Invalid as wrong:
        return _page(tasks.get(task_id), wrong.errors, form, status=422)
    flash(
        ngettext("%(n)s value is saved.", "%(n)s values are saved.", changed) if changed else _("Nothing was changed."),
        "good",
    )
    return see_other(url_for("tasks.show", task_id=task_id))


def _page(task: Task, errors=None, typed=None, status=200):
    return render(
        "tasks/show.html",
        status=status,
        task=task,
        slots=tasks.slots(task),
        addable=tasks.addable(task),
        errors=errors or {},
        typed=typed,
        today=moment_now().date(),
        yes=task_fields.YES,
        done_by=tasks.person_name(task.done_by_id),
    )


@blueprint.post("/tasks/<int:task_id>/done")
@member
def set_done(task_id: int):
    task = tasks.get(task_id)
    tasks.set_done(task, request.form.get("done") == "1", current_user.id)
    return see_other(url_for("tasks.show", task_id=task_id))


@blueprint.post("/tasks/<int:task_id>/fields")
@member
def add_field(task_id: int):
    task, raw = tasks.get(task_id), request.form.get("field", "")
    if raw.isdecimal() and len(raw) < 10:
        tasks.add_field(task, int(raw))
    return see_other(url_for("tasks.show", task_id=task_id, _anchor=f"f-value-{raw}" if raw.isdecimal() else None))


@blueprint.get("/tasks/<int:task_id>/values/<int:field_id>/history")
@member
def history(task_id: int, field_id: int):
    task = tasks.get(task_id)
    found = tasks.history(task, field_id)
    return dialog(
        "tasks/history.html",
        task=task,
        history=found,
        text=lambda number, text: task_fields.as_text(found.field, number, text),
        vendor_field=_vendor_field,
        close_url=url_for("tasks.show", task_id=task_id),
    )


def _vendor_field(kind: str, key: str | None) -> str:
    try:
        return registry.spec_of(kind).stat_field(key).label
    except LookupError:  # a vendor or data field that is no more
        return key or ""
