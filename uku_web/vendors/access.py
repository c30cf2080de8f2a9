"""From a kind and credentials to a connector with its door: addresses, budgets and secrets put together."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from uku_web.vendors import registry
from uku_web.vendors.addresses import Guard, checked_host, host_port
from uku_web.vendors.base import BaseConnector
from uku_web.vendors.budget import Budgets, BudgetStore, Claim, Grant, LocalBudgets, share
from uku_web.vendors.errors import BadSettings, RateLimited
from uku_web.vendors.http import GuardedTransport, HttpDoor
from uku_web.vendors.oauth import SignInDoor
from uku_web.vendors.redact import CallRecord, Redactor
from uku_web.vendors.spec import BucketKey, Budget, Variant, VendorSpec

SIGN_IN_HOSTS = ("auth", "authorize", "token", "revoke", "connections")  # what the sign-in override stands for
PATIENCE = {"background": 10.0, "person": 5.0}
LEASE_SPARE = 15.0  # seconds beyond a call's own time-out before its place is given away

Log = Callable[[CallRecord], None]
Renew = Callable[[], Mapping[str, str] | None]


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Setup:
    """What connectors need of the process: made once, used by all threads.

    `environ` holds the operator's settings, `allow_private` what he opened besides ("host:port", "host", network).
    """

    environ: Mapping[str, str] = field(default_factory=dict, repr=False)
    redis: Any = None
    now: Callable[[], datetime] = _utc_now
    allow_private: tuple[str, ...] = ()
    sleep: Callable[[float], None] = time.sleep
    transport: Any = None  # for tests: an httpx transport in place of sockets
    _kept: dict = field(default_factory=dict, init=False, repr=False, compare=False)
    _lock: Any = field(default_factory=threading.Lock, init=False, repr=False, compare=False)

    @property
    def budgets(self) -> BudgetStore:
        make = LocalBudgets if self.redis is None else partial(Budgets, self.redis)
        return self._keep("budgets", lambda: make(self.now))

    def transport_for(self, guard: Guard) -> Any:
        """One pool of connections for all doors of this process that may go to the same places."""
        if self.transport is not None:
            return self.transport
        return self._keep(("transport", os.getpid(), guard.allowed), lambda: GuardedTransport(guard))

    def close(self) -> None:
        """Close the connections that are kept open."""
        for kept in [self._kept.pop(key) for key in list(self._kept) if key[0] == "transport"]:
            kept.close()

    def _keep(self, key: Any, make: Callable[[], Any]) -> Any:
        with self._lock:
            if key not in self._kept:
                self._kept[key] = make()
            return self._kept[key]


class Purse:
    """The budgets of one connection: which buckets a call draws on, and what its answer's headers tell of them.

    `patience`: the longest wait in seconds that keeps a worker or a person; anything longer raises RateLimited.
    """

    def __init__(self, spec: VendorSpec, identities: Mapping[BucketKey, str], setup: Setup, lane: str):
        self._label, self._setup, self._lane = spec.label, setup, lane
        self.patience = PATIENCE[lane]
        # Also a vendor that declares nothing may refuse: its pauses need a place to be learned in.
        budgets = (*spec.budgets, Budget("any", BucketKey.TENANT, None, purpose=""))
        self._claims = [Claim(_bucket_key(spec.kind, budget, identities[budget.key]), budget) for budget in budgets]

    def claims(self, purpose: str) -> list[Claim]:
        return [claim for claim in self._claims if claim.budget.purpose in (purpose, "*")] or self._claims[-1:]

    def concurrency(self, purpose: str, default: int = 4) -> int:
        """How many calls of this purpose may be under way at once."""
        told = [claim.budget for claim in self.claims(purpose) if claim.budget.concurrency]
        return min((int(share(b.concurrency, b.reserve, self._lane)) for b in told), default=default)

    def draw(self, purpose: str, seconds: float, cost: int = 1) -> Grant:
        """A place for one call that may last so long. Raises RateLimited when none comes free in time."""
        waited = 0.0
        while True:
            lease = seconds + LEASE_SPARE
            grant = self._setup.budgets.take(self.claims(purpose), cost=cost, lane=self._lane, lease=lease)
            if grant.granted:
                return grant
            if waited + grant.wait > self.patience:
                until = self._setup.now() + timedelta(seconds=max(grant.wait, 1.0))
                sentence = f"{self._label} allows no more requests at the moment. We go on when it does."
                raise RateLimited(sentence, until=until, bucket=grant.bucket, detail=f"{grant.wait:.1f} s to wait")
            self._setup.sleep(grant.wait)
            waited += grant.wait

    def settle(self, grant: Grant, headers: Mapping[str, str] | None, now: datetime, **told: Any) -> float:
        """Give the place back; `told` as in the store's `settle`. Returns the seconds to wait after a refusal."""
        readers = [(claim.budget.name, claim.budget.read) for claim in grant.claims if headers and claim.budget.read]
        readings = {name: read(headers, now) for name, read in readers}
        return self._setup.budgets.settle(grant, {name: found for name, found in readings.items() if found}, **told)


