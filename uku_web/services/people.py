"""Companies, the people in them, who they are when they sign in, and the contacts at clients."""

from functools import cache
from zoneinfo import available_timezones

from babel import Locale
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from uku_web.db import db
from uku_web.models import Client, Company, Contact, Membership, Person, Plan, Role
from uku_web.services import audit, passwords
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.tenancy import across_companies, company_scope
from uku_web.texts import gettext as _

SHORTEST_PASSWORD = 10
# The demo makes its people with these; the sign-in page shows them only while UKU_DEMO is on.
DEMO_PASSWORD = "uku demo firm"
DEMO_LOGINS = (
    (Role.OWNER, "owner@demo.example"),
    (Role.ADMIN, "admin@demo.example"),
    (Role.MEMBER, "member@demo.example"),
)


def authenticate(email: str, password: str) -> Person | None:
    """The person, or None; it takes as long for an unknown e-mail as for a wrong password."""
    person = by_email(email)
    password_hash = person.password_hash if person else None
    db.session.rollback()  # hashing takes its time, and nobody should wait for it with a write
    return person if passwords.matches(password_hash, password) else None


def by_email(email: str) -> Person | None:
    return db.session.scalar(select(Person).where(Person.email == email.strip().lower()))


def create_person(email: str, name: str, password: str) -> Person:
    """Commits. Raises Invalid."""
    email, name = email.strip().lower(), name.strip()
    errors = {}
    if not is_email(email):
        errors["email"] = _("Enter an e-mail address, such as name@example.com.")
    if not name:
        errors["name"] = _("Enter the person's name.")
    if len(password) < SHORTEST_PASSWORD:
        errors["password"] = _("A password has at least %(n)s characters.", n=SHORTEST_PASSWORD)
    if "email" not in errors and by_email(email) is not None:
        errors["email"] = _("Somebody with this e-mail address is here already.")
    if errors:
        raise Invalid(errors)
    person = Person(email=email, name=name[:255], password_hash=passwords.hash(password))
    db.session.add(person)
    db.session.commit()
    return person


def is_email(text: str) -> bool:
    local, at, domain = text.partition("@")
    return bool(
        local and at and "." in domain and "@" not in domain and len(text) <= 255 and not any(map(str.isspace, text))
    )


def create_company(name: str, country: str, timezone: str, owner_id: int) -> Company:
    """A company on the Elite plan, owned by this person. Commits. Raises Invalid."""
    name, country = name.strip(), country.strip().upper()
    errors = {}
    if not name:
        errors["name"] = _("Enter the company's name.")
    elif len(name) > 255:
        errors["name"] = _("A name has at most 255 characters.")
    if country not in countries():
        errors["country"] = _("Choose the country whose public holidays are your days off.")
    if timezone not in timezones():
        errors["timezone"] = _("Choose a time zone.")
    if errors:
        raise Invalid(errors)
    company = Company(name=name, country=country, timezone=timezone, plan=Plan.ELITE)
    db.session.add(company)
    db.session.flush()
    with company_scope(company.id):
        db.session.add(Membership(person_id=owner_id, role=Role.OWNER))
        audit.record("company.created", name, country=country, timezone=timezone)
        db.session.commit()
    return company


def add_member(company_id: int, person_id: int, role: Role) -> Membership:
    """Commits. Raises NotNow for a second Owner or somebody who is a member already."""
    with company_scope(company_id):
        membership = Membership(person_id=person_id, role=role)
        db.session.add(membership)
        try:
            db.session.flush()
        except IntegrityError as error:
            db.session.rollback()
            raise NotNow(_("A company has one Owner, and a person one role in it.")) from error
        audit.record("member.added", db.session.get(Person, person_id).name, role=role.value)
        db.session.commit()
    return membership


def members() -> list[Person]:
    """The active people of the chosen company, by name."""
    query = select(Person).join(Membership, Membership.person_id == Person.id).where(Membership.active)
    return list(db.session.scalars(query.order_by(func.lower(Person.name), Person.id)))


def is_member(person_id: int) -> bool:
    query = select(Membership.id).where(Membership.person_id == person_id, Membership.active)
    return db.session.scalar(query) is not None


def owns_a_company(person_id: int) -> bool:
    with across_companies():
        query = select(Membership.id).where(
            Membership.person_id == person_id, Membership.role == Role.OWNER, Membership.active
        )
        return db.session.scalar(query.limit(1)) is not None


@cache
def countries() -> dict[str, str]:
    """ISO code -> name, by name."""
    names = Locale("en").territories
    known = {
        code: name for code, name in names.items() if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRY
    }
    return dict(sorted(known.items(), key=lambda pair: pair[1]))


_NO_COUNTRY = {"EU", "EZ", "UN", "ZZ", "XA", "XB", "QO"}


@cache
def timezones() -> tuple[str, ...]:
    """Names such as Europe/Tallinn."""
    places = (name for name in available_timezones() if "/" in name and not name.startswith(("Etc/", "SystemV/")))
    return ("UTC", *sorted(places))


def contacts_of(client: Client) -> list[Contact]:
    query = select(Contact).where(Contact.client_id == client.id).order_by(func.lower(Contact.name), Contact.id)
    return list(db.session.scalars(query))


def contact(client: Client, contact_id: int) -> Contact:
    one = db.session.scalar(select(Contact).where(Contact.id == contact_id, Contact.client_id == client.id))
    if one is None:
        raise NotFound
    return one


def save_contact(client: Client, one: Contact | None, values: dict[str, str]) -> Contact:
    """`values`: name, email, phone, role. Commits. Raises Invalid."""
    cleaned = {name: values.get(name, "").strip() or None for name in ("name", "email", "phone", "role")}
    errors = {}
    if not cleaned["name"]:
        errors["name"] = _("Enter the contact's name.")
    if cleaned["email"] and not is_email(cleaned["email"]):
        errors["email"] = _("Enter an e-mail address, such as name@example.com.")
    for name, value in cleaned.items():
        if value and len(value) > Contact.__table__.c[name].type.length:
            errors[name] = _("This is too long.")
    if errors:
        raise Invalid(errors)
    audit.record("contact.changed" if one else "contact.added", client.name, contact=cleaned["name"])
    one = one or Contact(client_id=client.id)
    for name, value in cleaned.items():
        setattr(one, name, value)
    db.session.add(one)
    db.session.commit()
    return one


def remove_contact(client: Client, one: Contact) -> None:
    """Commits."""
    audit.record("contact.removed", client.name, contact=one.name)
    db.session.delete(one)
    db.session.commit()
