"""One call to a vendor and its answer, as plain values; what the door sends and gives back."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Protocol

from uku_web.vendors.errors import Temporary, Uncertain, VendorError


@dataclass(frozen=True)
class Call:
    """A request as the connector means it, before it is signed.

    `path` is the template that logs show; its {names} are filled from `path_values`, percent-encoded.
    `query_text`, when given, is sent to the letter instead of `query`: signatures may depend on every byte.
    `repeat` says whether the call may be sent again after an answer that never came: some vendors read by POST
    and some write by GET, so the method does not tell.
    """

    method: str
    path: str
    host: str = "api"
    path_values: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()
    query_text: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = None
    repeat: bool = True
    purpose: str = "api"  # which budgets it draws on
    cost: int = 1
    timeout: float = 30.0  # seconds for the whole answer
    max_bytes: int = 64 * 1024 * 1024

    def with_query(self, *pairs: tuple[str, str]) -> "Call":
        return replace(self, query=self.query + pairs)

    def with_headers(self, **headers: str) -> "Call":
        return replace(self, headers={**self.headers, **headers})

    def with_json(self, value: Any) -> "Call":
        return replace(
            self,
            body=to_json(value),
            headers={"Content-Type": "application/json; charset=utf-8", **self.headers},
        )


@dataclass(frozen=True)
class Answer:
    """A complete answer. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    call: Call
    at: datetime

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    @property
    def text(self) -> str:
        return self.body.decode("utf-8-sig", errors="replace").strip()

    def json(self) -> Any:
        """The body as JSON with Decimal numbers. When it is none, Temporary is raised for what may be repeated (a
        vendor's outage often answers with a web page), and Uncertain for a write."""
        try:
            return json.loads(self.text, parse_float=Decimal)
        except ValueError as error:
            detail = f"not JSON: {self.text[:200]!r}"
            if not self.call.repeat:
                sentence = "The accounting system's answer could not be read. We look there before sending again."
                raise Uncertain(sentence, detail=detail) from error
            sentence = "The accounting system answered with something that is not data. We will try again."
            raise Temporary(sentence, detail=detail) from error


def to_json(value: Any) -> bytes:
    """Compact UTF-8 JSON; Decimals are written as exact numbers, which json.dumps cannot do."""
    return _json_text(value).encode()


def _json_text(value: Any) -> str:
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{_json_text(str(key))}:{_json_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ",".join(map(_json_text, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


class Caller(Protocol):
    """The side of a connector that the door talks to."""

    def prepare(self, call: Call, now: datetime) -> Call:
        """The call signed or with its token, anew for every attempt. Pure."""

    def explain(self, answer: Answer) -> VendorError | None:
        """What this answer means, also when its status is 2xx; None = it is good. Pure."""


class Door(Protocol):
    """The one way to a vendor's API."""

    def send(self, call: Call, caller: Caller) -> Answer:
        """Send one call: budget, signature, time-out, retries where they are safe. Raises a VendorError."""

    def send_all(self, calls: "list[Call]", caller: Caller) -> "list[Answer]":
        """The same for many calls at once, up to the vendor's allowance; answers in the order of the calls.
        The first error ends it."""

    def now(self) -> datetime:
        """The present, aware; the caller's clock."""
