"""Tying one client to its books: by credentials of its own, by a saved pair, or by the company's connection."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from itertools import islice

from sqlalchemy import func, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Account, Client, Connection, ConnectionState, Integration, Level, Link, Run, RunItem
from uku_web.services import audit, connections, integrations, links, notices
from uku_web.services.connections import TestOutcome
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.services.vendor_setup import vendor_setup
from uku_web.texts import gettext as _
from uku_web.vendors import registry
from uku_web.vendors.access import open_connector
from uku_web.vendors.records import Customer

# Worst first, as badges stand in a cell.
STATES = ("attention", "unverified", "paused", "asleep", "expiring", "connected")
WARN_BEFORE = timedelta(days=30)  # of the end of credentials' life
PICKER_ROWS = 50


@dataclass(frozen=True)
class Badge:
    """A vendor in a client's Integration cell. `reason` says why the state is not simply connected."""

    kind: str
    label: str
    state: str
    reason: str = ""
    since: datetime | None = None


def badges_for(clients: Iterable[Client]) -> dict[int, list[Badge]]:
    """The badges of a page of clients, worst first. A constant number of statements. Disabled vendors do not count."""
    found: dict[int, dict[str, Badge]] = {client.id: {} for client in clients}
    enabled = set(db.session.scalars(select(Integration.kind).where(Integration.enabled))) & set(registry.kinds())
    company_level = {
        connection.kind: connection
        for connection in db.session.scalars(select(Connection).where(Connection.level == Level.COMPANY))
    }
    pauses = (
        "" if integrations.company().has_integrations else _("Accounting integrations need the Team plan or higher.")
    )
    query = select(Link).where(Link.client_id.in_(list(found)), Link.kind.in_(enabled)).order_by(Link.id)
    for link in db.session.scalars(query.options(db.joinedload(Link.connection), db.joinedload(Link.account))):
        badge = _badge(link, link.connection or company_level.get(link.kind), pauses)
        present = found[link.client_id].get(link.kind)
        if present is None or present.state == "asleep":  # of several links to one vendor all but one sleep
            found[link.client_id][link.kind] = badge
    return {key: sorted(by_kind.values(), key=_rank) for key, by_kind in found.items()}


def _rank(badge: Badge) -> tuple[int, str]:
    return STATES.index(badge.state), badge.label.casefold()


def _badge(link: Link, connection: Connection | None, pauses: str) -> Badge:
    badge = Badge(link.kind, registry.spec_of(link.kind).label, "connected")
    if connection is None or (link.connection_id is None and connection.account_id != link.account_id):
        name = link.account.name if link.account and link.account.name else _("its account")
        return replace(badge, state="asleep", reason=_("Waits until %(name)s is connected again.", name=name))
    if connection.state == ConnectionState.ATTENTION:
        return replace(badge, state="attention", reason=connection.problem or "", since=connection.problem_since)
    if link.problem_code:
        return replace(badge, state="attention", reason=link.problem or "", since=link.problem_since)
    if pauses:
        return replace(badge, state="paused", reason=pauses)
    if connection.state == ConnectionState.UNVERIFIED:
        return replace(badge, state="unverified", reason=_("The credentials are not verified yet."))
    if connection.expires_on and connection.expires_on <= _today() + WARN_BEFORE:
        reason = _("The credentials end on %(day)s.", day=connection.expires_on.isoformat())
        return replace(badge, state="expiring", reason=reason)
    return badge


def _today() -> date:
    return now().date()


def client_of(client_id: int) -> Client:
    client = db.session.scalar(select(Client).where(Client.id == client_id))
    if client is None:
        raise NotFound
    return client


def of(client_id: int, kind: str, company: Connection | None = None) -> Link | None:
    """The client's link for a vendor: the live one, else the newest that sleeps. A client's inactivity ends no link.

    `company`: the company's connection, where it was read already.
    """
    live = links.is_live(company or links.company_connection(kind))
    query = select(Link).where(Link.client_id == client_id, Link.kind == kind)
    query = query.options(db.joinedload(Link.connection), db.joinedload(Link.account))
    return db.session.scalar(query.order_by(live.desc(), Link.id.desc()).limit(1))


def badge_of(link: Link, company: Connection | None = None) -> Badge:
    return _badge(link, link.connection or company or links.company_connection(link.kind), "")


def last_run(client_id: int, kind: str) -> Run | None:
    """The newest run that counts, or counted, this client's months."""
    query = select(Run).join(RunItem, RunItem.run_id == Run.id)
    query = query.where(Run.kind == kind, RunItem.client_id == client_id)
    return db.session.scalar(query.order_by(Run.id.desc()).limit(1))


def save_own(
    client_id: int, kind: str, values: Mapping[str, str], *, name: str | None = None, trimmed: tuple[str, ...] = ()
) -> TestOutcome:
    """Test credentials of the client's own and link it to the whole books they open. The caller commits.

    Refused ones are not kept; a vendor that does not answer leaves them unverified.
    """
    spec = registry.spec_of(kind)
    client = _selectable(client_id, kind)
    if not spec.own_credentials:
        raise NotNow(_("Clients are linked to %(vendor)s by the company's connection.", vendor=spec.label))
    asked = name or client.name
    outcome = connections.test(kind, values, trimmed=trimmed)
    if not outcome.ok and not outcome.unreachable:
        return outcome
    name = connections.asked_name(spec, asked, outcome)
    link = of(client_id, kind)
    if link and link.connection and link.account_id and not outcome.ok and _same(values, link.connection):
        return replace(outcome, kept="saved")  # the same as before: what was verified stays so
    connection = _own_connection(spec.shares_pairs, link, kind, outcome)
    connections.fill(connection, values, outcome, name)
    _place(client_of(client_id), kind, connection.account_id, connection)
    return replace(outcome, kept="saved" if outcome.ok else "unverified")


