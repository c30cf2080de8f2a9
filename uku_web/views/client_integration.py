"""The dialog Integration configuration: one client's tie to its books."""

from collections.abc import Mapping

from flask import Blueprint, request, url_for
from flask_login import current_user

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Connection, Link
from uku_web.services import audit, client_links, connections, integrations, links, mapping, statistics
from uku_web.services.connections import TestOutcome
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.services.import_days import reload_window
from uku_web.texts import gettext as _
from uku_web.vendors.errors import BadSettings, VendorError
from uku_web.vendors.records import Customer
from uku_web.vendors.spec import VendorSpec
from uku_web.views import forms
from uku_web.views.guard import manager
from uku_web.views.render import dialog, see_other

blueprint = Blueprint("client_integration", __name__, url_prefix="/clients/<int:client_id>/integration")
OWN, COMPANY, PAIR = "own", "company", "pair:"  # by what a client is linked


@blueprint.get("")
@manager
def show(client_id: int):
    return _show(client_links.client_of(client_id), request.args.get("kind"))


def _posted_spec() -> VendorSpec:
    return forms.spec_or_404(request.form.get("kind", ""))


def _show(
    client: Client,
    kind: str | None,
    *,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    outcome: TestOutcome | None = None,
    better: dict | None = None,
    customers: list[Customer] | None = None,
    status: int = 200,
):
    specs = integrations.enabled_specs()
    kind = kind if kind in [spec.kind for spec in specs] else _first_kind(client, specs)
    spec = next((spec for spec in specs if spec.kind == kind), None)
    errors = {**(errors or {}), **(forms.errors_of(outcome) if outcome else {})}
    told = _of_vendor(client, spec, typed, errors, customers) if spec else {}
    if outcome and told.get("progress") and not told["progress"]["run"].active:
        told["progress"] = None  # what was just tested must not stand under an older outcome
    return dialog(
        "client_integration/show.html",
        status=status,
        client=client,
        kinds=[(spec.kind, spec.label) for spec in specs],
        spec=spec,
        errors=errors,
        outcome=outcome,
        better=better,
        trimmed=connections.trimmed_sentence(outcome.trimmed) if outcome else "",
        close_url=url_for("clients.show", client_id=client.id),
        **told,
    )


def _first_kind(client: Client, specs: list[VendorSpec]) -> str | None:
    """Without a choice: the vendor that is worst off, or the only one there is."""
    badges = client_links.badges_for([client])[client.id]
    if badges:
        return badges[0].kind
    return specs[0].kind if len(specs) == 1 else None


def _of_vendor(
    client: Client,
    spec: VendorSpec,
    typed: Mapping[str, str] | None,
    errors: Mapping[str, str],
    customers: list[Customer] | None,
) -> dict:
    company = links.company_connection(spec.kind)
    link = client_links.of(client.id, spec.kind, company)
    own = link.connection if link is not None else None
    sources = _sources(spec, company)
    present = PAIR + str(own.id) if own is not None and spec.shares_pairs else OWN
    present = COMPANY if link is not None and own is None else present
    known = [value for value, _label in sources]
    source = (typed or {}).get("source") or present
    run = forms.shown_run(client_links.last_run(client.id, spec.kind))
    return {
        "link": link,
        "badge": client_links.badge_of(link, company) if link is not None else None,
        "sources": sources,
        "source": source if source in known else (known or [OWN])[0],
        "rows": forms.credential_rows(spec, own, typed, errors) if spec.own_credentials else [],
        "name": (typed or {}).get("company_name") or (own.name if own is not None else client.name) or "",
        "customers": _customer_options(link, customers),
        "customer": (typed or {}).get("customer") or _customer_value(link),
        "search": (typed or {}).get("search", ""),
        "progress": forms.progress_of(run, "client_integration.progress", client_id=client.id, kind=spec.kind),
    }


def _customer_value(link: Link | None) -> str:
    return f"{link.customer_id}|{link.customer_name or ''}" if link is not None and link.customer_id else ""


def _customer_options(link: Link | None, found: list[Customer] | None) -> list[tuple[str, str]]:
    if found is not None:
        return [(f"{each.id}|{each.name}", f"{each.name} ({each.code})" if each.code else each.name) for each in found]
    return [(_customer_value(link), link.customer_name or link.customer_id)] if _customer_value(link) else []


def _sources(spec: VendorSpec, company: Connection | None) -> list[tuple[str, str]]:
    """By what the client can be linked to this vendor: (value, label)."""
    found = [(PAIR + str(pair.id), pair.name or _("Unnamed company")) for pair in client_links.pairs(spec.kind)]
    if spec.own_credentials:
        found.append((OWN, _("Credentials of this client's own books")))
    if company is not None and (spec.whole_books or spec.picks_customer):
        found.append((COMPANY, _company_source(spec, company)))
    return found


def _company_source(spec: VendorSpec, company: Connection) -> str:
    name = company.name or spec.label
    if spec.picks_customer:
        return _("The company's connection: %(name)s", name=name)
    return _("The company's own books: %(name)s", name=name)


def _address(client_id: int, spec: VendorSpec, endpoint: str = "show") -> str:
    return url_for(f"client_integration.{endpoint}", client_id=client_id, kind=spec.kind)


@blueprint.post("/test")
@manager
def test(client_id: int):
    client, spec = client_links.client_of(client_id), _posted_spec()
    source, trimmed = request.form.get("source", OWN), ()
    connection = _own_connection(client_id, spec)
    try:
        if source == OWN:
            values, trimmed = connections.read_form(spec, request.form, connections.stored(connection))
        else:
            connection = _saved_connection(spec, source)
            values = connections.stored(connection)
    except (Invalid, BadSettings) as wrong:
        return _refuse(client, spec, wrong)
    outcome = connections.test(spec.kind, values, trimmed=trimmed, connection=connection)
    db.session.commit()
    return _show(client, spec.kind, typed=request.form, outcome=outcome)


