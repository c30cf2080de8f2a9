"""Every route, every role, and another company: one table. A route that is missing here fails the suite."""

import pytest
from flask import current_app, url_for

from tests.services.counting import moment
from uku_web.db import db
from uku_web.models import (
    Client,
    Connection,
    Contact,
    Integration,
    Level,
    Link,
    Notice,
    Run,
    Task,
    TaskField,
    TaskValue,
    Topic,
)
from uku_web.tenancy import company_scope
from uku_web.vendors.registry import kinds
from uku_web.views.guard import access_of

PUBLIC = "assets.htmx auth.sign_in auth.sign_in_now health.health"
PERSON = "auth.sign_out companies.create companies.new companies.switch"
MEMBER = """
    auth.home clients.client_tasks clients.contacts clients.index clients.integrations
    clients.show notices.bell notices.index notices.open notices.read_all runs.index runs.progress runs.show
    tasks.add_field tasks.create tasks.edit tasks.history tasks.index tasks.new tasks.save_values tasks.set_done
    tasks.show tasks.update
"""
ADMIN = """
    apps.index client_bulk.progress client_bulk.run client_bulk.show client_bulk.started
    client_integration.progress apps.switch audit.export audit.index client_integration.ask_delete
    client_integration.ask_reload
    client_integration.delete client_integration.find_customers client_integration.reload client_integration.save
    client_integration.show client_integration.test clients.create clients.create_contact clients.edit
    clients.edit_contact clients.new clients.new_contact clients.remove_contact clients.set_active clients.update
    clients.update_contact integration.ask_disconnect integration.ask_reload integration.choose integration.connect
    integration.disable integration.disconnect integration.enable integration.manual integration.new_field
    integration.progress integration.reload integration.save_connection integration.save_settings
    integration.settings integration.show integration.test runs.again runs.cancel task_fields.archive
    task_fields.archive_topic task_fields.create task_fields.create_topic task_fields.delete task_fields.delete_topic
    task_fields.edit task_fields.edit_topic task_fields.index task_fields.topics task_fields.update
    task_fields.update_topic
"""
OWNER = "clients.delete clients.delete_now"

TABLE = {
    endpoint: role
    for role, names in (("public", PUBLIC), ("person", PERSON), ("member", MEMBER), ("admin", ADMIN), ("owner", OWNER))
    for endpoint in names.split()
}
RANK = {"public": 0, "person": 1, "member": 2, "admin": 3, "owner": 4}
# Nothing of the company's own is connected in this test.
NOTHING_TO_ACT_ON = {"integration.choose", "integration.disconnect", "integration.ask_disconnect"}
PEOPLE = {"anonymous": 0, "member": 2, "admin": 3, "owner": 4}


def routes(app) -> list[tuple[str, str, set[str]]]:
    """(endpoint, method, names in the address) of all but Flask's own static files."""
    return [
        (rule.endpoint, method, set(rule.arguments))
        for rule in app.url_map.iter_rules()
        if rule.endpoint != "static"
        for method in sorted(rule.methods & {"GET", "POST", "PUT", "PATCH", "DELETE"})
    ]


@pytest.fixture
def ids(firm) -> dict:
    """One of each thing that an address may name."""
    with company_scope(firm.id):
        client, topic, field = Client(name="Aru OÜ"), Topic(name="T"), TaskField(name="F")
        spare_topic, spare_field = Topic(name="unused"), TaskField(name="unused")
        run = Run(what="statistics", kind=kinds()[0], trigger="reload", active_key="x", title="t", params={})
        db.session.add_all([client, topic, field, spare_topic, spare_field, run])
        db.session.flush()
        contact, task = Contact(client_id=client.id, name="C"), Task(client_id=client.id, title="t", topic_id=topic.id)
        notices = [Notice(person_id=person, title="n", path="/runs") for person in firm.people.values()]
        db.session.add_all([contact, task, *notices])
        db.session.flush()
        db.session.add(Integration(kind=kinds()[0], enabled=True))
        sealed = current_app.extensions["uku_keyring"].seal({"country": "ee"})
        connection = Connection(kind=kinds()[0], level=Level.CLIENT, sealed=sealed, hints={"variant": "ee"})
        db.session.add(connection)
        db.session.flush()
        db.session.add(Link(client_id=client.id, kind=kinds()[0], connection_id=connection.id))
        db.session.add(TaskValue(task_id=task.id, field_id=field.id, text="x", changed_at=moment("2026-01-01T00:00")))
        db.session.commit()
        return {
            "client_id": client.id,
            "contact_id": contact.id,
            "task_id": task.id,
            "field_id": field.id,
            "topic_id": topic.id,
            "run_id": run.id,
            "company_id": firm.id,
            "kind": kinds()[0],
            "notice_id": {name: notice.id for name, notice in zip(firm.people, notices, strict=True)},
        }


