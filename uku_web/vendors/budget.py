"""Request budgets: what a vendor allows, counted before a call goes out, so that no limit is ever provoked.

`Budgets` keeps the buckets in Redis for all workers (budget.lua), `LocalBudgets` in this process. Both count a
sliding window in a hundred slots and free a slot only when its last moment has left the window: never more than the
limit in any window, at the price of a hundredth of it. Fixed windows are those of the clock.
"""

import json
import logging
import math
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import redis

from uku_web.vendors.errors import Temporary
from uku_web.vendors.spec import BucketKey, Budget, Reading

SLOTS = 100
POLL = 0.05  # seconds until a full concurrency allowance is asked again
FIRST_PAUSE, LONGEST_PAUSE = 60.0, 900.0  # after a refusal that told no reset; windows longer than that count instead

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """One bucket that a call draws on: the declared budget and whose it is."""

    key: str
    budget: Budget


@dataclass(frozen=True)
class Grant:
    """The answer to a take. `wait` seconds must pass first when it is not granted; `bucket` is the tightest one."""

    claims: tuple[Claim, ...]
    wait: float = 0.0
    bucket: str | None = None
    id: str = ""

    @property
    def granted(self) -> bool:
        return bool(self.id)


class BudgetStore:
    """What both stores share: the words in which they are asked, and whom a refusal blames."""

    def __init__(self, now: Callable[[], datetime]):
        self._now = now

    def take(self, claims: Sequence[Claim], *, cost: int = 1, lane: str = "background", lease: float = 45.0) -> Grant:
        """Draw on all buckets at once, or on none. A granted one must be settled; else its lease runs out by itself."""
        claims, id = tuple(claims), uuid.uuid4().hex
        buckets = [_bucket(claim.budget) | {"cost": cost if claim.budget.weighed else 1} for claim in claims]
        wait, tightest = self._run(claims, {"op": "take", "lane": lane, "id": id, "lease": lease, "buckets": buckets})
        if tightest:
            wait = math.ceil(wait * 1000) / 1000  # a rest below the clock's grain would be waited for in circles
            return Grant(claims, wait, claims[tightest - 1].budget.name)
        return Grant(claims, id=id)

    def settle(
        self,
        grant: Grant,
        readings: Mapping[str, Reading] | None = None,
        *,
        refused: bool = False,
        until: datetime | None = None,
        good: bool = False,
    ) -> float:
        """Give the place back and tell what the answer said, by bucket name.

        `refused`: the vendor's limit was hit, to be free again `until` then, or when never told, after a pause that
        is learned from earlier hits. `good`: it was not, which ends a row of hits. Returns the seconds to wait.
        """
        readings = readings or {}
        buckets = [_bucket(claim.budget) | _reading(readings.get(claim.budget.name)) for claim in grant.claims]
        if refused:
            for index, resets_at in _blamed(grant.claims, readings):
                moment = resets_at or until
                buckets[index] |= {"hit": True} | ({"until_": moment.timestamp()} if moment else {})
        return self._run(grant.claims, {"op": "settle", "id": grant.id, "good": good, "buckets": buckets})[0]

    def feed(self, claim: Claim, reading: Reading) -> None:
        """Take in what is left of one bucket without having made a call."""
        self.settle(Grant((claim,)), {claim.budget.name: reading})

    def _run(self, claims: tuple[Claim, ...], step: dict[str, Any]) -> tuple[float, int]:
        raise NotImplementedError


def _bucket(budget: Budget) -> dict[str, Any]:
    told = {"window": budget.window, "sliding": budget.sliding, "reserve": budget.reserve}
    return told | _given({"limit": budget.limit, "concurrency": budget.concurrency})


def _reading(reading: Reading | None) -> dict[str, Any]:
    if reading is None:
        return {}
    told = asdict(reading)
    told["resets_at"] = reading.resets_at.timestamp() if reading.resets_at else None
    return {"reading": _given(told)}


