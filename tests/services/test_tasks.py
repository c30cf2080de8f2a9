"""Finding tasks, and typing values into them with what stood before."""

from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import Client, FieldMapping, Run, Task, TaskField, TaskValue, Topic, ValueWrite
from uku_web.services import task_fields, tasks
from uku_web.services.errors import Invalid, NotFound
from uku_web.services.tasks import Wanted
from uku_web.tenancy import company_scope
from uku_web.vendors import registry
from uku_web.vendors.records import Month

KIND = registry.kinds()[0]


@pytest.fixture
def march(in_firm) -> Task:
    """A summary task of March with one imported number."""
    client, field = Client(name="Õun OÜ"), TaskField(name="Sales", type="number")
    run = Run(what="statistics", kind=KIND, trigger="reload", active_key="k", title="Reload", state="done")
    db.session.add_all([client, field, run])
    db.session.flush()
    value = TaskValue(field_id=field.id, number=Decimal(12), run_id=run.id)
    task = Task(client_id=client.id, kind=KIND, month=date(2026, 3, 1), title="March", values=[value])
    db.session.add(task)
    db.session.commit()
    return task


def titles(**wanted) -> list[str]:
    return [task.title for task in tasks.found(Wanted(**wanted))[0]]


def writes() -> list[ValueWrite]:
    return list(db.session.scalars(select(ValueWrite).order_by(ValueWrite.id)))


def test_a_persons_edit_keeps_what_stood_before_and_by_whom(march, in_firm):
    value = march.values[0]
    run_id, before_at = value.run_id, value.changed_at
    tasks.set_value(march.id, value.field_id, "15,5", in_firm.people["member"])
    value = db.session.scalar(select(TaskValue))
    assert (value.number, value.person_id, value.run_id) == (Decimal("15.5"), in_firm.people["member"], None)
    (write,) = writes()
    assert (write.person_id, write.number, write.before_number) == (
        in_firm.people["member"],
        Decimal("15.5"),
        Decimal(12),
    )
    assert (write.before_run_id, write.before_person_id, write.before_at) == (run_id, None, before_at)


def test_saving_what_stands_there_anyway_writes_nothing(march, in_firm):
    assert tasks.set_values(march.id, {march.values[0].field_id: " 12,0 "}, in_firm.people["member"]) == 0
    assert writes() == []
    assert march.values[0].run_id is not None


def test_a_cleared_value_is_an_edit_too(march, in_firm):
    tasks.set_value(march.id, march.values[0].field_id, "", in_firm.people["member"])
    value = db.session.scalar(select(TaskValue))
    assert (value.number, value.person_id) == (None, in_firm.people["member"])


def test_one_wrong_value_keeps_all_from_being_written(march, in_firm):
    text = task_fields.save_field(None, "Note", "text")
    tasks.add_field(march, text.id)
    number = march.values[0].field_id
    with pytest.raises(Invalid) as refused:
        tasks.set_values(march.id, {text.id: "fine", number: "a lot"}, in_firm.people["member"])
    assert list(refused.value.errors) == [f"value-{number}"]
    db.session.rollback()
    assert writes() == []


def test_a_field_that_the_task_does_not_have_is_not_found(march, in_firm):
    other = task_fields.save_field(None, "Other", "number")
    with pytest.raises(NotFound):
        tasks.set_value(march.id, other.id, "1", in_firm.people["member"])


def test_a_field_is_added_once_empty_and_without_author(march):
    field = task_fields.save_field(None, "Note", "text")
    archived = task_fields.save_field(None, "Old", "text")
    task_fields.set_archived(task_fields.entry(TaskField, archived.id), True)
    for _ in range(2):
        tasks.add_field(march, field.id)
    tasks.add_field(march, archived.id)
    added = [value for value in tasks.get(march.id).values if value.field_id != march.values[0].field_id]
    assert [(value.field_id, value.text, value.person_id, value.run_id) for value in added] == [
        (field.id, None, None, None)
    ]


def test_a_mapped_field_waits_for_its_number_and_can_be_typed_meanwhile(march, in_firm):
    waiting = task_fields.save_field(None, "Bank entries", "number")
    db.session.add(FieldMapping(kind=KIND, vendor_field="any", field_id=waiting.id))
    db.session.commit()
    assert [(slot.field.name, slot.text) for slot in tasks.slots(tasks.get(march.id))] == [
        ("Bank entries", ""),
        ("Sales", "12"),
    ]
    tasks.set_value(march.id, waiting.id, "7", in_firm.people["member"])
    assert writes()[0].before_at is None