def address(app, endpoint: str, arguments: set[str], ids: dict, who: str) -> str:
    values = {name: ids[name] for name in arguments}
    if "notice_id" in values:
        values["notice_id"] = ids["notice_id"]["member" if who == "stranger" else who]
    with app.test_request_context():
        return url_for(endpoint, **values)


def test_every_route_stands_in_the_table_and_declares_the_same(app):
    declared = {endpoint: access_of_in(app, endpoint) for endpoint, _method, _arguments in routes(app)}
    assert declared == TABLE


def access_of_in(app, endpoint: str) -> str:
    with app.app_context():
        return str(access_of(endpoint))


@pytest.mark.parametrize("who", ["anonymous", "member", "admin"])
def test_a_lesser_role_is_refused_with_a_plain_sentence(app, signed_in, ids, who):
    browser = app.test_client() if who == "anonymous" else signed_in(who)
    for endpoint, method, arguments in routes(app):
        if RANK[TABLE[endpoint]] <= PEOPLE[who]:
            continue
        answer = browser.open(address(app, endpoint, arguments, ids, "member"), method=method)
        if who == "anonymous":
            assert answer.status_code == 303, endpoint
            assert answer.location.startswith("/sign-in"), endpoint
        else:
            assert answer.status_code == 403, endpoint
            assert "Company" in answer.text, endpoint
            assert "Aru" not in answer.text, endpoint


def all_endpoints() -> list[str]:
    return sorted(TABLE)


@pytest.mark.parametrize("endpoint", all_endpoints())
def test_the_least_sufficient_role_gets_in_and_nothing_breaks(app, signed_in, ids, endpoint):
    who = {"public": "member", "person": "owner"}.get(TABLE[endpoint], TABLE[endpoint])
    browser = signed_in(who)
    for name, method, arguments in routes(app):
        if name == endpoint:
            url = address(app, endpoint, arguments, ids, who)
            given = {"data": {"kind": ids["kind"]}} if method == "POST" else {}
            answer = browser.open(url, method=method, query_string={"kind": ids["kind"]}, **given)
            answer.close()
            good = (200, 204, 302, 303, 409, 422, 503) + ((404,) if endpoint in NOTHING_TO_ACT_ON else ())
            assert answer.status_code in good, f"{answer.status_code} {answer.text[:300]}"


def test_another_companys_ids_are_not_found(app, signed_in, ids):
    browser = signed_in("stranger")
    for endpoint, method, arguments in routes(app):
        if arguments - {"kind", "filename"}:
            answer = browser.open(address(app, endpoint, arguments, ids, "stranger"), method=method)
            assert answer.status_code == 404, f"{method} {endpoint}: {answer.status_code}"
            assert "Aru" not in answer.text


def test_a_route_that_declares_nothing_is_closed_to_everybody(app, signed_in, monkeypatch):
    browser = signed_in("owner")
    monkeypatch.delattr(app.view_functions["runs.index"], "access")
    assert browser.get("/runs").status_code == 403


def test_htmx_requests_of_a_signed_out_person_lead_to_sign_in(app, firm):
    answer = app.test_client().get("/clients", headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"].startswith("/sign-in")


def test_unsafe_requests_need_the_csrf_token(app, signed_in):
    browser = signed_in("owner")
    app.config["WTF_CSRF_ENABLED"] = True
    try:
        assert browser.post("/settings/integration-app", data={"on": "0"}).status_code == 422
        answer = browser.post("/settings/integration-app", headers={"HX-Request": "true"})
        assert answer.status_code == 422
    finally:
        app.config["WTF_CSRF_ENABLED"] = False


def test_every_answer_carries_the_security_headers(app, signed_in):
    for browser, path in ((app.test_client(), "/sign-in"), (signed_in("owner"), "/clients")):
        headers = browser.get(path).headers
        assert "default-src 'self'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Cache-Control"] == "no-store"
