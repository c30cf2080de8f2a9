"""What SmartAccounts' answers mean when they are no data: section "Errors" of the API document.

The names in its error JSON are not published, so a refusal is known by words, wherever they stand.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from uku_web.vendors.base import by_status
from uku_web.vendors.calls import Answer
from uku_web.vendors.errors import (
    BadSettings,
    NeedsReauth,
    NotPermitted,
    RateLimited,
    Refused,
    Temporary,
    Uncertain,
    VendorError,
)
from uku_web.vendors.retry import reset_time
from uku_web.vendors.smartaccounts.reading import broken

LABEL = "SmartAccounts"
MOST_SKEW = timedelta(minutes=15)
FILES = (":getxml", ":getpdf")  # these answer with something else than JSON

CLOCK = re.compile(r"time ?stamp|clock|ajatempel", re.I)
SECRET = re.compile(r"signature|signatuur|allkiri", re.I)
RIGHTS = re.compile(r"\brights?\b|permission|õigus", re.I)
KEY = re.compile(r"api[ _-]?key|api[ _-]?võti|unknown company", re.I)
BILL = re.compile(r"\b(bills?|unpaid|tasumata|maksmata|arved?|arvet)\b", re.I)
LIMIT = re.compile(r"limit|too many|quota|number of (requests|queries)|päringu", re.I)
OUTAGE = re.compile(r"^<|exception", re.I)
ERROR_CODE = re.compile(r"[A-Z]{2,}(?:-[A-Z]{2,})+")  # such as PERIOD-LOCKED
LEADING_CODES = re.compile(rf"^({ERROR_CODE.pattern} )+")

# What a refusal holds; a sentence; whether it means that it is there already.
REFUSALS: tuple[tuple[re.Pattern[str], str, bool], ...] = (
    (
        re.compile(r"credit-invoice-(entry-)?earlier-than-base", re.I),
        "The credit note is dated before the invoice that it credits. Change its date and send it again.",
        False,
    ),
    (
        re.compile(r"\block|lukus", re.I),
        "The date is in a period that is locked in SmartAccounts. Open the period there, or change the date.",
        False,
    ),
    (
        re.compile(
            r"(invoice[ _-]?number|arve number).*(already|in use|not unique|duplicate|juba|kasutusel)"
            r"|(already|duplicate|juba).*(invoice[ _-]?number|arve number)",
            re.I,
        ),
        "SmartAccounts already has an invoice with this number.",
        True,
    ),
)
NOT_FOUND = re.compile(r"not[ _-]?found|does not exist|unknown id|no such|ei leitud|ei leia", re.I)


def explain(answer: Answer) -> VendorError | None:
    error = _in_success(answer) if answer.ok else _in_failure(answer)
    if isinstance(error, Temporary) and not answer.call.repeat:
        return Uncertain(f"{LABEL} did not say whether it took this. We will ask it.", detail=error.detail)
    return error


def _in_failure(answer: Answer) -> VendorError | None:
    message = message_of(answer)
    detail = f"HTTP {answer.status}: {message or answer.text[:300]!r}"
    if answer.status == 401:
        return _unauthorized(answer, message, detail)
    if answer.status == 429:
        return _limit(detail)
    if answer.status == 503:
        return _unavailable(answer, message, detail)
    if answer.status in (400, 409, 413, 422):
        return refusal(message, duplicate=answer.status == 409, detail=detail)
    return by_status(LABEL, answer)


def _unauthorized(answer: Answer, message: str, detail: str) -> VendorError:
    told = [pattern for pattern in (CLOCK, SECRET, KEY, RIGHTS) if pattern.search(message)]
    if told == [RIGHTS]:
        return by_status(LABEL, replace(answer, status=403))
    if told == [CLOCK] or (not told and _is_skewed(answer)):
        return BadSettings(
            f"{LABEL} refused the time of the request: the clock of this server is wrong. Ask its operator to set it.",
            detail=detail,
        )
    if told == [KEY]:
        return NeedsReauth(f"{LABEL} does not know this API key. Copy both again.", field="api_key", detail=detail)
    if told == [SECRET]:
        sentence = f"{LABEL} refused the signature: the API secret does not belong to this API key. Copy both again."
    else:
        sentence = f"{LABEL} refused the API key or the API secret. Copy both again, or make a new pair there."
    return NeedsReauth(sentence, field="api_secret", detail=detail)


def _is_skewed(answer: Answer) -> bool:
    """The vendor's own clock stands in a header, whatever the body says."""
    there = reset_time(answer.headers.get("date"), answer.at)
    return there is not None and abs(there - answer.at) > MOST_SKEW


def _unavailable(answer: Answer, message: str, detail: str) -> VendorError:
    """One status for the limit, for an unpaid bill and for outages. What came before the limit's own words may be
    repeated; a write whose answer says nothing may have been done."""
    if BILL.search(message):
        return NotPermitted(
            "SmartAccounts has closed the API because a SmartAccounts bill is unpaid. Pay it, then test again.",
            what="bill",
            detail=detail,
        )
    told = LIMIT.search(message)
    if not told and (not answer.call.repeat or (OUTAGE.search(answer.text) and "retry-after" not in answer.headers)):
        return Temporary(f"{LABEL} is not answering properly at the moment. We will try again.", detail=detail)
    return _limit(detail)


def _limit(detail: str) -> RateLimited:
    return RateLimited(f"The request limit of {LABEL} is reached. We go on when it resets.", detail=detail)


def _in_success(answer: Answer) -> VendorError | None:
    """A 200 may hold a web page, half an answer or a refusal. Long lists are not parsed twice."""
    if answer.call.path.endswith(FILES):
        return None
    body = answer.body.removeprefix(b"\xef\xbb\xbf").strip()
    ends = body[:1] + body[-1:]
    if ends == b'""' and len(body) > 1:
        return _in_success(replace(answer, body=_inner(body)))
    detail = f"HTTP {answer.status}: {answer.text[:300]!r}"
    if ends == b"{}" and b'"error' in body[:200]:
        return refusal(message_of(answer), detail=detail)
    return None if ends in (b"{}", b"[]") else broken(detail)


def _inner(body: bytes) -> bytes:
    try:
        return json.loads(body).encode()
    except ValueError:
        return b""


def refusal(message: str, *, duplicate: bool = False, detail: str = "") -> Refused:
    for pattern, sentence, is_duplicate in REFUSALS:
        if pattern.search(message):
            return Refused(sentence, duplicate=duplicate or is_duplicate, detail=detail)
    said = LEADING_CODES.sub("", message)
    said = f": {said.rstrip('.')}" if said else ""
    return Refused(f"{LABEL} refused it{said}.", duplicate=duplicate, detail=detail)


def is_unknown_record(error: Refused) -> bool:
    return bool(NOT_FOUND.search(f"{error.sentence} {error.detail}"))


def message_of(answer: Answer) -> str:
    """All texts of an answer in one line of at most 300 letters; nothing of a web page. Error codes stand first."""
    try:
        told = list(dict.fromkeys(_texts(json.loads(answer.text))))
    except ValueError:
        told = [answer.text]
    codes = [each for each in told if ERROR_CODE.fullmatch(each)]
    line = " ".join(" ".join([*codes, *(each for each in told if each not in codes)]).split())
    return "" if line.startswith("<") else line[:300]


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value.strip()
    elif isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
