"""Whether a call is sent again: a pure decision with its reason, and the many ways a vendor says "wait until"."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

from uku_web.vendors.calls import Call
from uku_web.vendors.errors import RateLimited, StaleToken, Temporary, Uncertain, VendorError
from uku_web.vendors.spec import Reading

MAX_ATTEMPTS = 3
FIRST_PAUSE = 1.0  # seconds; four times as long at each further attempt
_EPOCH_FROM = 10**9  # a number this large is a moment, not a number of seconds
_EPOCH_MS_FROM = 10**11


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt."""

    error: VendorError | None = None  # None: a good answer
    status: int | None = None  # None: no answer came
    sent: bool = True  # whether the vendor may have got anything
    wait: float | None = None  # seconds the vendor or our budget asks us to wait
    renewable: bool = False  # a stale token can still be renewed


@dataclass(frozen=True)
class Again:
    wait: float
    reason: str
    renew: bool = False


@dataclass(frozen=True)
class Stop:
    error: VendorError | None
    reason: str


def decide(
    call: Call,
    outcome: Outcome,
    attempt: int,
    now: datetime,
    rng: Callable[[], float] = random.random,
    *,
    patience: float = 10.0,
) -> Again | Stop:
    """What to do after attempt number `attempt` (from 1). `patience`: the longest wait that keeps the worker."""
    error = outcome.error
    if error is None:
        return Stop(None, "answered")
    if isinstance(error, StaleToken) and outcome.renewable:
        return Again(0.0, "the token ran out: renewed once", renew=True)
    if isinstance(error, RateLimited):
        return _after_limit(error, outcome, attempt, now, patience)
    if isinstance(error, Temporary):
        return _after_trouble(call, error, outcome, attempt, now, rng, patience)
    return Stop(error, f"{error.code}: the same call would meet the same answer")


def _after_limit(error: RateLimited, outcome: Outcome, attempt: int, now: datetime, patience: float) -> Again | Stop:
    """A refusal for the limit comes before anything is done, so that writes may be repeated too."""
    wait = 60.0 if outcome.wait is None else outcome.wait
    if attempt < MAX_ATTEMPTS and wait <= patience:
        return Again(wait, f"refused before it was done; the limit resets in {wait:.1f} s")
    if error.until is None:
        error.until = now + timedelta(seconds=wait)
    why = "three attempts met the limit" if wait <= patience else f"the limit resets only in {wait:.0f} s"
    return Stop(error, why)


def _after_trouble(call, error: Temporary, outcome: Outcome, attempt: int, now, rng, patience: float) -> Again | Stop:
    if not call.repeat and outcome.sent:
        return _after_lost_write(error, outcome)
    if attempt >= MAX_ATTEMPTS:
        return Stop(error, f"{MAX_ATTEMPTS} attempts failed")
    wait = max(FIRST_PAUSE * 4 ** (attempt - 1) * (0.5 + rng() / 2), outcome.wait or 0.0)
    if wait > patience:
        return Stop(error, f"the vendor asks to come back in {wait:.0f} s")
    return Again(wait, "temporary trouble and safe to repeat" if outcome.sent else "nothing was sent yet")


def _after_lost_write(error: Temporary, outcome: Outcome) -> Stop:
    """Only an answer that plainly refuses leaves no doubt; a gateway's 5xx may hide a write that was done."""
    if outcome.status is not None and 300 <= outcome.status < 500 and outcome.status != 408:
        return Stop(error, "a write is not repeated by itself")
    doubt = Uncertain(
        "The accounting system's answer did not arrive, so it may or may not have been done. "
        "We look there before anything is sent again.",
        detail=error.detail or error.sentence,
    )
    return Stop(doubt, "a write whose answer never came is not repeated")


def reset_time(text: str | None, now: datetime) -> datetime | None:
    """When a limit resets: from seconds left, an epoch in seconds or milliseconds, an HTTP or an ISO date.

    None when it says nothing we understand.
    """
    text = (text or "").strip()
    try:
        number = float(text)
    except ValueError:
        return _date(text)
    if not 0 <= number < 10**14:
        return None
    if number < _EPOCH_FROM:
        return now + timedelta(seconds=number)
    return datetime.fromtimestamp(number / 1000 if number >= _EPOCH_MS_FROM else number, UTC)


def _date(text: str) -> datetime | None:
    for parse in (parsedate_to_datetime, datetime.fromisoformat):
        try:
            found = parse(text)
        except (ValueError, TypeError):
            continue
        return found if found.tzinfo else found.replace(tzinfo=UTC)
    return None


def retry_after(headers: Mapping[str, str], now: datetime) -> datetime | None:
    return reset_time(headers.get("retry-after"), now)


def header_reader(
    *, limit: str = "", remaining: str = "", reset: str = ""
) -> Callable[[Mapping[str, str], datetime], Reading | None]:
    """A `Budget.read` for a vendor that tells a bucket in plain headers of these names; any may be left out."""

    def read(headers: Mapping[str, str], now: datetime) -> Reading | None:
        most, left = _number(headers.get(limit.lower())), _number(headers.get(remaining.lower()))
        until = reset_time(headers.get(reset.lower()), now)
        return None if most is left is until is None else Reading(limit=most, remaining=left, resets_at=until)

    return read


def _number(text: str | None) -> int | None:
    try:
        return int(float(text)) if text else None
    except (ValueError, OverflowError):
        return None
