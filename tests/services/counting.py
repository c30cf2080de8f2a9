"""A firm with linked clients and a mapping, ready to be counted."""

from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import current_app

from tests.fake_vendor.connector import Connector
from uku_web import clock
from uku_web.db import db
from uku_web.models import (
    Account,
    Client,
    Connection,
    ConnectionState,
    FieldMapping,
    Integration,
    Level,
    Link,
    RunItem,
    TaskField,
    Topic,
)
from uku_web.services import runs, statistics_run
from uku_web.vendors import registry
from uku_web.vendors.access import Setup

SETUP = Setup(environ={}, redis=None, now=clock.now, allow_private=(), sleep=lambda _seconds: None)


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def fake(monkeypatch):
    """The fake vendor beside the real ones."""
    monkeypatch.setitem(registry.VENDORS, "fake", "tests.fake_vendor")
    monkeypatch.setattr(Connector, "asked", [])
    monkeypatch.setattr(Connector, "script", [])
    monkeypatch.setattr(Connector, "numbers", dict(Connector.numbers))
    return Connector


@pytest.fixture
def books(in_firm, fake) -> SimpleNamespace:
    """Two clients with credentials of their own, everything configured since summer."""
    since = moment("2026-06-10T08:00")
    topic, documents, entries = Topic(name="Summary"), TaskField(name="Documents"), TaskField(name="Entries")
    db.session.add_all([topic, documents, entries])
    db.session.flush()
    integration = Integration(
        kind="fake",
        enabled=True,
        enabled_at=since,
        configured_at=since,
        task_title="{vendor} {month} {year}",
        topic_id=topic.id,
        import_when="last_day",
        mapping_version=1,
    )
    db.session.add(integration)
    for key, field in (("documents", documents), ("entries", entries)):
        db.session.add(FieldMapping(kind="fake", vendor_field=key, field_id=field.id))
    links = [link_client(name) for name in ("Aru OÜ", "Benn AS")]
    db.session.commit()
    return SimpleNamespace(
        firm=in_firm, integration=integration, documents=documents.id, entries=entries.id, links=links, fake=fake
    )


def link_client(name: str) -> Link:
    client = Client(name=name)
    account = Account(kind="fake", vendor_id=name)
    db.session.add_all([client, account])
    db.session.flush()
    connection = Connection(
        kind="fake",
        level=Level.CLIENT,
        account_id=account.id,
        state=ConnectionState.OK,
        sealed=current_app.extensions["uku_keyring"].seal({"key": name}),
    )
    db.session.add(connection)
    db.session.flush()
    link = Link(client_id=client.id, kind="fake", account_id=account.id, connection_id=connection.id)
    db.session.add(link)
    db.session.flush()
    return link


def do(run_id: int) -> list[int]:
    """Do one run as a worker does."""
    hold = runs.take(run_id, "test")
    assert hold is not None
    return statistics_run.work(hold, SETUP)


def item_states(run_id: int) -> list[str]:
    return [item.state for item in db.session.query(RunItem).filter_by(run_id=run_id)]
