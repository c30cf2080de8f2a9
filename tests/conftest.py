"""What all tests share: a database made by the migrations, four people, and no network but loopback."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace

import pytest
from sqlalchemy import event, text

from uku_web import create_app
from uku_web.config import read_config
from uku_web.db import db
from uku_web.models import Company, Membership, Person, Role
from uku_web.services import passwords
from uku_web.tenancy import across_companies, company_scope, set_company
from uku_web.views import limiter

pytest_plugins = ["tests.services.counting"]
PASSWORD = "correct horse battery"
_connect = socket.socket.connect


def _only_loopback(self, address):
    if self.family in (socket.AF_INET, socket.AF_INET6) and address[0] not in ("127.0.0.1", "::1", "localhost"):
        raise OSError(f"A test tried to reach {address!r}; tests may reach loopback only.")
    return _connect(self, address)


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    monkeypatch.setattr(socket.socket, "connect", _only_loopback)


@pytest.fixture(scope="session")
def app(tmp_path_factory):
    """One app and database a session (and xdist worker); `database` empties it after each test that used it."""
    folder = tmp_path_factory.mktemp("uku")
    environ = {"UKU_DATA": str(folder)}
    if url := os.environ.get("UKU_TEST_DATABASE_URL"):
        environ["DATABASE_URL"] = _own_database(url)
    passwords.cheaper_for_tests()
    app = create_app(read_config(environ))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    limiter.enabled = False
    with app.app_context():
        from flask_migrate import upgrade

        upgrade()
        db.session.remove()
    yield app
    with app.app_context():
        db.engine.dispose()


def _own_database(url: str) -> str:
    """A fresh PostgreSQL database for this xdist worker."""
    from sqlalchemy import create_engine

    name = f"uku_test_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"))
        connection.execute(text(f"CREATE DATABASE {name}"))
    engine.dispose()
    return url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture
def database(app) -> Iterator[None]:
    """An app context over an empty database."""
    with app.app_context():
        yield
        db.session.remove()
        set_company(None)
        with db.engine.begin() as connection:
            tables = [table for table in db.metadata.sorted_tables]
            if connection.dialect.name == "postgresql":
                names = ", ".join(f'"{table.name}"' for table in tables)
                connection.execute(text(f"TRUNCATE {names} RESTART IDENTITY CASCADE"))
            else:
                connection.execute(text("PRAGMA defer_foreign_keys=ON"))
                for table in reversed(tables):
                    connection.execute(table.delete())


@pytest.fixture
def firm(database) -> SimpleNamespace:
    """One company with owner, admin and member, and a stranger who owns another."""
    with across_companies():
        company = Company(name="Kask ja Pojad OÜ", integration_on=True)
        other = Company(name="Other Ltd", country="GB", timezone="Europe/London", integration_on=True)
        people = {
            name: Person(email=f"{name}@example.test", name=name.title(), password_hash=passwords.hash(PASSWORD))
            for name in ("owner", "admin", "member", "stranger")
        }
        db.session.add_all([company, other, *people.values()])
        db.session.flush()
        for name in ("owner", "admin", "member"):
            db.session.add(Membership(company_id=company.id, person_id=people[name].id, role=Role(name)))
        db.session.add(Membership(company_id=other.id, person_id=people["stranger"].id, role=Role.OWNER))
        db.session.commit()
        return SimpleNamespace(
            id=company.id, other_id=other.id, people={name: person.id for name, person in people.items()}
        )


@pytest.fixture
def in_firm(firm) -> Iterator[SimpleNamespace]:
    """The same, with the company chosen."""
    with company_scope(firm.id):
        yield firm


@pytest.fixture
def signed_in(app, firm):
    """signed_in("admin") -> a test client of that person."""

    def sign_in(name: str):
        client = app.test_client()
        answer = client.post("/sign-in", data={"email": f"{name}@example.test", "password": PASSWORD})
        assert answer.status_code == 303, answer.text
        return client

    return sign_in


@pytest.fixture
def count_sql():
    """with count_sql() as statements: ... -> the SQL statements sent."""

    @contextmanager
    def counting() -> Iterator[list[str]]:
        statements: list[str] = []

        def on_execute(_conn, _cursor, statement, *_rest):
            if not statement.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "PRAGMA")):
                statements.append(statement)

        event.listen(db.engine, "before_cursor_execute", on_execute)
        try:
            yield statements
        finally:
            event.remove(db.engine, "before_cursor_execute", on_execute)

    return counting
