"""The audit log, to read and to take along."""

import csv
import io
import json

from flask import Blueprint, Response, g

from uku_web.models import AuditEntry
from uku_web.services import audit
from uku_web.texts import gettext as _
from uku_web.views.companies import local, moment_now
from uku_web.views.guard import manager
from uku_web.views.lists import number
from uku_web.views.render import render

blueprint = Blueprint("audit", __name__)
SHOWN = 100
AT_ONCE = 1000


@blueprint.app_template_filter("act_name")
def act_name(act: str) -> str:
    """ "client.default_changed" -> "Client default changed": acts are named so that they read by themselves."""
    return act.replace(".", " ").replace("_", " ").capitalize()


@blueprint.get("/settings/audit")
@manager
def index():
    before = number("before")
    entries = audit.entries(SHOWN + 1, before)
    older = entries[SHOWN - 1].id if len(entries) > SHOWN else None
    return render("audit/index.html", entries=entries[:SHOWN], older=older, before=before)


@blueprint.get("/settings/audit.csv")
@manager
def export():
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow([_("Time"), _("Time zone"), _("Who"), _("What"), _("Of"), _("Details"), _("From")])
    before = None
    while entries := audit.entries(AT_ONCE, before):
        for entry in entries:
            table.writerow([safe_cell(cell) for cell in _row(entry)])
        before = entries[-1].id
    name = f"audit-{moment_now():%Y-%m-%d}.csv"
    # The mark at the start lets spreadsheets read the letters right.
    return Response(
        "\ufeff" + out.getvalue(),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _row(entry: AuditEntry) -> list[str]:
    detail = json.dumps(entry.detail, ensure_ascii=False, sort_keys=True) if entry.detail else ""
    at = local(entry.at).strftime("%Y-%m-%d %H:%M:%S")
    return [at, g.company.timezone, entry.person_name, entry.act, entry.subject, detail, entry.address]


def safe_cell(text: str) -> str:
    """A spreadsheet runs cells that begin like a formula, also behind blanks; an apostrophe makes them text."""
    return f"'{text}" if text.lstrip()[:1] in tuple("=+-@|%") or text[:1] in ("\t", "\r", "\n") else text
