"""Whether the installation says truly if it is ready."""

import pytest
import redis
from sqlalchemy.exc import OperationalError

from uku_web.db import db
from uku_web.views import health as view


class FakeRedis:
    def __init__(self, seen: bool = True, away: bool = False):
        self.seen, self.away = seen, away

    def ping(self):
        if self.away:
            raise redis.ConnectionError("redis://:secret@host")
        return True

    def exists(self, key):
        self.ping()
        return int(self.seen and key == "tick:seen")


@pytest.fixture
def answer(app, database, monkeypatch):
    def ask(fake: FakeRedis):
        monkeypatch.setattr(view.bell, "connection", lambda: fake)
        return app.test_client().get("/health")

    return ask


def test_ready_when_all_answer(answer):
    got = answer(FakeRedis())
    assert got.status_code == 200
    assert got.json == {"ready": True, "why": [], "database": "ready", "redis": "ready", "tick": "ready"}


def test_not_ready_without_redis_and_no_secret_is_told(answer):
    got = answer(FakeRedis(away=True))
    assert got.status_code == 503 and not got.json["ready"]
    assert (got.json["redis"], got.json["database"]) == ("not ready", "ready")
    assert "secret" not in got.text and len(got.json["why"]) == 2


def test_not_ready_while_no_tick_was_heard_of(answer):
    got = answer(FakeRedis(seen=False))
    assert (got.status_code, got.json["tick"], got.json["redis"]) == (503, "not ready", "ready")
    assert answer(FakeRedis()).status_code == 200


def test_not_ready_without_the_database(answer, monkeypatch):
    def away(*_args, **_more):
        raise OperationalError("SELECT", {}, Exception("password=secret"))

    with monkeypatch.context() as broken:
        broken.setattr(db.session, "execute", away)
        got = answer(FakeRedis())
    assert (got.status_code, got.json["database"]) == (503, "not ready")
    assert "secret" not in got.text
    assert answer(FakeRedis()).status_code == 200
