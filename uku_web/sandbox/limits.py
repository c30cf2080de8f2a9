"""Request limits per key, in fixed windows or rolling ones, driven by the clock handed in."""

import math
from bisect import bisect_right
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


class RollingLimiter:
    """Counts the calls of the last so many seconds, for several lengths at once; a refused call costs nothing."""

    def __init__(self) -> None:
        self._calls: dict[object, list[datetime]] = {}
        self._lock = Lock()

    def take(self, key: object, limits: dict[int, int], now: datetime) -> tuple[int, int] | None:
        """`limits` is calls by seconds. None, or which seconds are full and how many to wait."""
        with self._lock:
            calls = self._calls.setdefault(key, [])
            del calls[: bisect_right(calls, now - timedelta(seconds=max(limits)))]
            for seconds, limit in sorted(limits.items(), reverse=True):
                within = calls[bisect_right(calls, now - timedelta(seconds=seconds)) :]
                if len(within) >= limit:
                    oldest = within[len(within) - limit] if limit else now
                    frees = oldest + timedelta(seconds=seconds)
                    return seconds, max(1, math.ceil((frees - now).total_seconds()))
            calls.append(now)
        return None

    def reset(self) -> None:
        with self._lock:
            self._calls.clear()
