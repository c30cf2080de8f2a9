"""Calls and answers of SmartAccounts in plain words: one way to ask, one way to read."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Temporary

Row = dict[str, Any]
Send = Callable[[Call], Answer]

# The language of messages is part of the path. English keeps the words that we know stable.
ROOT = "/en/api"
DAY = "%d.%m.%Y"


def get(service: str, *query: tuple[str, str], timeout: float = 60.0) -> Call:
    return Call("GET", f"{ROOT}/{service}", query=query, timeout=timeout)


def add(service: str, body: Row) -> Call:
    """A create. Never repeated by itself: an answer that got lost may have been a yes."""
    return Call("POST", f"{ROOT}/{service}", repeat=False, timeout=60.0).with_json(body)


def period(first: date, last: date) -> tuple[tuple[str, str], ...]:
    return ("dateFrom", stamp(first)), ("dateTo", stamp(last))


def stamp(day: date) -> str:
    return day.strftime(DAY)


def pages(send: Send, call: Call, key: str, most: int | None = None) -> Iterator[list[Row]]:
    """The pages of a list to its proven end, without what came on an earlier page; at most `most` pages.

    Something new on top moves the rest down, so that a page may bring again what the one before it brought. A page
    that brings nothing else would go on for ever.
    """
    seen: set[str] = set()
    number, more = 0, True
    while more and (most is None or number < most):
        number += 1
        found, more = _page(send(call.with_query(("pageNumber", str(number)))), key)
        fresh = {text(row, "id"): row for row in found if need(row, "id") is not None}
        if len(fresh) < len(found) or "" in fresh:
            raise broken("an id is missing, or stands twice on one page")
        if more and not fresh.keys() - seen:
            raise broken(f"page {number} brings nothing new and is not the last")
        yield [row for id, row in fresh.items() if id not in seen]
        seen |= fresh.keys()
    if more:
        raise TooMany


class TooMany(Exception):
    """The list is longer than was asked for."""


def _page(answer: Answer, key: str) -> tuple[list[Row], bool]:
    value = decoded(answer)
    if not isinstance(value, dict) or not isinstance(value.get("hasMoreEntries"), bool):
        raise broken("a page does not say whether more follow")
    return _rows(value, key), value["hasMoreEntries"]


def rows(answer: Answer, key: str) -> list[Row]:
    """A list that comes whole."""
    return _rows(decoded(answer), key)


def _rows(value: Any, key: str) -> list[Row]:
    """The list under its likely key, else the only array but `deleted`."""
    if isinstance(value, dict):
        lists = [item for name, item in value.items() if isinstance(item, list) and name != "deleted"]
        value = value[key] if isinstance(value.get(key), list) else lists[0] if len(lists) == 1 else None
    if not isinstance(value, list) or not all(isinstance(row, dict) for row in value):
        raise broken("a list was expected")
    return value


def record(answer: Answer) -> Row:
    value = decoded(answer)
    if not isinstance(value, dict):
        raise broken("an object was expected")
    return value


def decoded(answer: Answer) -> Any:
    """The answer's value, also when a text holds the JSON."""
    value = answer.json()
    return replace(answer, body=value.encode()).json() if isinstance(value, str) else value


def need(row: Row, name: str) -> Any:
    """The value of a key that must be there, though it may be null."""
    if name not in row:
        raise broken(f"{name} is missing")
    return row[name]


def text(row: Row, name: str) -> str:
    """Numbers of documents come as text or as JSON numbers."""
    value = row.get(name)
    return "" if value is None else str(value).strip()


def money(row: Row, name: str) -> Decimal:
    value = need(row, name)
    try:
        if isinstance(value, bool):
            raise TypeError
        return Decimal(value)
    except (InvalidOperation, TypeError, ValueError) as error:
        raise broken(f"{name} is no number") from error


def day(row: Row, name: str) -> date:
    try:
        number, month, year = text(row, name)[:10].split(".")
        return date(int(year), int(month), int(number))
    except ValueError as error:
        raise broken(f"{name} is no date") from error


def broken(detail: str) -> Temporary:
    return Temporary("SmartAccounts sent an answer that cannot be read. We will try again.", detail=detail)
