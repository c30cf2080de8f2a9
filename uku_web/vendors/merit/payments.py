"""What was paid of our invoices.

https://api.merit.ee/connecting-robots/reference-manual/sales-invoices/get-list-of-invoices
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Refused
from uku_web.vendors.merit.reading import Row, SendAll, day, money, need, period, post, record, rows, text
from uku_web.vendors.merit.statistics import windows
from uku_web.vendors.records import Month, Paid

AT_ONCE = 20  # details asked together

Refs = Mapping[str, str]


def detail_call(invoice_id: str) -> Call:
    return post("getinvoice", Id=invoice_id, AddAttachment=False)


def paid(send: Callable[[Call], Answer], send_all: SendAll, invoices: Sequence[Refs]) -> Iterator[Paid]:
    """One list for each three months that hold an invoice of ours, and one detail for each that was newly paid."""
    listed = _listed(send_all, [refs for refs in invoices if refs.get("date")])
    news: list[tuple[Refs, Row]] = []
    for refs in invoices:
        header = listed.get(refs["id"].lower())
        if header is None:
            yield _by_detail_alone(send, refs)
        elif not money(header, "PaidAmount"):
            yield _paid(refs, header, [])
        elif _is_news(refs, header):
            news.append((refs, header))
    for start in range(0, len(news), AT_ONCE):
        yield from _with_details(send_all, news[start : start + AT_ONCE])


def _listed(send_all: SendAll, invoices: Sequence[Refs]) -> dict[str, Row]:
    spans = windows(Month.of(date.fromisoformat(refs["date"])) for refs in invoices)
    calls = [post("getinvoices", timeout=60.0, UnPaid=False, **period(a.first, b.last)) for a, b in spans]
    answers = send_all(calls) if calls else []
    ours = {refs["id"].lower() for refs in invoices}
    return {key: row for answer in answers for row in rows(answer) if (key := text(row, "SIHId").lower()) in ours}


def _is_news(refs: Refs, header: Row) -> bool:
    """`paid`, where the caller gives it, is the amount it knows already: then a part payment is not told again."""
    return bool(header.get("paid")) or money(header, "PaidAmount") != Decimal(refs.get("paid") or 0)


def _with_details(send_all: SendAll, news: list[tuple[Refs, Row]]) -> Iterator[Paid]:
    answers = send_all([detail_call(refs["id"]) for refs, _ in news])
    for (refs, header), answer in zip(news, answers, strict=True):
        yield _paid(refs, header, need(record(answer), "Payments") or [])


def _by_detail_alone(send: Callable[[Call], Answer], refs: Refs) -> Paid:
    """Not in the list of its date: moved to another date, or deleted. Merit refuses an id that it does not know."""
    try:
        detail = record(send(detail_call(refs["id"])))
    except Refused:
        return Paid(refs["id"], total=Decimal(0), paid=Decimal(0), voided=True)
    return _paid(refs, need(detail, "Header"), need(detail, "Payments") or [])


def _paid(refs: Refs, header: Row, payments: list[Row]) -> Paid:
    """Assumed: PaidAmount is in the invoice's currency, and what `Paid` closes beyond it was settled otherwise."""
    total, amount = money(header, "TotalSum"), _amount(header, payments)
    dates = [on for payment in payments if (on := day(payment, "PaymDate"))]
    return Paid(
        refs["id"],
        total=total,
        paid=amount,
        settled_without_payment=total - amount if header.get("paid") and abs(amount) < abs(total) else Decimal(0),
        on=max(dates, default=None),
        estimated=bool(amount) and not dates,
    )


def _amount(header: Row, payments: list[Row]) -> Decimal:
    """The details' header is not documented to tell the sum; its payments do."""
    if header.get("paidamount") is not None:
        return money(header, "PaidAmount")
    return sum((money(payment, "Amount") for payment in payments), Decimal(0))
