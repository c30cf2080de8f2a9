from collections import Counter
from datetime import date

import pytest

from uku_web.sandbox.firm import demo_firm, extra_companies
from uku_web.sandbox.names import register_code, vat_number

TODAY = date(2026, 3, 18)


def test_the_demo_firm_is_the_same_every_time():
    assert demo_firm(TODAY) == demo_firm(TODAY)
    assert demo_firm(TODAY, seed=2).clients != demo_firm(TODAY).clients


def test_people_and_clients():
    firm = demo_firm(TODAY)
    people = {person.email: person.role for person in firm.people}
    assert people["owner@demo.example"] == "owner" and people["admin@demo.example"] == "admin"
    assert people["member@demo.example"] == "member"
    assert len(firm.clients) == 110
    for field in ("name", "code", "register_code", "email"):
        assert len({getattr(client, field) for client in firm.clients}) == 110, field
    assert {client.member for client in firm.clients} <= set(people)
    assert {client.group for client in firm.clients} <= set(firm.groups)


def test_most_clients_have_books_and_some_have_none():
    firm = demo_firm(TODAY)
    kept = [client.books for client in firm.clients if client.books]
    assert 55 < len(kept) < 110
    assert {books.variant for books in kept} == {"ee", "fi", "pl", None}
    keys = {tuple(one.books.credentials.values()) for one in firm.companies() if one.books}
    assert len(keys) == len(kept) + len(firm.own_books)
    assert [own.books.kind for own in firm.own_books] == ["merit", "smartaccounts"]
    assert {own.name for own in firm.own_books} == {firm.name}


@pytest.mark.parametrize(("kind", "count"), [("merit", 68), ("smartaccounts", 22)])
def test_each_vendor_has_books_of_every_size(kind, count):
    kept = [client for client in demo_firm(TODAY).clients if client.books and client.books.kind == kind]
    sizes = Counter(client.books.size for client in kept)
    assert len(kept) == count
    assert sizes["huge"] == 1 and sizes["empty"] and sizes["gaps"] > 1 and sizes["tiny"] > 2


def test_credentials_are_visibly_made_up():
    books = demo_firm(TODAY).clients[0].books
    assert books.credentials["api_id"].startswith("5a4db0c5-")
    assert set(books.credentials) == {"api_id", "api_key", "country"}
    assert books.credentials["api_key"] not in repr(books)


def test_codes_have_right_check_digits_in_an_unused_range():
    assert register_code("ee", 1) == "90000015"
    for country, length in (("ee", 8), ("fi", 9), ("pl", 10)):
        codes = {register_code(country, number) for number in range(200)}
        assert len(codes) == 200 and {len(code) for code in codes} == {length}
    assert vat_number("fi", "9000000-1") == "FI90000001"


def test_further_companies_for_load():
    keys = {tuple(client.books.credentials.values()) for client in extra_companies(200, TODAY)}
    assert len(keys) == 2 * 200
