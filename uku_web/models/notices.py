"""What people are told, and what they did."""

from datetime import datetime

from sqlalchemy import JSON, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.tenancy import CompanyOwned


class Notice(CompanyOwned, db.Model):
    """A notification for one person. One open notice per cause, with a count; recovery closes it."""

    __tablename__ = "notice"
    __table_args__ = (
        Index(
            "uq_notice_open_cause",
            "company_id",
            "person_id",
            "cause",
            unique=True,
            sqlite_where=text("closed_at IS NULL AND cause IS NOT NULL"),
            postgresql_where=text("closed_at IS NULL AND cause IS NOT NULL"),
        ),
        Index("ix_notice_person", "company_id", "person_id", "changed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"))
    cause: Mapped[str | None] = mapped_column(String(128))  # None: a passing event, e.g. a finished reload
    level: Mapped[str] = mapped_column(String(8), default="info")  # info, good, warn, bad
    title: Mapped[str] = mapped_column(String(255))
    body: Mapped[str] = mapped_column(Text, default="")
    path: Mapped[str] = mapped_column(String(255), default="")  # inside the app
    count: Mapped[int] = mapped_column(default=1)
    read_at: Mapped[datetime | None] = mapped_column(UtcTime)
    closed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcTime, default=now)


class AuditEntry(CompanyOwned, db.Model):
    """A management act: who, when, what, from where; never a secret."""

    __tablename__ = "audit_entry"
    __table_args__ = (Index("ix_audit_entry_company_at", "company_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    person_name: Mapped[str] = mapped_column(String(255))
    act: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(255), default="")
    detail: Mapped[dict] = mapped_column(JSON, default=dict)
    address: Mapped[str] = mapped_column(String(64), default="")
