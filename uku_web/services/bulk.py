"""Run integration: one month of many chosen clients, in one background run."""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from sqlalchemy import Select, func, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Connection, ItemState, Level, Link, Run, RunItem
from uku_web.services import audit, clients, integrations, runs, statistics, summary
from uku_web.services.clients import Wanted
from uku_web.services.errors import Invalid, NotNow
from uku_web.texts import gettext as _
from uku_web.vendors.records import Month
from uku_web.vendors.registry import spec_of
from uku_web.vendors.spec import VendorSpec

MONTHS_BACK = 36
Chosen = Wanted | Collection[int]  # all clients that the list's filters let through, or these


@dataclass(frozen=True)
class Tally:
    """The chosen clients in numbers. `linked`: active ones with a live link, by vendor."""

    total: int
    active: int
    linked: dict[str, int]

    @property
    def inactive(self) -> int:
        return self.total - self.active

    def unlinked(self, kind: str) -> int:
        return self.active - self.linked.get(kind, 0)


def vendors() -> list[VendorSpec]:
    """The enabled ones that have something to count."""
    return [spec for spec in integrations.enabled_specs() if spec.statistics]


def months() -> list[Month]:
    """The company's current month and those before it, newest first."""
    current = summary.this_month(integrations.company(), now())
    return [current.shift(-back) for back in range(MONTHS_BACK + 1)]


def tally(chosen: Chosen) -> Tally:
    """Two statements, however many are chosen."""
    ids = _ids(chosen)
    counted = select(func.count(), func.count().filter(Client.active)).where(Client.id.in_(ids))
    total, active = db.session.execute(counted).one()
    held = db.aliased(Connection)
    serves = (held.kind == Link.kind) & (held.level == Level.COMPANY) & (held.company_id == Link.company_id)
    shared = held.id.is_not(None) & Link.account_id.is_not_distinct_from(held.account_id)
    query = select(Link.kind, func.count(Link.client_id.distinct())).join(Client, Client.id == Link.client_id)
    query = query.outerjoin(held, serves).where(Client.active, Link.connection_id.is_not(None) | shared)
    rows = db.session.execute(query.where(Link.client_id.in_(ids)).group_by(Link.kind)).all()
    return Tally(total, active, {row[0]: row[1] for row in rows})


def check(kind: str, numbers: Tally) -> None:
    """Raises NotNow when a run of this vendor over these clients could do nothing."""
    if not numbers.linked.get(kind):
        label = spec_of(kind).label
        raise NotNow(_("None of the chosen clients is active and linked to %(vendor)s.", vendor=label))
    statistics.ready(kind)


def open_bulk(kind: str, chosen: Chosen, month: Month, person_id: int) -> Run:
    """Import one month for the chosen clients; the running one if just that is running. The caller commits and rings.

    Stores whom it is for and nothing more: the run itself finds the links and makes its parts. Raises NotNow, Invalid.
    """
    statistics.may_run()
    if month not in months():
        raise Invalid({"month": _("Choose a month from the list.")})
    check(kind, tally(chosen))
    ids = sorted(db.session.scalars(_ids(chosen)))
    digest = hashlib.sha256(",".join(map(str, ids)).encode()).hexdigest()
    run, new = runs.open_run(
        what="statistics-all",
        kind=kind,
        trigger="bulk",
        active_key=f"bulk:{kind}:{month}:{digest[:32]}",
        title=_("Run integration: %(month)s", month=f"{month.first:%B %Y}"),
        params={"months": [str(month)], "links": None, "overwrite": True, "clients": ids},
        person_id=person_id,
    )
    if new:
        audit.record("bulk.started", run.title, vendor=spec_of(kind).label, run=run.id, clients=len(ids))
    return run


def _ids(chosen: Chosen) -> Select:
    if isinstance(chosen, Wanted):
        return clients.matching(chosen).with_only_columns(Client.id)
    return select(Client.id).where(Client.id.in_(list(chosen)))


def leave_out(parent: Run, served: Iterable[Link]) -> list[Link]:
    """Of these live links those of the chosen clients; each chosen client without one becomes an item that says why.

    Done twice it adds nothing. A client that was deleted since is nobody's any more.
    """
    wanted = set(parent.params["clients"])
    kept = [link for link in served if link.client_id in wanted]
    known = set(db.session.scalars(select(RunItem.client_id).where(RunItem.run_id == parent.id)))
    reasons = _reasons(parent.kind, wanted - {link.client_id for link in kept} - known)
    skipped = {"run_id": parent.id, "state": ItemState.SKIPPED, "months_done": []}
    db.session.add_all([RunItem(client_id=client_id, reason=why, **skipped) for client_id, why in reasons.items()])
    for why, count in Counter(reasons.values()).items():
        runs.event(parent.id, _("%(n)s left out: %(why)s", n=count, why=why), "warn")
    db.session.flush()
    return kept


def _reasons(kind: str, without: set[int]) -> dict[int, str]:
    """Why these clients have no live link. Reads all clients: they may be more than one statement can name."""
    label = spec_of(kind).label
    inactive = _("Is inactive: no run touches it.")
    unlinked = _("Has no %(vendor)s link.", vendor=label)
    asleep = _("Its %(vendor)s link sleeps: the account is not connected.", vendor=label)
    linked = set(db.session.scalars(select(Link.client_id).where(Link.kind == kind)))
    rows = db.session.execute(select(Client.id, Client.active).order_by(Client.id)).all()
    return {
        row.id: inactive if not row.active else asleep if row.id in linked else unlinked
        for row in rows
        if row.id in without
    }
