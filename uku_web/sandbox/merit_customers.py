"""Merit's customers: named in an invoice, sent on their own, changed."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any
from uuid import uuid4

from .books import Books
from .clock import Clock
from .documents import Party
from .merit_fields import Refused, flag, guid, invalid, number, text

Handler = Callable[[Books, dict, Clock, str], Any]
CONTACT_FIELDS = {
    "RegNo": "reg_no",
    "VatRegNo": "vat_no",
    "Contact": "contact",
    "PhoneNo": "phone",
    "Address": "address",
    "City": "city",
    "County": "county",
    "PostalCode": "postal_code",
    "CountryCode": "country",
    "Email": "email",
    "CurrencyCode": "currency",
}


def no_document() -> Refused:
    return invalid("Sellise Id-ga dokumenti ei leitud\r\n")


def customer_of(books: Books, fields: dict, clock: Clock) -> tuple[Party, bool]:
    if fields.get("id") not in (None, ""):
        found = books.customer(guid(fields, "Id"))
        if found is None:
            raise no_document()
        return found, False
    known = _same_name(books, text(fields, "Name"))
    return (known, False) if known else (_new_customer(books, fields, clock), True)


def _same_name(books: Books, name: str) -> Party | None:
    return next((party for party in books.customers() if party.name == name), None)


def _new_customer(books: Books, fields: dict, clock: Clock) -> Party:
    for name in ("Name", "CountryCode", "NotTDCustomer"):
        if fields.get(name.lower()) in (None, ""):
            raise invalid(f"Kliendi kohustuslik väli puudub: {name}\r\n")
    contact = {ours: text(fields, theirs) for theirs, ours in CONTACT_FIELDS.items()}
    country = contact.pop("country").upper()
    if len(country) != 2:
        raise invalid("Kliendi riigi kood on vale\r\n")
    return Party(
        id=str(uuid4()),
        name=text(fields, "Name", 150),
        country=country,
        changed=clock.now(),
        payment_days=int(number(fields, "PaymentDeadLine", Decimal(14))),
        private=flag(fields, "NotTDCustomer"),
        **contact | {"currency": contact["currency"] or books.country.currency},
    )


def send_customer(books: Books, fields: dict, clock: Clock, version: str) -> dict[str, str]:
    with books.lock:
        if _same_name(books, text(fields, "Name")):
            raise invalid("api-custexists")
        party = _new_customer(books, fields, clock)
        books.put_customer(party)
    return {"Id": party.id, "Name": party.name}


def update_customer(books: Books, fields: dict, clock: Clock, version: str) -> dict[str, str]:
    with books.lock:
        party = books.customer(guid(fields, "Id"))
        if party is None:
            raise no_document()
        changes: dict[str, Any] = {
            ours: text(fields, theirs) for theirs, ours in CONTACT_FIELDS.items() if theirs.lower() in fields
        }
        if text(fields, "Name"):
            changes["name"] = text(fields, "Name", 150)
        if "paymentdeadline" in fields:
            changes["payment_days"] = int(number(fields, "PaymentDeadLine"))
        books.put_customer(party.with_changes(clock.now(), **changes))
    return {"Id": party.id, "Name": changes.get("name", party.name)}
