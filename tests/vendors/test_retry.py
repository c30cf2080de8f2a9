"""The decision to send a call again, and what a vendor's reset means."""

from datetime import UTC, datetime, timedelta

import pytest

from uku_web.vendors.calls import Call
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    StaleToken,
    Temporary,
    Uncertain,
)
from uku_web.vendors.retry import Again, Outcome, Stop, decide, header_reader, reset_time, retry_after

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
READ = Call("GET", "/items")
WRITE = Call("POST", "/invoices", repeat=False)


def after(call, error, attempt=1, patience=10.0, **outcome):
    return decide(call, Outcome(error, **outcome), attempt, NOW, lambda: 1.0, patience=patience)


def test_a_good_answer_ends_it():
    assert after(READ, None, status=200) == Stop(None, "answered")


@pytest.mark.parametrize("error", [NeedsReauth, BadSettings, Refused, Uncertain])
def test_what_would_meet_the_same_answer_is_not_asked_again(error):
    assert isinstance(after(READ, error("no"), status=400), Stop)


def test_a_missing_right_is_not_asked_again():
    assert isinstance(after(READ, NotPermitted("no", what="role"), status=403), Stop)


def test_reads_are_repeated_with_growing_waits_and_at_most_three_times():
    waits = [after(READ, Temporary("down"), attempt, status=503) for attempt in (1, 2, 3)]
    assert [wait.wait for wait in waits[:2]] == [1.0, 4.0]
    assert isinstance(waits[2], Stop) and waits[2].error.code == "temporary"


def test_waits_are_spread_so_that_workers_do_not_come_back_together():
    early = decide(READ, Outcome(Temporary("down")), 1, NOW, lambda: 0.0)
    assert early.wait == 0.5


def test_a_vendor_that_asks_for_a_short_rest_gets_it_and_a_long_one_frees_the_worker():
    assert after(READ, Temporary("down"), status=503, wait=8.0).wait == 8.0
    assert isinstance(after(READ, Temporary("down"), status=503, wait=120.0), Stop)


@pytest.mark.parametrize("status", [None, 200, 408, 500, 502, 504])
def test_a_write_whose_answer_is_lost_or_senseless_is_uncertain_and_not_repeated(status):
    verdict = after(WRITE, Temporary("down", detail="HTTP"), status=status)
    assert isinstance(verdict, Stop) and isinstance(verdict.error, Uncertain) and verdict.error.detail == "HTTP"


def test_a_write_that_never_left_may_be_repeated():
    assert isinstance(after(WRITE, Temporary("no connection"), sent=False), Again)


def test_a_write_refused_by_a_plain_answer_is_temporary():
    verdict = after(WRITE, Temporary("locked"), status=423)
    assert isinstance(verdict, Stop) and isinstance(verdict.error, Temporary)


@pytest.mark.parametrize("call", [READ, WRITE])
def test_a_limit_that_resets_soon_is_waited_for_also_by_writes(call):
    assert after(call, RateLimited("limit"), status=429, wait=3.0).wait == 3.0


def test_a_limit_that_resets_late_tells_when():
    verdict = after(READ, RateLimited("limit"), status=429, wait=42.0)
    assert verdict.error.until == NOW + timedelta(seconds=42) and "42 s" in verdict.reason


def test_a_person_at_the_screen_waits_less():
    assert isinstance(after(READ, RateLimited("limit"), status=429, wait=7.0, patience=5.0), Stop)


def test_a_limit_met_three_times_ends_it():
    assert isinstance(after(READ, RateLimited("limit"), 3, status=429, wait=1.0), Stop)


def test_a_stale_token_is_renewed_where_that_is_possible_and_else_told():
    assert after(WRITE, StaleToken("old"), status=401, renewable=True).renew
    assert isinstance(after(READ, StaleToken("old"), status=401), Stop)


def test_every_decision_has_a_reason():
    errors = [None, Temporary("t"), RateLimited("r"), StaleToken("s"), Refused("r"), Uncertain("u")]
    verdicts = [after(c, e, n, wait=w) for c in (READ, WRITE) for e in errors for n in (1, 3) for w in (None, 1, 99)]
    assert all(verdict.reason for verdict in verdicts)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("30", 30),
        (" 1.5 ", 1.5),
        ("0", 0),
        (str(int(NOW.timestamp()) + 90), 90),
        (str((int(NOW.timestamp()) + 90) * 1000), 90),
        ("Thu, 15 Jan 2026 10:31:00 GMT", 60),
        ("2026-01-15T10:31:00Z", 60),
        ("2026-01-15T12:31:00+02:00", 60),
        ("2026-01-15 10:31:00", 60),
    ],
)
def test_a_reset_is_understood_in_every_form(text, seconds):
    assert reset_time(text, NOW) == NOW + timedelta(seconds=seconds)


@pytest.mark.parametrize("text", [None, "", "soon", "-5", "nan", "inf", "1e300"])
def test_a_senseless_reset_says_nothing(text):
    assert reset_time(text, NOW) is None


def test_retry_after_is_read_from_lower_case_headers():
    assert retry_after({"retry-after": "7"}, NOW) == NOW + timedelta(seconds=7)
    assert retry_after({}, NOW) is None


def test_headers_of_a_bucket_are_read_by_their_declared_names():
    read = header_reader(limit="X-Limit", remaining="X-Left", reset="X-Reset")
    reading = read({"x-limit": "60", "x-left": "12", "x-reset": "30"}, NOW)
    assert (reading.limit, reading.remaining, reading.resets_at) == (60, 12, NOW + timedelta(seconds=30))
    assert read({"x-left": "many"}, NOW) is None
    assert header_reader(remaining="X-Left")({"x-left": "0"}, NOW).remaining == 0
