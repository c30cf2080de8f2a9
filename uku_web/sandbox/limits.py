"""Fixed-window request limits, one window per key, driven by the clock handed in."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from threading import Lock


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    limit: int
    remaining: int
    resets_at: datetime
    wait_seconds: int


class WindowLimiter:
    """A window opens with a key's first request; a refused request costs nothing."""

    def __init__(self, seconds: int = 60):
        self._length = timedelta(seconds=seconds)
        self._windows: dict[object, tuple[datetime, int]] = {}
        self._lock = Lock()

    def take(self, key: object, limit: int, now: datetime) -> Verdict:
        with self._lock:
            opened, used = self._windows.get(key, (now, 0))
            if not opened <= now < opened + self._length:
                opened, used = now, 0
            allowed = used < limit
            used += allowed
            self._windows[key] = (opened, used)
        resets_at = opened + self._length
        wait = max(1, math.ceil((resets_at - now).total_seconds()))
        return Verdict(allowed, limit, max(0, limit - used), resets_at, wait)

    def reset(self) -> None:
        with self._lock:
            self._windows.clear()
