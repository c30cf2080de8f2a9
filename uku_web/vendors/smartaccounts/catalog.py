"""VAT types. Rows of invoices refer to the code's text, such as "24" or one of the company's own."""

from uku_web.vendors.calls import Answer
from uku_web.vendors.records import TaxRate
from uku_web.vendors.smartaccounts.reading import Row, broken, get, money, need, rows, text

VAT_TYPES = get("settings/vatpcs:get", timeout=30.0)


def tax_rates(answer: Answer) -> list[TaxRate]:
    return [_rate(row) for row in rows(answer, "vatPcs")]


def _rate(row: Row) -> TaxRate:
    code = text(row, "vatPc")
    if not code:
        raise broken("a VAT type has no code")
    name = text(row, "descriptionEn") or text(row, "descriptionEt") or code
    percent = None if need(row, "pc") is None else money(row, "pc")
    return TaxRate(id=code, code=code, name=name, percent=percent, active=_is_active(row))


def _is_active(row: Row) -> bool:
    """We only sell. `inUse` is told of a company's own types alone."""
    return row.get("activeSales") is not False and row.get("inUse") is not False
