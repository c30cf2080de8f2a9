"""A reload of all clients by real workers, against stand-ins that take their time and keep the vendors' limits."""

import math
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, process_time, sleep

from flask import Flask
from rq import Worker

from jobs import bell
from tests.bench import firm as firms
from tests.bench.ground import WORKERS, Ground, StandIns, ground, inside
from tests.bench.lines import Line, at_most, exactly, not_measured
from uku_web.db import db, only_reads
from uku_web.models import Run, RunState
from uku_web.services import statistics
from uku_web.vendors.access import Setup, open_connector
from uku_web.vendors.records import Month, Target
from uku_web.vendors.registry import connector_class, kinds, spec_of
from uku_web.vendors.spec import BucketKey, Budget, VendorSpec

FIGURES = ("bulk-reload-time", "bulk-reload-refusals", "cpu-per-request")
LATENCY = 0.15
LIGHT = ("tiny", "small", "gaps", "young")  # the stand-ins' work is not what is measured
ENOUGH = 20  # accounts without which a vendor's stand-in cannot play a bulk
DEFAULT_CONCURRENCY = 4  # where a vendor tells no limit
PATIENCE = 900.0


def measure(quick: bool) -> Iterator[Line]:
    wanted, measured = (20 if quick else 200), 0
    for kind in kinds():
        if not spec_of(kind).statistics or not spec_of(kind).own_credentials:
            continue
        with ground() as place:
            stand_ins = place.start_stand_ins(wanted * 2)
            accounts = [one for one in stand_ins.accounts(kind) if one["size"] in LIGHT][:wanted]
            if len(accounts) >= ENOUGH:
                measured += 1
                yield from _reload(place, stand_ins, kind, accounts)
        if quick and measured:
            return
    if not measured:
        yield not_measured(FIGURES[0], "no stand-in holds enough accounts")


def _reload(place: Ground, stand_ins: StandIns, kind: str, accounts: Sequence[dict]) -> Iterator[Line]:
    place.start_valkey()
    app, keys = place.app, [one["credentials"] for one in accounts]
    with inside(app):
        firm = firms.make_firm("Bulk", len(keys) * 2)
        with firms.scope_of(firm):
            firms.configure(kind, firms.shown_first(kind))
            active = [one for number, one in enumerate(firm.client_ids, start=1) if number % 31 != 30]
            firms.link_by_own(firm, kind, active[: len(keys)], keys)
            months = statistics._window(statistics.integration_of(kind))
    setup = Setup(environ=app.extensions["uku_config"].environ)
    yield _our_part(setup, kind, keys, months)
    stand_ins.slow_down(round(LATENCY * 1000))
    stand_ins.forget_requests()
    workers = place.start_workers()
    _wait_for_workers(place, app)
    busy = _busy(workers)
    with inside(app), firms.scope_of(firm):
        run = statistics.open_reload_of_vendor(kind, firm.owner_id)
        db.session.commit()
        bell.ring(run.id)
        took = _end_of(place, run.id)
    busy = None if busy is None else _busy(workers) - busy
    total, statuses = stand_ins.counters()
    plan = connector_class(kind)(None, {}).forecast([Target("books")], firms.shown_first(kind), months)
    # How long a walk is shows only in walking it: then the requests that came are spread evenly, one after another.
    each = plan.requests if plan.exact else math.ceil(total / len(keys))
    floor = floor_of(spec_of(kind), [each] * len(keys), LATENCY, WORKERS, in_turn=not plan.exact)
    over = (
        f"{len(keys)} clients, {WORKERS} worker processes, {total} requests of {LATENCY * 1000:g} ms, true limits: "
        f"{took:.1f} s over a floor of {floor:.1f} s"
    )
    yield at_most("bulk-reload-time", took / floor, "ratio", 1.1, over, kind)
    yield exactly("bulk-reload-refusals", total - statuses.get("200", 0), "answers", 0, f"not 200, of {total}", kind)
    if busy is not None:
        over = f"{total} requests of a bulk reload: workers with their forks, the ledger and all that is written"
        yield at_most("cpu-per-request", busy * 1000 / total, "ms CPU", 5, over, kind)


