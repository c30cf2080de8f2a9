"""The door to vendors' APIs: the only place where an API call leaves this program."""

import logging
import random
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import closing
from datetime import datetime
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx

from uku_web.vendors.addresses import Guard, GuardedBackend, call_url, deadline, on_base
from uku_web.vendors.budget import Grant
from uku_web.vendors.calls import Answer, Call, Caller
from uku_web.vendors.errors import BadSettings, RateLimited, Temporary, Uncertain, VendorError
from uku_web.vendors.redact import CallRecord, Redactor
from uku_web.vendors.retry import Again, Outcome, Stop, decide, retry_after

CONNECT_TIMEOUT = 5.0
MAX_REDIRECTS = 3
USER_AGENT = "uku-web"

for _noisy in ("httpx", "httpcore"):  # their own logs hold whole addresses and headers, secrets included
    logging.getLogger(_noisy).setLevel(logging.WARNING)


@cache
def tls():
    return httpx.create_ssl_context()


class GuardedTransport(httpx.HTTPTransport):
    """httpx over sockets that the guard has checked. One per process and guard, shared by all doors."""

    def __init__(self, guard: Guard):
        self._pool = httpcore.ConnectionPool(
            ssl_context=tls(), max_connections=100, keepalive_expiry=5.0, network_backend=GuardedBackend(guard)
        )


class HttpDoor:
    """One connection's way to its vendor; keeps the `Door` contract. Threads may share it.

    `hosts`: base addresses by purpose. `plain`: the "host:port"s that may be spoken to without TLS.
    `purse`: budgets. `renew`: called once when a token ran out, gives new credentials or None.
    """

    def __init__(
        self,
        *,
        label: str,
        hosts: Mapping[str, str],
        purse,
        redact: Redactor,
        now: Callable[[], datetime],
        transport: httpx.BaseTransport | None = None,
        guard: Guard | None = None,
        plain: Iterable[str] = (),
        sleep: Callable[[float], None] = time.sleep,
        log: Callable[[CallRecord], None] | None = None,
        renew: Callable[[], Mapping[str, str] | None] | None = None,
        rng: Callable[[], float] = random.random,
    ):
        self.label, self._hosts, self._plain = label, dict(hosts), frozenset(plain)
        self.purse, self._redact = purse, redact
        self.now, self._sleep, self._rng = now, sleep, rng
        self._log, self._log_lock = log, threading.Lock()
        self._renew, self._renew_lock, self._renewer = renew, threading.RLock(), None
        # A jar that takes nothing: a vendor's cookie would tie one company's calls to another's.
        jar = CookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
        transport = transport or GuardedTransport(guard or Guard())
        self.client = httpx.Client(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            cookies=jar,
            headers={"User-Agent": USER_AGENT},
        )

    def close(self) -> None:
        """Close the transport too; not for one that others share."""
        self.client.close()

    def send(self, call: Call, caller: Caller) -> Answer:
        """Send one call: budget, signature, time-out, retries where they are safe. Raises a VendorError."""
        attempt, renewed = 0, False
        while True:
            attempt += 1
            grant = self.purse.draw(call.purpose, call.timeout, call.cost)
            credentials = getattr(caller, "credentials", None)
            trial = _Trial(self, call, caller, attempt)
            renewable = not renewed and self._renew is not None and self._renewer != threading.get_ident()
            outcome = trial.run(grant, renewable)
            verdict = decide(call, outcome, attempt, self.now(), self._rng, patience=self.purse.patience)
            self._record(trial, outcome, verdict)
            if isinstance(verdict, Again):
                if verdict.renew:
                    renewed = True
                    self._renew_once(caller, credentials, outcome.error)
                elif verdict.wait > 0:
                    self._sleep(verdict.wait)
            elif verdict.error is not None:
                raise self._redact.seeing(trial.signed or call).clean(verdict.error)
            else:
                return trial.answer

    def send_all(self, calls: list[Call], caller: Caller) -> list[Answer]:
        """Many calls at once, up to the vendor's allowance; answers in their order. The first error ends it."""
        width = min((self.purse.concurrency(purpose) for purpose in {call.purpose for call in calls}), default=1)
        if len(calls) < 2 or width < 2:
            return [self.send(call, caller) for call in calls]
        with ThreadPoolExecutor(min(width, len(calls)), thread_name_prefix="door") as pool:
            jobs = [pool.submit(self.send, call, caller) for call in calls]
            wait(jobs, return_when=FIRST_EXCEPTION)
            pool.shutdown(wait=True, cancel_futures=True)
        failed = [job for job in jobs if not job.cancelled() and job.exception()]
        return [job.result() for job in failed or jobs]

    def address(self, call: Call) -> str:
        return call_url(call, self._hosts, self._plain, self.label)

    def _renew_once(self, caller: Caller, used: object, stale: VendorError) -> None:
        """One renewal for all threads that met the same old token."""
        with self._renew_lock:
            if caller.credentials is not used:
                return
            self._renewer = threading.get_ident()
            try:
                fresh = self._renew()
            finally:
                self._renewer = None
            if fresh is None:
                raise self._redact.clean(stale)
            self._redact.learn(fresh)
            caller.credentials = {**caller.credentials, **fresh}

    def _record(self, trial: "_Trial", outcome: Outcome, verdict: Again | Stop) -> None:
        if self._log is None:
            return
        final = getattr(verdict, "error", None) or outcome.error
        host = urlsplit(self._hosts.get(trial.call.host, "")).hostname or ""
        record = CallRecord(
            at=trial.began,
            method=trial.call.method,
            path=trial.call.path,
            host=host,
            status=outcome.status,
            ms=trial.ms,
            bytes=trial.bytes,
            attempt=trial.attempt,
            outcome=final.code if final else "good",
            reason=verdict.reason,
        )
        with self._log_lock:
            self._log(record)


