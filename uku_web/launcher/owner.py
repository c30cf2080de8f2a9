"""The first owner and company: asked for on the terminal, or taken from the environment."""

import getpass
import sys

from sqlalchemy import select

from uku_web import create_app
from uku_web.config import Config
from uku_web.db import db
from uku_web.models import Person
from uku_web.services import people
from uku_web.services.errors import Invalid
from uku_web.tenancy import across_companies

# Setting -> the question on the terminal, and what an empty answer means.
QUESTIONS = {
    "UKU_OWNER_EMAIL": ("Your e-mail address", ""),
    "UKU_OWNER_NAME": ("Your name", ""),
    "UKU_OWNER_PASSWORD": ("A password of at least 10 characters", ""),
    "UKU_COMPANY_NAME": ("The company's name", ""),
    "UKU_COMPANY_COUNTRY": ("Its country, two letters", "EE"),
    "UKU_COMPANY_TIMEZONE": ("Its time zone", "Europe/Tallinn"),
}


def make_owner(config: Config) -> int:
    """Exit code. Does nothing where somebody is in the database already."""
    with create_app(config).app_context(), across_companies():
        if db.session.scalar(select(Person.id).limit(1)) is not None:
            return 0
        db.session.rollback()
        given = {name: config.environ.get(name, "").strip() for name in QUESTIONS}
        if not given["UKU_OWNER_EMAIL"] and not sys.stdin.isatty():
            names = ", ".join(list(QUESTIONS)[:4])
            print(f"There is no owner yet. Start it on a terminal once, or set {names}.", file=sys.stderr)
            return 2
        if not given["UKU_OWNER_EMAIL"]:
            print("There is nobody here yet. The first person owns the first company.")
            given = {name: given[name] or _ask(name) for name in QUESTIONS}
        return _make({name: value or QUESTIONS[name][1] for name, value in given.items()})


def _ask(name: str) -> str:
    question, default = QUESTIONS[name]
    text = f"{question} [{default}]: " if default else f"{question}: "
    return (getpass.getpass(text) if "PASSWORD" in name else input(text)).strip()


def _make(given: dict[str, str]) -> int:
    email, name, password, company, country, zone = given.values()
    try:
        person = people.create_person(email, name, password)
        try:
            people.create_company(company, country, zone, person.id)
        except Invalid:
            db.session.rollback()
            db.session.delete(db.session.get(Person, person.id))  # so that the next try begins anew
            db.session.commit()
            raise
    except Invalid as error:
        print("\n".join(error.errors.values()), file=sys.stderr)
        return 2
    print(f"{name} owns {company} now and signs in as {email}.")
    return 0
