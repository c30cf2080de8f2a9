"""Custom task fields and topics, and what may be typed into a field."""

from decimal import Decimal

import pytest
from sqlalchemy import select

from uku_web.db import db
from uku_web.models import AuditEntry, Client, FieldMapping, Integration, Task, TaskField, TaskValue, Topic
from uku_web.services import task_fields
from uku_web.services.errors import Invalid, NotFound, NotNow, ServiceError
from uku_web.tenancy import company_scope
from uku_web.vendors import registry


def field_entry(name: str) -> task_fields.Entry:
    return next(entry for entry in task_fields.fields() if entry.row.name == name)


@pytest.mark.parametrize(
    ("raw", "number"),
    [
        ("12", "12"),
        ("12,5", "12.5"),
        ("12.5", "12.5"),
        (" 1 234,50 ", "1234.5"),
        ("1\u00a0234,5", "1234.5"),
        ("1.234,56", "1234.56"),
        ("1,234.56", "1234.56"),
        ("1,234,567", "1234567"),
        ("-3", "-3"),
        ("\u22123,1", "-3.1"),
        ("0", "0"),
        (",5", "0.5"),
    ],
)
def test_numbers_are_read_as_people_write_them(raw, number):
    assert task_fields.parse_number(raw) == Decimal(number)


@pytest.mark.parametrize(
    "raw", ["twelve", "1e5", "NaN", "Infinity", "1,23,4", "1.2.3,4", "--1", "1.23456", "9" * 14, "12 €", "١٢"]
)
def test_what_is_no_number_is_refused_with_a_sentence(raw):
    with pytest.raises(ServiceError) as refused:
        task_fields.parse_number(raw)
    assert refused.value.sentence.endswith(".")


def test_each_type_takes_what_belongs_to_it():
    def parse(type, raw, choices=()):
        return task_fields.parse(TaskField(name="f", type=type, choices=list(choices)), raw)

    assert parse("number", "1,5") == (Decimal("1.5"), None)
    assert parse("price", "") == (None, None)
    assert parse("text", " hello ") == (None, "hello")
    assert parse("checkbox", "yes") == (None, "yes")
    assert parse("checkbox", "") == (None, "no")
    assert parse("choice", "red", ["red", "blue"]) == (None, "red")
    with pytest.raises(ServiceError):
        parse("choice", "green", ["red", "blue"])


def test_a_field_is_added_renamed_archived_restored_and_deleted(in_firm):
    task_fields.save_field(None, "  Purchase   entries ", "number")
    task_fields.save_field(field_entry("Purchase entries"), "Purchases", "number")
    task_fields.set_archived(field_entry("Purchases"), True)
    assert field_entry("Purchases").row.archived
    task_fields.set_archived(field_entry("Purchases"), False)
    task_fields.remove(field_entry("Purchases"))
    assert task_fields.fields() == []
    acts = db.session.scalars(select(AuditEntry.act).order_by(AuditEntry.id)).all()
    assert [act.split(".")[1] for act in acts] == ["created", "changed", "archived", "restored", "deleted"]


def test_two_fields_of_one_name_are_refused_whatever_the_case(in_firm):
    task_fields.save_field(None, "Sales", "number")
    with pytest.raises(Invalid) as refused:
        task_fields.save_field(None, "SALES", "text")
    assert set(refused.value.errors) == {"name"}
    task_fields.set_archived(field_entry("Sales"), True)
    with pytest.raises(Invalid, match="Restore"):
        task_fields.save_field(None, "sales", "number")


def test_a_choice_field_needs_two_choices(in_firm):
    with pytest.raises(Invalid) as refused:
        task_fields.save_field(None, "Colour", "choice", "red\nred\n\n")
    assert set(refused.value.errors) == {"choices"}
    assert task_fields.save_field(None, "Colour", "choice", "red\n blue \n").choices == ["red", "blue"]


def test_a_used_field_keeps_its_type_and_can_only_be_archived(in_firm):
    field = task_fields.save_field(None, "Sales", "number")
    client = Client(name="Kask")
    db.session.add(client)
    db.session.flush()
    task = Task(client_id=client.id, title="March", values=[TaskValue(field_id=field.id, number=Decimal(1))])
    db.session.add(task)
    db.session.commit()
    assert field_entry("Sales").tasks == 1
    with pytest.raises(NotNow):
        task_fields.remove(field_entry("Sales"))
    task_fields.save_field(field_entry("Sales"), "Sales", "text")
    assert field_entry("Sales").row.type == "number"


def test_a_mapped_field_is_used_and_names_the_vendor(in_firm):
    field = task_fields.save_field(None, "Sales", "number")
    kind = registry.kinds()[0]
    db.session.add(FieldMapping(kind=kind, vendor_field="any", field_id=field.id))
    db.session.commit()
    assert field_entry("Sales").kinds == (kind,)
    with pytest.raises(NotNow):
        task_fields.remove(field_entry("Sales"))


def test_a_topic_in_use_is_archived_and_not_offered_any_more(in_firm):
    topic = task_fields.save_topic(None, "Monthly")
    db.session.add(Integration(kind=registry.kinds()[0], topic_id=topic.id))
    db.session.commit()
    one = task_fields.entry(Topic, topic.id)
    with pytest.raises(NotNow):
        task_fields.remove(one)
    task_fields.set_archived(one, True)
    assert task_fields.topic_names() == {}
    assert task_fields.topic_names(archived=True) == {topic.id: "Monthly"}


def test_another_companys_field_is_not_found(firm):
    with company_scope(firm.other_id):
        theirs = task_fields.save_field(None, "Theirs", "number")
    with company_scope(firm.id):
        assert task_fields.fields() == []
        with pytest.raises(NotFound):
            task_fields.entry(TaskField, theirs.id)
        task_fields.save_field(None, "Theirs", "number")  # each company names its own
