"""The stand-ins' idea of now: the real time, or the real time moved by whole days."""

import os
import time
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta


class Clock:
    """Runs on; `today` moves it to that date (UTC) at the present time of day."""

    def __init__(self, today: date | None = None):
        real = datetime.now(UTC).date()
        self._shift = (today - real) if today else timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self._shift

    def today(self) -> date:
        return self.now().date()

    def advance(self, delta: timedelta) -> None:
        self._shift += delta

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)


class StoppedClock(Clock):
    """Stands still until told; sleeping only moves it. For tests."""

    def __init__(self, at: datetime):
        self._at = at

    def now(self) -> datetime:
        return self._at

    def advance(self, delta: timedelta) -> None:
        self._at += delta

    def sleep(self, seconds: float) -> None:
        self.advance(timedelta(seconds=seconds))


def from_environment(environ: Mapping[str, str] = os.environ) -> Clock:
    """The application reads the same variable, so both sides agree on the day."""
    text = environ.get("UKU_TODAY", "").strip()
    return Clock(date.fromisoformat(text) if text else None)
