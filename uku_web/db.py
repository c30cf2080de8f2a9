"""The database handle, and how SQLite is made fit for several processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase


class Base(DeclarativeBase):
    # Named constraints, so that migrations can drop them on every database.
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


db = SQLAlchemy(model_class=Base)

# SQLite refuses to turn a reading transaction into a writing one when somebody else wrote meanwhile, whatever the
# time-out. So a transaction that may write takes the write lock at its begin; page views say that they only read.
only_reads: ContextVar[bool] = ContextVar("only_reads", default=False)


def prepare_engine(engine: Engine) -> None:
    """SQLite: write-ahead log, foreign keys, patience, and transactions that begin where SQLAlchemy says."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def on_connect(connection, _record):
        connection.isolation_level = None
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "busy_timeout=20000"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection):
        connection.exec_driver_sql("BEGIN" if only_reads.get() else "BEGIN IMMEDIATE")


@contextmanager
def reading() -> Iterator[None]:
    """A look at the database that keeps nobody from writing; whatever was open before is rolled back."""
    db.session.rollback()
    token = only_reads.set(True)
    try:
        yield
    finally:
        db.session.rollback()
        only_reads.reset(token)


def insert_new(model: type, rows: Sequence[dict]) -> int:
    """Insert the rows that are not there yet, in one statement: of two who make the same row, one makes it.

    The rows name their company themselves. Returns how many were new.
    """
    if not rows:
        return 0
    dialect = sqlite if db.engine.dialect.name == "sqlite" else postgresql
    return db.session.execute(dialect.insert(model).values(list(rows)).on_conflict_do_nothing()).rowcount
