"""The demo firm: its people, its clients and where their books are kept."""

import random
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

from . import names

GROUPS = ("Monthly, full service", "Monthly, basic", "Quarterly", "Payroll too")
CLIENTS = {"ee": 70, "fi": 22, "pl": 18}
KEPT_IN_MERIT = {"ee": 46, "fi": 12, "pl": 10}
# The Estonian clients after those; the last two have no books here.
KEPT_IN_SMARTACCOUNTS = 22
# The first client of each country is an ordinary one: its keys are what the stand-in hands out as an example.
SIZES = (
    "medium",
    "huge",
    "small",
    "tiny",
    "medium",
    "empty",
    "gaps",
    "small",
    "large",
    "tiny",
    "medium",
    "young",
    "small",
    "medium",
    "tiny",
    "gaps",
    "small",
    "medium",
    "small",
    "tiny",
)


@dataclass(frozen=True)
class Person:
    """`role` is owner, admin or member."""

    name: str
    email: str
    role: str


@dataclass(frozen=True)
class BooksAt:
    """Where a company's books are: `credentials` as the stand-in of `kind` knows them."""

    kind: str
    variant: str | None
    credentials: dict[str, str] = field(repr=False)
    size: str = "medium"


@dataclass(frozen=True)
class Client:
    """`books` is None for a client whose books the stand-ins do not hold; `member` is a person's e-mail."""

    name: str
    code: str
    country: str
    register_code: str
    vat_number: str
    email: str
    phone: str
    contact: str
    address: str
    city: str
    postal_code: str
    group: str
    member: str
    since: date
    active: bool = True
    books: BooksAt | None = None


@dataclass(frozen=True)
class Firm:
    """`own_books` are the firm's own, where its invoices go: one company at each vendor."""

    name: str
    country: str
    register_code: str
    vat_number: str
    email: str
    currency: str
    time_zone: str
    people: tuple[Person, ...]
    groups: tuple[str, ...]
    clients: tuple[Client, ...]
    own_books: tuple[Client, ...]

    def companies(self) -> list[Client]:
        """All companies, the firm's own first."""
        return [*self.own_books, *self.clients]


PEOPLE = (
    Person("Helve Põhjala", "owner@demo.example", "owner"),
    Person("Andres Lepik", "admin@demo.example", "admin"),
    Person("Mari Tamm", "member@demo.example", "member"),
    Person("Liis Kask", "liis@demo.example", "member"),
    Person("Eero Niemi", "eero@demo.example", "member"),
)


def demo_firm(today: date, seed: int = 1) -> Firm:
    name = "Põhjala Raamatupidamine OÜ"
    own = (merit_company("ee", 0, name, today, "small"), smartaccounts_company(0, name, today, "small"))
    clients = [client for country in CLIENTS for client in _clients(country, today, seed)]
    return Firm(
        name=name,
        country="ee",
        register_code=own[0].register_code,
        vat_number=own[0].vat_number,
        email="info@demo.example",
        currency="EUR",
        time_zone="Europe/Tallinn",
        people=PEOPLE,
        groups=GROUPS,
        clients=tuple(clients),
        own_books=own,
    )


def merit_company(country: str, number: int, name: str, today: date, size: str) -> Client:
    """A company kept in Merit; the same country and number always give the same keys."""
    return _client(country, number, name, today, BooksAt("merit", country, merit_keys(country, number), size))


def merit_keys(country: str, number: int) -> dict[str, str]:
    key = b64encode(f"sandbox-merit-{country}-key-{number:06d}".encode()).decode()
    mark = {"ee": "0ee0", "fi": "0f10", "pl": "0b10"}[country]
    return {"api_id": f"5a4db0c5-{mark}-4000-8000-{number:012d}", "api_key": key, "country": country}


def smartaccounts_company(number: int, name: str, today: date, size: str) -> Client:
    """A company kept in SmartAccounts; the same number always gives the same keys."""
    keys = {
        "api_key": f"sandbox-smartaccounts-public-{number:06d}",
        "api_secret": f"sandbox-smartaccounts-secret-{number:06d}",
    }
    return _client("ee", number, name, today, BooksAt("smartaccounts", None, keys, size))


def extra_companies(count: int, today: date) -> list[Client]:
    """So many further companies at each vendor for load tests, numbered from 1000 on."""
    sizes = ("small", "tiny", "medium", "small", "gaps", "tiny", "small", "young", "small", "large")
    wanted = [(1000 + n, f"Koormus {n + 1} OÜ", today, sizes[n % len(sizes)]) for n in range(count)]
    return [merit_company("ee", *one) for one in wanted] + [smartaccounts_company(*one) for one in wanted]


def _clients(country: str, today: date, seed: int) -> Iterator[Client]:
    rng = random.Random(f"{seed}/firm/{country}")
    for number, name in enumerate(names.company_names(country, rng, CLIENTS[country]), start=1):
        if number <= KEPT_IN_MERIT[country]:
            yield merit_company(country, number, name, today, _size(number, giant=country == "ee"))
        elif country == "ee" and number <= KEPT_IN_MERIT["ee"] + KEPT_IN_SMARTACCOUNTS:
            yield smartaccounts_company(number, name, today, _size(number - KEPT_IN_MERIT["ee"], giant=True))
        else:
            yield _client(country, number, name, today, None)


def _size(number: int, giant: bool) -> str:
    """One giant at a vendor is enough."""
    size = SIZES[(number - 1) % len(SIZES)]
    return "large" if size == "huge" and not (giant and number == 2) else size


def _client(country: str, number: int, name: str, today: date, books: BooksAt | None) -> Client:
    rng = random.Random(f"client/{country}/{number}")
    register_code = names.register_code(country, number)
    city, postal_code = rng.choice(names.CITIES[country])
    members = [person.email for person in PEOPLE if person.role == "member"]
    return Client(
        name=name,
        code=f"{country.upper()}{number:03d}",
        country=country.upper(),
        register_code=register_code,
        vat_number=names.vat_number(country, register_code) if rng.random() < 0.85 else "",
        email=f"info@{names.slug(name)}.example",
        phone=f"{names.DIAL[country]}{number:03d}",
        contact=names.person_name(country, rng),
        address=f"{names.STREETS[country]} {rng.randint(1, 99)}",
        city=city,
        postal_code=postal_code,
        group=rng.choice(GROUPS),
        member=rng.choice(members),
        since=today - timedelta(days=rng.randint(60, 2500)),
        active=number % 31 != 30,
        books=books,
    )
