"""Summary tasks: one per client, vendor and month, and the values that runs write into them."""

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import get_month_names
from sqlalchemy import select

from uku_web.clock import now
from uku_web.db import db, insert_new
from uku_web.models import (
    Client,
    Company,
    FieldMapping,
    Integration,
    Link,
    Membership,
    Role,
    Task,
    TaskField,
)
from uku_web.services.import_days import import_day
from uku_web.tenancy import current_company_id
from uku_web.vendors.records import Month
from uku_web.vendors.registry import spec_of


@dataclass(frozen=True)
class Maker:
    """What is needed to make summary tasks of one vendor, read once for many tasks."""

    company: Company
    integration: Integration
    owner_id: int | None
    active_people: frozenset[int]
    label: str

    @classmethod
    def of(cls, integration: Integration) -> "Maker":
        members = db.session.execute(select(Membership.person_id, Membership.role).where(Membership.active)).all()
        return cls(
            company=db.session.get(Company, current_company_id()),
            integration=integration,
            owner_id=next((person for person, role in members if role == Role.OWNER), None),
            active_people=frozenset(person for person, _role in members),
            label=spec_of(integration.kind).label,
        )

    def task(self, client: Client, month: Month, *, done: bool = False) -> Task:
        """The client's summary task of the month; made now if it is not there. Two makers make one."""
        found = _find(client.id, self.integration.kind, month)
        if found is not None:
            return found
        insert_new(Task, [self.row(client, month, done=done)])
        return _find(client.id, self.integration.kind, month)

    def row(self, client: Client, month: Month, *, done: bool = False) -> dict:
        """The columns of a new task. `client` needs an id, a name and a default member."""
        integration = self.integration
        assignee = client.default_member_id if client.default_member_id in self.active_people else self.owner_id
        return {
            "company_id": self.company.id,
            "client_id": client.id,
            "kind": integration.kind,
            "month": month.first,
            "title": title_of(integration.task_title, month, client.name, self.label),
            "topic_id": integration.topic_id,
            "assignee_id": assignee,
            "starts_on": month.first,
            "due_on": import_day(month, integration.import_when, integration.import_day, self.company.country),
            "done_at": now() if done else None,
            "created_at": now(),
        }


def title_of(template: str, month: Month, client: str, vendor: str) -> str:
    names = get_month_names("wide", locale="en")
    values = {"month": names[month.month], "year": str(month.year), "client": client, "vendor": vendor}
    for name, value in values.items():
        template = template.replace("{" + name + "}", value)
    return template[:255]


def _find(client_id: int, kind: str, month: Month) -> Task | None:
    return db.session.scalar(
        select(Task).where(Task.client_id == client_id, Task.kind == kind, Task.month == month.first)
    )


def mappings(kind: str) -> dict[str, int]:
    """Vendor field -> id of the custom task field, as far as mapped to a field in use."""
    rows = db.session.execute(
        select(FieldMapping.vendor_field, FieldMapping.field_id)
        .join(TaskField, TaskField.id == FieldMapping.field_id)
        .where(FieldMapping.kind == kind, FieldMapping.group == "statistics", TaskField.archived.is_(False))
    )
    known = {stat.key for stat in spec_of(kind).statistics}
    return {row.vendor_field: row.field_id for row in rows if row.vendor_field in known}


def is_configured(integration: Integration | None) -> bool:
    """Title, topic and at least one mapped field: before that nothing is created."""
    return bool(integration and integration.task_title and integration.topic_id and mappings(integration.kind))


def missing_tasks(integration: Integration, links: list[Link], month: Month) -> list[dict]:
    """Rows of the month's summary tasks that are not there yet, for the links' clients."""
    have = set(
        db.session.scalars(select(Task.client_id).where(Task.kind == integration.kind, Task.month == month.first))
    )
    wanted = [link.client_id for link in links if link.client_id not in have]
    if not wanted:
        return []
    maker, missing = Maker.of(integration), set(wanted)
    clients = db.session.execute(select(Client.id, Client.name, Client.default_member_id).where(Client.active))
    return [maker.row(client, month) for client in clients if client.id in missing]


def this_month(company: Company, moment: datetime) -> Month:
    return Month.of(moment.astimezone(ZoneInfo(company.timezone)).date())
