"""The API door: against functions for answers, against a loopback server for what sockets do."""

import gzip
import logging
import socket
import threading
import time
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import httpx
import pytest

from uku_web.vendors.access import Purse, Setup, identities
from uku_web.vendors.addresses import Guard
from uku_web.vendors.base import by_status
from uku_web.vendors.calls import Call
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    RateLimited,
    Refused,
    StaleToken,
    Temporary,
    Uncertain,
)
from uku_web.vendors.http import GuardedTransport, HttpDoor
from uku_web.vendors.redact import Redactor
from uku_web.vendors.retry import header_reader
from uku_web.vendors.spec import BucketKey, Budget, Field, SecretPlaces, Variant

START = datetime(2026, 1, 15, 10, 0, tzinfo=UTC)
SECRET = "s3cret-key-value"
READ = Call("GET", "/items/{id}", path_values={"id": "41"}, query=(("q", "blue"),))
WRITE = Call("POST", "/invoices", body=b"{}", repeat=False)
HOST = "https://api.larch.example"


class Clock:
    """Time that passes by sleeping only."""

    def __init__(self):
        self.at, self.slept = START, []

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


class Caller:
    def __init__(self, explain=None):
        self.credentials = {"key": SECRET}
        self.prepared = []
        self._explain = explain

    def prepare(self, call, now):
        self.prepared.append(now)
        return call.with_headers(**{"X-Key": self.credentials["key"], "X-At": now.isoformat()})

    def explain(self, answer):
        if answer.status == 401:
            return StaleToken("Larch refused the token.", detail=f"sent {self.credentials['key']}")
        return self._explain(answer) if self._explain else by_status("Larch", answer)


def spec(*budgets):
    return SimpleNamespace(
        kind="larch",
        label="Larch",
        budgets=budgets,
        credentials=(Field("key", "Key", secret=True),),
        variant_field=None,
        variants=(Variant("", "", {"api": HOST}),),
        secret_fields=lambda: {"key"},
        secret_places=SecretPlaces(headers=("X-Key",)),
        sign_in=None,
    )


class World:
    """A door over a function, or over sockets, with all that happened."""

    def __init__(self, reply=None, *, budgets=(), host=HOST, lane="background", renew=None, guard=None, plain=()):
        self.clock, self.records, self.requests = Clock(), [], []
        self.caller, self._reply, declared = Caller(), reply, spec(*budgets)
        transport = httpx.MockTransport(self._answer) if reply else GuardedTransport(guard or Guard())
        self.setup = Setup(now=self.clock.now, sleep=self.clock.sleep)
        whose = identities(declared, declared.variants[0], self.caller.credentials, "account-1")
        self.door = HttpDoor(
            label="Larch",
            hosts={"api": host},
            purse=Purse(declared, whose, self.setup, lane),
            redact=Redactor(declared, self.caller.credentials),
            now=self.clock.now,
            transport=transport,
            plain=plain,
            sleep=self.clock.sleep,
            log=self.records.append,
            renew=renew,
            rng=lambda: 1.0,
        )

    def _answer(self, request):
        self.requests.append(request)
        said = self._reply(request, len(self.requests))
        if isinstance(said, Exception):
            raise said
        if isinstance(said, httpx.Response):
            return said
        return httpx.Response(said[0], headers=said[1], content=said[2])

    def send(self, call=READ):
        return self.door.send(call, self.caller)

    @property
    def told(self):
        return [(record.attempt, record.status, record.outcome) for record in self.records]


def in_turn(*answers):
    """The answers one after the other, the last for ever."""
    return lambda _request, number: answers[min(number, len(answers)) - 1]


GOOD = (200, {}, b'{"ok": 1}')


def test_an_answer_comes_back_whole():
    world = World(in_turn((200, {"X-Total": "3"}, b'{"sum": 1.10}')))
    answer = world.send()
    assert answer.headers["x-total"] == "3" and str(answer.json()["sum"]) == "1.10" and answer.at == START
    assert str(world.requests[0].url) == f"{HOST}/items/41?q=blue"
    assert world.requests[0].headers["user-agent"] == "uku-web"


