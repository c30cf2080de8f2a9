"""Calls and answers of Merit in plain words: one way to ask, one way to read."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Temporary

Row = dict[str, Any]
SendAll = Callable[[list[Call]], list[Answer]]

NEVER = date(1901, 1, 1)  # Merit's word for "no date"
ZERO_GUID = "00000000-0000-0000-0000-000000000000"


def post(endpoint: str, *, timeout: float = 30.0, repeat: bool = True, **fields: Any) -> Call:
    """Everything at Merit is a POST with a JSON object, reading too."""
    return Call("POST", f"/v1/{endpoint}", timeout=timeout, repeat=repeat).with_json(fields)


def period(first: date, last: date) -> dict[str, str]:
    """Both ends belong to it (assumed); whole calendar months count nothing twice."""
    return {"PeriodStart": f"{first:%Y%m%d}", "PeriodEnd": f"{last:%Y%m%d}"}


def decoded(answer: Answer) -> Any:
    """The answer's value with all keys in lower case: their case varies between calls. Older installations answer
    with a JSON text that holds JSON."""
    value = answer.json()
    if isinstance(value, str):
        value = replace(answer, body=value.encode()).json()
    return _lowered(value)


def rows(answer: Answer) -> list[Row]:
    value = decoded(answer)
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise broken("a list was expected")
    return value


def record(answer: Answer) -> Row:
    value = decoded(answer)
    if not isinstance(value, dict):
        raise broken("an object was expected")
    return value


def need(row: Row, name: str) -> Any:
    """The value of a key that must be there, though it may be null."""
    if name.lower() not in row:
        raise broken(f"{name} is missing")
    return row[name.lower()]


def text(row: Row, name: str) -> str:
    value = row.get(name.lower())
    return "" if value is None else str(value).strip()


def money(row: Row, name: str) -> Decimal:
    try:
        return Decimal(need(row, name))
    except (InvalidOperation, TypeError, ValueError) as error:
        raise broken(f"{name} is no number") from error


def day(row: Row, name: str) -> date | None:
    """A date; times and zones mean nothing here. None = never."""
    value = text(row, name)
    try:
        found = date.fromisoformat(value[:8] if value[:8].isdigit() else value[:10]) if value else NEVER
    except ValueError as error:
        raise broken(f"{name} is no date") from error
    return None if found == NEVER else found


def same_id(left: str, right: str) -> bool:
    return left.strip().lower() == right.strip().lower()


def broken(detail: str) -> Temporary:
    return Temporary("Merit Aktiva sent an answer that cannot be read. We will try again.", detail=detail)


def _lowered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key.lower(): _lowered(item) for key, item in value.items()}
    return [_lowered(item) for item in value] if isinstance(value, list) else value
