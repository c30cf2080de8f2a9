"""Switching companies, and opening a further one."""

from uku_web.db import db
from uku_web.models import Client, Company, Membership, Role
from uku_web.services import people
from uku_web.tenancy import company_scope

NEW = {"name": "Teine OÜ", "country": "FI", "timezone": "Europe/Helsinki"}


def test_an_owner_opens_a_further_company_and_stands_in_it(signed_in, firm):
    client = signed_in("owner")
    assert client.post("/companies/new", data=NEW).status_code == 303
    page = client.get("/clients").text
    assert "Teine OÜ is ready" in page and "No clients yet" in page
    company = db.session.scalar(db.select(Company).where(Company.name == "Teine OÜ"))
    with company_scope(company.id):
        assert db.session.scalar(db.select(Membership.role)) == Role.OWNER


def test_wrong_input_is_told_beside_the_field_and_kept(signed_in):
    answer = signed_in("owner").post("/companies/new", data={**NEW, "name": " ", "country": "XX"})
    assert answer.status_code == 422
    assert "There is a problem" in answer.text and 'id="f-name-error"' in answer.text
    assert '<option value="Europe/Helsinki" selected>' in answer.text


def test_only_owners_open_companies(signed_in, firm):
    for name in ("admin", "member"):
        client = signed_in(name)
        assert client.get("/companies/new").status_code == 403
        assert client.post("/companies/new", data=NEW).status_code == 403
    assert db.session.scalar(db.select(db.func.count()).select_from(Company)) == 2


def test_a_person_switches_between_their_own_companies(signed_in, firm):
    people.add_member(firm.other_id, firm.people["member"], Role.ADMIN)
    with company_scope(firm.other_id):
        db.session.add(Client(name="Theirs"))
        db.session.commit()
    client = signed_in("member")
    assert "Theirs" not in client.get("/clients").text
    assert client.post(f"/companies/{firm.other_id}/switch").status_code == 303
    page = client.get("/clients").text
    assert "Theirs" in page and "New client" in page  # an Admin there, a Member here
    client.post(f"/companies/{firm.id}/switch")
    assert "New client" not in client.get("/clients").text


def test_nobody_switches_into_somebody_elses_company(signed_in, firm):
    client = signed_in("owner")
    assert client.post(f"/companies/{firm.other_id}/switch").status_code == 404
    assert "Kask ja Pojad" in client.get("/clients").text


def test_strangers_must_sign_in_first(app, firm):
    assert app.test_client().get("/companies/new").location.startswith("/sign-in")
    assert app.test_client().post(f"/companies/{firm.id}/switch").location.startswith("/sign-in")
