"""Whether this installation is ready to work, for whoever watches over it."""

import redis
from flask import Blueprint, jsonify
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from jobs import bell
from jobs.tick import SEEN
from uku_web.db import db
from uku_web.views.guard import public

blueprint = Blueprint("health", __name__)


@blueprint.get("/health")
@public
def health():
    checks = {"database": _database(), "redis": _redis(), "tick": _tick()}
    why = [sentence for sentence in checks.values() if sentence]
    parts = {name: "not ready" if sentence else "ready" for name, sentence in checks.items()}
    return jsonify(ready=not why, why=why, **parts), 503 if why else 200


# The sentences are fixed: an error's own text could hold an address or a password.
def _database() -> str:
    try:
        db.session.execute(text("SELECT 1 FROM alembic_version"))
    except SQLAlchemyError:
        db.session.rollback()
        return "The database does not answer, or its tables are not made yet."
    return ""


def _redis() -> str:
    try:
        bell.connection().ping()
    except redis.RedisError:
        return "Redis does not answer: background work waits until it is back."
    return ""


def _tick() -> str:
    try:
        seen = bell.connection().exists(SEEN)
    except redis.RedisError:
        seen = False
    return "" if seen else "The tick was not heard of lately: nothing that falls due is started."
