"""Tasks on the screen: anybody of the company edits them, nobody else sees them."""

from contextvars import Context
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Client, Run, Task, TaskField, TaskValue, ValueWrite
from uku_web.services import task_fields, tasks
from uku_web.tenancy import company_scope
from uku_web.vendors import registry

KIND = registry.kinds()[0]
STAT = registry.spec_of(KIND).statistics[0]
PART = {"HX-Request": "true"}


@pytest.fixture
def march(firm) -> int:
    """A summary task whose one number a run has written over a person's."""
    with company_scope(firm.id):
        client, field = Client(name="Õun OÜ"), TaskField(name="Sales", type="number")
        run = Run(what="statistics", kind=KIND, trigger="reload", active_key="k", title="Reload data", state="done")
        db.session.add_all([client, field, run])
        db.session.flush()
        task = Task(
            client_id=client.id, kind=KIND, month=date(2026, 3, 1), title="Summary March", due_on=date(2026, 3, 31)
        )
        task.values.append(TaskValue(field_id=field.id, number=Decimal(12), run_id=run.id))
        db.session.add(task)
        db.session.flush()
        write = ValueWrite(task_id=task.id, field_id=field.id, run_id=run.id, number=Decimal(12), mapping_version=3)
        write.vendor_field, write.before_number, write.before_person_id = STAT.key, Decimal(9), firm.people["admin"]
        write.before_at = task.created_at
        db.session.add(write)
        db.session.commit()
        return task.id


def field_id() -> int:
    return db.session.scalar(select(TaskField.id))


@pytest.fixture
def sales(firm, march) -> int:
    with company_scope(firm.id):
        return field_id()


def test_the_list_shows_month_due_values_and_state(signed_in, march):
    page = signed_in("member").get("/tasks").text
    for text in ("Summary March", "Õun OÜ", "March 2026", "2026-03-31", "Sales <b>12</b>", "Overdue"):
        assert text in page, text


def test_the_list_filters_by_month_and_comes_alone_for_htmx(signed_in, march):
    client = signed_in("member")
    assert "Summary March" in client.get("/tasks?month=2026-03", headers=PART).text
    part = client.get("/tasks?month=2026-04", headers=PART).text
    assert "Summary March" not in part and "No task matches" in part and "<html" not in part
    assert client.get("/tasks?month=never&topic=x&sort=evil&state=evil").status_code == 200


def test_counts_pending_stand_with_their_reason(signed_in, firm, march):
    with company_scope(firm.id):
        db.session.get(Task, march).counts_pending = "The vendor was away on the import day."
        db.session.commit()
    client = signed_in("member")
    for address in ("/tasks", f"/tasks/{march}"):
        page = client.get(address).text
        assert "Counts pending" in page and "was away on the import day" in page


def test_a_member_edits_a_value(signed_in, firm, march, sales):
    client = signed_in("member")
    answer = client.post(f"/tasks/{march}/values", data={f"value-{sales}": "1 015,5", f"was-{sales}": "12"})
    assert answer.status_code == 303
    page = client.get(answer.location).text
    assert "1 value is saved" in page and 'value="1015.5"' in page and "Edited by hand" in page


def test_what_the_person_did_not_touch_is_left_to_the_run_that_wrote_it_meanwhile(signed_in, firm, march, sales):
    """The page was opened while 9 stood there; then a run wrote 12."""
    signed_in("member").post(f"/tasks/{march}/values", data={f"value-{sales}": "9", f"was-{sales}": "9"})
    with company_scope(firm.id):
        value = db.session.scalar(select(TaskValue))
        assert (value.number, value.person_id) == (Decimal(12), None)


def test_a_wrong_value_is_told_beside_it_and_kept_to_be_mended(signed_in, firm, march, sales):
    client = signed_in("member")
    answer = client.post(f"/tasks/{march}/values", data={f"value-{sales}": "many", f"was-{sales}": "12"})
    assert answer.status_code == 422
    assert f'href="#f-value-{sales}"' in answer.text and f'id="f-value-{sales}-error"' in answer.text
    assert 'value="many"' in answer.text and f'name="was-{sales}" value="12"' in answer.text
    mended = client.post(f"/tasks/{march}/values", data={f"value-{sales}": "13", f"was-{sales}": "12"})
    assert mended.status_code == 303


