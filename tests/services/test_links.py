"""Which links a connection serves."""

from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Account, Client, Connection, ConnectionState, Level, Link
from uku_web.services import links


def test_a_connection_serves_the_live_links_that_are_its_own_and_no_others(books):
    here, gone = Account(kind="fake", vendor_id="here"), Account(kind="fake", vendor_id="gone")
    clients = [Client(name="Cedrus"), Client(name="Dohm"), Client(name="Eha", active=False)]
    db.session.add_all([here, gone, *clients])
    db.session.flush()
    company = Connection(kind="fake", level=Level.COMPANY, account_id=here.id, state=ConnectionState.OK, sealed="")
    db.session.add(company)
    for client, account in zip(clients, (here, gone, here), strict=True):
        db.session.add(Link(client_id=client.id, kind="fake", account_id=account.id))
    db.session.commit()
    groups = links.by_connection(links.live("fake"))
    for connection in db.session.scalars(select(Connection)):
        assert links.served_by(connection) == groups[connection.id]
    assert [link.client.name for link in links.served_by(company)] == ["Cedrus"]
