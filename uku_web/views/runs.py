"""Runs: the list, one run with its steps, clients and requests, and its progress while it lasts."""

from flask import Blueprint, abort, flash, request, url_for
from flask_login import current_user

from jobs.bell import ring
from uku_web.models import Run
from uku_web.services import run_views, runs
from uku_web.services.errors import NotNow
from uku_web.texts import gettext as _
from uku_web.views.guard import manager, member
from uku_web.views.lists import list_url, number, page_size
from uku_web.views.render import render, see_other, wants_partial
from uku_web.views.tasks import vendor_label

blueprint = Blueprint("runs", __name__)
PARTS = ("steps", "clients", "requests")


def state_names() -> dict[str, str]:
    return {
        "active": _("Still going on"),
        "queued": _("Queued"),
        "running": _("Running"),
        "waiting": _("Waiting"),
        "done": _("Done"),
        "doubt": _("Done with doubt"),
        "failed": _("Failed"),
        "interrupted": _("Interrupted"),
        "cancelled": _("Cancelled"),
    }


@blueprint.app_template_filter("trigger_name")
def trigger_name(trigger: str) -> str:
    names = {
        "reload": _("Reload data"),
        "import": _("Import day"),
        "bulk": _("Run integration"),
        "first": _("First import"),
        "sync": _("Sync"),
    }
    return names.get(trigger, trigger.replace("_", " ").capitalize())


@blueprint.app_template_filter("lasted")
def lasted(run: Run) -> str:
    """How long the work took so far."""
    if run.started_at is None or run.ended_at is None:
        return ""
    seconds = max(int((run.ended_at - run.started_at).total_seconds()), 0)
    hours, minutes = seconds // 3600, seconds // 60 % 60
    if hours:
        return _("%(h)s h %(m)s min", h=hours, m=minutes)
    return _("%(m)s min %(s)s s", m=minutes, s=seconds % 60) if minutes else _("%(s)s s", s=seconds)


@blueprint.get("/runs")
@member
def index():
    kinds, triggers = run_views.kinds_and_triggers()
    mine = request.args.get("mine") == "1"
    wanted = run_views.Wanted(
        q=request.args.get("q", "").strip()[:100],
        kind=_one_of("kind", kinds),
        state=_one_of("state", run_views.STATES),
        trigger=_one_of("trigger", triggers),
        person=current_user.id if mine else None,
        page=number("page", 1),
        size=page_size(),
    )
    rows, page = run_views.found(wanted)
    filters = {
        "q": wanted.q,
        "kind": wanted.kind,
        "state": wanted.state,
        "trigger": wanted.trigger,
        "mine": "1" if mine else "",
    }
    return render(
        "runs/index.html",
        "runs/_list.html",
        rows=rows,
        paging=page,
        wanted=wanted,
        mine=mine,
        filtered=any(filters.values()),
        page_url=list_url("runs.index", **filters, size=wanted.size if wanted.size != 50 else ""),
        states=list(state_names().items()),
        kinds=[(kind, vendor_label(kind)) for kind in kinds],
        triggers=[(trigger, trigger_name(trigger)) for trigger in triggers],
    )


def _one_of(name: str, known) -> str:
    given = request.args.get(name, "")
    return given if given in known else ""


@blueprint.get("/runs/<int:run_id>")
@member
def show(run_id: int):
    """The page; htmx asks it for the part that is shown under the progress."""
    part = _one_of("show", PARTS) or PARTS[0]
    progress = run_views.progress(run_id)
    context = {"rows": [], "paging": None}
    if part == "steps":
        context["rows"] = run_views.events(run_id)
    else:
        read = run_views.items if part == "clients" else run_views.calls
        context["rows"], context["paging"] = read(run_id, number("page", 1))
    return render(
        "runs/show.html",
        "runs/_part.html",
        progress=progress,
        run=progress.run,
        part=part,
        part_url=list_url("runs.show", run_id=run_id, show=part),
        asked_by=run_views.asked_by(progress.run),
        **context,
    )


@blueprint.get("/runs/<int:run_id>/progress")
@member
def progress(run_id: int):
    """Asked again and again while the run lasts: 204 when what was seen still holds."""
    seen = request.args.get("v")
    if seen and seen == run_views.version(run_id):
        return "", 204
    found = run_views.progress(run_id)
    if not wants_partial():
        return see_other(url_for("runs.show", run_id=run_id))
    response = render("runs/_progress.html", progress=found, run=found.run)
    response.headers["HX-Trigger-After-Settle"] = "run-changed"  # the part under it asks for its own news
    return response


@blueprint.post("/runs/<int:run_id>/cancel")
@manager
def cancel(run_id: int):
    try:
        run_views.cancel(runs.get(run_id))
    except NotNow as no:
        flash(no.sentence, "warn")
    return see_other(url_for("runs.show", run_id=run_id))


@blueprint.post("/runs/<int:run_id>/again")
@manager
def again(run_id: int):
    run = runs.get(run_id)
    if run.parent_id is not None:
        abort(404)  # a part starts again with its whole
    opened = run_views.start_again(run, current_user.id)
    ring(opened.id)
    return see_other(url_for("runs.show", run_id=opened.id))