def _our_part(setup: Setup, kind: str, keys: Sequence[dict], months: Sequence[Month]) -> Line:
    """The connector and its door alone; the stand-ins have made the same answers already then."""
    fields = firms.shown_first(kind)

    def count(one: dict) -> int:
        calls = []
        connector = open_connector(kind, one, setup=setup, account_id=one.get("account_id"), log=calls.append)
        list(connector.statistics([Target("books")], fields, months))
        return len(calls)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(count, keys))
    setup.close()
    chosen = keys[:20]
    setup = Setup(environ=setup.environ)
    began = process_time()
    requests = sum(count(one) for one in chosen)
    spent = process_time() - began
    setup.close()
    over = f"{requests} requests over sockets: budget, signature, call, reading and counting the answer"
    return at_most("cpu-per-request", spent * 1000 / requests, "ms CPU", 5, over, kind)


def _end_of(place: Ground, run_id: int) -> float:
    """Seconds from the click to the end of the run. Looks without getting into the workers' way."""
    token, until = only_reads.set(True), monotonic() + PATIENCE
    try:
        while monotonic() < until:
            sleep(0.25)
            run = db.session.get(Run, run_id, populate_existing=True)
            if not run.active:
                if run.state != RunState.DONE:
                    raise RuntimeError(f"the run ended as {run.state}: {run.outcome}")
                return (run.ended_at - run.created_at).total_seconds()
            db.session.rollback()
            if dead := place.logs_of_the_dead():
                raise RuntimeError(dead)
        raise RuntimeError(f"the run has not ended after {PATIENCE:g} s")
    finally:
        only_reads.reset(token)


def _wait_for_workers(place: Ground, app: Flask) -> None:
    until = monotonic() + 60
    with app.app_context():
        while len(Worker.all(connection=bell.connection())) < WORKERS:
            if monotonic() > until or place.logs_of_the_dead():
                raise RuntimeError(f"the workers have not started. {place.logs_of_the_dead()}")
            sleep(0.1)
    sleep(1)


def _busy(pids: Sequence[int]) -> float | None:
    """Seconds of CPU of these processes and of their children that have ended; None where the system does not tell."""
    try:
        texts = [Path(f"/proc/{pid}/stat").read_text() for pid in pids]
    except OSError:
        return None
    ticks = sum(int(number) for text in texts for number in text.rpartition(")")[2].split()[11:15])
    return ticks / os.sysconf("SC_CLK_TCK")


def floor_of(spec: VendorSpec, requests: Sequence[int], latency: float, workers: int, *, in_turn: bool) -> float:
    """Seconds below which nobody comes: so many requests for each account, each worker busy with one account.

    The share of an allowance that is kept for people is not there for a bulk.
    """
    budgets = [budget for budget in spec.budgets if budget.purpose in ("api", "*")]
    told = [_share(budget.concurrency, budget) for budget in budgets if budget.concurrency]
    width = 1 if in_turn else min(told, default=DEFAULT_CONCURRENCY)
    alone = []
    for number in requests:
        waits = [_window_wait(number, budget) for budget in budgets if budget.key != BucketKey.APP]
        alone.append(max([math.ceil(number / width) * latency, *(wait + latency for wait in waits)]))
    together = [_window_wait(sum(requests), budget) for budget in budgets if budget.key == BucketKey.APP]
    return max([max(alone), sum(alone) / workers, *together])


def _window_wait(requests: int, budget: Budget) -> float:
    """How long the limit keeps the last of so many requests waiting."""
    return (requests - 1) // _share(budget.limit, budget) * budget.window if budget.limit and requests else 0.0


def _share(total: int, budget: Budget) -> int:
    return max(1, math.floor(total * (1 - budget.reserve) + 1e-9))
