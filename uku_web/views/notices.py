"""Notifications: the bell, the list, and following one."""

from flask import Blueprint, abort, request, url_for
from flask_login import current_user

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Notice
from uku_web.services import notices as told
from uku_web.services.notices import unread
from uku_web.views.auth import own_path
from uku_web.views.guard import member
from uku_web.views.render import render, see_other, wants_partial

blueprint = Blueprint("notices", __name__)


@blueprint.get("/notices/bell")
@member
def bell():
    count = unread(current_user.id)
    if request.args.get("seen") == str(count):
        return "", 204
    if not wants_partial():
        return see_other(url_for("notices.index"))
    return render("notices/_bell.html", unread=count)


@blueprint.get("/notices")
@member
def index():
    return render("notices/index.html", notices=told.of(current_user.id), own_path=own_path)


@blueprint.post("/notices/<int:notice_id>/open")
@member
def open(notice_id: int):
    """Reads the notice and leads to what it is about."""
    notice = db.session.get(Notice, notice_id)
    if notice is None or notice.person_id != current_user.id:
        abort(404)
    notice.read_at = notice.read_at or now()
    db.session.commit()
    return see_other(own_path(notice.path) or url_for("notices.index"))


@blueprint.post("/notices/read")
@member
def read_all():
    told.read_all(current_user.id)
    db.session.commit()
    return see_other(url_for("notices.index"))
