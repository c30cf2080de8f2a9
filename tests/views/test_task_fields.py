"""Custom task fields and topics in the settings: managers only."""

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Client, Task, TaskField, Topic
from uku_web.services import task_fields
from uku_web.tenancy import company_scope

FIELDS, TOPICS = "/settings/task-fields", "/settings/topics"


@pytest.fixture
def made(firm) -> tuple[int, int]:
    """A field nobody uses, and a topic that a task stands under."""
    with company_scope(firm.id):
        field, topic = task_fields.save_field(None, "Sales", "number"), task_fields.save_topic(None, "Monthly")
        client = Client(name="Kask")
        db.session.add(client)
        db.session.flush()
        db.session.add(Task(client_id=client.id, title="March", topic_id=topic.id))
        db.session.commit()
        return field.id, topic.id


def test_an_empty_page_says_what_a_field_is_for(signed_in):
    client = signed_in("admin")
    assert "No custom task fields yet" in client.get(FIELDS).text
    assert "No topics yet" in client.get(TOPICS).text


def test_fields_and_topics_are_added(signed_in):
    client = signed_in("admin")
    client.post(FIELDS, data={"name": "Colour", "type": "choice", "choices": "red\r\nblue"})
    page = client.get(FIELDS).text
    assert "Colour is added" in page and "red, blue" in page and "not used" in page
    client.post(TOPICS, data={"name": "Payroll"})
    assert "Payroll" in client.get(TOPICS).text


def test_wrong_input_is_told_beside_the_field(signed_in, made):
    client = signed_in("owner")
    for address, data in ((FIELDS, {"name": "sales", "type": "number"}), (TOPICS, {"name": "MONTHLY"})):
        answer = client.post(address, data=data)
        assert answer.status_code == 422
        assert "one of this name already" in answer.text and 'id="f-name-error"' in answer.text
    answer = client.post(f"{FIELDS}/{made[0]}", data={"name": "", "type": "number"})
    assert answer.status_code == 422 and 'href="#f-name"' in answer.text


def test_renaming_archiving_restoring_and_deleting(signed_in, made):
    client, address = signed_in("admin"), f"{FIELDS}/{made[0]}"
    client.post(address, data={"name": "Sales entries", "type": "price"})
    assert "Price" in client.get(FIELDS).text
    client.post(f"{address}/archived", data={"archived": "1"})
    assert "Archived" in client.get(FIELDS).text and "Restore" in client.get(FIELDS).text
    client.post(f"{address}/archived", data={"archived": "0"})
    assert client.post(f"{address}/delete").location == FIELDS
    page = client.get(FIELDS).text
    assert "Sales entries is deleted" in page and "No custom task fields yet" in page


def test_what_is_in_use_offers_no_delete_and_refuses_one(signed_in, firm, made):
    client, address = signed_in("admin"), f"{TOPICS}/{made[1]}"
    page = client.get(address).text
    assert "can only be archived" in page and f"{address}/delete" not in page
    answer = client.post(f"{address}/delete")
    assert answer.status_code == 422 and "can only be archived" in answer.text
    client.post(f"{address}/archived", data={"archived": "1"})
    with company_scope(firm.id):
        assert db.session.scalar(select(Topic.archived))


@pytest.mark.parametrize("address", [FIELDS, TOPICS, f"{FIELDS}/1", f"{TOPICS}/1"])
def test_members_may_not_manage_them(signed_in, made, address):
    client = signed_in("member")
    assert client.get(address).status_code == 403
    for post in (address, f"{address}/archived", f"{address}/delete")[: 1 if address in (FIELDS, TOPICS) else 3]:
        assert client.post(post, data={"name": "Mine"}).status_code == 403


@pytest.mark.parametrize("act", ["", "/archived", "/delete"])
def test_another_companys_are_not_there(signed_in, firm, made, act):
    client = signed_in("stranger")
    for address in (f"{FIELDS}/{made[0]}", f"{TOPICS}/{made[1]}"):
        assert client.post(f"{address}{act}", data={"name": "Mine", "archived": "1"}).status_code == 404
        assert client.get(address).status_code == 404
    assert "Sales" not in client.get(FIELDS).text
    with company_scope(firm.id):
        assert db.session.scalar(select(TaskField.name)) == "Sales"


def test_the_list_takes_the_same_few_statements_for_few_and_many(signed_in, firm, made, count_sql):
    client = signed_in("admin")

    def statements() -> int:
        db.session.expire_all()
        with count_sql() as sent:
            client.get(FIELDS)
        return len(sent)

    few = statements()
    with company_scope(firm.id):
        db.session.add_all([TaskField(name=f"Field {n}", type="number") for n in range(40)])
        db.session.commit()
    assert statements() == few <= 12
