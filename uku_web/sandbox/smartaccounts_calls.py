"""What a SmartAccounts service is: its filters, and whether it lists, reads one thing or writes."""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from .json_text import dumps
from .smartaccounts_books import SmartBooks

PER_PAGE = 100


@dataclass(frozen=True)
class Company:
    """Whose books; documents booked up to `locked_until` are closed."""

    name: str
    register_code: str
    vat_number: str
    books: SmartBooks
    locked_until: date


@dataclass(frozen=True)
class Call:
    company: Company
    query: dict[str, str]
    body: bytes
    now: datetime
    language: str

    @property
    def books(self) -> SmartBooks:
        return self.company.books

    @property
    def today(self) -> date:
        return self.now.date()


@dataclass(frozen=True)
class Listing:
    """Answers `{key: [...]}`; a paged one in pages of a hundred, with `deleted` on page 1 where changes were asked."""

    key: str
    find: Callable[[Call], list[dict]]
    filters: tuple[str, ...] = ()
    paged: bool = True
    deleted: Callable[[Call], list[str] | None] = field(default=lambda call: None)

    @property
    def known(self) -> tuple[str, ...]:
        return (*self.filters, "pageNumber") if self.paged else self.filters


@dataclass(frozen=True)
class Action:
    """Posted, but for one that only reads."""

    run: Callable[[Call], Any]
    known: tuple[str, ...] = ()
    reads: bool = False


Service = Listing | Action


class Pages:
    """All pages of one query, written out; so a long walk finds the books once."""

    def __init__(self, listing: Listing, call: Call):
        found, deleted = listing.find(call), listing.deleted(call)
        self._key = listing.key
        size = PER_PAGE if listing.paged else max(1, len(found))
        self._packed = [
            self._pack(listing, found[at : at + size], at + size < len(found), None if at else deleted)
            for at in range(0, max(1, len(found)), size)
        ]

    def _pack(self, listing: Listing, items: list[dict], more: bool, deleted: list[str] | None) -> bytes:
        answer: dict[str, Any] = {listing.key: items}
        if listing.paged:
            answer["hasMoreEntries"] = more
        if deleted is not None:
            answer["deleted"] = deleted
        return zlib.compress(dumps(answer).encode(), level=1)

    def __len__(self) -> int:
        return sum(map(len, self._packed))

    def page(self, number: int) -> bytes:
        """Past the end there is an empty page."""
        if number > len(self._packed):
            return dumps({self._key: [], "hasMoreEntries": False}).encode()
        return zlib.decompress(self._packed[number - 1])
