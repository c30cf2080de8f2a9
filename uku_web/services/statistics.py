"""Opening the runs that count clients' months. How such a run is done stands in statistics_run."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Client, Company, Connection, Integration, Link, Run, RunItem
from uku_web.services import links, runs, summary
from uku_web.services.errors import NotNow
from uku_web.services.import_days import reload_window
from uku_web.tenancy import current_company_id
from uku_web.texts import gettext as _
from uku_web.vendors.records import Month, Target
from uku_web.vendors.registry import connector_class, spec_of

OWN_SECONDS_PER_REQUEST = 0.4  # what a request takes at most vendors, for the forecast on the confirmation


def integration_of(kind: str) -> Integration | None:
    return db.session.scalar(select(Integration).where(Integration.kind == kind))


def open_reload_of_link(link: Link, person_id: int) -> Run:
    """Reload one client's last 12 months; the running one if there is one. The caller commits and rings."""
    integration = ready(link.kind)
    connection = links.connection_of(link)
    if connection is None:
        raise NotNow(_("%(vendor)s is not connected, so there is nothing to reload from.", vendor=_label(link.kind)))
    client = db.session.get(Client, link.client_id)
    run, new = runs.open_run(
        what="statistics",
        kind=link.kind,
        trigger="reload",
        active_key=f"statistics:link:{link.id}",
        title=_("Reload data: %(client)s", client=client.name),
        params=_params(_window(integration), [link.id], overwrite=True),
        connection_id=connection.id,
        person_id=person_id,
        lane="person",
    )
    if new:
        add_items(run, [link])
    return run


def open_reload_of_vendor(kind: str, person_id: int) -> Run:
    """Reload the last 12 months of all linked clients. The caller commits and rings."""
    integration = ready(kind)
    if not links.live(kind):
        raise NotNow(_("No client is linked to %(vendor)s yet. Link clients in the client list.", vendor=_label(kind)))
    run, _new = runs.open_run(
        what="statistics-all",
        kind=kind,
        trigger="reload",
        active_key=f"statistics-all:{kind}",
        title=_("Reload data: all clients"),
        params=_params(_window(integration), None, overwrite=True),
        person_id=person_id,
    )
    return run


def open_import(connection: Connection, month: Month) -> tuple[Run, bool]:
    """The scheduled import of one month for all clients that this connection serves."""
    return runs.open_run(
        what="statistics",
        kind=connection.kind,
        trigger="import",
        active_key=f"statistics:connection:{connection.id}",
        title=_("Import of %(month)s", month=str(month)),
        params=_params([month], None, overwrite=False),
        connection_id=connection.id,
    )


def open_child(parent: Run, connection: Connection, served: list[Link]) -> Run:
    """One connection's part of a run over many clients: always a new one. A run of the same books that is under way may
    mean another month or other clients; the part waits for its turn instead of being left out."""
    child, _new = runs.open_run(
        what="statistics",
        kind=parent.kind,
        trigger=parent.trigger,
        active_key=f"part:{parent.id}:{connection.id}",
        title=f"{parent.title} · {connection.name or served[0].client.name}",
        params={name: parent.params[name] for name in ("months", "overwrite")}
        | {"links": [link.id for link in served]},
        connection_id=connection.id,
        parent_id=parent.id,
        person_id=parent.person_id,
    )
    add_items(child, served)
    return child


def restart(run: Run, person_id: int) -> Run:
    """The same once more; the running one if it still runs."""
    again, new = runs.open_run(
        what=run.what,
        kind=run.kind,
        trigger=run.trigger,
        active_key=run.active_key,
        title=run.title,
        params=run.params,
        connection_id=run.connection_id,
        person_id=person_id,
        lane=run.lane,
    )
    wanted = run.params.get("links")
    if new and run.what == "statistics" and wanted is not None:
        add_items(again, [link for link in links.live(run.kind) if link.id in set(wanted)])
    return again


def add_items(run: Run, served: Iterable[Link]) -> None:
    db.session.add_all(
        [RunItem(run_id=run.id, client_id=link.client_id, link_id=link.id, months_done=[]) for link in served]
    )
    db.session.flush()


@dataclass(frozen=True)
class Forecast:
    """What a reload will take, for the confirmation."""

    links: int
    requests: int
    exact: bool
    seconds: int


def reload_forecast(kind: str, link: Link | None = None) -> Forecast:
    """Requests and time of a reload, from the vendor's plan and limits. Asks nobody."""
    integration = ready(kind)
    months = _window(integration)
    served = [link] if link is not None else links.live(kind)
    fields = list(summary.mappings(kind))
    planner = connector_class(kind)(None, {})
    plans = [
        planner.forecast([Target(str(each.id), each.customer_id) for each in group], fields, months)
        for group in links.by_connection(served).values()
    ]
    requests = sum(plan.requests for plan in plans)
    slowest = max((_seconds(kind, plan.requests) for plan in plans), default=0)
    return Forecast(
        links=len(served),
        requests=requests,
        exact=all(plan.exact for plan in plans),
        seconds=round(max(slowest, requests * OWN_SECONDS_PER_REQUEST)),
    )


def _seconds(kind: str, requests: int) -> float:
    """How long the vendor's tightest budget of one account makes so many requests last."""
    waits = [
        (requests - 1) // budget.limit * budget.window
        for budget in spec_of(kind).budgets
        if budget.limit and budget.purpose in ("api", "*") and requests > 0
    ]
    return max([*waits, requests * OWN_SECONDS_PER_REQUEST])


def may_run() -> None:
    """Raises NotNow while nothing of the accounting systems can be run for this company."""
    company = db.session.get(Company, current_company_id())
    if not company.has_integrations:
        raise NotNow(_("Accounting integrations need the Team plan or higher."))
    if not company.integration_on:
        raise NotNow(_("The Integration app is off. Switch it on under Settings & Apps first."))


def ready(kind: str) -> Integration:
    """The integration, if its data can be imported. Raises NotNow."""
    may_run()
    integration = integration_of(kind)
    if integration is None or not integration.enabled:
        raise NotNow(_("%(vendor)s is not enabled. Enable it in Settings & Apps first.", vendor=_label(kind)))
    if not summary.is_configured(integration):
        raise NotNow(
            _(
                "Before data can be imported, save the task title, the topic and at least one data field on the "
                "Settings tab of %(vendor)s.",
                vendor=_label(kind),
            )
        )
    return integration


def _window(integration: Integration) -> list[Month]:
    return reload_window(db.session.get(Company, current_company_id()), integration, now())


def _params(months: list[Month], link_ids: list[int] | None, *, overwrite: bool) -> dict:
    return {"months": [str(month) for month in months], "links": link_ids, "overwrite": overwrite}


def _label(kind: str) -> str:
    return spec_of(kind).label
