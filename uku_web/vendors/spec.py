"""The declaration of a vendor: the only source for card, dialog, form, masking, redaction, data fields and budgets.

Everything general asks the declaration; no vendor's name stands outside its own folder.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Auth(StrEnum):
    """How a vendor lets us in."""

    OAUTH2 = "oauth2"  # sign-in, access and refresh token
    GRANT = "grant"  # sign-in that hands over a lasting token, nothing to refresh
    API_KEY = "api_key"  # pasted values sent as they are
    SIGNED_KEY = "signed_key"  # pasted values that sign each request
    SESSION = "session"  # pasted values that open a session of limited life

    @property
    def by_sign_in(self) -> bool:
        return self in (Auth.OAUTH2, Auth.GRANT)


class Direction(StrEnum):
    IN = "in"
    OUT = "out"
    BOTH = "both"


@dataclass(frozen=True)
class Field:
    """One labelled input: a credential, or an option on the Settings tab."""

    name: str
    label: str
    secret: bool = False
    required: bool = True
    choices: tuple[tuple[str, str], ...] = ()  # (value, label)
    kind: str = "text"  # text, choice, date
    pattern: str | None = None
    pattern_error: str = ""
    hint: str = ""
    default: str = ""
    help_anchor: str = ""  # heading in the vendor's manual page
    suggest: Callable[[str], str | None] | None = None  # a better value found inside a wrong one


@dataclass(frozen=True)
class Variant:
    """A separate installation of the vendor: a country or an environment. Hosts by purpose, without trailing slash.

    A host may hold {name} of a credential field; the value must match that field's pattern before it is used.
    """

    key: str
    label: str
    hosts: Mapping[str, str]  # "api" always; others where the vendor has several
    auth_host: str | None = None  # before sign-in, token, revoke and connections paths
    older_hosts: tuple[str, ...] = ()  # other names of the same installation, allowed as override


@dataclass(frozen=True)
class Sync:
    """One row of "What syncs"."""

    data: str
    direction: Direction
    note: str = ""


@dataclass(frozen=True)
class StatField:
    """One data field of the monthly statistics."""

    key: str
    label: str
    help: str  # what exactly is counted, in one sentence
    more: bool = False  # behind "Show more"
    books: bool = True  # countable for the whole books of an account
    customer: bool = False  # countable for one customer of it
    money: bool = False  # an amount, net, in the books' currency; else a count
    scope: str | None = None  # the right a sign-in must have granted


class BucketKey(StrEnum):
    """Who shares a budget."""

    TENANT = "tenant"  # one account at the vendor
    USER = "user"  # the person who authorized
    TOKEN = "token"  # the credential itself
    APP = "app"  # our app at the vendor, over all accounts


@dataclass(frozen=True)
class Reading:
    """What a vendor's headers said about a bucket. Times are aware; None = not said."""

    limit: int | None = None
    remaining: int | None = None
    resets_at: datetime | None = None
    window: float | None = None  # seconds, where the vendor tells the window too


@dataclass(frozen=True)
class Budget:
    """One rate bucket, shared by all workers."""

    name: str
    key: BucketKey
    limit: int | None  # calls (or cost units) in a window; None = learned from headers
    window: float = 60.0  # seconds
    sliding: bool = True
    concurrency: int | None = None
    purpose: str = "api"  # which calls draw on it: "api", "token", or "*"
    reserve: float = 0.2  # share kept for people at the screen
    weighed: bool = True  # counts a call's cost; False: every call counts one
    read: Callable[[Mapping[str, str], datetime], Reading | None] | None = None  # (headers, now)


@dataclass(frozen=True)
class SecretPlaces:
    """Where secrets travel, so that logs can leave them out. Names are compared without case."""

    headers: tuple[str, ...] = ()
    query: tuple[str, ...] = ()
    body: tuple[str, ...] = ()
    path: tuple[str, ...] = ()  # names of path values


@dataclass(frozen=True)
class OperatorSetting:
    """A setting of the instance without which the vendor cannot be used."""

    name: str  # environment variable
    label: str
    secret: bool = True
    variants: tuple[str, ...] = ()  # needed for these only; empty = always


