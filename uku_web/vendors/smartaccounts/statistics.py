"""Monthly counts: one walk over the books' entries, each of which tells its kind and date (general/entries:get).

Requests for N entries in an unbroken span of months: N/100 rounded up, at least one; the vendor may change the 100.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal

from uku_web.vendors.records import Count, Month, Target
from uku_web.vendors.smartaccounts.reading import Send, TooMany, broken, day, get, pages, period, text
from uku_web.vendors.smartaccounts.spec import SPEC

# A walk cannot be taken up in its middle, and may have to stop when the minute's requests are used up. So one that
# grows too long is given up for walks of single months, each of which is kept as soon as it is done.
MOST_PAGES = 36

KINDS = {
    "sale_entries": "CLIENT_INVOICE",
    "purchase_entries": "VENDOR_INVOICE",
    "bank_entries": "BANK_PAYMENT",
    "cash_payments": "CASH_PAYMENT",
    "ledger_entries": "LEDGER_ENTRY",
    "vat_returns": "VAT_RETURN",
    "warehouse_movements": "WAREHOUSE_MOVEMENT",
    "depreciation": "PERIOD_DEPRECIATION",
    "salaries": "PERIOD_SALARY",
}
NO_DOCUMENTS = {"CLIENT_INVOICE", "VENDOR_INVOICE", "BANK_PAYMENT"}  # these have fields of their own

Span = tuple[Month, Month]
Kinds = Counter[str]

# A filter that works on another date than we count by would miss entries as well as add some, so none of the span's
# numbers can be trusted. Trying again would not mend it: it is told, not retried.
STRAY = "SmartAccounts answered with entries outside the period asked for, so this month could not be counted."


def spans(months: Iterable[Month]) -> list[Span]:
    """Months that follow one another, together."""
    found: list[Span] = []
    for month in sorted(set(months)):
        if found and month == found[-1][1].shift(1):
            found[-1] = (found[-1][0], month)
        else:
            found.append((month, month))
    return found


def requests(fields: Iterable[str], months: Sequence[Month]) -> int:
    """At least so many: how many pages a span has is told only by walking it."""
    return len(spans(months)) if _known(fields) else 0


def counts(send: Send, targets: Sequence[Target], fields: Iterable[str], months: Sequence[Month]) -> Iterator[Count]:
    """A key opens one company, so every target is the same whole books."""
    fields = _known(fields)
    for first, last in spans(months) if targets and fields else []:
        for month, kinds in _span(send, fields, first, last):
            for target in targets:
                yield from (_count(target, month, field, kinds) for field in fields)


def _known(fields: Iterable[str]) -> list[str]:
    """Raises LookupError for a field that the declaration does not know."""
    return [SPEC.stat_field(field).key for field in dict.fromkeys(fields)]


def _count(target: Target, month: Month, field: str, kinds: Kinds | None) -> Count:
    if kinds is None:
        return Count(target.key, month, field, None, STRAY)
    if field == "documents":
        number = sum(count for kind, count in kinds.items() if kind not in NO_DOCUMENTS)
    else:
        number = kinds[KINDS[field]]
    return Count(target.key, month, field, Decimal(number))


def _span(send: Send, fields: Sequence[str], first: Month, last: Month) -> Iterator[tuple[Month, Kinds | None]]:
    inside = [first.shift(step) for step in range((last.year - first.year) * 12 + last.month - first.month + 1)]
    try:
        yield from _walk(send, fields, inside, most=None if len(inside) == 1 else MOST_PAGES).items()
    except TooMany:
        for month in inside:
            yield from _walk(send, fields, [month]).items()


def _walk(
    send: Send, fields: Sequence[str], inside: Sequence[Month], most: int | None = None
) -> Mapping[Month, Kinds | None]:
    """What each month holds by kind; None where entries strayed."""
    query = period(inside[0].first, inside[-1].last)
    call = get("general/entries:get", *query, ("dateType", "date"), *_only(fields))
    found: dict[Month, Kinds] = {month: Counter() for month in inside}
    stray = False
    for page in pages(send, call, "entries", most):
        for row in page:
            month, kind = Month.of(day(row, "date")), text(row, "docType")
            if not kind:
                raise broken("an entry does not tell its kind")
            if month in found:
                found[month][kind] += 1
            else:
                stray = True
    return {month: None if stray else kinds for month, kinds in found.items()}


def _only(fields: Sequence[str]) -> list[tuple[str, str]]:
    """One kind alone may be asked for, which spares pages. Several would need a walk each."""
    kinds = {KINDS.get(field) for field in fields}
    return [("docType", kind) for kind in kinds if kind] if len(kinds) == 1 else []
