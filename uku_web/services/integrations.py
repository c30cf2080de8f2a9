"""The vendors of a company: the cards with their states, the master switch, on and off, and what the dialog tells."""

import unicodedata
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property

from babel import Locale
from sqlalchemy import func, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Company, Connection, ConnectionState, Integration, Level, Link, Run
from uku_web.services import audit, connections, import_days, summary
from uku_web.services.connections import CANDIDATE
from uku_web.services.errors import NotNow
from uku_web.services.vendor_setup import vendor_setup
from uku_web.tenancy import current_company_id
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors import registry
from uku_web.vendors.access import missing_settings
from uku_web.vendors.spec import OperatorSetting, Sync, VendorSpec

EVERYWHERE = "GLOBAL"
SYNCED = ("Work statistics",)  # data that the app itself syncs by now


@dataclass(frozen=True)
class Card:
    """A vendor as this company has it. `state` is one of off, enabled, connected, attention, paused, not_set_up."""

    spec: VendorSpec
    state: str
    why: str = ""
    since: datetime | None = None
    linked: int = 0  # live links of active clients


@dataclass(frozen=True)
class Chain:
    """What it takes until counts flow. None or 0 = missing."""

    connected: bool
    by_clients: bool  # no connection of the company's own, but clients have theirs
    linked: int
    mapped: int
    next_import: date | None


@dataclass(frozen=True)
class Overview:
    card: Card
    integration: Integration | None
    connection: Connection | None
    candidate: Connection | None
    chain: Chain
    missing: tuple[OperatorSetting, ...]

    @cached_property
    def last_run(self) -> Run | None:
        """Read where it is shown."""
        query = select(Run).where(Run.kind == self.card.spec.kind, Run.parent_id.is_(None))
        return db.session.scalar(query.order_by(Run.id.desc()).limit(1))

    @property
    def enabled(self) -> bool:
        return self.integration is not None and self.integration.enabled


def company() -> Company:
    return db.session.get(Company, current_company_id())


def set_app(on: bool) -> None:
    """The Integration app. While it is off the client list has no Integration column and no scheduled run starts."""
    here = company()
    if on:
        _needs_plan(here)
    if here.integration_on != on:
        here.integration_on = on
        audit.record("integration_app.enabled" if on else "integration_app.disabled")


def cards(search: str = "", region: str = "") -> list[Card]:
    """The vendors that match, by label. A constant number of statements."""
    here = company()
    rows = {row.kind: row for row in db.session.scalars(select(Integration))}
    held = select(Connection).where(Connection.level.in_([Level.COMPANY, Level.CLIENT]))
    by_kind: dict[str, list[Connection]] = {}
    for connection in db.session.scalars(held.where(_counts_for_card())):
        by_kind.setdefault(connection.kind, []).append(connection)
    linked = _linked()
    return [
        _card(spec, here, rows.get(spec.kind), by_kind.get(spec.kind, []), linked.get(spec.kind, 0))
        for spec in registry.all_specs()
        if matches(spec, search) and (not region or region in spec.regions)
    ]


def _counts_for_card():
    """The company's own connections, and of the clients' the ones in trouble."""
    return (Connection.level == Level.COMPANY) | (Connection.state == ConnectionState.ATTENTION)


def _linked(kind: str | None = None) -> dict[str, int]:
    """Live links of active clients by vendor."""
    held = db.aliased(Connection)
    serves = (held.kind == Link.kind) & (held.level == Level.COMPANY) & (held.company_id == Link.company_id)
    query = select(Link.kind, func.count()).join(Client, Client.id == Link.client_id).outerjoin(held, serves)
    live = Link.connection_id.is_not(None) | Link.account_id.is_not_distinct_from(held.account_id) & held.id.is_not(
        None
    )
    query = query.where(Client.active, live, *([Link.kind == kind] if kind else [])).group_by(Link.kind)
    return {row[0]: row[1] for row in db.session.execute(query)}


def _card(spec: VendorSpec, here: Company, row: Integration | None, held: list[Connection], linked: int = 0) -> Card:
    own = next((connection for connection in held if connection.level == Level.COMPANY), None)
    broken = sorted((c for c in held if c.state == ConnectionState.ATTENTION), key=lambda c: c.level != Level.COMPANY)
    missing = operator_lacks(spec)
    if missing:
        names = ", ".join(setting.name for setting in missing)
        return Card(spec, "not_set_up", _("The operator of this installation must set %(names)s.", names=names))
    if not here.has_integrations:
        return Card(spec, "paused" if row and row.enabled else "off", _plan_sentence(), linked=linked)
    if row is None or not row.enabled:
        return Card(spec, "off", linked=linked)
    if broken:
        since = min(connection.problem_since or now() for connection in broken)
        return Card(spec, "attention", _trouble(own, broken), since, linked)
    if not here.integration_on:
        return Card(spec, "paused", _("The Integration app is off, so nothing is imported."), linked=linked)
    if own is not None and own.state == ConnectionState.UNVERIFIED:
        return Card(spec, "enabled", _("The credentials are not verified yet."), linked=linked)
    return Card(spec, "connected" if own else "enabled", linked=linked)


