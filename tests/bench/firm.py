"""Companies of any size, put into the database in bulk: what is measured is not how they come there."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from flask import Flask, current_app
from flask.testing import FlaskClient
from sqlalchemy import Table, func, insert, select

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import (
    Account,
    Client,
    ClientGroup,
    Company,
    Connection,
    ConnectionState,
    FieldMapping,
    Integration,
    Level,
    Link,
    Membership,
    Person,
    Role,
    TaskField,
    Topic,
)
from uku_web.services import passwords
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors import registry
from uku_web.vendors.registry import spec_of

PASSWORD = "correct horse battery"
WORDS = ("Aru", "Benn", "Dohm", "Eha", "Forss", "Grön", "Hõbe", "Ilves", "Jõgi", "Kask", "Mänd", "Oja", "Saar", "Õun")
FORMS = ("OÜ", "AS", "Oy", "Sp. z o.o.")


@dataclass(frozen=True)
class Firm:
    company_id: int
    owner_id: int
    email: str
    client_ids: Sequence[int]


@contextmanager
def bench_vendor() -> Iterator[str]:
    """The vendor that makes no requests stands among the real ones meanwhile. Its kind."""
    registry.VENDORS["bench"] = "tests.bench.books"
    try:
        yield "bench"
    finally:
        del registry.VENDORS["bench"]


def make_firm(name: str, count: int, members: int = 5) -> Firm:
    """A company with people and so many clients of many names, none of them linked. Commits."""
    with across_companies():
        company = Company(name=name, integration_on=True)
        hashed = passwords.hash(PASSWORD)
        word = name.split()[0].lower()
        people = [
            Person(email=f"{number}.{word}@bench.test", name=f"Person {number}", password_hash=hashed)
            for number in range(members)
        ]
        db.session.add_all([company, *people])
        db.session.flush()
        roles = [Role.OWNER] + [Role.MEMBER] * (members - 1)
        db.session.add_all(
            [
                Membership(company_id=company.id, person_id=person.id, role=role)
                for person, role in zip(people, roles, strict=True)
            ]
        )
        groups = [ClientGroup(company_id=company.id, name=f"Group {number}") for number in range(4)]
        db.session.add_all(groups)
        db.session.flush()
        rows = list(_clients(count, company.id, [group.id for group in groups], [person.id for person in people]))
        ids = _put(Client.__table__, rows)
        firm = Firm(company.id, people[0].id, people[0].email, ids)
        db.session.commit()
    return firm


def _clients(count: int, company_id: int, groups: Sequence[int], people: Sequence[int]) -> Iterator[dict]:
    random, moment = Random(1), now()
    for number in range(1, count + 1):
        name = f"{random.choice(WORDS)} {random.choice(WORDS)} {number} {random.choice(FORMS)}"
        row = {
            "name": name,
            "code": f"C{number:05}",
            "register_number": f"{10_000_000 + number}",
            "vat_number": f"EE{100_000_000 + number}",
            "email": f"info@client{number}.test",
        }
        folded = {"sort_name": name.casefold(), "search_text": " ".join(row.values()).casefold()}
        yield (
            row
            | folded
            | {
                "company_id": company_id,
                "country": "EE",
                "group_id": groups[number % len(groups)],
                "default_member_id": people[number % len(people)],
                "active": number % 31 != 30,
                "created_at": moment,
            }
        )


def configure(kind: str, fields: Iterable[str]) -> None:
    """Enabled, title and topic set, these data fields mapped. Commits."""
    moment, topic = now(), Topic(name=f"Summary {kind}")
    made = {name: TaskField(name=f"{kind} {name}") for name in fields}
    db.session.add_all([topic, *made.values()])
    db.session.flush()
    integration = Integration(
        kind=kind,
        enabled=True,
        enabled_at=moment,
        configured_at=moment,
        task_title="{vendor} {month} {year}",
        topic_id=topic.id,
        mapping_version=1,
    )
    db.session.add(integration)
    db.session.add_all([FieldMapping(kind=kind, vendor_field=name, field_id=made[name].id) for name in made])
    db.session.commit()


def shown_first(kind: str) -> list[str]:
    """The data fields that the Settings tab shows without asking for more; all where there are no such."""
    fields = spec_of(kind).countable(whole_books=True) or spec_of(kind).statistics
    return [stat.key for stat in fields if not stat.more] or [stat.key for stat in fields]


def link_by_own(firm: Firm, kind: str, client_ids: Sequence[int], keys: Sequence[Mapping[str, str]] = ()) -> None:
    """Each client by credentials of its own; the same for all, of no account, unless `keys` are given. Commits."""
    keyring = current_app.extensions["uku_keyring"]
    sealed = [keyring.seal(dict(each)) for each in keys] or [keyring.seal({"key": "bench"})] * len(client_ids)
    told = [each.get("account_id", f"{kind}-{number}") for number, each in enumerate(keys)]
    told = told or [f"{kind}-{client_id}" for client_id in client_ids]
    here = {"company_id": firm.company_id, "kind": kind}
    accounts = _put(Account.__table__, [{**here, "vendor_id": vendor_id} for vendor_id in told])
    common = here | {"level": Level.CLIENT, "state": ConnectionState.OK, "hints": {}, "token_version": 0}
    common["created_at"] = now()
    pairs = zip(accounts, sealed, strict=True)
    connections = _put(Connection.__table__, [{**common, "account_id": one, "sealed": text} for one, text in pairs])
    served = zip(client_ids, accounts, connections, strict=True)
    rows = [{"client_id": one, "account_id": account, "connection_id": by} for one, account, by in served]
    _put(Link.__table__, [{**here, **row, "created_at": now()} for row in rows])
    db.session.commit()


def link_by_company(firm: Firm, kind: str, client_ids: Sequence[int]) -> None:
    """Each client as one customer of the account that the company's connection opens. Commits."""
    account = Account(kind=kind, vendor_id=f"{kind} {firm.company_id}")
    db.session.add(account)
    db.session.flush()
    sealed = current_app.extensions["uku_keyring"].seal({"key": "bench"})
    db.session.add(Connection(kind=kind, account_id=account.id, state=ConnectionState.OK, sealed=sealed))
    here = {"company_id": firm.company_id, "kind": kind, "account_id": account.id, "created_at": now()}
    _put(Link.__table__, [{**here, "client_id": one, "customer_id": str(one)} for one in client_ids])
    db.session.commit()


def _put(table: Table, rows: Sequence[Mapping]) -> list[int]:
    """The ids of the rows, which nobody else gives meanwhile."""
    first = (db.session.scalar(select(func.max(table.c.id))) or 0) + 1
    ids = list(range(first, first + len(rows)))
    if rows:
        db.session.execute(insert(table), [{"id": id, **row} for id, row in zip(ids, rows, strict=True)])
    return ids


def signed_in(app: Flask, firm: Firm) -> FlaskClient:
    """A browser of the firm's owner."""
    browser = app.test_client()
    answer = browser.post("/sign-in", data={"email": firm.email, "password": PASSWORD})
    if answer.status_code != 303:
        raise RuntimeError(f"signing in was answered with {answer.status_code}")
    return browser


def scope_of(firm: Firm):
    return company_scope(firm.company_id)
