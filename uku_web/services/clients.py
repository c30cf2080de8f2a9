"""The firm's clients: finding them in the list, and keeping their details."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, delete, func, select

from uku_web.db import db
from uku_web.models import (
    ACTIVE,
    Client,
    ClientGroup,
    Connection,
    ConnectionState,
    Contact,
    Integration,
    Invoice,
    Level,
    Link,
    Person,
    Run,
    RunItem,
    Task,
)
from uku_web.services import audit, connections, notices, people
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.services.paging import Page
from uku_web.texts import gettext as _
from uku_web.texts import ngettext

DETAILS = ("name", "code", "register_number", "vat_number", "email", "phone", "country", "notes")
_LABELS = {
    "name": "client's name",
    "code": "code",
    "register_number": "register code",
    "vat_number": "VAT number",
    "email": "e-mail",
    "phone": "phone",
}


@dataclass(frozen=True)
class Wanted:
    """What the list is asked for. `integration` is "connected", "attention", "asleep" or "none"."""

    q: str = ""
    member: int | None = None
    group: int | None = None
    integration: str = ""
    state: str = "active"  # or "inactive", "all"
    sort: str = "name"
    page: int = 1
    size: int = 50


SORTS = {
    "name": Client.sort_name,
    "code": func.lower(Client.code),
    "register": Client.register_number,
    "vat": func.lower(Client.vat_number),
    "email": func.lower(Client.email),
    "member": func.lower(Person.name),
}


def matching(wanted: Wanted) -> Select:
    """All clients the filters let through, without order: for the list, and for acts on "all that match"."""
    query = select(Client)
    for term in wanted.q.casefold().split():
        query = query.where(Client.search_text.contains(term, autoescape=True))
    if wanted.member is not None:
        query = query.where(Client.default_member_id == wanted.member)
    if wanted.group is not None:
        query = query.where(Client.group_id == wanted.group)
    if wanted.state in ("active", "inactive"):
        query = query.where(Client.active.is_(wanted.state == "active"))
    if wanted.integration:
        query = query.where(_integration_is(wanted.integration))
    return query


def found(wanted: Wanted) -> tuple[list[Client], Page]:
    """One page of the list. A constant number of statements."""
    query = matching(wanted)
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(Client.id).subquery()))
    page = Page.of(wanted.page, wanted.size, total)
    key = wanted.sort.removeprefix("-")
    column = SORTS.get(key, Client.sort_name)
    order = column.desc() if wanted.sort.startswith("-") else column.asc()
    query = query.outerjoin(Person, Person.id == Client.default_member_id) if key == "member" else query
    # What is empty stands last in both directions: people look for what is there. A name is never empty, and asking
    # would keep the index from serving the order.
    blanks = [] if column is Client.sort_name else [column.is_(None)]
    query = query.order_by(*blanks, order, Client.sort_name, Client.id).limit(page.size).offset(page.offset)
    return list(db.session.scalars(query.options(db.joinedload(Client.default_member)))), page


def _integration_is(state: str) -> ColumnElement[bool]:
    """The same states that the badges show, as a condition. Vendors that are not enabled do not count.

    The links are read once, not once for each client: SQLite would take seconds at ten thousand.
    """
    links = select(Link.client_id).where(Link.kind.in_(select(Integration.kind).where(Integration.enabled)))
    if state == "none":
        return Client.id.not_in(links)
    own, company = db.aliased(Connection), db.aliased(Connection)
    links = links.outerjoin(own, own.id == Link.connection_id).outerjoin(
        company,
        and_(
            Link.connection_id.is_(None),
            company.level == Level.COMPANY,
            company.kind == Link.kind,
            company.account_id.is_not_distinct_from(Link.account_id),
        ),
    )
    served_by = func.coalesce(own.state, company.state)
    if state == "asleep":
        return Client.id.in_(links.where(served_by.is_(None)))
    well = and_(Link.problem_code.is_(None), served_by != ConnectionState.ATTENTION)
    return Client.id.in_(links.where(served_by.is_not(None), well if state == "connected" else ~well))


def get(client_id: int) -> Client:
    client = db.session.scalar(select(Client).where(Client.id == client_id).options(db.joinedload(Client.group)))
    if client is None:
        raise NotFound
    return client


def last_syncs(client: Client) -> dict[str, datetime]:
    """Vendor kind -> when this client's data was last fetched from it."""
    rows = db.session.execute(
        select(Link.kind, Link.synced_at).where(Link.client_id == client.id, Link.synced_at.is_not(None))
    )
    return {row.kind: row.synced_at for row in rows.all()}


