"""How long pages take where there are many clients, and how many SQL statements: as many as where there are few."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from time import perf_counter, process_time

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event, update

from tests.bench import firm as firms
from tests.bench.firm import Firm
from tests.bench.ground import ground, inside
from tests.bench.lines import Line, at_most, exactly, p95
from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Connection, ConnectionState, Link, Run, RunState
from uku_web.vendors.registry import kinds

FIGURES = ("client-list", "settings-apps", "dialog-tab", "page-statements", "page-statements-growth", "page-growth")
FEW, MANY = 100, 10_000
LINKED = 2_000  # of the many, and all of the few
PART = {"HX-Request": "true"}


@dataclass(frozen=True)
class Page:
    figure: str
    what: str
    target: float  # milliseconds
    path: Callable[[Firm], str]
    headers: Mapping[str, str]


def pages(kind: str) -> list[Page]:
    def listed(what: str, query: str) -> Page:
        return Page("client-list", what, 50, lambda _firm: f"/clients{query}", {} if not query else PART)

    def tab(what: str, path: str) -> Page:
        return Page("dialog-tab", what, 20, lambda firm: path.format(client=firm.client_ids[0]), PART)

    return [
        listed("first page", ""),
        listed("last page", "?page=9999"),
        listed("search that meets many", "?q=saar"),
        listed("search that meets one", "?q=c00042"),
        listed("search that meets none", "?q=nobody"),
        *(
            listed(f"filter: {state}", f"?integration={state}")
            for state in ("connected", "attention", "asleep", "none")
        ),
        Page("client-list", "filter: a person's clients", 50, lambda firm: f"/clients?member={firm.owner_id}", PART),
        *(listed(f"sort: {key}", f"?sort={key}") for key in ("-name", "code", "email", "-member")),
        Page("settings-apps", "all cards", 50, lambda _firm: "/settings", {}),
        tab("Overview", f"/settings/{kind}"),
        tab("Connect", f"/settings/{kind}/connect"),
        tab("Settings", f"/settings/{kind}/settings"),
        tab("a client's dialog", "/clients/{client}/integration"),
    ]


def measure(quick: bool) -> Iterator[Line]:
    times = 20 if quick else 100
    kind = kinds()[0]
    with ground() as place:
        app = place.app
        with inside(app):
            few, many = make("Few", FEW, kind), make("Many", MANY, kind)
        wanted = pages(kind)
        small = [ask(app, few, page, times // 2) for page in wanted]
        large = [ask(app, many, page, times) for page in wanted]
    for figure in ("client-list", "settings-apps", "dialog-tab"):
        for answered in large:
            if answered.page.figure == figure:
                yield at_most(figure, p95(answered.seconds), "ms p95", answered.page.target, answered.told(times))
    most = max(large, key=lambda answered: answered.statements)
    over = f"the most of {len(large)} pages, {most.page.what}, {MANY} clients"
    yield at_most("page-statements", most.statements, "statements", 12, over)
    other = [
        f"{after.page.what}: {before.statements} and {after.statements}"
        for before, after in zip(small, large, strict=True)
        if before.statements != after.statements
    ]
    over = f"of {len(large)} pages those with other numbers of statements at {FEW} and at {MANY} clients"
    yield exactly("page-statements-growth", len(other), "pages", 0, f"{over} {'; '.join(other)}".strip())
    pairs = [
        (p95(after.seconds) - p95(before.seconds), after.page.what) for before, after in zip(small, large, strict=True)
    ]
    growth, what = max(pairs)
    over = f"the most that a page takes longer at {MANY} clients than at {FEW}: {what}"
    yield at_most("page-growth", growth, "ms", 25, over)


def make(name: str, count: int, kind: str) -> Firm:
    firm = firms.make_firm(name, count)
    with firms.scope_of(firm):
        firms.configure(kind, firms.shown_first(kind))
        firms.link_by_own(firm, kind, firm.client_ids[:LINKED])
        # Some need attention, some sleep, and the last reload has just ended: dialogs show it.
        db.session.execute(update(Connection).where(Connection.id % 10 == 1).values(state=ConnectionState.ATTENTION))
        db.session.execute(update(Link).where(Link.id % 10 == 2).values(connection_id=None))
        told = {"kind": kind, "trigger": "reload", "title": "Reload", "ended_at": now(), "outcome": "Done."}
        db.session.add(Run(what="statistics-all", active_key="bench", state=RunState.DONE, **told))
        db.session.commit()
    return firm


@dataclass(frozen=True)
class Answered:
    page: Page
    seconds: list[float]
    statements: int
    size: int
    busy: float

    def told(self, times: int) -> str:
        cpu = f"{self.busy * 1000:.1f} ms CPU each"
        return f"{self.page.what}: {MANY} clients, {times} times, {self.size / 1024:.0f} kB, {cpu}; no socket"


def ask(app: Flask, firm: Firm, page: Page, times: int) -> Answered:
    browser = firms.signed_in(app, firm)
    path = page.path(firm)
    get(browser, path, page.headers)  # what is made once, such as compiled templates, is made now
    with count_sql(app) as statements:
        size = len(get(browser, path, page.headers))
    seconds, busy = [], process_time()
    for _time in range(times):
        began = perf_counter()
        get(browser, path, page.headers)
        seconds.append(perf_counter() - began)
    return Answered(page, seconds, len(statements), size, (process_time() - busy) / times)


def get(browser: FlaskClient, path: str, headers: Mapping[str, str], status: int = 200) -> bytes:
    answer = browser.get(path, headers=dict(headers))
    if answer.status_code != status:
        raise RuntimeError(f"{path} was answered with {answer.status_code}")
    return answer.data


@contextmanager
def count_sql(app: Flask) -> Iterator[list[str]]:
    statements: list[str] = []

    def on_execute(_connection, _cursor, statement, *_rest):
        if not statement.startswith(("SAVEPOINT", "RELEASE", "BEGIN", "PRAGMA")):
            statements.append(statement)

    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", on_execute)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", on_execute)
