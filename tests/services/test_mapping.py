"""The Settings tab: what may be typed, which fields fit, and what saving changes."""

import pytest
from sqlalchemy import func, select

# ruff: noqa: F811 - fixtures of another file are used by their names
from tests.services.test_connections import paper  # noqa: F401
from uku_web.db import db
from uku_web.models import FieldType, Integration, Run, TaskField, Topic
from uku_web.services import integrations, mapping
from uku_web.services.errors import Invalid, NotNow
from uku_web.vendors import registry


@pytest.fixture
def form(paper, in_firm) -> dict[str, str]:
    """The tab filled in rightly: one number field mapped."""
    integrations.enable("paper")
    topic, field = Topic(name="Summary"), TaskField(name="Documents")
    price = TaskField(name="Turnover", type=FieldType.PRICE)
    db.session.add_all([topic, field, price, TaskField(name="Note", type=FieldType.TEXT)])
    db.session.commit()
    return {
        "task_title": "{vendor} {month} {year}",
        "topic": str(topic.id),
        "import_when": "last_day",
        "map.documents": str(field.id),
    }


def save(form, **changes) -> bool:
    changed = mapping.save("paper", form | changes)
    db.session.commit()
    return changed


def row() -> Integration:
    return mapping.integration_of("paper")


def errors(form, **changes) -> dict[str, str]:
    with pytest.raises(Invalid) as wrong:
        mapping.save("paper", form | changes)
    db.session.rollback()
    return wrong.value.errors


def field(name: str) -> TaskField:
    return db.session.scalars(select(TaskField).where(TaskField.name == name)).one()


def test_saving_keeps_everything_and_starts_nothing(form):
    assert save(form)
    saved = row()
    assert (saved.task_title, saved.import_when, saved.mapping_version) == ("{vendor} {month} {year}", "last_day", 1)
    assert saved.configured_at is not None
    assert mapping.mapped_fields("paper") == {"documents": int(form["map.documents"])}
    assert db.session.scalar(select(func.count()).select_from(Run)) == 0


def test_the_mapping_version_rises_only_when_the_mapping_changed(form):
    save(form)
    first = row().configured_at
    assert not save(form, task_title="Another {month}")
    assert row().mapping_version == 1
    assert save(form, **{"map.documents": ""})
    assert (row().mapping_version, mapping.mapped_fields("paper")) == (2, {})
    assert row().configured_at == first


def test_without_a_mapped_field_the_settings_are_kept_but_nothing_is_configured(form):
    save(form, **{"map.documents": ""})
    assert row().task_title
    assert row().configured_at is None


@pytest.mark.parametrize(
    ("title", "part"),
    [
        ("", "Enter a task title"),
        ("{month} {week}", "{week} is not known"),
        ("{month", "curly bracket"),
        ("100 }", "curly bracket"),
        ("{month!r}", "is not known"),
        ("{client.name}", "is not known"),
        ("{}", "is not known"),
        ("x" * 256, "too long"),
    ],
)
def test_a_task_title_may_hold_only_what_is_known(form, title, part):
    assert part in errors(form, task_title=title)["task_title"]


def test_the_import_day_is_one_of_three_kinds(form):
    assert "import_when" in errors(form, import_when="sometimes")
    for day in ("0", "29", "", "x"):
        assert "import_day" in errors(form, import_when="following_day", import_day=day)
    save(form, import_when="following_day", import_day="28")
    assert (row().import_when, row().import_day) == ("following_day", 28)
    save(form, import_when="last_work_day")
    assert row().import_day == 28  # kept for when it is chosen again


def test_a_topic_of_another_company_or_none_is_refused(form, in_firm):
    assert "topic" in errors(form, topic="")
    assert "topic" in errors(form, topic="99999")


def test_number_fields_fit_and_price_fields_only_amounts(form):
    options = {each.stat.key: [name for _id, name in each.options] for each in mapping.rows(registry.spec_of("paper"))}
    assert options == {
        "documents": ["Documents"],
        "entries": ["Documents"],
        "income": ["Documents", "Turnover"],
    }
    turnover = str(field("Turnover").id)
    assert "map.documents" in errors(form, **{"map.documents": turnover})
    assert save(form, **{"map.income": turnover})


def test_common_data_fields_stand_before_the_rarer_ones(form):
    assert [each.stat.key for each in mapping.rows(registry.spec_of("paper"))] == ["documents", "entries", "income"]


def test_one_field_cannot_take_two_counts(form):
    sentence = errors(form, **{"map.entries": form["map.documents"]})["map.entries"]
    assert sentence == "Documents is already filled by Documents."


def test_a_field_archived_since_stays_mapped_until_a_person_changes_it(form):
    save(form)
    field("Documents").archived = True
    db.session.commit()
    assert mapping.rows(registry.spec_of("paper"))[0].options[0][1] == "Documents (archived)"
    assert not save(form)
    assert "map.entries" in errors(form, **{"map.documents": "", "map.entries": form["map.documents"]})


def test_a_new_field_and_topic_are_made_and_chosen_in_place(form):
    typed = form | {"map.entries": "new", "new.map.entries": "Entries", "map.income": "new", "new.map.income": "Income"}
    typed |= {"topic": "new", "new.topic": "Bookkeeping"}
    mapping.make_new(registry.spec_of("paper"), typed)
    assert typed["map.entries"] == str(field("Entries").id)
    assert (field("Entries").type, field("Income").type) == (FieldType.NUMBER, FieldType.PRICE)
    save(typed)
    assert row().topic.name == "Bookkeeping"
    assert len(mapping.mapped_fields("paper")) == 3


def test_a_name_that_is_taken_is_told_beside_the_new_field(form):
    with pytest.raises(Invalid) as wrong:
        mapping.make_new(registry.spec_of("paper"), form | {"map.entries": "new", "new.map.entries": "documents"})
    assert list(wrong.value.errors) == ["new.map.entries"]


def test_vendor_options_are_checked_and_kept(form):
    assert "option.unit" in errors(form, **{"option.unit": "far too long"})
    save(form, **{"option.unit": " pcs "})
    assert row().options == {"unit": "pcs"}
    save(form, **{"option.unit": ""})
    assert row().options == {"unit": ""}


def test_a_vendor_without_statistics_asks_for_its_options_alone(form, paper):
    paper.declare(statistics=())
    mapping.save("paper", {"option.unit": "h"})
    db.session.commit()
    assert row().options == {"unit": "h"}


def test_settings_come_after_enabling(paper, in_firm):
    with pytest.raises(NotNow, match="Overview"):
        mapping.save("paper", {})