def test_the_log_names_the_template_and_never_a_value():
    world = World(in_turn(GOOD))
    world.send()
    [record] = world.records
    assert (record.method, record.path, record.host) == ("GET", "/items/{id}", "api.larch.example")
    assert (record.status, record.bytes, record.outcome, record.reason) == (200, 9, "good", "answered")
    assert SECRET not in repr(record) and "blue" not in repr(record)


def test_a_read_is_repeated_after_trouble_and_signed_anew_each_time():
    world = World(in_turn((503, {}, b""), httpx.ReadTimeout("late"), GOOD))
    assert world.send().ok
    assert world.told == [(1, 503, "temporary"), (2, None, "temporary"), (3, 200, "good")]
    assert world.clock.slept == [1.0, 4.0] and len(set(world.caller.prepared)) == 3


def test_a_vendor_that_stays_down_ends_as_temporary_and_is_asked_again_later():
    answers = [(502, {}, b"<html>")] * 3 + [GOOD]
    world = World(in_turn(*answers))
    with pytest.raises(Temporary):
        world.send()
    assert world.send().ok


@pytest.mark.parametrize(
    "trouble",
    [
        httpx.ReadTimeout("late"),
        httpx.RemoteProtocolError("dropped"),
        httpx.WriteError("broken"),
        (504, {}, b""),
        (500, {}, b""),
    ],
)
def test_a_write_whose_answer_never_came_is_uncertain_and_sent_once(trouble):
    world = World(in_turn(trouble, GOOD))
    with pytest.raises(Uncertain):
        world.send(WRITE)
    assert len(world.requests) == 1 and world.records[0].outcome == "uncertain"
    assert world.send(WRITE).ok


def test_a_write_that_could_not_connect_was_not_sent_and_is_repeated():
    world = World(in_turn(httpx.ConnectError("refused"), httpx.ConnectTimeout("slow"), GOOD))
    assert world.send(WRITE).ok
    assert world.records[0].reason == "nothing was sent yet"


def test_a_vendor_s_own_word_on_a_5xx_counts_more_than_the_status():
    world = World(in_turn((503, {}, b"limit"), GOOD))
    world.caller = Caller(lambda a: None if a.ok else RateLimited("limit", until=START + timedelta(seconds=2)))
    assert world.send(WRITE).ok and world.clock.slept == [pytest.approx(2)]


def test_an_error_inside_a_good_status_is_seen():
    world = World(in_turn(GOOD))
    world.caller = Caller(lambda answer: Refused("Larch refused the invoice."))
    with pytest.raises(Refused):
        world.send(WRITE)
    world.caller = Caller()
    assert world.send(WRITE).ok


@pytest.mark.parametrize("call", [READ, WRITE])
def test_a_limit_that_resets_soon_is_waited_for(call):
    world = World(in_turn((429, {"Retry-After": "3"}, b""), GOOD))
    assert world.send(call).ok
    assert world.clock.slept == [pytest.approx(3)]


@pytest.mark.parametrize(
    "reset", ["90", str(int(START.timestamp()) + 90), "Thu, 15 Jan 2026 10:01:30 GMT", "2026-01-15T10:01:30Z"]
)
def test_a_limit_that_resets_late_frees_the_worker_and_closes_the_bucket(reset):
    world = World(in_turn((429, {"Retry-After": reset}, b""), GOOD))
    for _ in range(2):  # the second is refused by our own budget, before it is sent
        with pytest.raises(RateLimited) as error:
            world.send()
        assert error.value.until == START + timedelta(seconds=90)
    assert len(world.requests) == 1 and world.clock.slept == []
    world.clock.sleep(90)
    assert world.send().ok


