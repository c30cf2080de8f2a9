"""The dialog of one vendor: Overview, Connect and Settings, each at its own address."""

from collections.abc import Mapping

from flask import Blueprint, abort, current_app, request, url_for
from flask_login import current_user
from markupsafe import Markup

from uku_web.clock import now
from uku_web.db import db
from uku_web.services import audit, connections, integrations, links, mapping, statistics
from uku_web.services.connections import TestOutcome
from uku_web.services.errors import Invalid, NotNow
from uku_web.services.import_days import reload_window
from uku_web.services.integrations import Overview
from uku_web.texts import gettext as _
from uku_web.vendors.errors import BadSettings
from uku_web.vendors.spec import VendorSpec
from uku_web.views import forms
from uku_web.views.guard import manager
from uku_web.views.render import dialog, render, see_other

blueprint = Blueprint("integration", __name__, url_prefix="/settings")


def _show(spec: VendorSpec, tab: str, overview: Overview, *, status: int = 200, **context: object):
    """One tab of the dialog, with the frame that all tabs share."""
    connect = _("Connect to %(vendor)s", vendor=spec.label) if spec.auth.by_sign_in else _("Connect")
    labels = {"overview": _("Overview"), "connect": connect, "settings": _("Settings")}
    tabs = [
        {"key": key, "label": label, "url": url_for(f"integration.{endpoint}", kind=spec.kind), "current": key == tab}
        for (key, label), endpoint in zip(labels.items(), ("show", "connect", "settings"), strict=True)
    ]
    return dialog(
        f"integration/{tab}.html",
        status=status,
        spec=spec,
        overview=overview,
        tabs=tabs,
        close_url=url_for("apps.index"),
        **context,
    )


@blueprint.get("/<kind>")
@manager
def show(kind: str):
    spec = forms.spec_or_404(kind)
    overview = integrations.overview(kind)
    return _show(spec, "overview", overview, chain=forms.chain_steps(spec, overview), syncs=integrations.syncs(spec))


@blueprint.post("/<kind>/enable")
@manager
def enable(kind: str):
    spec = forms.spec_or_404(kind)
    integrations.enable(kind)
    db.session.commit()
    return see_other(url_for("integration.show", kind=kind), _("%(vendor)s is enabled.", vendor=spec.label))


@blueprint.post("/<kind>/disable")
@manager
def disable(kind: str):
    spec = forms.spec_or_404(kind)
    integrations.disable(kind)
    db.session.commit()
    said = _("%(vendor)s is disabled. All data is kept.", vendor=spec.label)
    return see_other(url_for("integration.show", kind=kind), said)


@blueprint.get("/<kind>/connect")
@manager
def connect(kind: str):
    return _connect(forms.spec_or_404(kind))


def _connect(
    spec: VendorSpec,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    outcome: TestOutcome | None = None,
    better: dict | None = None,
    status: int = 200,
):
    overview = integrations.overview(spec.kind)
    connection = overview.connection
    if outcome is not None:
        errors = {**(errors or {}), **forms.errors_of(outcome)}
    return _show(
        spec,
        "connect",
        overview,
        status=status,
        rows=forms.credential_rows(spec, connection, typed, errors),
        name=(typed or {}).get("company_name") or _told(outcome) or (connection.name if connection else "") or "",
        errors=errors or {},
        outcome=outcome,
        better=better,
        trimmed=connections.trimmed_sentence(outcome.trimmed) if outcome else "",
    )


def _told(outcome: TestOutcome | None) -> str | None:
    """Some vendors tell a company's name only sometimes: then it need not be typed."""
    return outcome.account.name if outcome is not None and outcome.account else None


@blueprint.post("/<kind>/connect/test")
@manager
def test(kind: str):
    spec, connection = forms.spec_or_404(kind), links.company_connection(kind)
    try:
        values, trimmed = connections.read_form(spec, request.form, connections.stored(connection))
    except (Invalid, BadSettings) as wrong:
        return _connect(spec, request.form, forms.wrong(wrong), better=forms.better(wrong), status=422)
    outcome = connections.test(kind, values, trimmed=trimmed, connection=connection)
    db.session.commit()
    return _connect(spec, request.form, outcome=outcome)


@blueprint.post("/<kind>/connect/save")
@manager
def save_connection(kind: str):
    spec, connection = forms.spec_or_404(kind), links.company_connection(kind)
    try:
        values, trimmed = connections.read_form(spec, request.form, connections.stored(connection))
        outcome = connections.save(kind, values, name=request.form.get("company_name"), trimmed=trimmed)
    except (Invalid, BadSettings) as wrong:
        db.session.rollback()
        return _connect(spec, request.form, forms.wrong(wrong), better=forms.better(wrong), status=422)
    db.session.commit()
    if not outcome.kept:
        return _connect(spec, request.form, outcome=outcome, status=422)
    if outcome.kept == "choose":
        return see_other(url_for("integration.connect", kind=kind))
    said, level = _("Connection successful!") + " " + _("The connection is saved."), "good"
    if outcome.kept == "unverified":
        said, level = f"{outcome.sentence} {_('The credentials are saved as not verified yet.')}", "warn"
    parts = [said, connections.trimmed_sentence(outcome.trimmed), *(outcome.tested.notes if outcome.ok else ())]
    target = "show" if outcome.ok else "connect"
    return see_other(url_for(f"integration.{target}", kind=kind), " ".join(filter(None, parts)), level)


