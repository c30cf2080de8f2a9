"""Puts the demo firm into an empty database: its people, clients, fields, and the vendors the stand-ins play.

Run as `python -m uku_web.sandbox.seed` while the stand-ins answer: links are made with a true connection test. The
database's tables are made, or brought up to date, first.
"""

import logging
import random

from flask_migrate import upgrade
from sqlalchemy import select

from uku_web import clock, create_app
from uku_web.db import db
from uku_web.models import (
    Client,
    ClientGroup,
    Company,
    Contact,
    FieldMapping,
    FieldType,
    Integration,
    Membership,
    Person,
    Role,
    TaskField,
    Topic,
)
from uku_web.sandbox import firm as demo
from uku_web.services import client_links, passwords, people
from uku_web.tenancy import across_companies, company_scope
from uku_web.vendors.registry import VENDORS, spec_of

log = logging.getLogger(__name__)
TOPICS = ("Bookkeeping", "Summary")
# Field -> the vendors' data field that is mapped to it.
FIELDS = {
    "Documents": "documents",
    "Entries": "entries",
    "VAT entries": "vat_entries",
    "Sales invoices": "sales_invoices",
    "Purchase invoices": "purchase_invoices",
    "Income": "income",
}
MAPPED = ("Documents", "Entries", "VAT entries")
TASK_TITLE = "{vendor} summary {month} {year}"
LINKED = 15  # clients that are linked already, over all vendors
SECOND_COMPANY = "Helve Nõuanded OÜ"


def seed() -> bool:
    """False when somebody is in the database already."""
    if db.session.scalar(select(Company.id).limit(1)) is not None:
        db.session.rollback()
        return False
    firm = demo.demo_firm(clock.now().date())
    who = _people(firm)
    company_id = _company(firm.name, firm.country, firm.time_zone, who, firm)
    _company(SECOND_COMPANY, firm.country, firm.time_zone, who, None)
    with company_scope(company_id):
        fields, topics = _fields(), _topics()
        clients = _clients(firm, who)
        db.session.commit()
        for kind in _kinds(firm):
            _enable(kind, fields, topics["Summary"])
        db.session.commit()
        _link_some(firm, clients)
        db.session.commit()
    return True


def _people(firm: demo.Firm) -> dict[str, int]:
    """E-mail -> id. All have the demo's password, which the sign-in page shows."""
    hashed = passwords.hash(people.DEMO_PASSWORD)
    found = {one.email: Person(email=one.email, name=one.name, password_hash=hashed) for one in firm.people}
    db.session.add_all(found.values())
    db.session.flush()
    return {email: person.id for email, person in found.items()}


def _company(name: str, country: str, zone: str, who: dict[str, int], firm: demo.Firm | None) -> int:
    """The demo firm with its people, or (without a firm) a further company of the owner."""
    company = Company(name=name, country=country.upper(), timezone=zone, integration_on=firm is not None)
    db.session.add(company)
    db.session.flush()
    company_id, owner = company.id, next(iter(who))
    members = {one.email: one.role for one in firm.people} if firm else {owner: "owner"}
    with company_scope(company_id):
        db.session.add_all([Membership(person_id=who[email], role=Role(role)) for email, role in members.items()])
        db.session.commit()
    return company_id


def _fields() -> dict[str, TaskField]:
    money = {"Income"}
    found = {name: TaskField(name=name, type=FieldType.PRICE if name in money else FieldType.NUMBER) for name in FIELDS}
    db.session.add_all(found.values())
    return found


def _topics() -> dict[str, Topic]:
    found = {name: Topic(name=name) for name in TOPICS}
    db.session.add_all(found.values())
    db.session.flush()
    return found


def _clients(firm: demo.Firm, who: dict[str, int]) -> dict[str, int]:
    """Code -> id."""
    groups = {name: ClientGroup(name=name) for name in firm.groups}
    db.session.add_all(groups.values())
    db.session.flush()
    found = {one.code: _client(one, groups[one.group].id, who[one.member]) for one in firm.clients}
    db.session.add_all(found.values())
    db.session.flush()
    db.session.add_all([Contact(client_id=found[one.code].id, name=one.contact) for one in firm.clients])
    return {code: client.id for code, client in found.items()}


def _client(one: demo.Client, group_id: int, member_id: int) -> Client:
    return Client(
        name=one.name,
        code=one.code,
        register_number=one.register_code,
        vat_number=one.vat_number or None,
        email=one.email,
        phone=one.phone,
        country=one.country,
        group_id=group_id,
        default_member_id=member_id,
        active=one.active,
    )


def _kinds(firm: demo.Firm) -> list[str]:
    """The vendors that hold books of the firm's clients."""
    return sorted({one.books.kind for one in firm.clients if one.books} & set(VENDORS))


def _enable(kind: str, fields: dict[str, TaskField], topic: Topic) -> None:
    """Enabled, with settings saved and the first fields mapped, as far as the vendor has them."""
    moment = clock.now()
    known = {stat.key for stat in spec_of(kind).statistics}
    db.session.add(
        Integration(
            kind=kind,
            enabled=True,
            enabled_at=moment,
            configured_at=moment,
            task_title=TASK_TITLE,
            topic_id=topic.id,
            mapping_version=1,
        )
    )
    mapped = [(FIELDS[name], fields[name]) for name in MAPPED if FIELDS[name] in known]
    db.session.add_all([FieldMapping(kind=kind, vendor_field=key, field_id=field.id) for key, field in mapped])


def _link_some(firm: demo.Firm, clients: dict[str, int]) -> None:
    """Clients of every vendor and country; the rest stay ready to be linked by hand."""
    ready = [one for one in firm.clients if one.active and one.books and one.books.kind in VENDORS]
    # The first of each country are left: their keys are those that the stand-ins hand out to be pasted.
    firsts = {(one.books.kind, one.books.variant): one.code for one in reversed(ready)}
    ready = [one for one in ready if one.code not in firsts.values()]
    for one in random.Random(1).sample(ready, min(LINKED, len(ready))):
        outcome = client_links.save_own(clients[one.code], one.books.kind, one.books.credentials, name=one.name)
        db.session.commit()
        if not outcome.ok:
            log.warning("%s is linked, but: %s", one.name, outcome.sentence)


def main() -> None:
    logging.basicConfig(level=logging.WARNING)
    app = create_app()
    with app.app_context(), across_companies():
        upgrade()
        log.info("the demo firm is %s", "in the database now" if seed() else "there already")


if __name__ == "__main__":
    main()
