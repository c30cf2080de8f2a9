"""What a statistics run has to do, read as plain values before the vendor is asked."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field

from flask import current_app
from sqlalchemy import select

from uku_web.db import db
from uku_web.keyring import Unreadable
from uku_web.models import Company, Connection, ItemState, Link, Run, RunItem
from uku_web.services import links, runs, statistics, summary
from uku_web.services.errors import ServiceError
from uku_web.services.runs import Hold
from uku_web.tenancy import current_company_id
from uku_web.texts import gettext as _
from uku_web.vendors.records import Month, Target
from uku_web.vendors.registry import spec_of


class CannotStart(ServiceError):
    """The ground of the run is gone since it was opened."""


class LostKey(CannotStart):
    """No key on the ring opens the credentials: a person must put the ring back or give them anew."""


@dataclass(frozen=True)
class Part:
    """One client's part that is still to do."""

    item_id: int
    client_id: int
    link_id: int
    target: Target
    fields: frozenset[str]
    months: tuple[Month, ...]


@dataclass
class Job:
    """A run as plain values, read before the vendor is asked."""

    hold: Hold
    kind: str
    trigger: str
    overwrite: bool
    newest: Month
    lane: str
    connection_id: int
    sealed: str = field(repr=False)  # as they were when the run asked: others may be saved meanwhile
    credentials: dict[str, str] = field(repr=False)
    options: dict[str, str]
    account_id: str | None
    mapping: dict[str, int]
    mapping_version: int
    parts: list[Part]
    total: int
    done: int
    calls: deque = field(default_factory=deque)
    kept: int = 0


def load(hold: Hold) -> Job:
    run = runs.get(hold.run_id)
    integration = statistics.integration_of(run.kind)
    if integration is None or not integration.enabled:
        raise CannotStart(_("The integration was disabled before the run began."))
    company = db.session.get(Company, current_company_id())
    if not (company.has_integrations and company.integration_on):
        raise CannotStart(_("Integrations are switched off for this company."))
    connection = run.connection_id and db.session.get(Connection, run.connection_id)
    if not connection:
        raise CannotStart(_("The connection was removed before the run began."))
    mapping = summary.mappings(run.kind)
    if not summary.is_configured(integration):
        raise CannotStart(_("Task title, topic and at least one data field must be saved first."))
    months = [Month.parse(text) for text in run.params["months"]]
    served = _served(run, connection)
    items = _items(run, served)
    parts = [part for link in served if (part := _part(run.kind, link, items[link.client_id], mapping, months))]
    total = len(months) * len(served)
    job = Job(
        hold=hold,
        kind=run.kind,
        trigger=run.trigger,
        overwrite=bool(run.params["overwrite"]),
        newest=max(months),
        lane=run.lane,
        connection_id=connection.id,
        sealed=connection.sealed,
        credentials=_credentials(connection),
        options=dict(integration.options),
        account_id=connection.account.vendor_id if connection.account else None,
        mapping=mapping,
        mapping_version=integration.mapping_version,
        parts=parts,
        total=total,
        done=total - sum(len(part.months) for part in parts),
    )
    runs.progress(hold, job.done, job.total, _("Asking %(vendor)s", vendor=spec_of(run.kind).label))
    runs.guard(hold)
    db.session.commit()
    return job


def _items(run: Run, served: list[Link]) -> dict[int, RunItem]:
    """One item a client. A link that was made anew meanwhile goes on where the old one stood."""
    found = {item.client_id: item for item in db.session.scalars(select(RunItem).where(RunItem.run_id == run.id))}
    statistics.add_items(run, [link for link in served if link.client_id not in found])
    for link in served:
        if link.client_id in found:
            found[link.client_id].link_id = link.id
    _settle_gone(found.values(), served)
    return {item.client_id: item for item in db.session.scalars(select(RunItem).where(RunItem.run_id == run.id))}


def _credentials(connection: Connection) -> dict[str, str]:
    try:
        return current_app.extensions["uku_keyring"].open(connection.sealed)
    except Unreadable as error:
        raise LostKey(str(error)) from error


def _served(run: Run, connection: Connection) -> list[Link]:
    wanted = run.params.get("links")
    served = links.served_by(connection)
    return served if wanted is None else [link for link in served if link.id in set(wanted)]


def _part(kind: str, link: Link, item: RunItem, mapping: Iterable[str], months: list[Month]) -> Part | None:
    if item.state != ItemState.TODO:
        return None
    countable = {stat.key for stat in spec_of(kind).countable(whole_books=link.customer_id is None)}
    left = tuple(month for month in months if str(month) not in item.months_done)
    fields = frozenset(countable & set(mapping))
    if not fields:
        item.state, item.reason = ItemState.SKIPPED, _("None of the mapped data fields can be counted for this link.")
        return None
    if not left:
        item.state = ItemState.DONE
        return None
    return Part(item.id, link.client_id, link.id, Target(str(link.id), link.customer_id), fields, left)


def _settle_gone(items: Iterable[RunItem], served: list[Link]) -> None:
    """Links that were deleted, or fell asleep, since the run was opened."""
    here = {link.client_id for link in served}
    for item in items:
        if item.client_id not in here and item.state == ItemState.TODO:
            item.state, item.reason = ItemState.SKIPPED, _("The client is no longer linked.")
