"""The door to vendors' sign-in: code exchange, refresh and revocation, driven by a declaration's `SignIn`.

Authlib speaks the protocol over `requests`; sockets, time-outs, size, redirects and budgets are ours.
"""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests
import urllib3
from authlib.integrations.requests_client import OAuth2Session, OAuthError
from requests.adapters import HTTPAdapter
from urllib3.exceptions import ConnectTimeoutError, MaxRetryError, NewConnectionError

from uku_web.vendors.addresses import Guard, guarded_pools, host_port
from uku_web.vendors.errors import BadSettings, NeedsReauth, RateLimited, Refused, Temporary, Uncertain, VendorError
from uku_web.vendors.redact import CallRecord, Redactor
from uku_web.vendors.retry import retry_after
from uku_web.vendors.spec import SignIn, Variant, VendorSpec

CONNECT_TIMEOUT, TIMEOUT = 5.0, 30.0  # seconds; TIMEOUT for the whole answer
MAX_BYTES = 1024 * 1024
TRYING_AGAIN = "We will try again."

logging.getLogger("urllib3").setLevel(logging.WARNING)  # its own log holds whole addresses


@dataclass(frozen=True)
class TokenSet:
    """What a token call gave. Times are aware; None = not told. `more` holds the other members of the answer."""

    access_token: str = field(repr=False)
    refresh_token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None
    scope: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict, repr=False)


class _GuardedAdapter(HTTPAdapter):
    """requests over sockets that the guard has checked; the answer is read here, within its limits."""

    def __init__(self, guard: Guard, timeout: float):
        self._guard, self._timeout = guard, timeout
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args, **kwargs):
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = guarded_pools(self._guard)

    def send(self, request, **kwargs):
        until = time.monotonic() + self._timeout
        limits = {"stream": True, "timeout": (min(CONNECT_TIMEOUT, self._timeout), self._timeout)}
        response = super().send(request, **kwargs | limits)
        body = bytearray()
        try:
            while chunk := response.raw.read1(64 * 1024, decode_content=True):
                body += chunk
                if len(body) > MAX_BYTES or time.monotonic() > until:
                    raise requests.exceptions.ReadTimeout("the answer is too long or too slow")
        finally:
            response.close()
        response._content = bytes(body)
        return response


def authorize_url(
    spec: VendorSpec,
    variant: Variant,
    client_id: str,
    redirect_uri: str,
    state: str,
    code_verifier: str | None = None,
    *,
    base: str | None = None,
    scopes: str | None = None,
) -> str:
    """Where the browser goes to sign in. `base` and `scopes` replace the declared ones.

    A rename to "" leaves a parameter out. With PKCE the verifier stays here and its S256 challenge travels.
    """
    sign_in = _sign_in(spec)
    base = base or variant.hosts.get("authorize") or variant.auth_host
    if not base:
        raise BadSettings(f"{spec.label} has no sign-in address yet.")
    if sign_in.pkce and not code_verifier:
        raise ValueError("this sign-in needs a code verifier")
    with OAuth2Session(client_id, redirect_uri=redirect_uri) as session:
        session.scope = scopes or " ".join(sign_in.scopes) or None
        session.code_challenge_method = "S256" if sign_in.pkce else None
        path, extra = base + sign_in.authorize_path, dict(sign_in.authorize_extra)
        url = session.create_authorization_url(path, state, code_verifier, **extra)[0]
    return _renamed(url, sign_in.renames)


def _renamed(url: str, renames: Mapping[str, str]) -> str:
    parts = urlsplit(url)
    pairs = [(renames.get(name, name), value) for name, value in parse_qsl(parts.query)]
    return parts._replace(query=urlencode([(name, value) for name, value in pairs if name])).geturl()


def _sign_in(spec: VendorSpec) -> SignIn:
    if spec.sign_in is None:
        raise LookupError(f"{spec.label} has no sign-in")
    return spec.sign_in