@dataclass(frozen=True)
class SignIn:
    """The sign-in of a vendor whose credentials come from a redirect. Paths stand after the variant's auth_host."""

    authorize_path: str
    token_path: str | None = None  # None: the callback brings the lasting token itself
    revoke_path: str | None = None
    revoke_as_json: bool = False  # the body of the revoke call; else a form
    scopes: tuple[str, ...] = ()
    scopes_setting: str | None = None  # environment variable that replaces the scopes
    client_id_setting: str = ""
    client_secret_setting: str = ""
    pkce: bool = False
    client_auth: str = "client_secret_basic"
    authorize_extra: Mapping[str, str] = field(default_factory=dict)
    renames: Mapping[str, str] = field(default_factory=dict)  # our parameter name -> the vendor's
    callback_secrets: tuple[str, ...] = ("code", "state")


@dataclass(frozen=True)
class Lifetimes:
    """How long credentials live. Seconds; None = no end known."""

    access: int | None = None
    refresh_idle: int | None = None
    refresh_hard: int | None = None
    expiry_field: str | None = None  # credential field in which a person tells the end date
    told_by_test: bool = False  # the connection test tells the end date


class Replay(StrEnum):
    """How a create is made safe to repeat."""

    VENDOR_KEY = "vendor_key"  # the vendor remembers a key of ours
    OUR_NUMBER = "our_number"  # a repeated number is refused
    SEARCH = "search"  # ask for our reference before any second create
    NONE = "none"  # nothing is created there


@dataclass(frozen=True)
class Mark:
    """Our own drawing for a vendor: one or two letters in a shape of one of eight hues."""

    text: str
    hue: int


@dataclass(frozen=True)
class VendorSpec:
    kind: str
    label: str
    regions: tuple[str, ...]  # ISO country codes, or "GLOBAL"
    auth: Auth
    variants: tuple[Variant, ...]
    credentials: tuple[Field, ...]
    syncs: tuple[Sync, ...]
    statistics: tuple[StatField, ...]
    budgets: tuple[Budget, ...]
    mark: Mark
    summary: str  # one sentence for the card
    rights: str  # what the person needs at the vendor
    aliases: tuple[str, ...] = ()
    variant_field: str | None = None  # the credential field that chooses the variant
    variant_noun: str = ""
    where_credentials: str = ""  # where in the vendor's screens they are found
    secret_places: SecretPlaces = SecretPlaces()
    sign_in: SignIn | None = None
    operator_settings: tuple[OperatorSetting, ...] = ()
    lifetimes: Lifetimes = Lifetimes()
    options: tuple[Field, ...] = ()  # vendor options on the Settings tab
    replay: Replay = Replay.NONE
    tells_name: bool = True  # the test tells the company's name; else it is asked on Save
    variants_exclusive: bool = False  # a refused key may belong to another variant: try and offer it
    own_credentials: bool = True  # a client may be linked with credentials of its own
    whole_books: bool = True  # a link may be to the whole books of an account
    picks_customer: bool = False  # a link may be to one customer of the account
    shares_pairs: bool = False  # saved client-level credentials are offered to other clients
    caches: bool = False  # the vendor caches; a reload asks past it
    likely_causes: tuple[str, ...] = ()  # of a failed test, most common first
    removal: str = ""  # how a person removes the app at the vendor
    docs_url: str = ""

    def variant(self, key: str | None) -> Variant:
        """The variant of this key; the first one where the vendor has no choice."""
        if key is None and self.variant_field is None:
            return self.variants[0]
        for variant in self.variants:
            if variant.key == key:
                return variant
        raise LookupError(f"{self.label} has no {self.variant_noun or 'variant'} {key!r}")

    def variant_of(self, credentials: Mapping[str, str]) -> Variant:
        return self.variant(credentials.get(self.variant_field) if self.variant_field else None)

    def stat_field(self, key: str) -> StatField:
        for stat in self.statistics:
            if stat.key == key:
                return stat
        raise LookupError(f"{self.label} has no data field {key!r}")

    def secret_fields(self) -> frozenset[str]:
        return frozenset(f.name for f in self.credentials if f.secret)

    def countable(self, *, whole_books: bool) -> tuple[StatField, ...]:
        """The data fields a link of this target can count."""
        return tuple(s for s in self.statistics if (s.books if whole_books else s.customer))
