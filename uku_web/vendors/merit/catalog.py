"""Tax rates and items: .../reference-manual/tax-list/ and .../reference-manual/items/items-list/"""

from collections.abc import Iterator

from uku_web.vendors.calls import Answer
from uku_web.vendors.merit.reading import Row, money, need, post, rows, text
from uku_web.vendors.records import Product, TaxRate

TAXES = post("gettaxes")
ITEMS = post("getitems", timeout=60.0)

INACTIVE = 4  # an item's usage: 1 sales, 2 purchase, 3 both, 4 inactive


def tax_rates(answer: Answer) -> list[TaxRate]:
    """The rates in use."""
    return [_rate(row) for row in rows(answer) if not row.get("nonactive")]


def _rate(row: Row) -> TaxRate:
    percent = None if need(row, "TaxPct") is None else money(row, "TaxPct")
    return TaxRate(id=need(row, "Id"), code=text(row, "Code"), name=text(row, "Name"), percent=percent)


def products(answer: Answer, taxes: Answer) -> Iterator[Product]:
    """Items tell their tax by its name only, so the rates are read along."""
    named = {name.lower(): _rate(row) for row in reversed(rows(taxes)) for name in _names(row)}
    for row in rows(answer):
        rate = named.get(text(row, "VatTaxName").lower())
        yield Product(
            id=need(row, "ItemId"),
            name=text(row, "Name"),
            code=text(row, "Code") or None,
            unit=text(row, "UnitofMeasureName") or None,
            price=None if row.get("salesprice") is None else money(row, "SalesPrice"),
            tax_code=rate.code if rate else None,
            tax_percent=rate.percent if rate else None,
            active=not _is_inactive(row),
        )


def _names(row: Row) -> list[str]:
    return [name for key in ("Name", "NameEN", "NameRU", "Code") if (name := text(row, key))]


def _is_inactive(row: Row) -> bool:
    """The number stands in Usage0 or, in some answers, in Usage itself. The words for it are assumed."""
    words = text(row, "Usage0") or text(row, "Usage")
    return words == str(INACTIVE) if words.isdigit() else words.lower().startswith(("inactive", "mitteakt"))
