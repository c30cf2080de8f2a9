"""How fast counted values are written by a run, and whether that stays so where there are many clients."""

from collections.abc import Iterator
from time import perf_counter, process_time

from sqlalchemy import func, select

from tests.bench import firm as firms
from tests.bench.books.spec import FIELDS
from tests.bench.firm import Firm
from tests.bench.ground import ground, inside
from tests.bench.lines import Line, at_least, at_most
from uku_web import clock
from uku_web.db import db
from uku_web.models import Run, RunState, ValueWrite
from uku_web.services import runs, statistics, statistics_run
from uku_web.vendors.access import Setup

FIGURES = ("values-written", "growth-syncs")
MONTHS = 12
SETUP = Setup(environ={}, now=clock.now, sleep=lambda _seconds: None)
STEADY = 1.25  # linear is 1; the rest is the machine's


def measure(quick: bool) -> Iterator[Line]:
    small, large = (20, 60) if quick else (100, 1_000)
    with ground() as place, inside(place.app), firms.bench_vendor() as kind:
        _by_company(kind, 5)  # what is made once, such as compiled statements, is made now
        shared = {count: _by_company(kind, count) for count in (small, large)}
        for again, (took, busy) in zip(("", " once more"), shared[large], strict=True):
            over = (
                f"{large} clients{again}, 12 months, 3 data fields, one run, no vendor asked, {1 / busy:.0f}/s of CPU"
            )
            yield at_least("values-written", 1 / took, "values/s", 5_000, over)
        growth = shared[large][0][1] / shared[small][0][1]
        over = f"CPU for a value at {large} clients over that at {small}, one run by the company's connection"
        yield at_most("growth-syncs", growth, "ratio", STEADY, over)
    many, done = (200, 10) if quick else (10_000, 100)
    with ground() as place, inside(place.app), firms.bench_vendor() as kind:
        _by_own(kind, 5, 5)
        few_fan, few_run, per_value = _by_own(kind, small, done)
        fan, run, _per_value = _by_own(kind, many, done)
        over = f"at {many} clients over that at {small}, each with credentials of its own"
        yield at_most("growth-syncs", fan / few_fan, "ratio", STEADY, f"CPU to open a client's part {over}")
        yield at_most("growth-syncs", run / few_run, "ratio", STEADY, f"CPU of a client's part {over}, {done} parts")
        over = f"{small} clients, 12 months, 3 data fields, a run for each, no vendor asked"
        yield at_least("values-written", 1 / per_value, "values/s", 5_000, over)


def _by_company(kind: str, count: int) -> list[tuple[float, float]]:
    """Seconds, and seconds of CPU, for a value: in the first reload, and in a second one over what stands."""
    firm = firms.make_firm(f"Shared{count}", count + count // 20 + 1)
    with firms.scope_of(firm):
        firms.configure(kind, FIELDS)
        firms.link_by_company(firm, kind, _active(firm)[:count])
        return [_reload(firm, kind, count), _reload(firm, kind, count)]


def _reload(firm: Firm, kind: str, count: int) -> tuple[float, float]:
    parent = _open(firm, kind)
    (child,) = _do(parent)
    began, busy = perf_counter(), process_time()
    _do(child)
    took, busy = perf_counter() - began, process_time() - busy
    _check(child, count)
    values = count * MONTHS * len(FIELDS)
    return took / values, busy / values


def _by_own(kind: str, count: int, done: int) -> tuple[float, float, float]:
    """Seconds of CPU to open one client's part of the run, and to do it; then seconds for a value."""
    firm = firms.make_firm(f"Own{count}", count + count // 20 + 1)
    with firms.scope_of(firm):
        firms.configure(kind, FIELDS)
        firms.link_by_own(firm, kind, _active(firm)[:count])
        parent = _open(firm, kind)
        busy = process_time()
        children = _do(parent)
        opened = process_time() - busy
        if len(children) != count:
            raise RuntimeError(f"{len(children)} parts were opened for {count} clients")
        chosen = children[:done]
        began, busy = perf_counter(), process_time()
        for child in chosen:
            _do(child)
        took, busy = perf_counter() - began, process_time() - busy
        _check(children[0], 1)
    return opened / count, busy / len(chosen), took / (len(chosen) * MONTHS * len(FIELDS))


def _active(firm: Firm) -> list[int]:
    return [client_id for number, client_id in enumerate(firm.client_ids, start=1) if number % 31 != 30]


def _open(firm: Firm, kind: str) -> int:
    run = statistics.open_reload_of_vendor(kind, firm.owner_id)
    db.session.commit()
    return run.id


def _do(run_id: int) -> list[int]:
    """One run as a worker does it."""
    db.session.remove()  # a job begins with nothing in hand
    hold = runs.take(run_id, "bench")
    if hold is None:
        raise RuntimeError(f"run {run_id} is not free")
    return statistics_run.work(hold, SETUP)


def _check(run_id: int, clients: int) -> None:
    state = db.session.scalar(select(Run.state).where(Run.id == run_id))
    written = db.session.scalar(select(func.count(ValueWrite.id)).where(ValueWrite.run_id == run_id))
    if state != RunState.DONE or written != clients * MONTHS * len(FIELDS):
        raise RuntimeError(f"the run is {state} and wrote {written} values for {clients} clients")