def _bucket_key(kind: str, budget: Budget, identity: str) -> str:
    """Hashed: an identity may be made of secrets, and Redis keys are seen by whoever looks after it."""
    return f"uku:budget:{_hash(kind, budget.name, budget.key, identity)}"


def _hash(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def open_connector(
    kind: str,
    credentials: Mapping[str, str],
    *,
    setup: Setup,
    account_id: str | None = None,
    options: Mapping[str, str] | None = None,
    lane: str = "background",
    log: Log | None = None,
    renew: Renew | None = None,
) -> BaseConnector:
    """A connector of this kind with its door. Raises BadSettings when it has no address, UnknownVendor, LookupError."""
    spec = registry.spec_of(kind)
    variant = spec.variant_of(credentials)
    hosts = base_urls(kind, variant.key, setup)
    _refuse_unset(spec, variant, hosts)
    hosts = {name: checked_host(host, credentials, spec) for name, host in hosts.items() if host}
    plain = _overridden(spec, variant, setup)
    door = HttpDoor(
        label=spec.label,
        hosts=hosts,
        purse=Purse(spec, identities(spec, variant, credentials, account_id), setup, lane),
        redact=Redactor(spec, credentials),
        now=setup.now,
        transport=setup.transport_for(Guard((*plain, *setup.allow_private))),
        plain=plain,
        sleep=setup.sleep,
        log=log,
        renew=renew,
    )
    return registry.connector_class(kind)(door, credentials, account_id=account_id, options=options)


def open_sign_in(
    kind: str, variant_key: str | None = None, *, setup: Setup, lane: str = "person", log: Log | None = None
) -> SignInDoor:
    """The sign-in of a vendor and variant. Raises BadSettings that names the operator's missing setting."""
    spec = registry.spec_of(kind)
    if spec.sign_in is None:
        raise LookupError(f"{spec.label} has no sign-in")
    variant = spec.variant(variant_key)
    missing = [setting.name for setting in missing_settings(spec, variant, setup)]
    if missing:
        raise BadSettings(f"{spec.label} cannot be used yet: the operator must set {' and '.join(missing)}.")
    app = {name: setup.environ.get(name, "") for name in _app_settings(spec)}
    plain = _overridden(spec, variant, setup)
    return SignInDoor(
        spec=spec,
        hosts={name: url for name, url in base_urls(kind, variant.key, setup).items() if name in SIGN_IN_HOSTS},
        client_id=app.get(spec.sign_in.client_id_setting, ""),
        client_secret=app.get(spec.sign_in.client_secret_setting, ""),
        scopes=setup.environ.get(spec.sign_in.scopes_setting or "") or None,
        purse=Purse(spec, identities(spec, variant, app, None), setup, lane),
        guard=Guard((*plain, *setup.allow_private)),
        plain=plain,
        now=setup.now,
        log=log,
    )


def base_urls(kind: str, variant: str | None, setup: Setup) -> dict[str, str]:
    """The base addresses in force by purpose, "auth" among them where there is a sign-in; "" = not configured yet."""
    spec = registry.spec_of(kind)
    chosen = spec.variant(variant)
    hosts = dict(chosen.hosts) | ({} if chosen.auth_host is None else {"auth": chosen.auth_host})
    api, auth = (_override(prefix, spec, chosen, setup) for prefix in ("UKU_VENDOR_URL", "UKU_VENDOR_AUTH_URL"))
    return {name: (auth if name in SIGN_IN_HOSTS else api) or host for name, host in hosts.items()}


def missing_settings(spec: VendorSpec, variant: Variant, setup: Setup) -> list:
    """The operator settings without which this variant cannot be used."""
    needed = [s for s in spec.operator_settings if not s.variants or variant.key in s.variants]
    return [setting for setting in needed if not setup.environ.get(setting.name)]


def identities(
    spec: VendorSpec, variant: Variant, credentials: Mapping[str, str], account_id: str | None
) -> dict[BucketKey, str]:
    """Who shares the buckets. Only lasting credentials count: a renewed token must not open a fresh budget."""
    lasting = {field.name for field in spec.credentials} - {spec.variant_field}
    own = {name: value for name, value in credentials.items() if name in lasting} or dict(credentials)
    secret = {name: value for name, value in own.items() if name in spec.secret_fields()}
    tenant = account_id or _hash(*(f"{name}={own[name]}" for name in sorted(own)))
    token = _hash(*(f"{name}={secret[name]}" for name in sorted(secret))) if secret else tenant
    names = {BucketKey.TENANT: tenant, BucketKey.USER: token, BucketKey.TOKEN: token, BucketKey.APP: ""}
    return {key: f"{variant.key}\n{name}" for key, name in names.items()}


def _app_settings(spec: VendorSpec) -> Iterable[str]:
    sign_in = spec.sign_in
    return [name for name in (sign_in.client_id_setting, sign_in.client_secret_setting) if name]


def _setting_names(prefix: str, spec: VendorSpec, variant: Variant) -> Sequence[str]:
    kind, key = (text.upper().replace("-", "_") for text in (spec.kind, variant.key))
    return [f"{prefix}_{kind}_{key}", f"{prefix}_{kind}"]


def _override(prefix: str, spec: VendorSpec, variant: Variant, setup: Setup) -> str | None:
    for name in _setting_names(prefix, spec, variant):
        url = setup.environ.get(name, "").strip().rstrip("/")
        if url:
            return _checked(url, name)
    return None


def _checked(url: str, setting: str) -> str:
    try:
        parts = urlsplit(url)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1)
    except ValueError:
        good = False
    if not good or parts.username or parts.query or parts.fragment or set("{} ") & set(url):
        raise BadSettings(f"The setting {setting} is not an address such as https://host/path.")
    return url


def _overridden(spec: VendorSpec, variant: Variant, setup: Setup) -> frozenset[str]:
    """The "host:port"s that the operator's overrides permit, also without TLS and on loopback."""
    found = (_override(prefix, spec, variant, setup) for prefix in ("UKU_VENDOR_URL", "UKU_VENDOR_AUTH_URL"))
    return frozenset(host_port(url) for url in found if url)


def _refuse_unset(spec: VendorSpec, variant: Variant, hosts: Mapping[str, str]) -> None:
    if not hosts.get("api"):
        name = _setting_names("UKU_VENDOR_URL", spec, variant)[-1 if len(spec.variants) == 1 else 0]
        raise BadSettings(f"{spec.label} has no address yet: the operator must set {name}.")