def test_an_unticked_box_that_never_was_ticked_is_no_edit(march, in_firm):
    field = task_fields.save_field(None, "Checked", "checkbox")
    tasks.add_field(march, field.id)
    assert tasks.set_values(march.id, {field.id: ""}, in_firm.people["member"]) == 0
    assert tasks.set_values(march.id, {field.id: "yes"}, in_firm.people["member"]) == 1
    assert tasks.set_values(march.id, {field.id: ""}, in_firm.people["member"]) == 1
    assert [write.text for write in writes()] == ["yes", "no"]


def test_prices_show_cents_and_numbers_only_what_they_have():
    price, number = TaskField(type="price"), TaskField(type="number")
    assert task_fields.as_text(price, Decimal("12.5"), None) == "12.50"
    assert task_fields.as_text(price, Decimal("0.1234"), None) == "0.1234"
    assert task_fields.as_text(number, Decimal("1E+3"), None) == "1000"
    assert task_fields.as_text(number, Decimal(0), None) == "0"
    assert task_fields.as_text(number, None, None) == ""


def test_history_names_the_people_and_runs(march, in_firm):
    field_id = march.values[0].field_id
    tasks.set_value(march.id, field_id, "1", in_firm.people["member"])
    tasks.set_value(march.id, field_id, "2", in_firm.people["admin"])
    history = tasks.history(march, field_id)
    assert [write.number for write in history.writes] == [Decimal(2), Decimal(1)]
    assert set(history.people.values()) == {"Admin", "Member"}
    assert [run.title for run in history.runs.values()] == ["Reload"]


def test_a_task_is_done_and_reopened(march, in_firm):
    tasks.set_done(march, True, in_firm.people["member"])
    assert march.done and march.done_by_id == in_firm.people["member"]
    assert titles() == [] and titles(state="done") == ["March"]
    tasks.set_done(march, False, in_firm.people["member"])
    assert titles() == ["March"]


def test_tasks_are_found_by_month_client_title_topic_and_person(march, in_firm):
    topic = task_fields.save_topic(None, "Payroll")
    values = {"title": "Salaries", "client": str(march.client_id), "topic": str(topic.id), "due": "2026-03-20"}
    tasks.save(None, {**values, "assignee": str(in_firm.people["member"])})
    assert titles(month=Month(2026, 3)) == ["Salaries", "March"]
    assert titles(month=Month(2026, 4)) == []
    assert titles(q="õun") == ["Salaries", "March"]
    assert titles(q="salar oü") == ["Salaries"]
    assert titles(topic=topic.id) == titles(member=in_firm.people["member"]) == ["Salaries"]
    assert titles(sort="-title") == ["Salaries", "March"]
    for sort in ("client", "month", "assignee", "topic"):
        assert len(titles(sort=sort)) == 2


def test_counts_pending_can_be_looked_for(march):
    assert titles(state="pending") == []
    march.counts_pending = "The vendor did not answer."
    db.session.commit()
    assert titles(state="pending") == ["March"]


def test_a_task_by_hand_needs_a_title_and_a_client_of_this_company(march, in_firm, firm):
    with company_scope(firm.other_id):
        theirs, topic = Client(name="Theirs"), Topic(name="Theirs")
        db.session.add_all([theirs, topic])
        db.session.commit()
        theirs_id, topic_id = theirs.id, topic.id
    wrong = {"title": " ", "client": str(theirs_id), "topic": str(topic_id), "due": "soon"}
    with pytest.raises(Invalid) as refused:
        tasks.save(None, {**wrong, "assignee": str(in_firm.people["stranger"])})
    assert set(refused.value.errors) == {"title", "client", "topic", "assignee", "due"}


def test_someone_who_left_stays_the_assignee_of_what_is_theirs(march, in_firm):
    march.assignee_id = in_firm.people["stranger"]
    db.session.commit()
    tasks.save(march, {"title": "April", "assignee": str(in_firm.people["stranger"])})
    assert (march.title, march.assignee_id, march.month) == ("April", in_firm.people["stranger"], date(2026, 3, 1))


def test_the_list_takes_the_same_statements_for_few_and_many(march, count_sql):
    def statements() -> int:
        db.session.expire_all()
        with count_sql() as sent:
            rows, _page = tasks.found(Wanted())
            for task in rows:
                [task.client.name, task.assignee, task.topic, [value.field.name for value in task.values]]
        return len(sent)

    few = statements()
    field_id = march.values[0].field_id
    for n in range(60):
        client = Client(name=f"Client {n}")
        task = Task(client=client, title=f"Task {n}", values=[TaskValue(field_id=field_id, number=Decimal(n))])
        db.session.add(task)
    db.session.commit()
    assert statements() == few <= 4