def _given(values: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _blamed(claims: Sequence[Claim], readings: Mapping[str, Reading]) -> list[tuple[int, datetime | None]]:
    """The buckets that a refusal closes: those told to be empty, else the widest that others do not share."""
    told = [(index, readings.get(claim.budget.name)) for index, claim in enumerate(claims)]
    known = [(index, reading) for index, reading in told if reading and reading.remaining is not None]
    empty = [(index, reading.resets_at) for index, reading in known if reading.remaining <= 0]
    own = [index for index, claim in enumerate(claims) if claim.budget.key != BucketKey.APP]
    widest = max(own or range(len(claims)), key=lambda index: claims[index].budget.window, default=None)
    return empty or ([] if widest is None else [(widest, None)])


class Budgets(BudgetStore):
    """Buckets in Redis or Valkey, shared by all workers."""

    def __init__(self, client: redis.Redis, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        super().__init__(now)
        self._script = client.register_script(Path(__file__).with_name("budget.lua").read_text())

    def _run(self, claims: tuple[Claim, ...], step: dict[str, Any]) -> tuple[float, int]:
        step["now"] = self._now().timestamp()
        try:
            wait, tightest = self._script(keys=[claim.key for claim in claims], args=[json.dumps(step)])
        except redis.RedisError as error:
            return self._without_redis(step, error)
        return float(wait), int(tightest)

    def _without_redis(self, step: dict[str, Any], error: redis.RedisError) -> tuple[float, int]:
        if step["op"] == "take":
            raise Temporary(
                "Our own count of requests cannot be reached, so none is made. We will try again.",
                detail=f"redis: {type(error).__name__}",
            ) from error
        _log.warning("an answer could not be counted: %s", type(error).__name__)  # the answer itself must not be lost
        return 0.0, 0


class LocalBudgets(BudgetStore):
    """The same in this process alone: for the command line and where there is no Redis."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)):
        super().__init__(now)
        self._states: dict[str, _State] = {}
        self._lock = threading.Lock()

    def _run(self, claims: tuple[Claim, ...], step: dict[str, Any]) -> tuple[float, int]:
        with self._lock:
            now = self._now().timestamp()
            states = [self._states.setdefault(claim.key, _State()) for claim in claims]
            return (_take if step["op"] == "take" else _settle)(
                list(zip(step["buckets"], states, strict=True)), step, now
            )


class _State:
    """One bucket: units by slot, ends of leases by id, and what the vendor or a refusal told."""

    def __init__(self) -> None:
        self.slots: dict[int, float] = {}
        self.leases: dict[str, float] = {}
        self.told: dict[str, float] = {}

    def span(self, bucket: Mapping[str, Any]) -> tuple[float, float, float]:
        """The window, the width of a slot, and how long after its end a slot still counts."""
        window = self.told.get("window", bucket["window"])
        if not bucket["sliding"]:
            return window, window, 0.0
        return window, window / SLOTS, window + min(0.5, window * 0.02)  # calls may reach the vendor a little closer

    def wait(self, bucket: Mapping[str, Any], lane: str, now: float) -> float:
        window, width, hold = self.span(bucket)
        self.slots = {
            slot: count
            for slot, count in self.slots.items()
            if (slot + 1) * width + hold > now and slot * width <= now + window
        }
        self.leases = {id: ends for id, ends in self.leases.items() if ends > now}
        told, waits = self.told, [0.0, self.told.get("block", 0.0) - now]
        limit, need, keep = told.get("limit", bucket.get("limit")), bucket["cost"], 0
        if limit is not None:
            allowed = share(limit, bucket["reserve"], lane)
            need, keep = min(need, allowed), limit - allowed
            waits.append(self._window_wait(width, hold, need - allowed, now))
        if "left" in told and told["left_until"] > now and told["left"] - need < keep:
            waits.append(told["left_until"] - now)
        if "concurrency" in bucket and len(self.leases) >= share(bucket["concurrency"], bucket["reserve"], lane):
            waits.append(POLL)
        return max(waits)

    def _window_wait(self, width: float, hold: float, spare: float, now: float) -> float:
        over, wait = sum(self.slots.values()) + spare, 0.0
        for slot in sorted(self.slots):
            if over <= 0:
                break
            over, wait = over - self.slots[slot], (slot + 1) * width + hold - now
        return wait

    def draw(self, bucket: Mapping[str, Any], id: str, ends: float, now: float) -> None:
        slot = math.floor(now / self.span(bucket)[1])
        self.slots[slot] = self.slots.get(slot, 0) + bucket["cost"]
        self.leases[id] = ends
        if "left" in self.told:
            self.told["left"] = max(0, self.told["left"] - bucket["cost"])

    def feed(self, bucket: Mapping[str, Any], now: float) -> None:
        reading, told = bucket["reading"], self.told
        window = told.get("window", bucket["window"])
        if reading.get("window", window) != window:
            self.slots, window = {}, reading["window"]
            told["window"] = window
        told |= {"limit": reading["limit"]} if "limit" in reading else {}
        told |= {"reset": reading["resets_at"]} if "resets_at" in reading else {}
        if "remaining" in reading:
            told["left"] = max(0, reading["remaining"] - len(self.leases))  # others are on their way, uncounted
            told["left_until"] = reading.get("resets_at", now + min(max(window / 10, 1), 3600))

    def hit(self, bucket: Mapping[str, Any], now: float) -> None:
        told, block = self.told, self.told.get("block", 0.0)
        if "until_" in bucket:
            told["block"] = max(block, bucket["until_"])
        elif block > now:
            return  # one of several on their way together: the same hit
        elif told.get("reset", 0.0) > now:
            told["block"] = told["reset"]
        else:
            window, hits = told.get("window", bucket["window"]), told.get("hits", 0) + 1
            pause = max(min(window, FIRST_PAUSE), told.get("learned", 0.0) / 2)
            if hits > 1:
                pause = min(max(window, LONGEST_PAUSE), told["pause"] * 2)
            told |= {"hits": hits, "pause": pause, "block": now + pause, "hit_at": told["hit_at"] if hits > 1 else now}


def share(total: float, reserve: float, lane: str) -> float:
    """What of an allowance this lane may use: background work leaves the reserve to people, but never gets nothing."""
    return total if lane == "person" else max(1, math.floor(total * (1 - reserve) + 1e-9))


def _take(buckets: list[tuple[dict[str, Any], _State]], step: dict[str, Any], now: float) -> tuple[float, int]:
    waits = [state.wait(bucket, step["lane"], now) for bucket, state in buckets]
    if max(waits, default=0.0) > 0:
        return max(waits), waits.index(max(waits)) + 1
    for bucket, state in buckets:
        state.draw(bucket, step["id"], now + step["lease"], now)
    return 0.0, 0


def _settle(buckets: list[tuple[dict[str, Any], _State]], step: dict[str, Any], now: float) -> tuple[float, int]:
    wait = 0.0
    for bucket, state in buckets:
        state.leases.pop(step["id"], None)
        if "reading" in bucket:
            state.feed(bucket, now)
        if bucket.get("hit"):
            state.hit(bucket, now)
            wait = max(wait, state.told["block"] - now)
        elif step["good"] and state.told.get("hits") and state.told["block"] <= now:
            state.told["learned"] = state.told["block"] - state.told["hit_at"]
            del state.told["hits"]
    return wait, 0
