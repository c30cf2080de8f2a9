"""The database handle, and how SQLite is made fit for several processes."""

from contextvars import ContextVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Engine, MetaData, event
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
