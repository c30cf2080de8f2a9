"""How Alembic reaches the app's database. Locks and statements have time-outs, so that no upgrade stands still."""

from alembic import context
from flask import current_app
from sqlalchemy import text

from uku_web.models.base import Amount, UtcTime

db = current_app.extensions["migrate"].db


def render_item(type_, item, autogen_context):
    """Our column types as the plain ones they are stored as: migrations stay true when our code moves on."""
    if type_ == "type" and isinstance(item, UtcTime):
        return "sa.DateTime(timezone=True)"
    if type_ == "type" and isinstance(item, Amount):
        return "sa.BigInteger()"
    return False


with db.engine.connect() as connection:
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET lock_timeout = '10s'"))
        connection.execute(text("SET statement_timeout = '10min'"))
        connection.commit()
    context.configure(connection=connection, target_metadata=db.metadata, render_as_batch=True, render_item=render_item)
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