def test_a_limit_without_any_header_pauses_for_a_minute_and_longer_when_met_again():
    world = World(in_turn((429, {}, b""), (429, {}, b""), GOOD))
    for seconds in (60, 120):
        with pytest.raises(RateLimited) as error:
            world.send()
        assert error.value.until == world.clock.at + timedelta(seconds=seconds)
        world.clock.sleep(seconds)
    assert world.send().ok


def test_headers_of_good_answers_hold_back_the_next_call():
    read = header_reader(limit="X-Limit", remaining="X-Left", reset="X-Reset")
    minute = Budget("minute", BucketKey.TENANT, None, read=read)
    world = World(in_turn((200, {"X-Limit": "60", "X-Left": "0", "X-Reset": "30"}, b"[]"), GOOD), budgets=[minute])
    world.send()
    with pytest.raises(RateLimited) as error:
        world.send()
    assert error.value.bucket == "minute" and error.value.until == START + timedelta(seconds=30)
    assert len(world.requests) == 1
    world.clock.sleep(30)
    assert world.send().ok


def test_a_short_wait_for_the_budget_is_slept_and_a_person_waits_less():
    second = Budget("window", BucketKey.TENANT, 2, window=7.0)
    world, person = (World(in_turn(GOOD), budgets=[second], lane=lane) for lane in ("background", "person"))
    for _ in range(4):
        world.send()
    assert 20 < sum(world.clock.slept) < 25
    person.send()
    person.send()
    with pytest.raises(RateLimited):
        person.send()
    person.clock.sleep(8)
    assert person.send().ok


def test_a_place_is_given_back_also_when_the_connector_fails():
    one = Budget("one", BucketKey.TENANT, None, concurrency=1)
    world = World(in_turn(GOOD), budgets=[one])
    world.caller = Caller(lambda answer: 1 / 0)
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            world.send()
    world.caller = Caller()
    assert world.send().ok


def test_a_stale_token_is_renewed_once_and_the_call_repeated_with_the_new_one():
    world = World(
        lambda r, _: GOOD if r.headers["x-key"] == "fresh" else (401, {}, b""), renew=lambda: {"key": "fresh"}
    )
    assert world.send(WRITE).ok
    assert [r.headers["x-key"] for r in world.requests] == [SECRET, "fresh"]
    assert world.records[0].reason.startswith("the token ran out")


def test_a_renewed_token_that_is_refused_too_is_told_to_a_person():
    renewals = []
    world = World(in_turn((401, {}, b""), (401, {}, b""), GOOD), renew=lambda: renewals.append(1) or {"key": "fresh"})
    with pytest.raises(NeedsReauth):
        world.send()
    assert renewals == [1]
    assert world.send().ok


@pytest.mark.parametrize("renew", [None, lambda: None])
def test_without_a_renewal_a_stale_token_is_told_without_its_value(renew):
    world = World(in_turn((401, {}, b""), GOOD), renew=renew)
    with pytest.raises(StaleToken) as error:
        world.send()
    assert SECRET not in error.value.detail and error.value.detail == "sent •••"
    assert world.send().ok


def test_a_renewal_through_the_same_door_does_not_renew_itself():
    world = World(in_turn((401, {}, b""), (401, {}, b""), GOOD), renew=lambda: world.send() and None)
    with pytest.raises(StaleToken):
        world.send()
    assert len(world.requests) == 2
    assert world.send().ok


def test_many_calls_answer_in_their_order_within_the_allowance():
    active, most, lock = [0], [0], threading.Lock()

    def reply(request, _number):
        with lock:
            active[0] += 1
            most[0] = max(most[0], active[0])
        time.sleep(0.01)
        with lock:
            active[0] -= 1
        return httpx.Response(200, content=request.url.path.encode())

    world = World(reply, budgets=[Budget("p", BucketKey.TENANT, None, concurrency=3, reserve=0.0)])
    calls = [Call("GET", f"/n/{number}") for number in range(12)]
    answers = world.door.send_all(calls, world.caller)
    assert [answer.text for answer in answers] == [f"/n/{number}" for number in range(12)]
    assert most[0] == 3 and len(world.records) == 12
    assert world.door.send_all([], world.caller) == []


