"""What the two integration dialogs share: fields drawn from a declaration, the outcome of a test, a run's progress."""

from collections.abc import Mapping
from datetime import timedelta

from flask import abort, make_response, render_template, request, url_for

from jobs.bell import ring
from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Connection, Run
from uku_web.services import connections, run_views, runs
from uku_web.services.connections import TestOutcome
from uku_web.services.errors import Invalid
from uku_web.services.integrations import Overview
from uku_web.services.statistics import Forecast
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors import registry
from uku_web.vendors.errors import BadSettings
from uku_web.vendors.records import Month
from uku_web.vendors.spec import Field, VendorSpec
from uku_web.views.render import see_other, wants_partial

RECENT = timedelta(minutes=10)  # how long an ended run is still shown in a dialog


def spec_or_404(kind: str) -> VendorSpec:
    try:
        return registry.spec_of(kind)
    except registry.UnknownVendor:
        abort(404)


def credential_rows(
    spec: VendorSpec,
    connection: Connection | None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
) -> list[dict]:
    """Arguments of the `field` macro, one set a credential. Of what is stored only choices are shown.

    `typed`: what was just sent; it is shown again unless it is secret.
    """
    hints = connection.hints if connection is not None else {}
    saved = bool(connections.stored(connection))
    rows = []
    for field in spec.credentials:
        value = (hints.get("choices") or {}).get(field.name) or field.default
        if typed is not None:
            value = (typed.get(f"use.{field.name}") or typed.get(field.name) or "").strip()
        row = _row(spec, field, value, (errors or {}).get(field.name, ""))
        row["saved"] = saved
        if field.secret and typed is not None:
            row["attrs"] = {"hx-preserve": "true"}  # what was typed stays in the browser; we never send it back
        elif saved and not field.choices:
            row["hint"] = f"{field.hint} {_kept(field, hints)}".strip()
        rows.append(row)
    return rows


def _kept(field: Field, hints: Mapping) -> str:
    end = (hints.get("ends") or {}).get(field.name)
    if field.secret:
        return ""  # the macro says it
    if end:
        return _("Saved, ends in %(end)s. Leave blank to keep it.", end=end)
    return _("Saved. Leave blank to keep it.")


def _row(spec: VendorSpec, field: Field, value: str, error: str) -> dict:
    manual = url_for("integration.manual", kind=spec.kind, _anchor=field.help_anchor)
    return {
        "name": field.name,
        "label": field.label,
        "type": "select" if field.choices else "date" if field.kind == "date" else "text",
        "value": "" if field.secret else value,
        "error": error,
        "hint": field.hint,
        "secret": field.secret,
        "options": list(field.choices) or None,
        "blank": _("Choose") if field.choices and not value else None,
        "optional": not field.required,
        "help_url": manual if field.help_anchor else "",
        "attrs": {} if field.secret or field.choices else {"autocomplete": "off", "spellcheck": "false"},
    }


def option_rows(
    spec: VendorSpec, stored: Mapping[str, str], typed: Mapping[str, str] | None, errors: Mapping[str, str]
) -> list[dict]:
    """The same for the vendor options of the Settings tab, which hold nothing secret."""
    rows = []
    for field in spec.options:
        name = f"option.{field.name}"
        value = (stored.get(field.name) or field.default) if typed is None else typed.get(name, "")
        rows.append({**_row(spec, field, value, errors.get(name, "")), "name": name})
    return rows


def wrong(error: Invalid | BadSettings) -> dict[str, str]:
    """The sentences by field."""
    return error.errors if isinstance(error, Invalid) else {error.field or "": error.sentence}


def better(error: Invalid | BadSettings) -> dict | None:
    """A value found inside a wrong one, to be accepted with a button."""
    value = getattr(error, "suggestion", None)
    if not value or not error.field:
        return None
    return {"name": f"use.{error.field}", "value": value, "label": _("Use %(value)s", value=value)}


