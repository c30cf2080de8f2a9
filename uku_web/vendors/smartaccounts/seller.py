"""The company's name, which no call tells: the seller in the e-invoice of its newest sales invoice.

The Estonian e-invoice standard calls it E_Invoice/Invoice/InvoiceParties/SellerParty/Name.
"""

from dataclasses import replace
from datetime import date, timedelta
from xml.parsers import expat

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.smartaccounts.reading import day, get, rows, stamp, text

LOOK_BACK = timedelta(days=365)  # a list is cut at its first page anyway
PATIENCE = 10.0  # seconds: somebody waits for the test
MOST_BYTES = 8 * 1024 * 1024  # an e-invoice may hold its PDF
DEEPEST = 50
PATH = ["InvoiceParties", "SellerParty", "Name"]


def invoices_call(today: date) -> Call:
    return get("purchasesales/clientinvoices:get", ("dateFrom", stamp(today - LOOK_BACK)), timeout=PATIENCE)


def newest(answer: Answer) -> str | None:
    """The id of the newest invoice on the page."""
    found = [row for row in rows(answer, "clientInvoices") if text(row, "id")]
    return text(max(found, key=lambda row: day(row, "date")), "id") if found else None


def xml_call(invoice_id: str) -> Call:
    call = get("purchasesales/clientinvoices:getxml", ("id", invoice_id), timeout=PATIENCE)
    return replace(call, max_bytes=MOST_BYTES)


class _Unfit(Exception):
    """Nothing that we read."""


class _Seller:
    """Listens to the parser and keeps the first seller's name. No entity is ever expanded: documents that bring a
    DOCTYPE are refused."""

    def __init__(self) -> None:
        self.path: list[str] = []
        self.parts: list[str] = []
        self.done = False

    def start(self, name: str, _attributes: object) -> None:
        self.path.append(name.rpartition(":")[2])
        if len(self.path) > DEEPEST:
            raise _Unfit

    def end(self, _name: str) -> None:
        self.done = self.done or self._here()
        self.path.pop()

    def data(self, piece: str) -> None:
        if not self.done and self._here():
            self.parts.append(piece)

    def _here(self) -> bool:
        return self.path[-len(PATH) :] == PATH

    def refuse(self, *_: object) -> None:
        raise _Unfit


def name_in(xml: bytes) -> str | None:
    """None when there is none, or when it is not the XML that we know."""
    seller, parser = _Seller(), expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = seller.start, seller.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = seller.data, seller.refuse
    try:
        parser.Parse(xml, True)
    except (expat.ExpatError, _Unfit, LookupError, ValueError):  # the last two: encodings
        return None
    return " ".join("".join(seller.parts).split())[:255] or None
