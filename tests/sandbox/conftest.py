import json
from datetime import UTC, datetime

import pytest

from uku_web.sandbox.clock import StoppedClock
from uku_web.sandbox.firm import merit_company
from uku_web.sandbox.merit import sign
from uku_web.sandbox.server import create_sandbox

NOW = datetime(2026, 3, 18, 10, 30, tzinfo=UTC)
SIZES = ("medium", "small", "empty", "tiny", "gaps", "young")


class MeritCaller:
    """Signs and sends as the vendor's manual says, unless told to differ."""

    def __init__(self, http, clock, credentials):
        self.http, self.clock = http, clock
        self.api_id, self.api_key, self.country = (credentials[name] for name in ("api_id", "api_key", "country"))

    def raw(self, path, body=b"{}", *, method="POST", country=None, **query):
        stamp = self.clock.now().strftime("%Y%m%d%H%M%S")
        default = {"ApiId": self.api_id, "timestamp": stamp}
        merged = {name: value for name, value in (default | query).items() if value is not None}
        if "signature" not in query:
            merged["signature"] = sign(self.api_id, self.api_key, merged.get("timestamp", ""), body)
        url = f"/merit/{country or self.country}/api/{path}"
        merged = {name: value for name, value in merged.items() if value is not None}
        return self.http.open(url, method=method, data=body, query_string=merged)

    def post(self, path, fields=None):
        return self.raw(path, json.dumps(fields or {}, ensure_ascii=False).encode())

    def get(self, path, fields=None):
        response = self.post(path, fields)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()


@pytest.fixture
def clock():
    return StoppedClock(NOW)


@pytest.fixture
def clients(clock):
    companies = [merit_company("ee", n, f"Ettevõte {n} OÜ", clock.today(), size) for n, size in enumerate(SIZES, 1)]
    companies.append(merit_company("fi", 1, "Yritys Oy", clock.today(), "small"))
    companies.append(merit_company("pl", 1, "Firma Sp. z o.o.", clock.today(), "small"))
    return companies


@pytest.fixture
def app(clock, clients):
    return create_sandbox(clock, seed=7, firm_clients=clients)


@pytest.fixture
def http(app):
    return app.test_client()


@pytest.fixture
def caller(http, clock, clients):
    """caller("ee") signs as that country's first company, caller("ee", "empty") as its first of that size."""

    def choose(country="ee", size=None):
        fitting = (c for c in clients if c.books.variant == country and size in (None, c.books.size))
        return MeritCaller(http, clock, next(fitting).books.credentials)

    return choose


@pytest.fixture
def merit(caller):
    return caller()


@pytest.fixture
def switch(http):
    def on(fault, **more):
        response = http.post("/_control/switches", json={"fault": fault, **more})
        assert response.status_code == 201, response.get_json()
        return response.get_json()["id"]

    return on
