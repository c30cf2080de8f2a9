"""The clients' links: which are live, and by which connection they are served."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, and_, delete, or_, select
from sqlalchemy.exc import IntegrityError

from uku_web.db import db
from uku_web.models import Account, Client, Connection, Level, Link
from uku_web.vendors import records


def company_connection(kind: str) -> Connection | None:
    return db.session.scalar(select(Connection).where(Connection.kind == kind, Connection.level == Level.COMPANY))


def connection_of(link: Link) -> Connection | None:
    """Own credentials go before the company's."""
    return link.connection if link.connection_id else company_connection(link.kind)


def live(kind: str, client_ids: Iterable[int] | None = None) -> list[Link]:
    """Links of active clients that can be served now; those to an account that is not connected sleep."""
    query = select(Link).join(Client, Client.id == Link.client_id).where(Link.kind == kind, Client.active)
    query = query.where(is_live(company_connection(kind))).order_by(Link.id)
    if client_ids is not None:
        query = query.where(Link.client_id.in_(list(client_ids)))
    return list(db.session.scalars(query))


def is_live(connection: Connection | None) -> ColumnElement[bool]:
    own = Link.connection_id.is_not(None)
    if connection is None:
        return own
    return or_(own, and_(Link.connection_id.is_(None), Link.account_id == connection.account_id))


def served_by(connection: Connection) -> list[Link]:
    """The live links that this connection serves, without reading those of all others."""
    query = select(Link).join(Client, Client.id == Link.client_id).where(Link.kind == connection.kind, Client.active)
    served = Link.connection_id == connection.id
    if connection.level == Level.COMPANY:
        served = or_(served, and_(Link.connection_id.is_(None), Link.account_id == connection.account_id))
    return list(db.session.scalars(query.where(served).order_by(Link.id)))


def of_client(client_id: int, kind: str) -> Link | None:
    """The client's live link for a vendor."""
    found = live(kind, [client_id])
    return found[0] if found else None


def by_connection(served: Iterable[Link]) -> dict[int, list[Link]]:
    """Links by the connection that serves them: {connection id: links}. Those without one are left out."""
    company_level: dict[str, Connection | None] = {}
    groups: dict[int, list[Link]] = {}
    for link in served:
        if link.connection_id is None and link.kind not in company_level:
            company_level[link.kind] = company_connection(link.kind)
        shared = company_level.get(link.kind)
        connection_id = link.connection_id or (shared.id if shared else None)
        if connection_id is not None:
            groups.setdefault(connection_id, []).append(link)
    return groups


def adopt(connection: Connection) -> None:
    """Links that were made before it was known which account answers now belong to it."""
    if connection.account_id is None:
        return
    served = Link.connection_id == connection.id
    if connection.level == Level.COMPANY:
        served = Link.connection_id.is_(None)
    query = select(Link).where(Link.kind == connection.kind, served, Link.account_id.is_(None))
    for link in list(db.session.scalars(query)):
        # One to the same account that slept is the older of the two.
        same = (Link.client_id == link.client_id, Link.kind == link.kind, Link.account_id == connection.account_id)
        db.session.execute(delete(Link).where(*same))
        link.account_id = connection.account_id


def dialog_of(connection: Connection) -> tuple[str, str | None]:
    """The path of the dialog in which the connection is mended, and the name of the client it belongs to."""
    query = select(Client.id, Client.name).join(Link, Link.client_id == Client.id).order_by(Link.id)
    client = db.session.execute(query.where(Link.connection_id == connection.id)).first()
    if client is None:
        return f"/settings/{connection.kind}/connect", None
    return f"/clients/{client.id}/integration?kind={connection.kind}", client.name


def account_row(kind: str, told: records.Account, name: str | None) -> Account:
    """The account's row, found or made. What the vendor tells of it goes before what a person typed."""
    query = select(Account).where(Account.kind == kind, Account.vendor_id == told.id)
    account = db.session.scalar(query)
    if account is None:
        try:
            with db.session.begin_nested():
                account = Account(kind=kind, vendor_id=told.id)
                db.session.add(account)
        except IntegrityError:  # somebody else saved it in this very moment
            account = db.session.scalars(query).one()
    account.name = told.name or name or account.name
    account.number = told.number or account.number
    account.currency = told.currency or account.currency
    return account
