"""Settings: custom task fields and topics."""

from flask import Blueprint, flash, request, url_for

from uku_web.models import TaskField, Topic
from uku_web.services import task_fields
from uku_web.services.errors import Invalid
from uku_web.texts import gettext as _
from uku_web.views.guard import manager
from uku_web.views.render import render, see_other

blueprint = Blueprint("task_fields", __name__)


@blueprint.get("/settings/task-fields")
@manager
def index():
    return _list("fields", {"type": "number"})


@blueprint.post("/settings/task-fields")
@manager
def create():
    form = request.form
    try:
        row = task_fields.save_field(None, form.get("name", ""), form.get("type", ""), form.get("choices", ""))
    except Invalid as wrong:
        return _list("fields", form, wrong.errors, status=422)
    flash(_("%(name)s is added.", name=row.name), "good")
    return see_other(url_for("task_fields.index"))


@blueprint.get("/settings/topics")
@manager
def topics():
    return _list("topics", {})


@blueprint.post("/settings/topics")
@manager
def create_topic():
    try:
        row = task_fields.save_topic(None, request.form.get("name", ""))
    except Invalid as wrong:
        return _list("topics", request.form, wrong.errors, status=422)
    flash(_("%(name)s is added.", name=row.name), "good")
    return see_other(url_for("task_fields.topics"))


def _list(what: str, values, errors=None, status=200):
    return render(
        f"task_fields/{what}.html",
        status=status,
        entries=task_fields.fields() if what == "fields" else task_fields.topics(),
        types=task_fields.type_names(),
        values=values,
        errors=errors or {},
    )


@blueprint.get("/settings/task-fields/<int:field_id>")
@manager
def edit(field_id: int):
    one = task_fields.entry(TaskField, field_id)
    row = one.row
    return _form(one, {"name": row.name, "type": row.type, "choices": "\n".join(row.choices)})


@blueprint.post("/settings/task-fields/<int:field_id>")
@manager
def update(field_id: int):
    one, form = task_fields.entry(TaskField, field_id), request.form
    try:
        task_fields.save_field(one, form.get("name", ""), form.get("type", ""), form.get("choices", ""))
    except Invalid as wrong:
        return _form(one, {"type": one.row.type, **form}, wrong.errors, status=422)
    return see_other(url_for("task_fields.index"))


@blueprint.get("/settings/topics/<int:topic_id>")
@manager
def edit_topic(topic_id: int):
    one = task_fields.entry(Topic, topic_id)
    return _form(one, {"name": one.row.name})


@blueprint.post("/settings/topics/<int:topic_id>")
@manager
def update_topic(topic_id: int):
    one = task_fields.entry(Topic, topic_id)
    try:
        task_fields.save_topic(one, request.form.get("name", ""))
    except Invalid as wrong:
        return _form(one, request.form, wrong.errors, status=422)
    return see_other(url_for("task_fields.topics"))


def _form(one: task_fields.Entry, values, errors=None, status=200):
    template = "task_fields/field.html" if isinstance(one.row, TaskField) else "task_fields/topic.html"
    return render(template, status=status, one=one, types=task_fields.type_names(), values=values, errors=errors or {})


@blueprint.post("/settings/task-fields/<int:field_id>/archived")
@manager
def archive(field_id: int):
    return _archive(task_fields.entry(TaskField, field_id), "task_fields.index")


@blueprint.post("/settings/topics/<int:topic_id>/archived")
@manager
def archive_topic(topic_id: int):
    return _archive(task_fields.entry(Topic, topic_id), "task_fields.topics")


def _archive(one: task_fields.Entry, back: str):
    archived = request.form.get("archived") == "1"
    task_fields.set_archived(one, archived)
    said = _("%(name)s is archived.") if archived else _("%(name)s is restored.")
    flash(said % {"name": one.row.name}, "good")
    return see_other(url_for(back))


@blueprint.post("/settings/task-fields/<int:field_id>/delete")
@manager
def delete(field_id: int):
    return _delete(task_fields.entry(TaskField, field_id), "task_fields.index")


@blueprint.post("/settings/topics/<int:topic_id>/delete")
@manager
def delete_topic(topic_id: int):
    return _delete(task_fields.entry(Topic, topic_id), "task_fields.topics")


def _delete(one: task_fields.Entry, back: str):
    name = one.row.name
    task_fields.remove(one)
    flash(_("%(name)s is deleted.", name=name), "good")
    return see_other(url_for(back))
