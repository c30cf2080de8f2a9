"""How many requests a reload takes, worked out from each vendor's manual and not from our code.

A plan is given the data fields asked for and what the books hold: of every data field the numbers of the months, which
follow one another.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from math import ceil

Books = Mapping[str, Sequence[int]]
Plan = Callable[[Collection[str], Books], int]


def merit(fields: Collection[str], books: Books) -> int:
    """Lists span three months at most; full ledger transactions one, and documents are seen in them as well."""
    months = len(next(iter(books.values())))
    thirds = ceil(months / 3)
    total = months if {"entries", "vat_entries"} & set(fields) else 0
    if total == 0 and "documents" in fields:
        total = thirds
    for listed in ({"sales_invoices", "income"}, {"purchase_invoices", "expenses"}):
        total += thirds if listed & set(fields) else 0
    return total


SMARTACCOUNTS_OTHERS = ("sale_entries", "purchase_entries", "bank_entries")  # what is no "document" there


def smartaccounts(fields: Collection[str], books: Books) -> int:
    """One walk by hundreds over the entries; one kind alone can be asked for. A walk that would take more than 36 of a
    minute's 60 requests is given up there and done month by month."""
    asked = fields if len(fields) == 1 and "documents" not in fields else ("documents", *SMARTACCOUNTS_OTHERS)
    by_month = [sum(numbers) for numbers in zip(*(books[field] for field in asked), strict=True)]
    pages = max(1, ceil(sum(by_month) / 100))
    return pages if pages <= 36 else 36 + sum(max(1, ceil(number / 100)) for number in by_month)


PLANS: dict[str, Plan] = {"merit": merit, "smartaccounts": smartaccounts}
