"""What a click and a look at a run's progress take."""

from collections.abc import Iterator
from time import perf_counter

from flask import Flask
from flask.testing import FlaskClient

from tests.bench import firm as firms
from tests.bench.firm import Firm
from tests.bench.ground import ground, inside
from tests.bench.lines import Line, at_most, p95
from tests.bench.pages import PART, get
from uku_web.db import db
from uku_web.models import Run, RunState
from uku_web.services import bulk, run_views
from uku_web.vendors.registry import kinds

FIGURES = ("progress-poll", "bulk-click")
CLIENTS = 500


def measure(quick: bool) -> Iterator[Line]:
    kind = kinds()[0]
    with ground() as place:
        place.start_valkey()
        app = place.app
        with inside(app):
            firm = firms.make_firm("Clicks", CLIENTS + CLIENTS // 20)  # some of them are inactive
            with firms.scope_of(firm):
                firms.configure(kind, firms.shown_first(kind))
                firms.link_by_own(firm, kind, firm.client_ids)
        browser = firms.signed_in(app, firm)
        yield from _polls(app, browser, firm, kind, 50 if quick else 300)
        yield _click(app, browser, firm, kind, 10 if quick else bulk.MONTHS_BACK)


def _polls(app: Flask, browser: FlaskClient, firm: Firm, kind: str, times: int) -> Iterator[Line]:
    for parts in (0, CLIENTS):
        with inside(app), firms.scope_of(firm):
            run_id = _running(kind, parts)
            seen = run_views.version(run_id)
        over = f"nothing changed, 204, a run of {parts or 'no'} parts, {times} times"
        for path, where in (
            (f"/runs/{run_id}/progress?v={seen}", "the run's page"),
            (f"/settings/{kind}/progress?run={run_id}&seen={seen}", "the vendor's dialog"),
        ):
            seconds = []
            for _time in range(times):
                began = perf_counter()
                get(browser, path, PART, status=204)
                seconds.append(perf_counter() - began)
            yield at_most("progress-poll", p95(seconds), "ms p95", 5, f"{where}: {over}; no socket")


def _running(kind: str, parts: int) -> int:
    """A run under way, with so many parts of which some are done."""
    common = {"kind": kind, "trigger": "reload", "title": "Bench", "total": 12, "progress": 5, "doing": "Counting"}
    parent = Run(what="statistics-all", active_key=f"bench:{parts}", state=RunState.RUNNING, **common)
    db.session.add(parent)
    db.session.flush()
    states = [RunState.DONE, RunState.RUNNING, RunState.QUEUED]
    db.session.add_all(
        [
            Run(
                what="statistics",
                active_key=f"bench:{parts}:{number}",
                state=states[number % len(states)],
                parent_id=parent.id,
                **common,
            )
            for number in range(parts)
        ]
    )
    db.session.commit()
    return parent.id


def _click(app: Flask, browser: FlaskClient, firm: Firm, kind: str, times: int) -> Line:
    """Each click asks for another month, so that each opens a run."""
    with inside(app), firms.scope_of(firm):
        months = bulk.months()[:times]
        before = db.session.query(Run).count()
    seconds = []
    for month in months:
        began = perf_counter()
        answer = browser.post(
            "/clients/run-integration?all_matching=1", data={"kind": kind, "month": str(month)}, headers=PART
        )
        seconds.append(perf_counter() - began)
        if answer.status_code != 303:
            raise RuntimeError(f"the click was answered with {answer.status_code}")
    with inside(app), firms.scope_of(firm):
        opened = db.session.query(Run).count() - before
        chosen = len(db.session.query(Run).order_by(Run.id.desc()).first().params["clients"])
    if opened != times or chosen < CLIENTS:
        raise RuntimeError(f"{times} clicks opened {opened} runs, the last one over {chosen} clients")
    return at_most("bulk-click", p95(seconds), "ms p95", 300, f"Run over {chosen} clients, {times} clicks; no socket")