@blueprint.post("/<kind>/connect/choose")
@manager
def choose(kind: str):
    """Of two accounts: keep the connected one, or switch. Credentials that wait for their test are tested again."""
    spec, act = forms.spec_or_404(kind), request.form.get("act")
    if act == "test":
        waiting = connections.candidate(kind) or links.company_connection(kind)
        outcome = connections.test(kind, connections.stored(waiting), connection=waiting)
        db.session.commit()
        return _connect(spec, outcome=outcome)
    connection = connections.choose(kind, switch=act == "switch")
    db.session.commit()
    said = _("%(name)s is connected.", name=connection.name or spec.label)
    return see_other(url_for("integration.show", kind=kind), said)


@blueprint.get("/<kind>/disconnect")
@manager
def ask_disconnect(kind: str):
    return dialog("integration/disconnect.html", spec=forms.spec_or_404(kind), close_url=url_for("apps.index"))


@blueprint.post("/<kind>/disconnect")
@manager
def disconnect(kind: str):
    spec = forms.spec_or_404(kind)
    removal = connections.disconnect(kind)
    db.session.commit()
    said = _("%(vendor)s is disconnected and its credentials are deleted.", vendor=spec.label)
    return see_other(url_for("integration.show", kind=kind), f"{said} {removal}".strip())


@blueprint.get("/<kind>/settings")
@manager
def settings(kind: str):
    return _settings(forms.spec_or_404(kind))


def _settings(
    spec: VendorSpec,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    status: int = 200,
):
    errors, rows, overview = errors or {}, mapping.rows(spec), integrations.overview(spec.kind)
    stored = overview.integration.options if overview.integration else {}
    run = forms.shown_run(integrations.last_reload(spec.kind))
    return _show(
        spec,
        "settings",
        overview,
        status=status,
        rows=rows,
        show_more=any(_is_touched(row, typed, errors) for row in rows if row.stat.more),
        topics=[(topic.id, topic.name) for topic in mapping.topics()],
        days=[(day, forms.ordinal(day)) for day in mapping.IMPORT_DAYS],
        default_title=mapping.DEFAULT_TITLE,
        placeholders=" ".join(f"{{{name}}}" for name in mapping.PLACEHOLDERS),
        options=forms.option_rows(spec, stored, typed, errors),
        typed=typed,
        errors=errors,
        progress=forms.progress_of(run, "integration.progress", kind=spec.kind),
    )


def _is_touched(row: mapping.Row, typed: Mapping[str, str] | None, errors: Mapping[str, str]) -> bool:
    name = f"map.{row.stat.key}"
    return bool(row.field_id or (typed or {}).get(name) or {name, f"new.{name}"} & set(errors))


@blueprint.post("/<kind>/settings")
@manager
def save_settings(kind: str):
    """Starts nothing; a changed mapping offers to reload at once."""
    spec, form = forms.spec_or_404(kind), request.form.to_dict()
    try:
        mapping.make_new(spec, form)
        changed = mapping.save(kind, form)
    except Invalid as wrong:
        db.session.rollback()
        return _settings(spec, form, wrong.errors, 422)
    db.session.commit()
    said = Markup("%s") % _("Saved.")
    if changed and links.live(kind):
        link = Markup('<a href="{url}" hx-get="{url}" hx-target="#dialog-body">{label}</a>')
        link = link.format(url=url_for("integration.ask_reload", kind=kind), label=_("Reload data"))
        said = Markup("%s %s %s") % (said, _("To fill the past 12 months in the same way:"), link)
    return see_other(url_for("integration.settings", kind=kind), said)


@blueprint.post("/<kind>/settings/new-field")
@manager
def new_field(kind: str):
    """Make the field or topic chosen as new, and show the tab again with all that was typed. Saves nothing else."""
    spec, form = forms.spec_or_404(kind), request.form.to_dict()
    mapping.integration_of(kind)
    try:
        mapping.make_new(spec, form)
    except Invalid as wrong:
        return _settings(spec, form, wrong.errors, 422)
    return _settings(spec, form)


@blueprint.get("/<kind>/reload")
@manager
def ask_reload(kind: str):
    spec, integration = forms.spec_or_404(kind), mapping.integration_of(kind)
    try:
        forecast, refused = statistics.reload_forecast(kind), ""
    except NotNow as no:
        forecast, refused = None, no.sentence
    return dialog(
        "integration/reload.html",
        spec=spec,
        forecast=forecast,
        refused=refused,
        cost=forms.forecast_text(spec, forecast) if forecast else "",
        months=forms.window_text(reload_window(integrations.company(), integration, now())),
        close_url=url_for("apps.index"),
    )


@blueprint.post("/<kind>/reload")
@manager
def reload(kind: str):
    spec = forms.spec_or_404(kind)
    run = statistics.open_reload_of_vendor(kind, current_user.id)
    audit.record("reload.started", spec.label, run=run.id)
    forms.start(run)
    return see_other(url_for("integration.settings", kind=kind))


@blueprint.get("/<kind>/progress")
@manager
def progress(kind: str):
    return forms.poll(forms.spec_or_404(kind), "integration.progress", kind=kind)


@blueprint.get("/<kind>/manual")
@manager
def manual(kind: str):
    spec = forms.spec_or_404(kind)
    page = f"vendors/{kind}/manual.html"
    if page not in current_app.jinja_env.list_templates(filter_func=page.__eq__):
        abort(404)
    return render("integration/manual.html", spec=spec, page=page)
