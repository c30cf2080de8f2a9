"""Requests of a reload, counted where they arrive: beside the connector's forecast and the plan out of the manual."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations

import httpx

from tests.bench.lines import Line, exactly, not_measured
from tests.bench.plans import PLANS, Books
from uku_web.sandbox.clock import StoppedClock
from uku_web.sandbox.server import create_sandbox
from uku_web.sandbox.standin import Account
from uku_web.vendors.access import Setup, open_connector
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.capabilities import capabilities_of
from uku_web.vendors.errors import VendorError
from uku_web.vendors.records import Month, Target, last_months
from uku_web.vendors.registry import connector_class, kinds, spec_of

FIGURES = ("reload-requests",)
NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
MONTHS = last_months(12, Month.of(NOW))
SIZES = [("small", "tiny", "medium"), ("huge", "large", "medium")]  # small and large: the first that there is
QUICK_SIZES = [("small", "tiny", "medium"), ("large", "medium", "huge")]
CUSTOMERS = 25


def measure(quick: bool) -> Iterator[Line]:
    world = World()
    for kind in kinds():
        if not spec_of(kind).statistics or "statistics" not in capabilities_of(connector_class(kind)):
            continue
        if kind not in world.sandbox.stand_ins:
            yield not_measured(FIGURES[0], f"{kind} has no stand-in")
            continue
        for sizes in QUICK_SIZES if quick else SIZES:
            try:
                yield from _of_books(world, kind, sizes, quick)
            except VendorError as error:
                yield not_measured(FIGURES[0], f"{kind}, {sizes[0]} books: {error.sentence} {error.detail}")


class World:
    """The stand-ins in this process, on a clock that stands still until somebody waits."""

    def __init__(self) -> None:
        self.clock = StoppedClock(NOW)
        app = create_sandbox(clock=self.clock)
        self.sandbox = app.extensions["sandbox"]
        environ = {}
        for kind, stand_in in self.sandbox.stand_ins.items():
            for variant in stand_in.variants:
                names = "_".join(part.upper().replace("-", "_") for part in (kind, variant) if part)
                environ[f"UKU_VENDOR_URL_{names}"] = "http://sandbox.test" + stand_in.base_path(variant)
        transport = httpx.WSGITransport(app=app)
        self.setup = Setup(environ=environ, now=self.clock.now, sleep=self._sleep, transport=transport)

    def _sleep(self, seconds: float) -> None:
        self.clock.sleep(seconds)

    def account(self, kind: str, sizes: Sequence[str]) -> Account:
        accounts = list(self.sandbox.stand_ins[kind].accounts())
        return next((one for size in sizes for one in accounts if one.size == size), accounts[0])

    def connect(self, kind: str, account: Account) -> BaseConnector:
        named = account.credentials.get("account_id")
        connector = open_connector(kind, account.credentials, setup=self.setup, account_id=named)
        connector.door.purse.patience = 3600.0  # a run would be put aside for the rest of a minute and taken up again
        return connector

    def requests(self) -> int:
        """Those since the last look."""
        seen = len(self.sandbox.traffic.listing({}))
        self.sandbox.traffic.clear()
        return seen


@dataclass(frozen=True)
class Counted:
    """One plan carried out."""

    fields: tuple[str, ...]
    requests: int
    forecast: int
    exact: bool
    plan: int | None

    @property
    def ratios(self) -> list[float]:
        expected = [self.forecast] * self.exact + ([] if self.plan is None else [self.plan])
        return [self.requests / number if number else 0.0 for number in expected]


def _of_books(world: World, kind: str, sizes: Sequence[str], quick: bool) -> Iterator[Line]:
    account = world.account(kind, sizes)
    connector = world.connect(kind, account)
    for whole, targets in _targets(connector):
        keys = [stat.key for stat in connector.spec.countable(whole_books=whole)]
        if not keys:
            continue
        books = _read(connector, targets, keys)
        subsets = _subsets(connector, targets, keys, quick)
        counted = [_carry_out(world, connector, targets, fields, books if whole else None) for fields in subsets]
        worst = max((ratio for one in counted for ratio in one.ratios), key=lambda ratio: abs(ratio - 1), default=None)
        wrong = [one for one in counted if any(ratio != 1 for ratio in one.ratios)]
        told = ", ".join(f"{'+'.join(one.fields)}: {one.requests}, not {one.forecast}/{one.plan}" for one in wrong[:3])
        beside = "forecast and plan" if counted[0].plan is not None and counted[0].exact else None
        beside = beside or ("plan" if counted[0].plan is not None else "forecast")
        over = (
            f"12 months of {account.size} books, {'whole' if whole else f'{len(targets)} customers'}, {len(counted)} "
            f"sets of data fields, {min(one.requests for one in counted)} to {max(one.requests for one in counted)} "
            f"requests, beside the {beside}"
        )
        if worst is None:
            yield not_measured(FIGURES[0], f"{kind} has neither an exact forecast nor a plan")
        else:
            yield exactly(FIGURES[0], worst, "ratio", 1, f"{over} {told}".strip(), kind)


def _targets(connector: BaseConnector) -> Iterator[tuple[bool, list[Target]]]:
    """Whole books, and many customers of them, as far as the vendor's links go."""
    if connector.spec.whole_books:
        yield True, [Target("books")]
    if connector.spec.picks_customer and hasattr(connector, "customers"):
        found = [customer.id for customer, _number in zip(connector.customers(), range(CUSTOMERS), strict=False)]
        yield False, [Target(one, one) for one in found]


def _read(connector: BaseConnector, targets: list[Target], keys: list[str]) -> Books:
    found: dict[str, dict[Month, int]] = {key: dict.fromkeys(MONTHS, 0) for key in keys}
    for count in connector.statistics(targets, keys, MONTHS):
        found[count.field][count.month] += int(count.value or 0)
    return {key: [by_month[month] for month in MONTHS] for key, by_month in found.items()}


def _subsets(connector: BaseConnector, targets: list[Target], keys: list[str], quick: bool) -> list[tuple[str, ...]]:
    """Each field alone, all of them, and of the pairs and threes those with a number of requests not seen yet."""
    chosen = [(key,) for key in keys] + [tuple(keys)]
    seen = {_forecast(connector, targets, fields).requests for fields in chosen}
    for fields in [*combinations(keys, 2), *([] if quick else combinations(keys, 3))]:
        number = _forecast(connector, targets, fields).requests
        if number not in seen:
            seen.add(number)
            chosen.append(fields)
    return list(dict.fromkeys(chosen))


def _forecast(connector: BaseConnector, targets: list[Target], fields: Sequence[str]):
    return connector.forecast(targets, list(fields), MONTHS)


def _carry_out(
    world: World, connector: BaseConnector, targets: list[Target], fields: tuple[str, ...], books: Books | None
) -> Counted:
    longest = max([60.0, *(budget.window for budget in connector.spec.budgets)])
    world.clock.advance(timedelta(seconds=longest * 1.1))  # the limits are another figure
    world.requests()
    forecast = _forecast(connector, targets, fields)
    counts = list(connector.statistics(targets, list(fields), MONTHS))
    if len(counts) != len(targets) * len(fields) * len(MONTHS):
        raise RuntimeError(f"{connector.spec.label} gave {len(counts)} numbers for {fields}")
    plan = PLANS.get(connector.spec.kind) if books is not None else None
    return Counted(fields, world.requests(), forecast.requests, forecast.exact, plan and plan(fields, books))
