"""How Merit reads a request and writes an answer: case-insensitive names, its date formats, its errors."""

import json
from collections.abc import Iterable
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from flask import Response

from .json_text import dumps

STACK_TRACE = (
    "System.NullReferenceException: Object reference not set to an instance of an object.\r\n"
    "   at Merit.Aktiva.Api.Controllers.{controller}.Post(HttpRequestMessage request)\r\n"
    "   at lambda_method(Closure , Object , Object[] )\r\n"
)


class Refused(Exception):
    """Ends the request with this answer."""

    def __init__(self, status: int, body: str, mimetype: str = "text/plain"):
        super().__init__(body)
        self.response = Response(body, status, mimetype=mimetype)


def unauthorized(text: str = "") -> Refused:
    return Refused(401, text)


def invalid(message: str, **more: Any) -> Refused:
    return Refused(400, dumps({"Message": message, **more}), "application/json")


def malformed(what: str) -> Refused:
    body = {"Message": what, "ErrorCode": "FormatException"}
    return Refused(500, dumps(body), "application/json")


def crash(controller: str = "DocumentController", status: int = 500) -> Refused:
    return Refused(status, STACK_TRACE.format(controller=controller))


def read_body(raw: bytes) -> dict[str, Any]:
    """The request object with lower-case names; an empty body is an empty object."""
    try:
        text = raw.decode("utf-8-sig").strip()
        body = json.loads(text, parse_float=Decimal, object_pairs_hook=_lower_names) if text else {}
    except ValueError as error:
        raise crash("ApiController", status=200) from error
    if not isinstance(body, dict):
        raise crash("ApiController", status=200)
    return body


def _lower_names(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    return {name.lower(): value for name, value in pairs}


def period_day(fields: dict, name: str) -> date:
    """`yyyymmdd`, as all periods are asked for."""
    return _date(fields.get(name.lower()), name, ("%Y%m%d",))


def document_day(fields: dict, name: str) -> date | None:
    """`yyyyMMddHHmmss`; the shorter forms are accepted, `yyyy-MM-dd` is not."""
    value = fields.get(name.lower())
    return _date(value, name, ("%Y%m%d%H%M%S", "%Y%m%d%H%M", "%Y%m%d")) if value not in (None, "") else None


def _date(value: Any, name: str, formats: tuple[str, ...]) -> date:
    lengths = {"%Y%m%d": 8, "%Y%m%d%H%M": 12, "%Y%m%d%H%M%S": 14}
    text = str(value) if isinstance(value, str | int) else ""
    for wanted in formats:
        # strptime alone would take shorter texts too.
        if len(text) == lengths[wanted] and text.isascii() and text.isdigit():
            try:
                return datetime.strptime(text, wanted).date()  # noqa: DTZ007 the books' local date
            except ValueError:
                break
    raise malformed(f"{name}: String was not recognized as a valid DateTime.")


def number(fields: dict, name: str, default: Decimal | None = None) -> Decimal:
    value = fields.get(name.lower())
    if value is None and default is not None:
        return default
    if isinstance(value, bool) or not isinstance(value, int | str | Decimal):
        raise malformed(f"{name}: Input string was not in a correct format.")
    try:
        found = Decimal(value)
    except InvalidOperation as error:
        raise malformed(f"{name}: Input string was not in a correct format.") from error
    if not found.is_finite():
        raise malformed(f"{name}: Input string was not in a correct format.")
    return found


def guid(fields: dict, name: str) -> str:
    value = fields.get(name.lower())
    try:
        return str(UUID(value))
    except (TypeError, ValueError, AttributeError) as error:
        raise malformed(f"{name}: Guid should contain 32 digits with 4 dashes.") from error


def text(fields: dict, name: str, longest: int | None = None) -> str:
    value = fields.get(name.lower())
    found = "" if value is None else str(value)
    if longest is not None and len(found) > longest:
        raise invalid(f"Väli {name} on liiga pikk(max {longest})\r\n")
    return found


def flag(fields: dict, name: str) -> bool:
    """`true` or the text "true"."""
    return str(fields.get(name.lower()) or "").lower() in ("true", "1")
