"""What all connectors share: a door, credentials, and the meaning of an HTTP status where a vendor says no more."""

from collections.abc import Mapping
from datetime import datetime
from typing import ClassVar

from uku_web.vendors.calls import Answer, Call, Door
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    Temporary,
    VendorError,
)
from uku_web.vendors.spec import VendorSpec


class BaseConnector:
    """A connector gets one door and credentials. It touches no database, Flask, Redis or sleep.

    `credentials` holds the declaration's field names, and for renewed tokens what `renew` gave.
    `options` holds the vendor options of the Settings tab.
    """

    spec: ClassVar[VendorSpec]

    def __init__(
        self,
        door: Door,
        credentials: Mapping[str, str],
        *,
        account_id: str | None = None,
        options: Mapping[str, str] | None = None,
    ):
        self.door = door
        self.credentials = credentials
        self.account_id = account_id
        self.options = options or {}

    def prepare(self, call: Call, now: datetime) -> Call:
        return call

    def explain(self, answer: Answer) -> VendorError | None:
        """The one hook a vendor overrides; it also sees 2xx answers. Falls back to `by_status`."""
        return by_status(self.spec.label, answer)

    def send(self, call: Call) -> Answer:
        return self.door.send(call, self)

    def send_all(self, calls: list[Call]) -> list[Answer]:
        return self.door.send_all(calls, self)


def by_status(label: str, answer: Answer) -> VendorError | None:
    """What a status means when the body says no more. The rate limit's reset is read by the door."""
    status, detail = answer.status, f"HTTP {answer.status}: {answer.text[:300]!r}"
    if answer.ok:
        return None
    if status == 401:
        return NeedsReauth(f"{label} refused the credentials. Check them and connect again.", detail=detail)
    if status == 403:
        return NotPermitted(f"{label} does not allow this with the rights given.", what="role", detail=detail)
    if status in (404, 405, 410):
        return BadSettings(f"{label} does not know this address or record.", detail=detail)
    if status == 429:
        return RateLimited(f"{label}'s limit is reached. We go on when it resets.", detail=detail)
    if status in (400, 409, 413, 422):
        return Refused(f"{label} refused the request.", duplicate=status == 409, detail=detail)
    return Temporary(f"{label} is not answering properly at the moment. We will try again.", detail=detail)
