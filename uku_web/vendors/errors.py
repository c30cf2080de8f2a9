"""What can go wrong at a vendor, told by kind: the class decides who is told and what happens next.

Every error carries a sentence for the person (what happened, what to do next) and a detail for the log.
Neither may hold a secret.
"""

from datetime import datetime


class VendorError(Exception):
    """Something went wrong at, or on the way to, a vendor."""

    code = "error"

    def __init__(self, sentence: str, *, detail: str = ""):
        super().__init__(sentence)
        self.sentence = sentence
        self.detail = detail


class NeedsReauth(VendorError):
    """Credentials are refused: a person must give new ones. Scheduled runs pause until a test passes."""

    code = "credentials"

    def __init__(self, sentence: str, *, field: str | None = None, detail: str = ""):
        super().__init__(sentence, detail=detail)
        self.field = field  # the credential field to look at


class StaleToken(NeedsReauth):
    """The access or session token ran out; the door renews it once before anybody is told."""


class NotPermitted(VendorError):
    """The vendor's licence, plan or role does not allow it."""

    code = "not_permitted"

    def __init__(self, sentence: str, *, what: str, detail: str = ""):
        super().__init__(sentence, detail=detail)
        self.what = what  # "licence", "plan", "role" or the missing scope


class BadSettings(VendorError):
    """A setting or a pasted value cannot be right."""

    code = "settings"

    def __init__(self, sentence: str, *, field: str | None = None, suggestion: str | None = None, detail: str = ""):
        super().__init__(sentence, detail=detail)
        self.field = field
        self.suggestion = suggestion


class Temporary(VendorError):
    """An outage or a broken answer: we try again, nobody is bothered."""

    code = "temporary"


class RateLimited(VendorError):
    """The vendor's limit is reached; we wait for its own reset."""

    code = "limit"

    def __init__(self, sentence: str, *, until: datetime | None = None, bucket: str | None = None, detail: str = ""):
        super().__init__(sentence, detail=detail)
        self.until = until  # aware; None = the vendor did not say
        self.bucket = bucket


class Refused(VendorError):
    """The vendor refuses this one record and says why."""

    code = "refused"

    def __init__(self, sentence: str, *, record: str | None = None, duplicate: bool = False, detail: str = ""):
        super().__init__(sentence, detail=detail)
        self.record = record
        self.duplicate = duplicate


class Uncertain(VendorError):
    """A write whose answer never came: it may have been done. Ask the vendor before anything is posted again."""

    code = "uncertain"