def errors_of(outcome: TestOutcome) -> dict[str, str]:
    """A failed test's sentence, beside the field to look at."""
    if outcome.ok or outcome.unreachable or not outcome.field:
        return {}
    if outcome.other_variant:
        return {outcome.field: _("The keys are good in %(variant)s.", variant=outcome.other_variant.label)}
    return {outcome.field: outcome.sentence}


def forecast_text(spec: VendorSpec, forecast: Forecast) -> str:
    count = ngettext("%(n)s request", "%(n)s requests", forecast.requests)
    if not forecast.exact:
        count = _("at least %(count)s", count=count)
    minutes = -(-forecast.seconds // 60)
    time = ngettext("about %(n)s minute", "about %(n)s minutes", minutes) if minutes > 1 else _("about a minute")
    return _("It makes %(count)s to %(vendor)s and takes %(time)s.", count=count, vendor=spec.label, time=time)


def window_text(months: list[Month]) -> str:
    first, last = (month.first.strftime("%B %Y") for month in (months[0], months[-1]))
    return _("The months are %(first)s to %(last)s.", first=first, last=last)


def chain_steps(spec: VendorSpec, overview: Overview) -> list[dict]:
    """What it takes until counts flow; a missing step carries the address where it is mended."""
    chain, here = overview.chain, {"kind": spec.kind}
    if chain.connected or chain.by_clients:
        steps = [{"text": _("connected") if chain.connected else _("connected client by client"), "url": ""}]
    else:
        steps = [{"text": _("not connected"), "url": url_for("integration.connect", **here)}]
    if not spec.statistics:
        return steps
    linked = ngettext("%(n)s client linked", "%(n)s clients linked", chain.linked)
    mapped = ngettext("%(n)s field mapped", "%(n)s fields mapped", chain.mapped)
    settings = url_for("integration.settings", **here)
    steps.append({"text": linked, "url": "" if chain.linked else url_for("clients.index"), "page": True})
    steps.append({"text": mapped, "url": "" if chain.mapped else settings})
    if chain.next_import:
        day = f"{chain.next_import.day} {chain.next_import:%B %Y}"
        steps.append({"text": _("next import %(day)s", day=day), "url": ""})
    elif not overview.enabled:
        steps.append({"text": _("not enabled, so nothing is imported"), "url": url_for("integration.show", **here)})
    else:
        steps.append({"text": _("no import day yet"), "url": settings})
    return steps


def ordinal(day: int) -> str:
    ending = "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")
    return f"{day}{ending}"


def shown_run(run: Run | None) -> Run | None:
    """The run if it is worth showing in a dialog: under way, or just ended."""
    if run is None or run.active or (run.ended_at and now() - run.ended_at < RECENT):
        return run
    return None


def progress_of(run: Run | None, endpoint: str, **address: object) -> dict | None:
    """What the progress region shows, and where it asks for news."""
    if run is None:
        return None
    version = run_views.version(run.id)
    return {"run": run, "url": url_for(endpoint, **address, run=run.id, seen=version), "version": version}


def poll(spec: VendorSpec, endpoint: str, /, **address: object):
    """The progress region, asked again and again: 204 while what was seen still holds."""
    number = request.args.get("run", "")
    if not number.isdecimal():
        return "", 204
    run = runs.get(int(number))
    if run.kind != spec.kind:
        abort(404)
    if not wants_partial():
        return see_other(url_for("runs.show", run_id=run.id))
    progress = progress_of(run, endpoint, **address)
    if request.args.get("seen") == progress["version"]:
        return "", 204
    response = make_response(render_template("integration/_progress.html", progress=progress))
    response.headers["Vary"] = "HX-Request"
    return response


def start(run: Run) -> None:
    """Commit an opened run and call a worker. The id is read before: reading it after would lock the database anew."""
    run_id = run.id
    db.session.commit()
    ring(run_id)
