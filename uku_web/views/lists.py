"""What the addresses of all lists share: page, page size, order and filters."""

from collections.abc import Callable, Iterable

from flask import request, url_for

from uku_web.services.paging import PAGE_SIZES, USUAL_SIZE


def number(name: str, default: int | None = None) -> int | None:
    """A whole number out of the address; anything else counts as not given."""
    raw = request.args.get(name, "")
    return int(raw) if raw.isdecimal() and len(raw) < 10 else default


def one_of(name: str, known: Iterable[str], default: str = "") -> str:
    """A known word out of the address; anything else counts as not given."""
    given = request.args.get(name, "")
    return given if given in known else default


def page_size() -> int:
    size = number("size", USUAL_SIZE)
    return size if size in PAGE_SIZES else USUAL_SIZE


def list_url(endpoint: str, **filters: object) -> Callable[..., str]:
    """url(sort="name") -> the list's address with the present filters and this change; a new order starts at page 1."""
    kept = {name: value for name, value in filters.items() if value not in (None, "")}

    def url(**changes: object) -> str:
        return url_for(endpoint, **{**kept, **changes})

    return url
