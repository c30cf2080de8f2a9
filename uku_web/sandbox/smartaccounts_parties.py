"""New clients and articles of SmartAccounts."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import uuid4

from .documents import ZERO, Item, Party
from .generate import reference_number
from .smartaccounts_calls import Action, Call
from .smartaccounts_fields import Rules, bad, check_names, number, read_object, required, text
from .smartaccounts_shapes import ARTICLE_TYPES

CLIENT_FIELDS = (
    "group", "name", "regCode", "vatNumber", "bankAccount", "referenceNumber", "ignoreOnVatDeclaration",
    "invoiceDueDate", "invoiceInterest", "discount", "vatPc", "accountUnpaid", "accountPrepayment", "address",
    "contacts", "comment",
)  # fmt: skip
ADDRESS_FIELDS = ("country", "county", "city", "address1", "address2", "postalCode")
CONTACT_TYPES = ("EMAIL", "PHONE", "FAX", "WWW", "SKYPE", "OTHER", "PERSON", "POST_ADDRESS")
ARTICLE_FIELDS = (
    "code", "description", "type", "unit", "vatPc", "activeSales", "activePurchase", "priceSales", "pricePurchase",
    "priceOwn", "accountSales", "accountPurchase", "accountWarehouse",
)  # fmt: skip


def add_client(call: Call) -> dict[str, Any]:
    body = read_object(call.body)
    check_names(body, CLIENT_FIELDS)
    required(body, "name", "vatPc")
    contacts = _contacts(body)
    party = Party(
        id=str(uuid4()),
        name=text(body, "name"),
        reg_no=text(body, "regCode"),
        vat_no=text(body, "vatNumber"),
        country="",
        changed=call.now,
        email=contacts.get("EMAIL", ""),
        phone=contacts.get("PHONE", ""),
        contact=contacts.get("PERSON", ""),
        currency=call.books.country.currency,
        payment_days=int(number(body, "invoiceDueDate", Decimal(14))),
        private=body.get("ignoreOnVatDeclaration") is True,
        tax_code=text(body, "vatPc"),
        comment=text(body, "comment"),
    )
    party = replace(party, **_address(body))
    rules = Rules(call.language)
    check_vat_pc(call, party.tax_code, rules)
    rules.hold()
    with call.books.lock:
        call.books.put_customer(party)
        count = len(call.books.customers())
    return {"clientId": party.id, "referenceNumber": text(body, "referenceNumber") or reference_number(str(count))}


def check_vat_pc(call: Call, code: str, rules: Rules) -> None:
    if call.books.tax_by_code(code) is None:
        rules.broken("VATPC-NOT-FOUND", f"VAT type {code} not found", f"Käibemaksu liiki {code} ei leitud")


def _address(body: dict) -> dict[str, str]:
    address = body.get("address") or {}
    if not isinstance(address, dict):
        raise bad("INVALID-PROPERTY", "address must be an object")
    check_names(address, ADDRESS_FIELDS, "address.")
    ours = {"country": "country", "county": "county", "city": "city", "address1": "address"}
    found = {field: text(address, name) for name, field in ours.items()}
    return found | {"postal_code": text(address, "postalCode")}


def _contacts(body: dict) -> dict[str, str]:
    contacts = body.get("contacts") or []
    if not isinstance(contacts, list) or not all(isinstance(contact, dict) for contact in contacts):
        raise bad("INVALID-PROPERTY", "contacts must be a list of objects")
    for contact in contacts:
        check_names(contact, ("type", "value", "description"), "contacts.")
        required(contact, "type", "value", where="contacts.")
        if contact["type"] not in CONTACT_TYPES:
            raise bad("INVALID-PROPERTY", f"contacts.type must be one of {', '.join(CONTACT_TYPES)}")
    return {contact["type"]: text(contact, "value") for contact in reversed(contacts)}


def add_article(call: Call) -> dict[str, Any]:
    body = read_object(call.body)
    check_names(body, ARTICLE_FIELDS)
    required(body, "code", "description", "type")
    kinds = {name: kind for kind, name in ARTICLE_TYPES.items()}
    if body["type"] not in kinds:
        raise bad("INVALID-PROPERTY", f"type must be one of {', '.join(kinds)}")
    rules = Rules(call.language)
    if text(body, "vatPc"):
        check_vat_pc(call, text(body, "vatPc"), rules)
    with call.books.lock:
        _check_new(call, text(body, "code"), rules)
        rules.hold()
        tax = call.books.tax_by_code(text(body, "vatPc"))
        call.books.add_item(
            Item(
                id=str(uuid4()),
                code=text(body, "code"),
                name=text(body, "description"),
                unit=text(body, "unit"),
                kind=kinds[body["type"]],
                usage=_usage(body),
                price=number(body, "priceSales", ZERO),
                tax_use=tax.use if tax else "",
                changed=call.now,
            )
        )
    return {"code": body["code"]}


def _check_new(call: Call, code: str, rules: Rules) -> None:
    if call.books.article(code):
        rules.broken("ARTICLE-CODE-EXISTS", f"Article {code} exists already", f"Artikkel {code} on juba olemas")


def _usage(body: dict) -> int:
    """1 sales, 2 purchase, 3 both, 4 neither; both unless told."""
    sales, purchase = body.get("activeSales") is not False, body.get("activePurchase") is not False
    return {(True, False): 1, (False, True): 2, (True, True): 3, (False, False): 4}[sales, purchase]


PARTIES = {
    "purchasesales/clients:add": Action(add_client),
    "purchasesales/articles:add": Action(add_article),
}
