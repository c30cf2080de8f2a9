"""Monthly counts of a company's books.

https://api.merit.ee/connecting-robots/reference-manual/general-ledger-transactions/ and .../get-list-of-invoices/
Requests for M months: M if entries or VAT entries are asked (documents come along), else M/3 for documents;
M/3 more for each invoice list that is asked. Every M/3 is rounded up.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from uku_web.vendors.calls import Call
from uku_web.vendors.merit.reading import ZERO_GUID, Row, SendAll, day, money, need, period, post, rows, text
from uku_web.vendors.merit.spec import SPEC
from uku_web.vendors.records import Count, Month, Target

LONGEST = 3  # months that a list may span; longer ones are refused
AT_ONCE = 2  # windows fetched together: enough to keep the line busy, little to lose when a worker is killed

Value = tuple[Decimal | None, str]  # a number, or None and why
Window = tuple[Month, Month]

FOREIGN = "An invoice of this month is in another currency, and Merit Aktiva does not say how to convert it."
# A filter that works on another date than we count by would miss documents as well as add some, so none of the
# window's numbers can be trusted. Trying again would not mend it: it is told, not retried.
STRAY = "Merit Aktiva answered with documents outside the period asked for, so this month could not be counted."


def _number(documents: Sequence[Row]) -> Value:
    return Decimal(len(documents)), ""


def _lines(documents: Sequence[Row]) -> Value:
    return Decimal(sum(len(need(batch, "Entries") or ()) for batch in documents)), ""


def _taxed_lines(documents: Sequence[Row]) -> Value:
    lines = (line for batch in documents for line in need(batch, "Entries") or ())
    return Decimal(sum(text(line, "TaxId") not in ("", ZERO_GUID) for line in lines)), ""


def _net(documents: Sequence[Row]) -> Value:
    """TotalAmount is net in the invoice's currency; the direction of the rate is undocumented."""
    if any(money(invoice, "CurrencyRate") != 1 for invoice in documents):
        return None, FOREIGN
    return sum((money(invoice, "TotalAmount") for invoice in documents), Decimal(0)), ""


@dataclass(frozen=True)
class Listing:
    """One of Merit's lists, and what is counted in it."""

    endpoint: str
    dated: str  # the key of the date that decides the month
    counts: Mapping[str, Callable[[Sequence[Row]], Value]]
    months: int = LONGEST
    extra: Mapping[str, Any] = field(default_factory=dict)

    def call(self, window: Window) -> Call:
        first, last = window
        return post(self.endpoint, timeout=60.0, **period(first.first, last.last), **self.extra)


BY_DOCUMENT_DATE = {"DateType": 0}
HEADERS = Listing("getglbatches", "BatchDate", {"documents": _number}, extra=BY_DOCUMENT_DATE)
FULL = Listing(
    "GetGLBatchesFull",  # allows 31 days, which is one calendar month
    "BatchDate",
    {"documents": _number, "entries": _lines, "vat_entries": _taxed_lines},
    months=1,
    extra={**BY_DOCUMENT_DATE, "WithLines": 1, "WithCostAlloc": 0},
)
SALES = Listing("getinvoices", "DocumentDate", {"sales_invoices": _number, "income": _net}, extra={"UnPaid": False})
PURCHASES = Listing(
    "getpurchorders", "DocumentDate", {"purchase_invoices": _number, "expenses": _net}, extra={"UnPaid": False}
)


def listings(fields: Iterable[str]) -> list[Listing]:
    """The lists that these fields need. Raises LookupError for a field that the declaration does not know."""
    asked = {SPEC.stat_field(key).key for key in fields}
    ledger = FULL if asked & {"entries", "vat_entries"} else HEADERS
    return [listing for listing in (ledger, SALES, PURCHASES) if asked & set(listing.counts)]


def windows(months: Iterable[Month], longest: int = LONGEST) -> list[Window]:
    """Whole calendar months, as few spans as cover them."""
    spans: list[Window] = []
    for month in sorted(set(months)):
        if spans and month < spans[-1][0].shift(longest):
            spans[-1] = (spans[-1][0], month)
        else:
            spans.append((month, month))
    return spans


def requests(fields: Iterable[str], months: Sequence[Month]) -> int:
    return sum(len(windows(months, listing.months)) for listing in listings(fields))


def counts(
    send_all: SendAll,
    targets: Sequence[Target],
    fields: Sequence[str],
    months: Sequence[Month],
) -> Iterator[Count]:
    """A key opens one company, so every target is the same whole books."""
    needed = listings(fields)
    for part in _parts(months):
        found = _count_part(send_all, needed, part)
        for month in part:
            for target in targets:
                yield from (Count(target.key, month, key, *found[month, key]) for key in fields)


def _parts(months: Sequence[Month]) -> Iterator[list[Month]]:
    spans, wanted = windows(months), sorted(set(months))
    for start in range(0, len(spans), AT_ONCE):
        first, last = spans[start][0], spans[start : start + AT_ONCE][-1][1]
        yield [month for month in wanted if first <= month <= last]


def _count_part(send_all: SendAll, needed: list[Listing], part: list[Month]) -> dict[tuple[Month, str], Value]:
    plan = [(listing, window) for listing in needed for window in windows(part, listing.months)]
    answers = send_all([listing.call(window) for listing, window in plan])
    found: dict[tuple[Month, str], Value] = {}
    for (listing, window), answer in zip(plan, answers, strict=True):
        found.update(_count_window(listing, window, rows(answer)))
    return found


def _count_window(listing: Listing, window: Window, documents: list[Row]) -> dict[tuple[Month, str], Value]:
    by_month: dict[Month | None, list[Row]] = {}
    for document in documents:
        on = day(document, listing.dated)
        by_month.setdefault(Month.of(on) if on else None, []).append(document)
    inside = _months_of(window)
    stray = not set(by_month) <= set(inside)
    return {
        (month, key): (None, STRAY) if stray else count(by_month.get(month, []))
        for month in inside
        for key, count in listing.counts.items()
    }


def _months_of(window: Window) -> list[Month]:
    first, last = window
    return [month for back in range(LONGEST) if (month := first.shift(back)) <= last]
