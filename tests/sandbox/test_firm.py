from collections import Counter
from datetime import date

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
    assert {books.variant for books in kept} == {"ee", "fi", "pl"}
    assert len({books.credentials["api_id"] for books in [*kept, firm.own_books.books]}) == len(kept) + 1
    sizes = Counter(books.size for books in kept)
    assert sizes["huge"] == 1 and sizes["empty"] > 1 and sizes["gaps"] > 1 and sizes["tiny"] > 3


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
    assert len({client.books.credentials["api_id"] for client in extra_companies(200, TODAY)}) == 200