def _trouble(own: Connection | None, broken: list[Connection]) -> str:
    if own in broken:
        return own.problem or ""
    return ngettext(
        "The connection of %(n)s client needs attention.",
        "The connections of %(n)s clients need attention.",
        len(broken),
    )


def operator_lacks(spec: VendorSpec) -> tuple[OperatorSetting, ...]:
    """Settings of the instance without which no variant of the vendor can be used."""
    lacking = [missing_settings(spec, variant, vendor_setup()) for variant in spec.variants]
    return tuple(min(lacking, key=len))


def matches(spec: VendorSpec, search: str) -> bool:
    """Case, spaces, hyphens and accents make no difference."""
    wanted = _fold(search)
    return any(wanted in _fold(name) for name in (spec.label, spec.kind, *spec.aliases))


def _fold(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).casefold().replace("ł", "l")
    return "".join(letter for letter in plain if letter.isalnum())


def regions() -> list[tuple[str, str]]:
    """(code, name) of the regions that some vendor serves, by name; everywhere comes last."""
    names = Locale("en").territories
    codes = {code for spec in registry.all_specs() for code in spec.regions}
    known = sorted(((code, names.get(code, code)) for code in codes - {EVERYWHERE}), key=lambda pair: pair[1])
    return [*known, (EVERYWHERE, _("Global"))] if EVERYWHERE in codes else known


def enable(kind: str) -> None:
    """Make the vendor selectable. Fetches nothing. Raises NotNow."""
    spec = registry.spec_of(kind)
    _needs_plan(company())
    if missing := operator_lacks(spec):
        names = ", ".join(setting.name for setting in missing)
        raise NotNow(_("The operator of this installation must set %(names)s first.", names=names))
    row = _row(kind)
    if row is None:
        row = Integration(kind=kind, options={})
        db.session.add(row)
    if not row.enabled:
        row.enabled, row.enabled_at = True, now()
        audit.record("integration.enabled", spec.label)


def disable(kind: str) -> None:
    """Scheduled runs stop and the vendor can no longer be selected; all data stays."""
    row = _row(kind)
    if row is not None and row.enabled:
        row.enabled = False
        audit.record("integration.disabled", registry.spec_of(kind).label)


def _row(kind: str) -> Integration | None:
    return db.session.scalar(select(Integration).where(Integration.kind == kind))


def _needs_plan(here: Company) -> None:
    if not here.has_integrations:
        raise NotNow(_plan_sentence())


def _plan_sentence() -> str:
    return _("Accounting integrations need the Team plan or higher.")


def enabled_specs() -> list[VendorSpec]:
    """What a client can be connected to."""
    on = set(db.session.scalars(select(Integration.kind).where(Integration.enabled)))
    return [spec for spec in registry.all_specs() if spec.kind in on]


def overview(kind: str) -> Overview:
    """Everything the dialog's tabs tell, in a constant number of statements."""
    spec, here, row = registry.spec_of(kind), company(), _row(kind)
    query = select(Connection).where(Connection.kind == kind, _counts_for_card() | (Connection.level == CANDIDATE))
    by_level: dict[str, list[Connection]] = {}
    for connection in db.session.scalars(query.options(db.joinedload(Connection.account))):
        by_level.setdefault(connection.level, []).append(connection)
    own, other = (next(iter(by_level.get(level, [])), None) for level in (Level.COMPANY, CANDIDATE))
    linked, mapped = _linked(kind).get(kind, 0), len(summary.mappings(kind))
    ready = here.integration_on and row is not None and row.enabled and row.task_title and row.topic_id and mapped
    held = [connection for level, found in by_level.items() if level != CANDIDATE for connection in found]
    return Overview(
        card=_card(spec, here, row, held, linked),
        integration=row,
        connection=own,
        candidate=other,
        chain=Chain(
            connected=own is not None and own.state != ConnectionState.ATTENTION,
            by_clients=own is None and bool(linked),
            linked=linked,
            mapped=mapped,
            next_import=import_days.next_import(here, row, now()) if ready else None,
        ),
        missing=operator_lacks(spec),
    )


def syncs(spec: VendorSpec) -> list[Sync]:
    """What is synced by now. The declarations go further: they tell what the connectors can do."""
    return [sync for sync in spec.syncs if sync.data.startswith(SYNCED)]


def last_reload(kind: str) -> Run | None:
    """The newest reload of all clients."""
    query = select(Run).where(Run.kind == kind, Run.what == "statistics-all", Run.trigger == "reload")
    return db.session.scalar(query.order_by(Run.id.desc()).limit(1))


def retry_unverified() -> int:
    """Test what could not be tested when it was saved, in the chosen company. Commits; how many have passed now."""
    query = select(Connection.id).where(Connection.state == ConnectionState.UNVERIFIED).order_by(Connection.id)
    passed = 0
    for connection_id in list(db.session.scalars(query)):
        connection = db.session.scalar(select(Connection).where(Connection.id == connection_id))
        if connection is not None:
            values = connections.stored(connection)
            passed += connections.test(connection.kind, values, connection=connection).ok
            db.session.commit()
    return passed
