"""The tick: finds lost runs, makes what falls due, rings for what waits. Any number may run; the database decides."""

import logging
import signal
import threading
import time
from collections.abc import Callable

import redis
from flask import Flask

from jobs import bell
from jobs.intervals import TICK, TICK_SEEN, TICK_STEPS
from uku_web import clock, create_app
from uku_web.services import runs, schedule

log = logging.getLogger(__name__)
SEEN = "tick:seen"

STEPS: dict[str, Callable[[], None]] = {
    "lost runs": lambda: bell.ring_all(runs.reap()),
    "parents": runs.settle_parents,
    "due": lambda: bell.ring_all(schedule.plan_and_claim(clock.now())),
    "ring": lambda: bell.ring_all(runs.to_ring()),
    "unverified": lambda: bell.call_to_verify(schedule.unverified()),
    "housekeeping": schedule.housekeeping,
}


class Tick:
    def __init__(self, app: Flask, monotonic: Callable[[], float] = time.monotonic):
        self.app = app
        self._monotonic = monotonic
        self._due = dict.fromkeys(STEPS, 0.0)

    def once(self) -> None:
        """Every step that is due. A step that fails stops no other, and is tried again at its next time."""
        for name, step in STEPS.items():
            if self._monotonic() < self._due[name]:
                continue
            self._due[name] = self._monotonic() + TICK_STEPS[name]
            with self.app.app_context():  # a context of its own: a failed step leaves no session behind
                try:
                    step()
                except Exception:
                    log.exception("tick: %s failed", name)
        self._say_seen()

    def _say_seen(self) -> None:
        """For doctor and health: it vanishes when the tick is away."""
        with self.app.app_context():
            try:
                bell.connection().set(SEEN, int(time.time()), ex=TICK_SEEN)
            except redis.RedisError as error:
                log.warning("tick: Redis does not answer: %s", error)

    def loop(self, stop: threading.Event) -> None:
        while not stop.is_set():
            self.once()
            stop.wait(TICK)


def main() -> None:
    """Ticks until asked to stop."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: stop.set())
    Tick(create_app()).loop(stop)
