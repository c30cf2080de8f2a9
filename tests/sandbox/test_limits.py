from datetime import UTC, datetime, timedelta

import pytest

from uku_web.sandbox.limits import WindowLimiter

START = datetime(2026, 1, 1, tzinfo=UTC)


def test_a_window_opens_with_the_first_request_and_ends_for_all_at_once():
    limiter = WindowLimiter(60)
    assert limiter.take("a", 2, START).remaining == 1
    assert limiter.take("a", 2, START + timedelta(seconds=59)).allowed
    refused = limiter.take("a", 2, START + timedelta(seconds=59.5))
    assert (refused.allowed, refused.wait_seconds, refused.resets_at) == (False, 1, START + timedelta(seconds=60))
    assert limiter.take("a", 2, START + timedelta(seconds=60)).remaining == 1


def test_keys_do_not_share_a_window():
    limiter = WindowLimiter(60)
    assert limiter.take("a", 1, START).allowed and limiter.take("b", 1, START).allowed
    assert not limiter.take("a", 1, START).allowed


def test_sixty_calls_a_minute_per_company(merit, caller, clock):
    for left in range(59, -1, -1):
        response = merit.post("v1/gettaxes")
        assert response.headers["X-RateLimit-Remaining"] == str(left)
    assert response.headers["X-RateLimit-Limit"] == "60"
    clock.advance(timedelta(seconds=10))
    refused = merit.post("v1/gettaxes")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "50")
    assert int(refused.headers["X-RateLimit-Reset"]) == int(clock.now().timestamp()) + 50
    assert caller("ee", "small").post("v1/gettaxes").status_code == 200
    clock.advance(timedelta(seconds=50))
    assert merit.post("v1/gettaxes").status_code == 200


def test_a_lower_limit_by_switch(merit, switch, http):
    switch("quota", value=2)
    assert [merit.post("v1/gettaxes").status_code for _ in range(3)] == [200, 200, 429]
    http.post("/_control/reset")
    assert merit.post("v1/gettaxes").status_code == 200


@pytest.mark.parametrize(("value", "header"), [("7", "7"), ("", None)])
def test_refused_at_once_with_and_without_a_wait(merit, switch, value, header):
    switch("limit", value=value, times=1)
    response = merit.post("v1/gettaxes")
    assert (response.status_code, response.headers.get("Retry-After")) == (429, header)
    assert merit.post("v1/gettaxes").status_code == 200