def _same(values: Mapping[str, str], connection: Connection) -> bool:
    return dict(values) == connections.stored(connection)


def _own_connection(shares: bool, link: Link | None, kind: str, outcome: TestOutcome) -> Connection:
    """The connection to put the credentials into: a pair is kept once, however many clients use it."""
    if shares and outcome.account:
        query = select(Connection).join(Account, Account.id == Connection.account_id)
        query = query.where(Connection.kind == kind, Connection.level == Level.CLIENT)
        pair = db.session.scalar(query.where(Account.vendor_id == outcome.account.id).order_by(Connection.id).limit(1))
        if pair is not None:
            return pair
    if link is not None and link.connection is not None and _users(link.connection_id) == 1:
        return link.connection
    return Connection(kind=kind, level=Level.CLIENT)


def _users(connection_id: int) -> int:
    return db.session.scalar(select(func.count()).select_from(Link).where(Link.connection_id == connection_id))


def pairs(kind: str) -> list[Connection]:
    """Saved client-level credentials that another client may be linked with."""
    if not registry.spec_of(kind).shares_pairs:
        return []
    query = select(Connection).where(Connection.kind == kind, Connection.level == Level.CLIENT)
    return list(db.session.scalars(query.order_by(func.lower(Connection.name), Connection.id)))


def link_by_pair(client_id: int, kind: str, connection_id: int) -> Link:
    """Link to the books that already saved credentials open. The caller commits."""
    client = _selectable(client_id, kind)
    pair = next((pair for pair in pairs(kind) if pair.id == connection_id), None)
    if pair is None:
        raise Invalid({"source": _("Choose one from the list.")})
    return _place(client, kind, pair.account_id, pair)


def link_by_company(client_id: int, kind: str, customer_id: str | None = None, customer: str | None = None) -> Link:
    """Link by the company's connection: to its whole books, or to one customer in them. The caller commits."""
    client, spec = _selectable(client_id, kind), registry.spec_of(kind)
    connection = links.company_connection(kind)
    if connection is None:
        raise NotNow(_("%(vendor)s is not connected. Connect it in Settings & Apps first.", vendor=spec.label))
    if not (spec.picks_customer if customer_id else spec.whole_books):
        raise Invalid({"customer": _("Choose a customer from the list.")})
    link = _place(client, kind, connection.account_id, None)
    link.customer_id, link.customer_name = customer_id or None, (customer or "")[:255] or None
    return link


def customers(kind: str, search: str = "") -> list[Customer]:
    """Active customers of the connected account whose name or code matches, asked from the vendor. Commits first."""
    connection = links.company_connection(kind)
    if connection is None or not registry.spec_of(kind).picks_customer:
        return []
    values, account = connections.stored(connection), connection.account and connection.account.vendor_id
    db.session.commit()
    wanted = search.casefold().strip()
    found = open_connector(kind, values, setup=vendor_setup(), account_id=account, lane="person").customers()
    hits = (each for each in found if each.active and wanted in f"{each.name} {each.code or ''}".casefold())
    return list(islice(hits, PICKER_ROWS))


def _selectable(client_id: int, kind: str) -> Client:
    client = client_of(client_id)
    if kind not in [spec.kind for spec in integrations.enabled_specs()]:
        label = registry.spec_of(kind).label
        raise NotNow(_("%(vendor)s is not enabled. Enable it in Settings & Apps first.", vendor=label))
    if not integrations.company().has_integrations:
        raise NotNow(_("Accounting integrations need the Team plan or higher."))
    return client


def _place(client: Client, kind: str, account_id: int | None, connection: Connection | None) -> Link:
    """The client's one live link now ties it to this account; credentials nobody uses any more go."""
    link = _live_of(client.id, kind)
    if account_id is not None:
        query = select(Link).where(Link.client_id == client.id, Link.kind == kind, Link.account_id == account_id)
        known = db.session.scalar(query)
        if known is not None and link is not None and known.id != link.id:
            _remove(link)
        link = known or link
    before = link.connection if link is not None else None
    link = link or Link(client_id=client.id, kind=kind)
    link.account_id, link.connection_id = account_id, connection.id if connection else None
    link.customer_id = link.customer_name = None
    _is_well(link)
    db.session.add(link)
    db.session.flush()
    db.session.expire(link, ["connection", "account"])
    _drop_unused(before)
    label, level = registry.spec_of(kind).label, Level.CLIENT if connection else Level.COMPANY
    audit.record("link.saved", client.name, vendor=label, level=level.value)
    return link


def _live_of(client_id: int, kind: str) -> Link | None:
    """Only this one is replaced: a link that sleeps wakes when its account comes back."""
    live = links.is_live(links.company_connection(kind))
    return db.session.scalar(select(Link).where(Link.client_id == client_id, Link.kind == kind, live))


def _is_well(link: Link) -> None:
    link.problem_code = link.problem = link.problem_since = None
    if link.id:
        notices.close(f"link:{link.id}")


def delete(client_id: int, kind: str) -> None:
    """Remove the client's stored credentials or link; values in summary tasks stay. The caller commits."""
    client, link = client_of(client_id), of(client_id, kind)
    if link is None:
        raise NotFound(_("This client is not connected any more."))
    audit.record("link.deleted", client.name, vendor=registry.spec_of(kind).label)
    _remove(link)


def _remove(link: Link) -> None:
    before = link.connection
    notices.close(f"link:{link.id}")
    db.session.delete(link)
    db.session.flush()
    _drop_unused(before)


def _drop_unused(connection: Connection | None) -> None:
    if connection is not None and connection.level == Level.CLIENT and not _users(connection.id):
        connections.forget(connection)
