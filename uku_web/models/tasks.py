"""Tasks, their custom fields, and the values in them with what stood before."""

from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import Amount, UtcTime
from uku_web.models.clients import Client
from uku_web.models.people import Person
from uku_web.tenancy import CompanyOwned


class FieldType(StrEnum):
    NUMBER = "number"
    TEXT = "text"
    CHOICE = "choice"
    CHECKBOX = "checkbox"
    PRICE = "price"

    @property
    def is_numeric(self) -> bool:
        return self in (FieldType.NUMBER, FieldType.PRICE)


class Topic(CompanyOwned, db.Model):
    __tablename__ = "topic"
    __table_args__ = (UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    archived: Mapped[bool] = mapped_column(default=False)


class TaskField(CompanyOwned, db.Model):
    """A custom task field."""

    __tablename__ = "task_field"
    __table_args__ = (UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    type: Mapped[str] = mapped_column(String(20), default=FieldType.NUMBER)
    choices: Mapped[list] = mapped_column(JSON, default=list)
    archived: Mapped[bool] = mapped_column(default=False)


class Task(CompanyOwned, db.Model):
    """A task; one with a kind and a month is the summary task of that client, vendor and month."""

    __tablename__ = "task"
    __table_args__ = (
        UniqueConstraint("client_id", "kind", "month"),
        Index("ix_task_company_due", "company_id", "due_on"),
        Index("ix_task_company_month", "company_id", "month"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    kind: Mapped[str | None] = mapped_column(String(32))  # the vendor whose counts it holds
    month: Mapped[date | None]  # its first day
    title: Mapped[str] = mapped_column(String(255))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    assignee_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    starts_on: Mapped[date | None]
    due_on: Mapped[date | None]
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)
    done_by_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    counts_pending: Mapped[str | None] = mapped_column(Text)  # why the import day brought no counts
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    client: Mapped[Client] = relationship()
    topic: Mapped[Topic | None] = relationship()
    assignee: Mapped[Person | None] = relationship(foreign_keys=[assignee_id])
    values: Mapped[list["TaskValue"]] = relationship(
        back_populates="task", cascade="all, delete-orphan", order_by="TaskValue.field_id"
    )

    @property
    def done(self) -> bool:
        return self.done_at is not None


class TaskValue(CompanyOwned, db.Model):
    """What a task's field holds now, and who put it there: a person or a run."""

    __tablename__ = "task_value"
    __table_args__ = (UniqueConstraint("task_id", "field_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"))
    field_id: Mapped[int] = mapped_column(ForeignKey("task_field.id"), index=True)
    number: Mapped[Decimal | None] = mapped_column(Amount)
    text: Mapped[str | None] = mapped_column(Text)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    changed_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    task: Mapped[Task] = relationship(back_populates="values")
    field: Mapped[TaskField] = relationship()


class ValueWrite(CompanyOwned, db.Model):
    """One change of one value: by which run or person, from which vendor field, and what stood before and by whom."""

    __tablename__ = "value_write"
    __table_args__ = (
        UniqueConstraint("run_id", "task_id", "field_id"),  # a resumed run writes nothing twice
        Index("ix_value_write_task_field", "task_id", "field_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(ForeignKey("task.id", ondelete="CASCADE"))
    field_id: Mapped[int] = mapped_column(ForeignKey("task_field.id"))
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    vendor_field: Mapped[str | None] = mapped_column(String(64))
    mapping_version: Mapped[int | None]
    number: Mapped[Decimal | None] = mapped_column(Amount)
    text: Mapped[str | None] = mapped_column(Text)
    before_number: Mapped[Decimal | None] = mapped_column(Amount)
    before_text: Mapped[str | None] = mapped_column(Text)
    before_person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    before_run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"))
    before_at: Mapped[datetime | None] = mapped_column(UtcTime)  # None = nothing stood there
