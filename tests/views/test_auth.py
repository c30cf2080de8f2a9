"""Signing in and out, and who is kept out."""

from contextvars import Context
from dataclasses import replace

import pytest
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from tests.conftest import PASSWORD
from uku_web.db import db
from uku_web.models import Membership, Person
from uku_web.services import people
from uku_web.tenancy import across_companies
from uku_web.views import limiter
from uku_web.views.auth import own_path


@pytest.fixture
def throttle(monkeypatch):
    monkeypatch.setattr(limiter, "_limiter", FixedWindowRateLimiter(MemoryStorage()))
    monkeypatch.setattr(limiter, "_storage_dead", False)
    monkeypatch.setattr(limiter, "enabled", True)


def sign_in(client, email="owner@example.test", password=PASSWORD, **more):
    return client.post("/sign-in", data={"email": email, "password": password, **more})


def test_a_person_signs_in_whatever_the_case_of_the_e_mail(app, firm):
    answer = sign_in(app.test_client(), " Owner@Example.test ")
    assert (answer.status_code, answer.location) == (303, "/")


def test_unknown_people_and_wrong_passwords_get_the_same_answer(app, firm):
    wrong = sign_in(app.test_client(), password="not it")
    unknown = sign_in(app.test_client(), "nobody@example.test")
    assert wrong.status_code == unknown.status_code == 422
    assert wrong.text.replace("owner@", "nobody@") == unknown.text
    assert "not right" in wrong.text and 'aria-invalid="true"' in wrong.text
    assert sign_in(app.test_client()).status_code == 303


def test_an_unknown_persons_password_is_hashed_all_the_same(app, firm, monkeypatch):
    seen = []
    monkeypatch.setattr(people.passwords, "matches", lambda hashed, password: seen.append(hashed) and False)
    sign_in(app.test_client(), "nobody@example.test")
    assert seen == [None]


def test_nothing_of_an_earlier_session_outlives_signing_in(app, firm):
    client = app.test_client()
    with client.session_transaction() as session:
        session["company_id"], session["left"] = firm.other_id, "behind"
    sign_in(client)
    with client.session_transaction() as session:
        assert "left" not in session and "company_id" not in session


def test_signing_out_ends_the_session(signed_in):
    client = signed_in("owner")
    assert client.post("/sign-out").location == "/sign-in"
    assert client.get("/clients").location.startswith("/sign-in")


def test_who_asks_for_a_page_is_led_there_after_signing_in(app, firm):
    client = app.test_client()
    asked = client.get("/clients?q=kask")
    assert asked.status_code == 303
    page = client.get(asked.location).text
    assert 'name="next" value="/clients?q=kask"' in page
    assert sign_in(client, next="/clients?q=kask").location == "/clients?q=kask"
    assert client.get("/sign-in?next=/tasks").location == "/tasks"


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.test/",
        "//evil.test",
        "/\\evil.test",
        "\\\\evil.test",
        "/\t/evil.test",
        "/\n/evil.test",
        "javascript:alert(1)",
        "evil.test",
        "",
        " /clients",
    ],
)
def test_no_link_leads_to_another_site_after_signing_in(app, firm, target):
    assert own_path(target) is None
    client = app.test_client()
    assert sign_in(client, next=target).location == "/"
    assert client.get("/sign-in", query_string={"next": target}).location == "/"


def test_five_wrong_passwords_close_the_door_for_a_minute(app, firm, throttle):
    client = app.test_client()
    assert [sign_in(client, password="no").status_code for _ in range(6)] == [422] * 5 + [429]
    answer = sign_in(client)
    assert answer.status_code == 429
    assert "Wait a minute" in answer.text and answer.headers["Retry-After"] == "60"
    assert sign_in(client, "admin@example.test").status_code == 303  # another person at the same address


def test_one_address_cannot_try_many_people(app, firm, throttle):
    client = app.test_client()
    answers = [sign_in(client, f"person{n}@example.test", "no").status_code for n in range(11)]
    assert answers == [422] * 10 + [429]
    other = app.test_client()
    assert (
        other.post(
            "/sign-in",
            data={"email": "owner@example.test", "password": PASSWORD},
            environ_base={"REMOTE_ADDR": "192.0.2.7"},
        ).status_code
        == 303
    )


def test_an_office_behind_one_address_signs_in_as_often_as_it_likes(app, firm, throttle):
    assert {sign_in(app.test_client()).status_code for _ in range(15)} == {303}


def test_demo_log_ins_are_shown_in_the_demo_only(app, firm, monkeypatch):
    assert people.DEMO_PASSWORD not in app.test_client().get("/sign-in").text
    monkeypatch.setitem(app.extensions, "uku_config", replace(app.extensions["uku_config"], demo=True))
    page = app.test_client().get("/sign-in").text
    assert people.DEMO_PASSWORD in page and "owner@demo.example" in page


def test_the_start_page_is_the_client_list(signed_in):
    assert signed_in("member").get("/").location == "/clients"


def test_a_deactivated_person_is_out_and_reads_why(signed_in, firm):
    client = signed_in("member")
    with across_companies():
        membership = db.session.scalar(db.select(Membership).where(Membership.person_id == firm.people["member"]))
        membership.active = False
        db.session.commit()
    assert client.get("/clients").location == "/companies/new"
    answer = client.get("/companies/new")
    assert answer.status_code == 403 and "You belong to no company" in answer.text


def test_a_raised_session_version_ends_the_session(signed_in, firm):
    client = signed_in("admin")
    db.session.get(Person, firm.people["admin"]).session_version += 1
    db.session.commit()
    # In a context of its own: within the test's one the person is remembered from request to request.
    assert Context().run(client.get, "/clients").location.startswith("/sign-in")