class _Trial:
    """One attempt at a call: signed anew, sent, read to its end, explained."""

    def __init__(self, door: HttpDoor, call: Call, caller: Caller, attempt: int):
        self.door, self.call, self.caller, self.attempt = door, call, caller, attempt
        self.began, self.ms, self.bytes = door.now(), 0, 0
        self.signed: Call | None = None
        self.answer: Answer | None = None
        self._sent = False

    def run(self, grant: Grant, renewable: bool) -> Outcome:
        error, wait, explained = None, None, False
        started = time.monotonic()
        try:
            error = self._meet()
            explained = True
        finally:
            self.ms = round((time.monotonic() - started) * 1000)
            wait = self._settle(grant, error, explained and error is None)
        return Outcome(error, self.answer and self.answer.status, self._sent, wait, renewable)

    def _meet(self) -> VendorError | None:
        try:
            self.signed = self.caller.prepare(self.call, self.door.now())
            error = self._exchange()
            return error or self.caller.explain(self.answer)
        except VendorError as error:
            return error

    def _settle(self, grant: Grant, error: VendorError | None, good: bool) -> float | None:
        now, headers = self.door.now(), self.answer.headers if self.answer else None
        until = getattr(error, "until", None) or (retry_after(headers, now) if headers else None)
        refused = isinstance(error, RateLimited)
        wait = self.door.purse.settle(grant, headers, now, refused=refused, until=until, good=good)
        if refused:
            return wait
        return max(0.0, (until - now).total_seconds()) if until else None

    def _exchange(self) -> VendorError | None:
        """Fill in the answer, or say why there is none."""
        url = self.door.address(self.signed)
        for _ in range(MAX_REDIRECTS + 1):
            error = self._once(url)
            if error or not self._redirected():
                return error
            if self.call.method not in ("GET", "HEAD"):
                break
            url = self._next(url)
        return BadSettings(f"{self.door.label} sends this request on to another address, which we do not follow.")

    def _redirected(self) -> bool:
        return self.answer.status in (301, 302, 303, 307, 308) and "location" in self.answer.headers

    def _next(self, url: str) -> str:
        parts = urlsplit(url)
        origin = f"{parts.scheme}://{parts.netloc}"
        path, query = on_base(urljoin(url, self.answer.headers["location"]), origin)
        return f"{origin}{path}?{query}" if query else origin + path

    def _once(self, url: str) -> VendorError | None:
        call, label = self.signed, self.door.label
        try:
            with deadline(call.timeout):
                self._read(self._request(url), time.monotonic() + call.timeout)
        except (httpx.LocalProtocolError, httpx.InvalidURL, UnicodeError):
            sentence = f"A value holds characters that cannot be sent to {label}. Check what was pasted."
            return BadSettings(sentence, detail="the request could not be written")
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol) as error:
            return Temporary(f"{label} cannot be reached. We will try again.", detail=type(error).__name__)
        except (httpx.HTTPError, httpx.StreamError) as error:
            self._sent = True
            return Temporary(
                f"{label} did not answer in time or broke off. We will try again.", detail=type(error).__name__
            )
        return self._too_large() if self.answer is None else None

    def _request(self, url: str) -> httpx.Request:
        call = self.signed
        base = urlsplit(url)
        return self.door.client.build_request(
            call.method,
            url,
            headers=dict(call.headers),
            content=call.body,
            timeout=httpx.Timeout(call.timeout, connect=min(CONNECT_TIMEOUT, call.timeout)),
            # httpx writes some characters of an address its own way; signatures depend on every byte.
            extensions={"target": url.removeprefix(f"{base.scheme}://{base.netloc}").encode()},
        )

    def _read(self, request: httpx.Request, until: float) -> None:
        self.answer, body, call = None, bytearray(), self.signed
        response = self.door.client.send(request, stream=True)
        self._sent = True
        with closing(response):
            for chunk in response.iter_bytes():
                body += chunk
                self.bytes = len(body)
                if len(body) > call.max_bytes:
                    return
                if time.monotonic() > until:
                    raise httpx.ReadTimeout("the time for the whole answer is over")
        headers = {name.lower(): value for name, value in response.headers.items()}
        self.answer = Answer(response.status_code, headers, bytes(body), call, self.door.now())

    def _too_large(self) -> VendorError:
        limit = f"more than {self.call.max_bytes // 1024} kB"
        if not self.call.repeat:
            sentence = f"{self.door.label}'s answer was too large to read. We look there before anything is sent again."
            return Uncertain(sentence, detail=limit)
        return BadSettings(f"{self.door.label} answered with more than we accept at once ({limit}).")
