"""What was paid of our invoices.

The amount is what an invoice's total and its outstanding amount leave; the dates stand in the rows of payments
(purchasesales/payments:get). Whether a payment changes its invoice's date of change is not documented, so nothing
depends on it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from uku_web.vendors.errors import Refused
from uku_web.vendors.records import Paid
from uku_web.vendors.smartaccounts.faults import is_unknown_record
from uku_web.vendors.smartaccounts.invoices import CREDIT, sign_of
from uku_web.vendors.smartaccounts.reading import Row, Send, day, get, money, need, pages, rows, stamp, text

INVOICES = "purchasesales/clientinvoices:get"
PAID_AHEAD = timedelta(days=31)  # money may have come before the date of its invoice

Refs = Mapping[str, str]


@dataclass(frozen=True)
class State:
    """One invoice of ours as the vendor has it."""

    refs: Refs
    client_id: str
    on: date
    currency: str
    total: Decimal
    reduced: Decimal  # paid, or settled otherwise


@dataclass
class Received:
    """The payments of one invoice."""

    dates: list[date] = field(default_factory=list)
    amount: Decimal = Decimal(0)
    currencies: set[str] = field(default_factory=set)


def paid(send: Send, invoices: Sequence[Refs]) -> Iterator[Paid]:
    """One walk over what is unpaid; one call for each invoice that is no longer; payments only if there is news."""
    unpaid, news = _unpaid(send, invoices), []
    for refs in invoices:
        row = unpaid.get(refs["id"]) or _by_id(send, refs["id"])
        if row is None:
            yield Paid(refs["id"], total=Decimal(0), paid=Decimal(0), voided=True)
            continue
        state = _state(refs, row)
        if not state.reduced:
            yield Paid(refs["id"], total=state.total, paid=Decimal(0))
        elif refs["id"] not in unpaid or state.reduced != Decimal(refs.get("paid") or 0):
            news.append(state)
    if news:
        received = _received(send, news)
        yield from (_paid(send, state, received[state.refs["id"]]) for state in news)


def _unpaid(send: Send, invoices: Sequence[Refs]) -> dict[str, Row]:
    dates = [date.fromisoformat(refs["date"]) for refs in invoices if refs.get("date")]
    if not dates:
        return {}
    ours = {refs["id"] for refs in invoices}
    call = get(INVOICES, ("paymentStatus", "unpaid"), ("dateFrom", stamp(min(dates))))
    found = (row for page in pages(send, call, "clientInvoices") for row in page)
    return {id: row for row in found if (id := text(row, "id")) in ours}


def _by_id(send: Send, id: str) -> Row | None:
    """None when it is not there any more. Whether the vendor refuses an unknown id or answers with nothing is not
    documented."""
    try:
        found = rows(send(get(INVOICES, ("id", id))), "clientInvoices")
    except Refused as error:
        if is_unknown_record(error):
            return None
        raise
    return next((row for row in found if text(row, "id") == id), None)


def _state(refs: Refs, row: Row) -> State:
    total, outstanding, sign = money(row, "totalAmount"), money(row, "outstandingAmount"), sign_of(row)
    if sign < 0:
        total, outstanding = -abs(total), -abs(outstanding)
    return State(
        refs, text(row, "clientId"), day(row, "date"), text(row, "currency"), total=total, reduced=total - outstanding
    )


def _received(send: Send, news: Sequence[State]) -> dict[str, Received]:
    found = {state.refs["id"]: Received() for state in news}
    since = min(state.on for state in news) - PAID_AHEAD
    call = get(
        "purchasesales/payments:get", ("partnerType", "CLIENT"), ("dateFrom", stamp(since)), ("fetchRows", "true")
    )
    for page in pages(send, call, "payments"):
        for payment in page:
            for row in need(payment, "rows") or []:
                ours = found.get(text(row, "id")) if text(row, "type") == "CLIENT_INVOICE" else None
                if ours is not None:
                    ours.dates.append(day(payment, "date"))
                    ours.amount += abs(money(row, "amount"))
                    ours.currencies.add(text(payment, "currency"))
    return found


def _paid(send: Send, state: State, received: Received) -> Paid:
    credited = _credited(send, state, received)
    amount = state.reduced - credited
    return Paid(
        state.refs["id"],
        total=state.total,
        paid=amount,
        settled_without_payment=credited,
        on=max(received.dates, default=None),
        estimated=bool(amount) and not received.dates,
    )


def _credited(send: Send, state: State, received: Received) -> Decimal:
    """What credit notes took off. Asked only where the payments do not explain all: money that was noted with the
    invoice itself may not stand among them."""
    rest = state.reduced - received.amount
    if rest <= 0 or received.currencies - {state.currency} or not state.client_id:
        return Decimal(0)
    call = get(INVOICES, ("clientId", state.client_id), ("dateFrom", stamp(state.on)))
    notes = (row for page in pages(send, call, "clientInvoices") for row in page if text(row, "type") == CREDIT)
    ours = (row for row in notes if text(row, "baseForCreditInvoiceId") == state.refs["id"])
    return min(rest, sum((abs(money(row, "totalAmount")) for row in ours), Decimal(0)))
