"""Takes secrets out of any text before a person, a log or an exception sees it."""

import base64
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from urllib.parse import quote, quote_plus

from uku_web.vendors.calls import Call
from uku_web.vendors.errors import VendorError
from uku_web.vendors.spec import SecretPlaces, VendorSpec

MASK = "•••"
SHORTEST = 4  # a shorter value stands in half of all texts
HEADERS = ("authorization", "proxy-authorization", "cookie", "set-cookie")
NAMES = ("access_token", "refresh_token", "id_token", "client_secret", "code_verifier", "password", "assertion")
_OPEN_SUFFIXES = ("_at", "_on", "_in", "_id")  # dates, lifetimes and ids that renewals bring beside tokens
_PAIR_USERS = ("", "0")  # user names that go with a secret as password


@dataclass(frozen=True)
class CallRecord:
    """One attempt, as logs show it: the path's template and never a value."""

    at: datetime
    method: str
    path: str
    host: str
    status: int | None  # None: no answer came
    ms: int
    bytes: int
    attempt: int
    outcome: str  # "good" or the error's code
    reason: str  # why it was repeated or not


class Redactor:
    """Masks one connection's secrets: their values in every form they travel in, and the places they stand in."""

    def __init__(self, spec: VendorSpec, credentials: Mapping[str, str], *, secrets: Iterable[str] = ()):
        self._spec = spec
        callback = spec.sign_in.callback_secrets if spec.sign_in else ()
        self._named = _place_patterns(_places(spec), callback)
        self._secrets = frozenset(secrets)
        self._others: frozenset[str] = frozenset()
        self.learn(credentials)

    def learn(self, credentials: Mapping[str, str]) -> None:
        """Take in further credentials, such as renewed tokens; earlier ones stay secret."""
        declared = {field.name: field.secret for field in self._spec.credentials}
        secret = {name for name in credentials if declared.get(name, not name.endswith(_OPEN_SUFFIXES))}
        self._secrets |= {str(credentials[name]) for name in secret if credentials[name]}
        self._others |= {str(credentials[name]) for name in set(credentials) - secret if credentials[name]}
        self.__dict__.pop("_values", None)

    def seeing(self, call: Call) -> "Redactor":
        """The same, for texts about one prepared call: also what it carries in its secret places."""
        places, more = _places(self._spec), set()
        for name, value in call.headers.items():
            if name.lower() in places.headers:
                more |= {value, value.rpartition(" ")[2]}
        more |= {value for name, value in call.query if name.lower() in places.query}
        more |= {value for name, value in call.path_values.items() if name.lower() in places.path}
        return Redactor(self._spec, {}, secrets=self._secrets | more)._with_others(self._others)

    def _with_others(self, others: frozenset[str]) -> "Redactor":
        self._others = others
        return self

    def __call__(self, text: str) -> str:
        if not text:
            return text
        for pattern in self._named:
            text = pattern.sub(rf"\1{MASK}", text)
        return self._values.sub(MASK, text)

    def clean(self, error: VendorError) -> VendorError:
        """The same error with secrets taken out of its texts."""
        error.sentence, error.detail = self(error.sentence), self(error.detail)
        error.args = tuple(self(arg) if isinstance(arg, str) else arg for arg in error.args)
        return error

    @cached_property
    def _values(self) -> re.Pattern[str]:
        forms = {form for secret in self._secrets for form in _forms(secret)}
        users = {*self._secrets, *self._others, *_PAIR_USERS}
        forms |= {_basic(f"{user}:{secret}") for user in users for secret in self._secrets}
        forms |= {_basic(f"{secret}:{other}") for secret in self._secrets for other in {*self._others, ""}}
        long = sorted((form for form in forms if len(form) >= SHORTEST), key=len, reverse=True)
        return re.compile("|".join(map(re.escape, long)) or r"(?!)")


def _forms(secret: str) -> set[str]:
    """How a value may be written on its way: raw, in an address, in a form, in JSON, in base64."""
    encoded = {quote(secret), quote(secret, safe=""), quote_plus(secret)}
    lower = {re.sub(r"%[0-9A-F]{2}", lambda hexes: hexes[0].lower(), text) for text in encoded}
    texts = {json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1]}
    return {secret, secret.strip(), *encoded, *lower, *texts, _basic(secret), _basic(secret).rstrip("=")}


def _basic(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _places(spec: VendorSpec) -> SecretPlaces:
    """The declared places and those that are secret everywhere, in lower case."""
    own = spec.secret_places
    return SecretPlaces(
        headers=_lower(own.headers, HEADERS),
        query=_lower(own.query, NAMES),
        body=_lower(own.body, NAMES),
        path=_lower(own.path),
    )


def _lower(*groups: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name.lower() for group in groups for name in group))


def _place_patterns(places: SecretPlaces, callback: Iterable[str]) -> list[re.Pattern[str]]:
    """Header lines, query and form pairs, JSON and Python mappings, XML elements; group 1 stays."""
    named = _any((*places.headers, *places.body, *places.query))
    patterns = (
        rf"(\b{_any(places.headers)}:[ \t]*)(?=\S)[^\r\n]+",
        rf"((?<![\w-]){_any((*places.query, *places.body, *callback))}=)[^\s&\"'#<]+",
        rf"((\\?[\"']){named}\2\s*[:,]\s*b?\\?[\"'])(?:\\[^\"']|[^\"'\\])+",
        rf"((\\?[\"']){named}\2\s*:\s*)[\w.+-]+",
        rf"(<(?:\w+:)?{_any(places.body)}(?:\s[^>]*)?>)[^<]+",
    )
    return [re.compile(pattern, re.IGNORECASE) for pattern in patterns]


def _any(names: Iterable[str]) -> str:
    return "(?:" + ("|".join(map(re.escape, names)) or "(?!)") + ")"