def test_a_value_opens_to_show_where_it_came_from(signed_in, march, sales):
    client = signed_in("member")
    address = f"/tasks/{march}/values/{sales}/history"
    assert address in client.get(f"/tasks/{march}").text
    for headers in ({}, PART):
        page = client.get(address, headers=headers).text
        for text in ("Reload data", "March 2026", STAT.label, "version 3", ">9<", "Admin"):
            assert text in page, text
    assert "<html" not in client.get(address, headers=PART).text


def test_done_and_reopened(signed_in, march):
    client = signed_in("member")
    client.post(f"/tasks/{march}/done", data={"done": "1"})
    page = client.get(f"/tasks/{march}").text
    assert "Reopen" in page and "Member" in page
    assert "Summary March" not in client.get("/tasks", headers=PART).text
    client.post(f"/tasks/{march}/done", data={"done": "0"})
    assert "Mark done" in client.get(f"/tasks/{march}").text


def test_a_field_is_added_and_each_type_has_its_control(signed_in, firm, march):
    with company_scope(firm.id):
        made = [
            task_fields.save_field(None, "Note", "text").id,
            task_fields.save_field(None, "Colour", "choice", "red\nblue").id,
            task_fields.save_field(None, "Checked", "checkbox").id,
            task_fields.save_field(None, "Fee", "price").id,
        ]
    client = signed_in("member")
    for added in made:
        assert client.post(f"/tasks/{march}/fields", data={"field": added}).status_code == 303
    page = client.get(f"/tasks/{march}").text
    assert '<option value="blue"' in page and 'type="checkbox"' in page and 'inputmode="decimal"' in page
    typed = {
        f"value-{made[0]}": "hello",
        f"value-{made[1]}": "blue",
        f"value-{made[2]}": "yes",
        f"value-{made[3]}": "5",
    }
    client.post(f"/tasks/{march}/values", data=typed | {f"was-{added}": "" for added in made})
    page = client.get(f"/tasks/{march}").text
    assert "4 values are saved" in page and 'value="hello"' in page and 'value="5.00"' in page and " checked" in page


def test_a_task_by_hand_is_made_by_a_member_and_edited(signed_in, firm, march):
    with company_scope(firm.id):
        client_id = db.session.scalar(select(Client.id))
    client = signed_in("member")
    assert client.post("/tasks/new", data={"title": ""}).status_code == 422
    made = client.post("/tasks/new", data={"title": "Salaries", "client": str(client_id), "due": "2026-04-10"})
    assert "Salaries" in client.get(made.location).text
    client.post(f"{made.location}/edit", data={"title": "Wages", "due": ""})
    assert "Wages" in client.get("/tasks").text


@pytest.mark.parametrize("act", ["values", "done", "fields", "edit"])
def test_another_companys_task_cannot_be_changed(signed_in, firm, march, act):
    assert signed_in("stranger").post(f"/tasks/{march}/{act}", data={"done": "1", "field": "1"}).status_code == 404
    with company_scope(firm.id):
        assert not db.session.get(Task, march).done


@pytest.mark.parametrize("page", ["", "/edit", "/values/1/history"])
def test_another_companys_task_cannot_be_read(signed_in, march, page):
    client = signed_in("stranger")
    assert client.get(f"/tasks/{march}{page}").status_code == 404
    assert "Summary March" not in client.get("/tasks?state=all").text


def test_the_list_takes_the_same_few_statements_for_few_and_many(signed_in, firm, march, count_sql):
    client = signed_in("member")

    def statements() -> int:
        with count_sql() as sent:
            Context().run(client.get, "/tasks")  # with a session of its own, as every true request has
        return len(sent)

    few = statements()
    with company_scope(firm.id):
        for n in range(60):
            other = Client(name=f"Client {n}")
            task = Task(client=other, title=f"T{n}", assignee_id=firm.people["admin"])
            task.values.append(TaskValue(field_id=field_id(), number=Decimal(n)))
            db.session.add(task)
        db.session.commit()
    assert statements() == few <= 12


def test_a_value_of_a_vendor_that_is_no_more_stays_readable(signed_in, firm, march, sales):
    with company_scope(firm.id):
        db.session.get(Task, march).kind = "gone"
        db.session.commit()
        assert tasks.get(march).kind == "gone"
    assert signed_in("member").get(f"/tasks/{march}").status_code == 200
    assert signed_in("member").get(f"/tasks/{march}/values/{sales}/history").status_code == 200
