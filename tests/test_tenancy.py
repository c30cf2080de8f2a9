"""Nothing of one company is visible or changeable from another."""

import pytest
from sqlalchemy import delete, select, update

from uku_web.db import db
from uku_web.models import Client, Link, Task
from uku_web.tenancy import OutOfScope, across_companies, company_scope


@pytest.fixture
def two_clients(firm):
    with company_scope(firm.id):
        db.session.add(Client(name="Ours"))
        db.session.commit()
    with company_scope(firm.other_id):
        db.session.add(Client(name="Theirs"))
        db.session.commit()
    db.session.expunge_all()
    return firm


def test_a_query_sees_its_own_company_only(two_clients):
    with company_scope(two_clients.id):
        assert db.session.scalars(select(Client.name)).all() == ["Ours"]
    with company_scope(two_clients.other_id):
        assert [client.name for client in db.session.scalars(select(Client))] == ["Theirs"]


def test_a_query_outside_of_any_company_is_refused(two_clients):
    with pytest.raises(OutOfScope):
        db.session.scalars(select(Client)).all()


def test_the_other_companys_row_is_not_found_by_its_id(two_clients):
    with across_companies():
        theirs = db.session.scalar(select(Client.id).where(Client.name == "Theirs"))
    db.session.expunge_all()
    with company_scope(two_clients.id):
        assert db.session.get(Client, theirs) is None
        assert db.session.scalar(select(Client).where(Client.id == theirs)) is None


def test_bulk_changes_and_deletes_stay_inside(two_clients):
    with company_scope(two_clients.id):
        db.session.execute(update(Client).values(name="Changed"))
        db.session.execute(delete(Client))
        db.session.commit()
    with across_companies():
        assert db.session.scalars(select(Client.name)).all() == ["Theirs"]


def test_joins_are_scoped_on_both_sides(two_clients):
    with across_companies():
        theirs = db.session.scalar(select(Client).where(Client.name == "Theirs"))
        db.session.add(Link(company_id=two_clients.id, client_id=theirs.id, kind="x"))
        db.session.commit()
    with company_scope(two_clients.id):
        assert db.session.execute(select(Link, Client).join(Client, Client.id == Link.client_id)).all() == []


def test_rows_of_another_company_cannot_be_written(two_clients):
    with company_scope(two_clients.id):
        db.session.add(Client(name="Smuggled", company_id=two_clients.other_id))
        with pytest.raises(OutOfScope):
            db.session.flush()
        db.session.rollback()


def test_a_new_row_belongs_to_the_chosen_company(two_clients):
    with company_scope(two_clients.id):
        client = Client(name="New")
        db.session.add_all([client, Task(client=client, title="t")])
        db.session.commit()
        assert client.company_id == two_clients.id