def test_one_renewal_serves_all_calls_that_met_the_same_old_token():
    renewals, gate = [], threading.Barrier(4, timeout=5)

    def reply(request, _number):
        if request.headers["x-key"] == "fresh":
            return GOOD
        gate.wait()
        return 401, {}, b""

    world = World(reply, renew=lambda: renewals.append(1) or {"key": "fresh"})
    assert len(world.door.send_all([READ] * 4, world.caller)) == 4
    assert renewals == [1]


def test_the_first_error_ends_a_batch_and_what_has_not_started_is_not_sent():
    def reply(request, _number):
        time.sleep(0.002)
        return (422, {}, b"no") if request.url.path == "/n/2" else GOOD

    world = World(reply)
    calls = [Call("GET", f"/n/{number}") for number in range(60)]
    with pytest.raises(Refused):
        world.door.send_all(calls, world.caller)
    assert len(world.requests) < 30
    assert len(world.door.send_all(calls[10:20], world.caller)) == 10


def test_redirects_on_the_same_host_are_followed_for_reads_only():
    def reply(request, _number):
        return GOOD if request.url.path == "/new" else (307, {"Location": "/new?x=%2F"}, b"")

    world = World(reply)
    assert world.send().ok and str(world.requests[-1].url) == f"{HOST}/new?x=%2F"
    with pytest.raises(BadSettings, match="another address"):
        world.send(WRITE)
    assert world.send().ok


@pytest.mark.parametrize("place", ["https://evil.example/x", "http://api.larch.example/x", "//evil.example/x"])
def test_redirects_to_another_host_are_never_followed(place):
    world = World(in_turn((302, {"Location": place}, b""), GOOD))
    with pytest.raises(BadSettings):
        world.send()
    assert len(world.requests) == 1
    assert world.send().ok


def test_redirects_without_end_are_given_up():
    world = World(lambda request, number: (302, {"Location": "/again"}, b"") if number < 5 else GOOD)
    with pytest.raises(BadSettings):
        world.send()
    assert len(world.requests) == 4
    assert world.send().ok


def test_an_answer_past_the_size_limit_is_cut_off_also_when_it_was_small_on_the_way():
    packed = (200, {"Content-Encoding": "gzip"}, gzip.compress(b"x" * 100_000))
    world = World(in_turn(packed, packed, GOOD))
    with pytest.raises(BadSettings, match="more than we accept"):
        world.send(Call("GET", "/all", max_bytes=5000))
    with pytest.raises(Uncertain):
        world.send(Call("POST", "/all", max_bytes=5000, repeat=False))
    assert world.send().ok


def test_a_value_that_cannot_be_sent_is_told_without_repeating_it():
    world = World(in_turn(GOOD))
    world.caller.credentials = {"key": "ключ-secret"}
    with pytest.raises(BadSettings) as error:
        world.send()
    assert "ключ" not in f"{error.value} {error.value.detail} {error.value.__context__}"
    world.caller.credentials = {"key": SECRET}
    assert world.send().ok


def test_cookies_of_one_answer_do_not_travel_with_the_next_call():
    world = World(in_turn((200, {"Set-Cookie": "session=abc"}, b""), GOOD))
    world.send()
    world.send()
    assert "cookie" not in world.requests[1].headers


def test_no_log_and_no_traceback_holds_a_secret(caplog):
    caplog.set_level(logging.INFO)
    world = World(in_turn((400, {}, f"bad key {SECRET}".encode()), GOOD))
    with pytest.raises(Refused) as error:
        world.send(Call("GET", "/x", query=(("apikey", SECRET),)))
    told = f"{error.value!r} {error.value.detail} {error.value.__cause__} {error.value.__context__}"
    assert SECRET not in told + caplog.text + repr(world.records)
    assert world.send().ok


# What sockets do