class SignInDoor:
    """One vendor's sign-in with our app's id and secret. Every call is made once and never repeated by itself.

    `hosts`: bases by "authorize", "token", "revoke", and "auth" for those that have none of their own.
    """

    def __init__(
        self,
        *,
        spec: VendorSpec,
        hosts: Mapping[str, str],
        client_id: str,
        client_secret: str,
        purse,
        guard: Guard,
        now: Callable[[], datetime],
        scopes: str | None = None,
        plain: Iterable[str] = (),
        log: Callable[[CallRecord], None] | None = None,
        timeout: float = TIMEOUT,
    ):
        self._spec, self._sign_in, self._hosts = spec, _sign_in(spec), dict(hosts)
        self._id, self._secret, self._scopes = client_id, client_secret, scopes
        self._purse, self._guard, self._plain, self._timeout = purse, guard, frozenset(plain), timeout
        self._now, self._log = now, log

    def authorize_url(self, redirect_uri: str, state: str, code_verifier: str | None = None) -> str:
        base, variant = self._base("authorize"), self._spec.variants[0]
        told = {"base": base, "scopes": self._scopes}
        return authorize_url(self._spec, variant, self._id, redirect_uri, state, code_verifier, **told)

    def exchange_code(self, code: str, redirect_uri: str, code_verifier: str | None = None) -> TokenSet:
        """Tokens for the code of a callback. Raises NeedsReauth when the code is refused."""
        more = {"code_verifier": code_verifier} if code_verifier else {}

        def fetch(session: OAuth2Session, url: str):
            told = {"code": code, "redirect_uri": redirect_uri, "allow_redirects": False, **more}
            return session.fetch_token(url, grant_type="authorization_code", **told)

        return self._tokens(fetch, [code, *more.values()])

    def refresh(self, refresh_token: str) -> TokenSet:
        """Fresh tokens; `refresh_token` in the answer is the one to keep from now on, rotated or not.

        NeedsReauth: refused. Temporary: nothing changed. Uncertain: the answer was lost, the old one may be used up.
        """

        def fetch(session: OAuth2Session, url: str):
            return session.refresh_token(url, refresh_token=refresh_token, allow_redirects=False)

        return self._tokens(fetch, [refresh_token])

    def revoke(self, token: str) -> None:
        """End this token's rights at the vendor. LookupError where the vendor has no such call."""
        path = self._sign_in.revoke_path
        if path is None:
            raise LookupError(f"{self._spec.label} has no revoke call")

        def send(session: OAuth2Session, url: str):
            if self._sign_in.revoke_as_json:
                auth = session.client_auth(self._sign_in.client_auth)
                told = {"json": {"token": token}, "headers": {"Accept": "application/json"}}
                answer = session.request("POST", url, auth=auth, allow_redirects=False, **told)
            else:
                answer = session.revoke_token(url, token, "refresh_token", allow_redirects=False)
            answer.raise_for_status()

        self._once("revoke", path, send, [token])

    def _tokens(self, fetch: Callable[[OAuth2Session, str], Any], secrets: list[str]) -> TokenSet:
        if self._sign_in.token_path is None:
            raise LookupError(f"{self._spec.label} has no token call")
        began = self._now()
        told = dict(self._once("token", self._sign_in.token_path, fetch, secrets))
        told.pop("expires_at", None)  # Authlib's own, by another clock
        seconds = told.pop("expires_in", None)
        return TokenSet(
            access_token=told.pop("access_token"),
            refresh_token=told.pop("refresh_token", None),
            expires_at=began + timedelta(seconds=float(seconds)) if seconds not in (None, "") else None,
            scope=told.pop("scope", None),
            more=told,
        )

    def _base(self, host: str) -> str:
        base = self._hosts.get(host) or self._hosts.get("auth") or ""
        if not base.startswith("https://") and host_port(base) not in self._plain:
            raise BadSettings(f"{self._spec.label} has no sign-in address over https yet.")
        return base

    def _once(self, host: str, path: str, send: Callable[[OAuth2Session, str], Any], secrets: list[str]) -> Any:
        url, heard, result = self._base(host) + path, [], None
        grant = self._purse.draw("token", self._timeout)
        began, started, error = self._now(), time.monotonic(), None
        try:
            with self._session(heard) as session:
                result = send(session, url)
                if host == "token" and "access_token" not in result:
                    raise ValueError("no token in the answer")
        except VendorError as refused:
            error = refused
        except (requests.RequestException, urllib3.exceptions.HTTPError, OAuthError, ValueError) as trouble:
            error = self._meaning(trouble, heard[-1] if heard else None, host)
        finally:
            self._settle(grant, heard, error)
        ms = round((time.monotonic() - started) * 1000)
        self._record(began, host, path, heard, ms, error)
        if error is not None:
            raise Redactor(self._spec, {}, secrets=[self._secret, *secrets]).clean(error)
        return result

    def _session(self, heard: list[requests.Response]) -> OAuth2Session:
        method = self._sign_in.client_auth
        session = OAuth2Session(self._id, self._secret, method, revocation_endpoint_auth_method=method)
        session.trust_env = False
        for scheme in ("https://", "http://"):
            session.mount(scheme, _GuardedAdapter(self._guard, self._timeout))
        session.hooks["response"].append(lambda response, **_: heard.append(response))
        return session

    def _settle(self, grant, heard: list[requests.Response], error: VendorError | None) -> None:
        headers = {name.lower(): value for name, value in heard[-1].headers.items()} if heard else None
        limited = isinstance(error, RateLimited)
        until = error.until if limited else None
        wait = self._purse.settle(grant, headers, self._now(), refused=limited, until=until, good=error is None)
        if limited and until is None:
            error.until = self._now() + timedelta(seconds=wait)

    def _meaning(self, trouble: Exception, response: requests.Response | None, host: str) -> VendorError:
        label, detail = self._spec.label, type(trouble).__name__
        if response is None:
            if _unsent(trouble):
                return Temporary(f"{label}'s sign-in cannot be reached. {TRYING_AGAIN}", detail=detail)
            return self._lost(host, detail)
        status = response.status_code
        detail = f"HTTP {status}: {response.text[:300]!r}"
        if status == 429:
            until = retry_after({name.lower(): value for name, value in response.headers.items()}, self._now())
            return RateLimited(f"{label}'s limit for sign-ins is reached. {TRYING_AGAIN}", until=until, detail=detail)
        if status >= 500:
            return Temporary(f"{label}'s sign-in is not answering properly. {TRYING_AGAIN}", detail=detail)
        if 300 <= status < 400:
            return BadSettings(
                f"{label}'s sign-in sends us on to another address, which we do not follow.", detail=detail
            )
        if status < 300 and not isinstance(trouble, OAuthError):
            return self._lost(host, detail)
        if host == "revoke" and status != 401:
            return Refused(f"{label} did not end our access. Remove our app there.", detail=detail)
        return self._refusal(getattr(trouble, "error", None), status, detail)

    def _refusal(self, code: str | None, status: int, detail: str) -> VendorError:
        """What a refusal means: RFC 6749, section 5.2, and what vendors make of it."""
        label, sign_in = self._spec.label, self._sign_in
        if code in ("invalid_client", "unauthorized_client") or (code is None and status == 401):
            names = " and ".join(filter(None, (sign_in.client_id_setting, sign_in.client_secret_setting)))
            return BadSettings(f"{label} does not know our app: the operator must check {names}.", detail=detail)
        if code == "invalid_scope":
            return BadSettings(
                f"{label} does not grant our app these rights: the operator must check them.", detail=detail
            )
        if code is None or code in ("temporarily_unavailable", "server_error"):
            return Temporary(f"{label}'s sign-in is not answering properly. {TRYING_AGAIN}", detail=detail)
        return NeedsReauth(f"{label} no longer accepts this sign-in. Authorize again.", detail=detail)

    def _lost(self, host: str, detail: str) -> VendorError:
        label = self._spec.label
        if host == "revoke":
            return Temporary(f"{label}'s sign-in did not answer. {TRYING_AGAIN}", detail=detail)
        return Uncertain(f"{label}'s sign-in did not answer, so it may or may not have been done.", detail=detail)

    def _record(self, at: datetime, host: str, path: str, heard: list, ms: int, error: VendorError | None) -> None:
        if self._log is None:
            return
        name = urlsplit(self._base(host)).hostname or ""
        status, size = (heard[-1].status_code, len(heard[-1].content)) if heard else (None, 0)
        outcome, reason = ("good", "answered") if error is None else (error.code, "a sign-in call is made once only")
        self._log(CallRecord(at, "POST", path, name, status, ms, size, 1, outcome, reason))


def _unsent(trouble: Exception) -> bool:
    if isinstance(trouble, requests.ConnectTimeout) or "CERTIFICATE_VERIFY_FAILED" in str(trouble):
        return True
    inner = trouble.args[0] if trouble.args else None
    return isinstance(inner, MaxRetryError) and isinstance(inner.reason, (NewConnectionError, ConnectTimeoutError))
