"""What Merit's answers mean when they are no data. Its texts are localized, so they are known by fragments:
https://api.merit.ee/connecting-robots/reference-manual/authentication/ and .../faq/"""

import json
from collections.abc import Callable
from dataclasses import replace

from uku_web.vendors.base import by_status
from uku_web.vendors.calls import Answer
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    Refused,
    Temporary,
    Uncertain,
    VendorError,
)
from uku_web.vendors.merit.reading import Row, broken, decoded, record

LABEL = "Merit Aktiva"
Make = Callable[[str], VendorError]


def _unknown_id(detail: str) -> VendorError:
    return NeedsReauth(
        "Merit Aktiva does not know this API ID in the chosen country. Check the API ID and the country.",
        field="api_id",
        detail=detail,
    )


def _wrong_key(detail: str) -> VendorError:
    return NeedsReauth(
        "Merit Aktiva refused the signature: the API key does not belong to this API ID. Copy both again.",
        field="api_key",
        detail=detail,
    )


def _licence(detail: str) -> VendorError:
    return NotPermitted(
        "This company's Merit Aktiva licence does not allow API use. It needs PRO or PREMIUM.",
        what="licence",
        detail=detail,
    )


def _clock(detail: str) -> VendorError:
    return BadSettings(
        "Merit Aktiva refused the time of the request: the clock of this server is wrong. Ask its operator to set it.",
        detail=detail,
    )


# Whatever the status: one manual page says 401, another 400 or 404.
WORDS: tuple[tuple[str, Make], ...] = (
    ("api-wronglicense", _licence),
    ("api-invalidsignature", _wrong_key),
    ("api-wrongsignature", _wrong_key),
    ("api-missingurlparam", _unknown_id),
)

# On a 401 only. The text for a stamp out of its window is unknown; that it names the stamp is assumed.
WORDS_401: tuple[tuple[str, Make], ...] = (
    ("licen", _licence),
    ("timestamp", _clock),
    ("signature", _wrong_key),
)

# Seen in live answers. One fragment, one sentence, whether it means that the number is taken already.
REFUSALS: tuple[tuple[str, str, bool], ...] = (
    ("korduv arve", "Merit Aktiva already has an invoice with this number.", True),
    ("dokumendi kuup", "The date is outside the financial year that is open in Merit Aktiva. Open it there.", False),
    ("api-custexists", "Merit Aktiva already has a customer of this name with other details.", False),
    ("max 3 kuud", "Merit Aktiva refused the period as too long.", False),
)


def explain(answer: Answer) -> VendorError | None:
    error = _meaning(answer)
    if isinstance(error, Temporary) and not answer.call.repeat:
        return Uncertain("Merit Aktiva did not say whether it took this. We will ask it.", detail=error.detail)
    return error


def _meaning(answer: Answer) -> VendorError | None:
    if answer.ok:
        return _in_success(answer)
    message = message_of(answer)
    detail = f"HTTP {answer.status}: {message!r}"
    if answer.status in (400, 401, 403, 404) and (error := _by_words(WORDS, message, detail)):
        return error
    if answer.status == 401:
        return _by_words(WORDS_401, message, detail) or _unknown_id(detail)
    if answer.status == 400 and not answer.text:
        return _unknown_id(detail)  # what Finland's manual says an unknown ID looks like
    if answer.status in (400, 409, 422) or _bad_value(answer, message):
        return refusal(message, duplicate=answer.status == 409, detail=detail)
    return by_status(LABEL, answer)


def _in_success(answer: Answer) -> VendorError | None:
    """A 200 may hold a stack trace, a web page, half an answer or a refusal. Long lists are not parsed twice."""
    body = answer.body.removeprefix(b"\xef\xbb\xbf").strip()
    ends = body[:1] + body[-1:]
    if ends == b"[]":
        return None
    if ends == b'""' and len(body) > 1:
        return _in_success(replace(answer, body=_inner(body)))
    detail = f"HTTP {answer.status}: {answer.text[:300]!r}"
    if ends == b"{}" and (value := _object(answer)) is not None:
        return refusal(message_of(answer), detail=detail) if _is_refusal(value) else None
    return _by_words(WORDS, answer.text[:300], detail) or broken(detail)


def _object(answer: Answer) -> Row | None:
    try:
        return record(answer)
    except (Temporary, Uncertain):
        return None


def _is_refusal(value: Row) -> bool:
    return "errorcode" in value or ("message" in value and not {"header", "invoiceid"} & set(value))


def _inner(body: bytes) -> bytes:
    try:
        return json.loads(body).encode()
    except ValueError:
        return b""


def _bad_value(answer: Answer, message: str) -> bool:
    """A malformed value in what we wrote answers 500, surely before anything was done. A read is not ours to blame."""
    return answer.status == 500 and not answer.call.repeat and "formatexception" in message.lower()


def refusal(message: str, *, duplicate: bool = False, detail: str = "") -> Refused:
    for fragment, sentence, is_duplicate in REFUSALS:
        if fragment in message.lower():
            return Refused(sentence, duplicate=is_duplicate, detail=detail)
    said = f": {message.rstrip('.')}" if message else ""
    return Refused(f"{LABEL} refused it{said}.", duplicate=duplicate, detail=detail)


def message_of(answer: Answer) -> str:
    """What the vendor says, in one line of at most 300 letters; nothing of a web page."""
    try:
        value = decoded(answer)
    except (Temporary, Uncertain):
        value = answer.text
    if isinstance(value, dict):
        value = " ".join(str(value[key]) for key in ("errorcode", "message") if value.get(key))
    line = " ".join(str(value or "").split())
    return "" if line.startswith("<") else line[:300]


def _by_words(table: tuple[tuple[str, Make], ...], message: str, detail: str) -> VendorError | None:
    lowered = message.lower()
    return next((make(detail) for fragment, make in table if fragment in lowered), None)