@contextmanager
def server(*answers: bytes | float):
    """A loopback server: each connection reads a request's head and gets the next answer; a number waits so long."""
    heard, closing = [], threading.Event()

    def serve():
        for answer in answers:
            with suppress(OSError), listener.accept()[0] as peer:
                heard.append(peer.recv(65536))
                for part in answer if isinstance(answer, list) else [answer]:
                    if isinstance(part, bytes):
                        peer.sendall(part)
                    else:
                        closing.wait(part)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"127.0.0.1:{listener.getsockname()[1]}", heard
        finally:
            closing.set()
            with suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def over_sockets(place, **more):
    return World(host=f"http://{place}/api", plain=[place], guard=Guard([place]), **more)


def http(body: bytes, head: bytes = b"") -> bytes:
    return b"HTTP/1.1 200 OK\r\nConnection: close\r\n%bContent-Length: %d\r\n\r\n%b" % (head, len(body), body)


def test_the_address_reaches_the_vendor_to_the_letter():
    with server(http(b"[]")) as (place, heard):
        world = over_sockets(place)
        assert world.send(Call("GET", "/x", query_text="sig=a+b'%2f|\"<{}^`&e=%zz")).json() == []
        world.door.close()
    assert heard[0].startswith(b"GET /api/x?sig=a+b'%2f|\"<{}^`&e=%zz HTTP/1.1\r\n")


@pytest.mark.parametrize(
    "slow",
    [5.0, [b"HTTP/1.1 200 OK\r\nContent-Length: 999\r\n\r\n", *[b"x", 0.03] * 50], [b"HTTP/1.1 2", 0.03, b"00 ", 5.0]],
)
def test_the_whole_answer_must_come_in_time_even_when_it_drips(slow):
    with server(slow, http(b"[]")) as (place, _heard):
        world, began = over_sockets(place), time.monotonic()
        with pytest.raises(Uncertain):
            world.send(Call("POST", "/x", repeat=False, timeout=0.15))
        assert time.monotonic() - began < 1
        world.door.close()
    with server(http(b"[]")) as (place, _heard):
        world = over_sockets(place)
        assert world.send().ok
        world.door.close()


def test_a_connection_dropped_after_a_write_is_uncertain_and_after_a_read_repeated():
    cut = b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhalf"
    with server(b"", b"", cut, http(b"[]")) as (place, heard):
        world = over_sockets(place)
        with pytest.raises(Uncertain):
            world.send(WRITE)
        assert len(heard) == 1
        assert world.send().json() == []
        assert [record.status for record in world.records] == [None, None, None, 200]
        world.door.close()


def test_nobody_listening_is_temporary_also_for_writes():
    with socket.create_server(("127.0.0.1", 0)) as free:
        place = f"127.0.0.1:{free.getsockname()[1]}"
    world = over_sockets(place)
    with pytest.raises(Temporary):
        world.send(WRITE)
    assert len(world.records) == 3
    world.door.close()


def test_loopback_is_refused_unless_the_operator_named_it():
    with server(http(b"[]")) as (place, heard):
        closed = World(host=f"http://{place}/api", plain=[place])
        with pytest.raises(BadSettings, match="private network"):
            closed.send()
        assert heard == [] and len(closed.records) == 1
        opened = over_sockets(place)
        assert opened.send().ok
        closed.door.close()
        opened.door.close()


def test_a_name_that_turns_inward_between_two_calls_is_refused(monkeypatch):
    with server(http(b"[]")) as (place, heard):
        port = int(place.partition(":")[2])
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda *_a, **_k: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]
        )
        world = World(host=f"http://books.example:{port}", plain=[f"books.example:{port}"])
        with pytest.raises(BadSettings, match="private network"):
            world.send()
        world.door.close()
        allowed = World(
            host=f"http://books.example:{port}", plain=[f"books.example:{port}"], guard=Guard(["books.example"])
        )
        assert allowed.send().ok and len(heard) == 1
        assert b"Host: books.example" in heard[0]
        allowed.door.close()