def choices() -> list[tuple[int, str]]:
    """(id, name) of the active clients, to choose from."""
    query = select(Client.id, Client.name).where(Client.active).order_by(Client.sort_name, Client.id)
    return [tuple(row) for row in db.session.execute(query)]


def groups() -> list[ClientGroup]:
    return list(db.session.scalars(select(ClientGroup).order_by(func.lower(ClientGroup.name))))


def save(client: Client | None, values: dict[str, str]) -> Client:
    """Create or change a client. `values`: DETAILS, "group" (a name; a new one is made) and "default_member" (an id).
    Commits. Raises Invalid."""
    cleaned = _checked(values)
    made = client is None
    client = client or Client()
    changed = [name for name, value in cleaned.items() if getattr(client, name) != value]
    for name in changed:
        setattr(client, name, cleaned[name])
    if changed:
        db.session.add(client)
        db.session.flush()
        if made:
            audit.record("client.created", client.name)
        else:
            fields = (name.removesuffix("_id").replace("_", " ") for name in changed)
            audit.record("client.changed", client.name, fields=", ".join(fields))
    db.session.commit()
    return client


def _checked(values: dict[str, str]) -> dict[str, str | int | None]:
    cleaned: dict[str, str | int | None] = {name: values.get(name, "").strip() or None for name in DETAILS}
    errors = {}
    for name, label in _LABELS.items():
        limit = Client.__table__.c[name].type.length
        if cleaned[name] and len(cleaned[name]) > limit:
            errors[name] = _("The %(label)s has at most %(n)s characters.", label=label, n=limit)
    if not cleaned["name"]:
        errors["name"] = _("Enter the client's name.")
    if cleaned["email"] and not people.is_email(cleaned["email"]):
        errors["email"] = _("Enter an e-mail address, such as name@example.com.")
    if cleaned["country"] and cleaned["country"] not in people.countries():
        errors["country"] = _("Choose a country from the list.")
    member = values.get("default_member", "").strip()
    cleaned["default_member_id"] = int(member) if member.isdecimal() else None
    if member and (not member.isdecimal() or not people.is_member(int(member))):
        errors["default_member"] = _("Choose a member of this company.")
    if len(values.get("group", "").strip()) > 255:
        errors["group"] = _("A group's name has at most 255 characters.")
    if errors:
        raise Invalid(errors)
    cleaned["group_id"] = _group(values.get("group", "").strip())
    return cleaned


def _group(name: str) -> int | None:
    if not name:
        return None
    found_one = next((group for group in groups() if group.name.casefold() == name.casefold()), None)
    if found_one is None:
        found_one = ClientGroup(name=name)
        db.session.add(found_one)
        db.session.flush()
    return found_one.id


def set_active(client: Client, active: bool) -> None:
    """Inactive clients stay with all they have; no run touches them. Commits."""
    if client.active != active:
        client.active = active
        audit.record("client.activated" if active else "client.deactivated", client.name)
    db.session.commit()


def what_goes(client: Client) -> list[str]:
    """What deleting the client deletes with it, in words."""
    tasks = _count(Task, client)
    contacts = _count(Contact, client)
    links = _count(Link, client)
    goes = [
        tasks and ngettext("%(n)s task with all its values", "%(n)s tasks with all their values", tasks),
        contacts and ngettext("%(n)s contact", "%(n)s contacts", contacts),
        links
        and ngettext("%(n)s integration with its credentials", "%(n)s integrations with their credentials", links),
    ]
    return [text for text in goes if text]


def remove(client: Client) -> None:
    """Delete the client with its tasks, contacts and links. Commits. Raises NotNow."""
    if _count(Invoice, client):
        raise NotNow(_("This client has invoices, which must be kept. Deactivate the client instead."))
    running = select(RunItem.id).join(Run, Run.id == RunItem.run_id)
    if db.session.scalar(running.where(RunItem.client_id == client.id, Run.state.in_(ACTIVE)).limit(1)):
        raise NotNow(_("A run is working on this client just now. Wait for its end, or cancel it first."))
    gone = list(db.session.scalars(select(Link).where(Link.client_id == client.id)))
    own = {link.connection for link in gone if link.connection and link.connection.level == Level.CLIENT}
    for link in gone:
        notices.close(f"link:{link.id}")
    audit.record("client.deleted", client.name, code=client.code)
    db.session.execute(delete(Client).where(Client.id == client.id))
    # Credentials may be shared with other clients' links; those nobody uses any more go.
    for connection in own:
        if db.session.scalar(select(Link.id).where(Link.connection_id == connection.id).limit(1)) is None:
            connections.forget(connection)
    db.session.commit()


def _count(model: type, client: Client) -> int:
    return db.session.scalar(select(func.count()).select_from(model).where(model.client_id == client.id))