def _saved_connection(spec: VendorSpec, source: str) -> Connection:
    """The company's connection, or a saved pair. Raises Invalid."""
    pairs = {PAIR + str(pair.id): pair for pair in client_links.pairs(spec.kind)}
    found = links.company_connection(spec.kind) if source == COMPANY else pairs.get(source)
    if found is None:
        raise Invalid({"source": _("Choose one from the list.")})
    return found


@blueprint.post("/save")
@manager
def save(client_id: int):
    client, spec = client_links.client_of(client_id), _posted_spec()
    source = request.form.get("source", OWN)
    try:
        if source == OWN:
            return _save_own(client, spec)
        _link(client_id, spec, source)
    except (Invalid, BadSettings) as wrong:
        db.session.rollback()
        return _refuse(client, spec, wrong)
    db.session.commit()
    return see_other(_address(client_id, spec), f"{_('The link is saved.')} {_offer(spec)}".strip())


def _save_own(client: Client, spec: VendorSpec):
    connection, name = _own_connection(client.id, spec), request.form.get("company_name")
    values, trimmed = connections.read_form(spec, request.form, connections.stored(connection))
    outcome = client_links.save_own(client.id, spec.kind, values, name=name, trimmed=trimmed)
    db.session.commit()
    if not outcome.kept:
        return _show(client, spec.kind, typed=request.form, outcome=outcome, status=422)
    said, level = _("Connection successful!") + " " + _("The connection is saved."), "good"
    if outcome.kept == "unverified":
        said, level = f"{outcome.sentence} {_('The credentials are saved as not verified yet.')}", "warn"
    said = f"{said} {connections.trimmed_sentence(outcome.trimmed)}".strip()
    return see_other(_address(client.id, spec), f"{said} {_offer(spec)}".strip(), level)


def _offer(spec: VendorSpec) -> str:
    """Saving starts nothing by itself."""
    return _("Reload data brings in the last 12 months now.") if spec.statistics else ""


def _link(client_id: int, spec: VendorSpec, source: str) -> Link:
    if source == COMPANY:
        customer_id, _bar, name = request.form.get("customer", "").partition("|")
        return client_links.link_by_company(client_id, spec.kind, customer_id, name)
    return client_links.link_by_pair(client_id, spec.kind, _saved_connection(spec, source).id)


def _own_connection(client_id: int, spec: VendorSpec) -> Connection | None:
    link = client_links.of(client_id, spec.kind)
    return link.connection if link is not None else None


def _refuse(client: Client, spec: VendorSpec, wrong: Invalid | BadSettings):
    return _show(
        client, spec.kind, typed=request.form, errors=forms.wrong(wrong), better=forms.better(wrong), status=422
    )


@blueprint.post("/customers")
@manager
def find_customers(client_id: int):
    """The customers of the connected account that match, asked from the vendor."""
    client, spec = client_links.client_of(client_id), _posted_spec()
    try:
        found = client_links.customers(spec.kind, request.form.get("search", ""))
    except VendorError as error:
        return _show(client, spec.kind, typed=request.form, errors={"search": error.sentence}, status=422)
    return _show(client, spec.kind, typed=request.form, customers=found)


@blueprint.get("/reload")
@manager
def ask_reload(client_id: int):
    client, spec, link = _linked(client_id, request.args)
    try:
        forecast, refused = statistics.reload_forecast(spec.kind, link), ""
    except NotNow as no:
        forecast, refused = None, no.sentence
    months = reload_window(integrations.company(), mapping.integration_of(spec.kind), now())
    return dialog(
        "client_integration/reload.html",
        client=client,
        spec=spec,
        refused=refused,
        cost=forms.forecast_text(spec, forecast) if forecast else "",
        months=forms.window_text(months),
        close_url=url_for("clients.show", client_id=client_id),
    )


@blueprint.post("/reload")
@manager
def reload(client_id: int):
    client, spec, link = _linked(client_id, request.form)
    run = statistics.open_reload_of_link(link, current_user.id)
    audit.record("reload.started", client.name, vendor=spec.label, run=run.id)
    forms.start(run)
    return see_other(_address(client_id, spec))


def _linked(client_id: int, given: Mapping[str, str]) -> tuple[Client, VendorSpec, Link]:
    client, spec = client_links.client_of(client_id), forms.spec_or_404(given.get("kind", ""))
    link = client_links.of(client_id, spec.kind)
    if link is None:
        raise NotFound(_("This client is not connected any more."))
    if client_links.badge_of(link).state == "asleep":
        raise NotNow(client_links.badge_of(link).reason)
    return client, spec, link


@blueprint.get("/delete")
@manager
def ask_delete(client_id: int):
    client, spec = client_links.client_of(client_id), forms.spec_or_404(request.args.get("kind", ""))
    return dialog(
        "client_integration/delete.html",
        client=client,
        spec=spec,
        close_url=url_for("clients.show", client_id=client_id),
    )


@blueprint.post("/delete")
@manager
def delete(client_id: int):
    spec = _posted_spec()
    client_links.delete(client_id, spec.kind)
    db.session.commit()
    return see_other(_address(client_id, spec), _("%(vendor)s is removed from this client.", vendor=spec.label))


@blueprint.get("/progress")
@manager
def progress(client_id: int):
    client_links.client_of(client_id)
    spec = forms.spec_or_404(request.args.get("kind", ""))
    return forms.poll(spec, "client_integration.progress", client_id=client_id, kind=spec.kind)
