"""The client that an invoice goes to: found by its exact register code, or made."""

from collections.abc import Mapping

from uku_web.vendors.calls import Answer, Call
from uku_web.vendors.errors import Refused, Uncertain
from uku_web.vendors.records import InvoiceCustomer, Step
from uku_web.vendors.smartaccounts.reading import Row, Send, add, get, pages, record, text


def find(send: Send, customer: InvoiceCustomer) -> Step | None:
    """The search is fuzzy, so what it brings is compared. Without a register code the exact name decides."""
    wanted = customer.register_number or customer.name
    call = get("purchasesales/clients:get", ("nameOrRegCode", wanted))
    hits = [row for page in pages(send, call, "clients") for row in page if _fits(row, customer)]
    named = [row for row in hits if _plain(text(row, "name")) == _plain(customer.name)]
    hits = named if len(hits) > 1 and len(named) == 1 else hits
    if len(hits) > 1:
        raise Refused(
            f"SmartAccounts has several clients {wanted}, so none could be chosen. Merge them there and send again."
        )
    return _step(text(hits[0], "id")) if hits else None


def _fits(row: Row, customer: InvoiceCustomer) -> bool:
    if customer.register_number:
        return text(row, "regCode") == customer.register_number.strip()
    return _plain(text(row, "name")) == _plain(customer.name)


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()


def add_call(customer: InvoiceCustomer, vat_code: str) -> Call:
    """`vat_code`: a client needs a VAT type to begin with; its invoices tell their own."""
    contacts = [{"type": "EMAIL", "value": customer.email}] if customer.email else []
    fields: Row = {
        "name": customer.name,
        "vatPc": vat_code,
        "regCode": customer.register_number,
        "vatNumber": customer.vat_number,
        "address": _address(customer),
        "contacts": contacts,
    }
    return add("purchasesales/clients:add", {name: value for name, value in fields.items() if value})


def _address(customer: InvoiceCustomer) -> Mapping[str, str]:
    address = customer.address
    fields = {
        "country": customer.country or (address and address.country),
        "county": address and address.region,
        "city": address and address.city,
        "address1": address and address.street,
        "postalCode": address and address.postal_code,
    }
    return {name: value for name, value in fields.items() if value}


def added(answer: Answer) -> Step:
    client_id = text(record(answer), "clientId")
    if not client_id:
        raise Uncertain("SmartAccounts did not say whether it made the client. We will ask it.")
    return _step(client_id)


def _step(client_id: str) -> Step:
    return Step("customer", {"id": client_id})
