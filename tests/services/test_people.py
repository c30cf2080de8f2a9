"""Companies, people, and who may sign in."""

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import AuditEntry, Company, Membership, Person, Role
from uku_web.services import clients, people
from uku_web.services.errors import Invalid, NotFound, NotNow
from uku_web.tenancy import across_companies, company_scope


def test_the_creator_of_a_company_is_its_owner_and_it_starts_on_elite(firm):
    company = people.create_company(" Uus Firma OÜ ", "ee", "Europe/Tallinn", firm.people["owner"])
    with company_scope(company.id):
        membership = db.session.scalar(select(Membership))
        assert (company.name, company.country, company.plan) == ("Uus Firma OÜ", "EE", "elite")
        assert (membership.person_id, membership.role) == (firm.people["owner"], Role.OWNER)
        assert db.session.scalars(select(AuditEntry.act)).all() == ["company.created"]


def test_a_company_without_name_country_or_time_zone_is_refused_field_by_field(firm):
    with pytest.raises(Invalid) as refused:
        people.create_company(" ", "XX", "Mars/Base", firm.people["owner"])
    assert set(refused.value.errors) == {"name", "country", "timezone"}
    assert db.session.scalar(select(db.func.count()).select_from(Company)) == 2


def test_a_person_is_found_by_the_e_mail_in_any_case(database):
    made = people.create_person(" Mari@Example.TEST ", "Mari", "long enough a word")
    assert made.email == "mari@example.test"
    assert people.authenticate("MARI@example.test", "long enough a word").id == made.id
    assert people.authenticate("mari@example.test", "something else") is None
    assert people.authenticate("nobody@example.test", "long enough a word") is None


def test_a_second_person_with_the_same_e_mail_is_refused(database):
    people.create_person("mari@example.test", "Mari", "long enough a word")
    with pytest.raises(Invalid) as refused:
        people.create_person("Mari@example.test", "", "short")
    assert set(refused.value.errors) == {"email", "name", "password"}
    assert db.session.scalar(select(db.func.count()).select_from(Person)) == 1


def test_a_company_keeps_one_owner(firm):
    newcomer = people.create_person("new@example.test", "New", "long enough a word")
    with pytest.raises(NotNow):
        people.add_member(firm.id, newcomer.id, Role.OWNER)
    people.add_member(firm.id, newcomer.id, Role.MEMBER)
    with company_scope(firm.id):
        assert [person.name for person in people.members()] == ["Admin", "Member", "New", "Owner"]


def test_members_are_the_active_people_of_this_company(in_firm):
    db.session.scalar(select(Membership).where(Membership.person_id == in_firm.people["admin"])).active = False
    db.session.commit()
    assert [person.name for person in people.members()] == ["Member", "Owner"]
    assert not people.is_member(in_firm.people["admin"])
    assert not people.is_member(in_firm.people["stranger"])


def test_only_owners_count_as_owners(firm):
    assert people.owns_a_company(firm.people["owner"])
    assert not people.owns_a_company(firm.people["admin"])


def test_a_contact_is_kept_changed_and_removed(in_firm):
    client = clients.save(None, {"name": "Kask"})
    one = people.save_contact(client, None, {"name": " Juta ", "email": "juta@kask.test"})
    people.save_contact(client, one, {"name": "Juta Kask", "email": ""})
    assert [(contact.name, contact.email) for contact in people.contacts_of(client)] == [("Juta Kask", None)]
    people.remove_contact(client, one)
    assert people.contacts_of(client) == []


def test_a_contact_of_another_client_is_not_found(in_firm):
    one, other = clients.save(None, {"name": "One"}), clients.save(None, {"name": "Other"})
    contact = people.save_contact(one, None, {"name": "Juta"})
    with pytest.raises(NotFound):
        people.contact(other, contact.id)


def test_a_contact_needs_a_name_and_a_real_e_mail(in_firm):
    client = clients.save(None, {"name": "Kask"})
    with pytest.raises(Invalid) as refused:
        people.save_contact(client, None, {"name": "", "email": "juta at kask"})
    assert set(refused.value.errors) == {"name", "email"}


def test_time_zones_and_countries_are_real_ones():
    assert "Europe/Tallinn" in people.timezones()
    assert people.countries()["EE"] == "Estonia"
    assert not {"EU", "ZZ"} & set(people.countries())


def test_the_other_company_sees_none_of_it(firm):
    with company_scope(firm.id):
        client = clients.save(None, {"name": "Kask"})
        people.save_contact(client, None, {"name": "Juta"})
    with company_scope(firm.other_id), pytest.raises(NotFound):
        clients.get(client.id)
    with across_companies():
        assert db.session.scalar(select(db.func.count()).select_from(Person)) == 4
