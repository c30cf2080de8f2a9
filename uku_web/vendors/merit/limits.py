"""What Merit's headers say about its limit: https://api.merit.ee/connecting-robots/reference-manual/rate-limiter/"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from uku_web.vendors.spec import BucketKey, Budget, Reading


def read_limit(headers: Mapping[str, str], now: datetime) -> Reading | None:
    """`Retry-After` (seconds) stands on a refusal only; `X-RateLimit-*` on any answer."""
    wait = _whole(headers.get("retry-after"))
    limit = _whole(headers.get("x-ratelimit-limit"))
    remaining = _whole(headers.get("x-ratelimit-remaining"))
    resets_at = now + timedelta(seconds=wait) if wait is not None else _moment(headers.get("x-ratelimit-reset"))
    if limit is remaining is resets_at is None:
        return None
    return Reading(limit=limit, remaining=0 if wait is not None else remaining, resets_at=resets_at)


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isascii() and text.isdigit() else None


def _moment(text: str | None) -> datetime | None:
    """Assumed: the reset is the epoch in seconds (the manual names the header and no unit). Nothing else fits here."""
    seconds = _whole(text)
    try:
        return datetime.fromtimestamp(seconds, UTC) if seconds is not None else None
    except (OverflowError, OSError, ValueError):
        return None


# The manual says 60 a minute; 100 was seen, and the headers may teach it. Nothing is said about calls at once:
# four keep a year's walk short and are no burden.
MINUTE = Budget(name="minute", key=BucketKey.TENANT, limit=60, window=60.0, concurrency=4, read=read_limit)
