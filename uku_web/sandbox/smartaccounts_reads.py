"""SmartAccounts' settings, articles and clients."""

import unicodedata

from . import smartaccounts_shapes as shapes
from .documents import Party
from .smartaccounts_calls import Call, Listing
from .smartaccounts_fields import bad, flag, moments

FETCHED = ("fetchAddresses", "fetchContacts", "fetchComments", "fetchAcceptsEinvoices")
CHANGED = ("modifiedFrom", "modifiedTo")


def vat_pcs(call: Call) -> list[dict]:
    return [shapes.vat_pc(tax, order, call.today) for order, tax in enumerate(call.books.taxes(), start=1)]


def accounts(call: Call) -> list[dict]:
    return [
        {"code": code, "descriptionEt": name, "descriptionEn": role.replace("_", " ").capitalize(), "active": True}
        for role, (code, name) in call.books.country.accounts.items()
    ]


def bank_accounts(call: Call) -> list[dict]:
    country = call.books.country
    return [
        {
            "name": country.bank,
            "iban": "EE00SANDBOX0000000001",
            "currency": country.currency,
            "account": country.accounts["bank"][0],
        }
    ]


def cash_accounts(call: Call) -> list[dict]:
    country = call.books.country
    return [{"name": country.cash, "currency": country.currency, "account": country.accounts["cash"][0]}]


def payment_methods(call: Call) -> list[dict]:
    country = call.books.country
    return [
        {"name": country.bank, "accountType": "BANK", "accountName": country.bank},
        {"name": country.cash, "accountType": "CASH", "accountName": country.cash},
    ]


def objects(call: Call) -> list[dict]:
    return [{"id": "o-1", "code": "1", "name": "Kontor", "active": True}]


def articles(call: Call) -> list[dict]:
    found, query = call.books.items(), call.query
    if "code" in query:
        found = [item for item in found if item.code == query["code"]]
    if "searchString" in query:
        found = [item for item in found if plain(query["searchString"]) in plain(f"{item.code} {item.name}")]
    start, end = moments(query, *CHANGED)
    found = [item for item in found if start <= shapes.article_changed(item, call.books) <= end]
    return [shapes.article(item, call.books, call.today) for item in found]


def clients(call: Call) -> list[dict]:
    found, query = call.books.customers(), call.query
    if "id" in query:
        found = [known_client(call, query["id"])]
    if "nameOrRegCode" in query:
        found = [party for party in found if _resembles(party, query["nameOrRegCode"])]
    start, end = moments(query, *CHANGED)
    wanted = {name: flag(query, name) for name in FETCHED}
    return [shapes.client(party, wanted) for party in found if start <= party.changed <= end]


def known_client(call: Call, client_id: str) -> Party:
    found = call.books.customer(client_id)
    if found is None:
        raise bad("CLIENT-NOT-FOUND", f"Client not found by id {client_id}")
    return found


def plain(text: str) -> str:
    """Without accents and case."""
    apart = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in apart if not unicodedata.combining(letter)).strip()


def _resembles(party: Party, wanted: str) -> bool:
    """A name or a code that holds the text somewhere."""
    return plain(wanted) in plain(party.name) or plain(wanted) in party.reg_no


def none_deleted(call: Call) -> list[str] | None:
    """Articles and clients are never deleted here; the array is there all the same when changes are asked for."""
    return [] if "modifiedFrom" in call.query else None


READS = {
    "settings/vatpcs:get": Listing("vatPcs", vat_pcs, paged=False),
    "settings/accounts:get": Listing("accounts", accounts, paged=False),
    "settings/bankaccounts:get": Listing("bankAccounts", bank_accounts, paged=False),
    "settings/cashaccounts:get": Listing("cashAccounts", cash_accounts, paged=False),
    "settings/paymentmethods:get": Listing("paymentMethods", payment_methods, paged=False),
    "settings/objects:get": Listing("objects", objects, paged=False),
    "purchasesales/articles:get": Listing(
        "articles", articles, ("searchString", "code", *CHANGED), deleted=none_deleted
    ),
    "purchasesales/clients:get": Listing(
        "clients", clients, ("nameOrRegCode", "id", *CHANGED, *FETCHED), deleted=none_deleted
    ),
}
