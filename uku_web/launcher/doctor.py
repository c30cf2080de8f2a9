"""`uku doctor`: looks at an installation and says what is wrong and how to mend it."""

import os
import time
from collections.abc import Callable, Iterator

import redis
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Flask
from rq import Worker
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from uku_web import create_app, migrate
from uku_web.config import Config, ConfigError
from uku_web.db import db
from uku_web.keyring import Unreadable
from uku_web.launcher import valkey
from uku_web.models import Connection
from uku_web.tenancy import across_companies

Finding = tuple[bool, str]  # whether it is well, and the sentence


def examine(config: Config) -> int:
    """Prints a line per part; 1 when something is wrong."""
    findings = [*_check(_data, config), *_check(_redis, config)]
    if findings[0][0]:
        findings += _check(_inside, config)
    for good, sentence in findings:
        print(f"{'well ' if good else 'WRONG'}  {sentence}")
    return 0 if all(good for good, _sentence in findings) else 1


def _check(look: Callable[[Config], Iterator[Finding]], config: Config) -> list[Finding]:
    try:
        return list(look(config))
    except (ConfigError, OSError, SQLAlchemyError) as error:
        return [(False, f"{type(error).__name__}: {error}")]


def _data(config: Config) -> Iterator[Finding]:
    if not config.data.is_dir():
        yield False, f"There is no data folder {config.data}. Set UKU_DATA, or start `uku serve` once."
    elif not os.access(config.data, os.W_OK):
        yield False, f"The data folder {config.data} cannot be written to. Give its ownership to this user."
    elif not config.keys.exists():
        yield False, f"The key ring {config.keys} is missing. Put back the copy you keep of it."
    else:
        yield True, f"Data in {config.data}, key ring {config.keys}."


def _redis(config: Config) -> Iterator[Finding]:
    where = valkey.redis_url(config)
    client = valkey.client(config)
    try:
        client.ping()
    except redis.RedisError as error:
        mend = "Start `uku serve`." if config.embedded_redis else "Check REDIS_URL and that server."
        yield False, f"Redis at {_without_password(where)} does not answer ({type(error).__name__}). {mend}"
        return
    yield True, f"Redis answers at {_without_password(where)}."
    seen = client.get("tick:seen")
    if seen is None:
        yield False, "No tick was seen for a minute, so nothing falls due. Start `uku serve` or `uku tick`."
    else:
        yield True, f"The tick was seen {max(0, int(time.time()) - int(seen))} seconds ago."
    workers = Worker.count(connection=client)
    if workers:
        yield True, f"{workers} background workers."
    else:
        yield False, "No background worker runs, so runs stay queued. Start `uku serve` or `uku work`."


def _without_password(url: str) -> str:
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}"


def _inside(config: Config) -> Iterator[Finding]:
    app = create_app(config)
    with app.app_context(), across_companies():
        try:
            yield from _migrations()
            yield from _keys(app)
        finally:
            db.session.remove()
            db.engine.dispose()


def _migrations() -> Iterator[Finding]:
    head = ScriptDirectory(migrate.directory).get_current_head()
    with db.engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        name = connection.dialect.name
    if current == head:
        yield True, f"The database ({name}) is up to date."
    else:
        yield False, f"The database ({name}) is at version {current or 'none'} instead of {head}. Run `uku upgrade`."


def _keys(app: Flask) -> Iterator[Finding]:
    """Whether the ring opens what is stored."""
    ring, closed = app.extensions["uku_keyring"], []
    rows = db.session.execute(select(Connection.id, Connection.sealed)).all()
    for row in rows:
        try:
            ring.open(row.sealed)
        except Unreadable:
            closed.append(row.id)
    if closed:
        yield False, f"No key on the ring opens {len(closed)} of {len(rows)} credentials. Put back the right ring."
    else:
        yield True, f"The key ring opens all {len(rows)} stored credentials."
