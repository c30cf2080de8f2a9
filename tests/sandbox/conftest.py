import json
from datetime import UTC, datetime
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest

from uku_web.sandbox.clock import StoppedClock
from uku_web.sandbox.firm import merit_company, smartaccounts_company
from uku_web.sandbox.merit import sign
from uku_web.sandbox.server import create_sandbox
from uku_web.sandbox.smartaccounts import sign as sign_smart

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


class SmartCaller:
    """Signs and sends as SmartAccounts' manual says; `sent` is the query as text, without what signs it."""

    def __init__(self, http, clock, credentials):
        self.http, self.clock = http, clock
        self.api_key, self.api_secret = credentials["api_key"], credentials["api_secret"]

    def stamp(self):
        return self.clock.now().astimezone(ZoneInfo("Europe/Tallinn")).strftime("%d%m%Y%H%M%S")

    def signed(self, sent="", body=b"", stamp=None):
        query = f"{sent}&" * bool(sent) + f"timestamp={stamp or self.stamp()}&apikey={self.api_key}"
        return f"{query}&signature={sign_smart(self.api_secret, query, body)}"

    def open(self, service, query, body=b"", method="GET", prefix="/en"):
        return self.http.open(f"/smartaccounts{prefix}/api/{service}?{query}", method=method, data=body)

    def ask(self, service, *, prefix="/en", **filters):
        sent = "&".join(f"{name}={quote(str(value))}" for name, value in filters.items())
        return self.open(service, self.signed(sent), prefix=prefix)

    def get(self, service, **filters):
        response = self.ask(service, **filters)
        assert response.status_code == 200, response.get_data(as_text=True)
        return response.get_json()

    def walk(self, service, key, **filters):
        """All items of all pages."""
        found, page = [], 1
        while True:
            answer = self.get(service, pageNumber=page, **filters)
            found += answer[key]
            if not answer["hasMoreEntries"]:
                return found
            page += 1
            self.clock.sleep(2)

    def post(self, service, fields, sent="", prefix="/en"):
        body = json.dumps(fields, ensure_ascii=False).encode()
        return self.open(service, self.signed(sent, body), body, "POST", prefix)


@pytest.fixture
def clock():
    return StoppedClock(NOW)


@pytest.fixture
def clients(clock):
    companies = [merit_company("ee", n, f"Ettevõte {n} OÜ", clock.today(), size) for n, size in enumerate(SIZES, 1)]
    companies.append(merit_company("fi", 1, "Yritys Oy", clock.today(), "small"))
    companies.append(merit_company("pl", 1, "Firma Sp. z o.o.", clock.today(), "small"))
    companies += [smartaccounts_company(n, f"Äri {n} OÜ", clock.today(), size) for n, size in enumerate(SIZES, 1)]
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
def smart_caller(http, clock, clients):
    """smart_caller("empty") signs as the first SmartAccounts company of that size."""

    def choose(size="medium"):
        fitting = (c for c in clients if c.books.kind == "smartaccounts" and c.books.size == size)
        return SmartCaller(http, clock, next(fitting).books.credentials)

    return choose


@pytest.fixture
def smart(smart_caller):
    return smart_caller()


@pytest.fixture
def switch(http):
    def on(fault, **more):
        response = http.post("/_control/switches", json={"fault": fault, **more})
        assert response.status_code == 201, response.get_json()
        return response.get_json()["id"]

    return on
