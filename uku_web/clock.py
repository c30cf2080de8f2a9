"""The present. The demo may move it to another date; everything that asks the time asks here."""

import os
from datetime import UTC, date, datetime, timedelta
from functools import cache
from zoneinfo import ZoneInfo


@cache
def _shift(today: str | None) -> timedelta:
    if not today:
        return timedelta(0)
    return timedelta(days=(date.fromisoformat(today) - datetime.now(UTC).date()).days)


def now() -> datetime:
    """Aware, UTC. UKU_TODAY moves the date and keeps the time of day; the clock runs on from there."""
    return datetime.now(UTC) + _shift(os.environ.get("UKU_TODAY"))


def today(timezone: str) -> date:
    return now().astimezone(ZoneInfo(timezone)).date()
