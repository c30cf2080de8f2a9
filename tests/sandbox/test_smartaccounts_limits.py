from datetime import UTC, datetime, timedelta

from uku_web.sandbox.limits import RollingLimiter

START = datetime(2026, 1, 1, tzinfo=UTC)
VAT_TYPES = "settings/vatpcs:get"


def test_a_place_comes_free_when_its_call_has_aged():
    limiter, limits = RollingLimiter(), {60: 2, 600: 3}
    assert limiter.take("a", limits, START) is None
    assert limiter.take("a", limits, START + timedelta(seconds=50)) is None
    assert limiter.take("a", limits, START + timedelta(seconds=55)) == (60, 5)
    assert limiter.take("b", limits, START + timedelta(seconds=55)) is None
    assert limiter.take("a", limits, START + timedelta(seconds=60)) is None
    assert limiter.take("a", limits, START + timedelta(seconds=130)) == (600, 470)
    limiter.reset()
    assert limiter.take("a", limits, START + timedelta(seconds=130)) is None
    assert limiter.take("a", {60: 0}, START + timedelta(seconds=130)) == (60, 60)


def test_sixty_calls_a_minute_per_company(smart, smart_caller, clock):
    assert {smart.ask(VAT_TYPES).status_code for _ in range(60)} == {200}
    clock.advance(timedelta(seconds=10))
    over = smart.ask(VAT_TYPES)
    assert (over.status_code, over.headers["Retry-After"]) == (503, "50")
    assert "limit" in over.text and "minute" in over.text
    assert "limiit" in smart.ask(VAT_TYPES, prefix="/et").text
    assert smart_caller("small").ask(VAT_TYPES).status_code == 200
    clock.advance(timedelta(seconds=50))
    assert smart.ask(VAT_TYPES).status_code == 200


def test_a_thousand_calls_in_a_day_and_night(smart, clock):
    for _ in range(1000):
        assert smart.ask(VAT_TYPES).status_code == 200
        clock.advance(timedelta(seconds=2))
    over = smart.ask(VAT_TYPES)
    assert over.status_code == 503 and "1000 requests per 24 hours" in over.text
    assert "Retry-After" not in over.headers
    clock.advance(timedelta(hours=24) - timedelta(seconds=2000))
    assert [smart.ask(VAT_TYPES).status_code for _ in range(2)] == [200, 503]


def test_an_unpaid_bill_is_the_same_status_with_another_text(smart, switch):
    switch("unpaid", account=smart.api_key, times=2)
    closed = smart.ask(VAT_TYPES)
    assert closed.status_code == 503 and "bill is unpaid" in closed.text and "limit" not in closed.text
    assert "limiit" not in smart.ask(VAT_TYPES, prefix="/et").text
    assert smart.ask(VAT_TYPES).status_code == 200


def test_lower_limits_by_switch(smart, switch, http):
    switch("quota", value=2)
    assert [smart.ask(VAT_TYPES).status_code for _ in range(3)] == [200, 200, 503]
    http.post("/_control/reset")
    switch("day-quota", value=1)
    assert [smart.ask(VAT_TYPES).status_code for _ in range(2)] == [200, 503]
    http.post("/_control/reset")
    assert smart.ask(VAT_TYPES).status_code == 200


def test_refused_calls_cost_nothing_and_faulty_ones_do(smart, switch):
    switch("quota", value=2)
    smart.api_secret, right = "wrong", smart.api_secret
    assert smart.ask(VAT_TYPES).status_code == 401
    smart.api_secret = right
    assert smart.ask(VAT_TYPES, misspelt="1").status_code == 400
    assert [smart.ask(VAT_TYPES).status_code for _ in range(2)] == [200, 503]
