"""The ledger of background syncs. The database is the ledger; the queue only rings."""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.models.clients import Client
from uku_web.models.people import Person
from uku_web.tenancy import CompanyOwned


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    WAITING = "waiting"  # for the vendor's limit to reset, or for children
    DONE = "done"
    DOUBT = "doubt"  # done, but something is odd: zero where there used to be something
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"


ACTIVE = (RunState.QUEUED, RunState.RUNNING, RunState.WAITING)
_ACTIVE_SQL = text("state IN ('queued', 'running', 'waiting')")


class Run(CompanyOwned, db.Model):
    __tablename__ = "run"
    __table_args__ = (
        # One active run per subject: what is active is settled here, not in the queue.
        Index(
            "uq_run_active",
            "company_id",
            "active_key",
            unique=True,
            sqlite_where=_ACTIVE_SQL,
            postgresql_where=_ACTIVE_SQL,
        ),
        Index("ix_run_company_created", "company_id", "created_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(String(32))  # "statistics", "statistics-all", ...
    kind: Mapped[str] = mapped_column(String(32))
    trigger: Mapped[str] = mapped_column(String(20))  # "reload", "import", "bulk", "first"
    active_key: Mapped[str] = mapped_column(String(128))
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("run.id"), index=True)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("connection.id", ondelete="SET NULL"))
    person_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"))
    title: Mapped[str] = mapped_column(String(255))
    params: Mapped[dict] = mapped_column(JSON, default=dict)
    lane: Mapped[str] = mapped_column(String(12), default="background")  # or "person"

    state: Mapped[str] = mapped_column(String(20), default=RunState.QUEUED, index=True)
    not_before: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    fence: Mapped[int] = mapped_column(default=0)  # raised by every taking; a worker of an older one may not write
    attempts: Mapped[int] = mapped_column(default=0)
    cancel_asked: Mapped[bool] = mapped_column(default=False)

    progress: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    doing: Mapped[str] = mapped_column(String(255), default="")
    counts: Mapped[dict] = mapped_column(JSON, default=dict)
    outcome_code: Mapped[str | None] = mapped_column(String(32))
    outcome: Mapped[str | None] = mapped_column(Text)

    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    started_at: Mapped[datetime | None] = mapped_column(UtcTime)
    ended_at: Mapped[datetime | None] = mapped_column(UtcTime)

    person: Mapped[Person | None] = relationship()

    @property
    def active(self) -> bool:
        return self.state in ACTIVE


class ItemState(StrEnum):
    TODO = "todo"
    DONE = "done"
    SKIPPED = "skipped"
    FAILED = "failed"


class RunItem(CompanyOwned, db.Model):
    """One link's part of a run, with its checkpoint."""

    __tablename__ = "run_item"
    __table_args__ = (UniqueConstraint("run_id", "client_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"))
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    link_id: Mapped[int | None] = mapped_column(ForeignKey("link.id", ondelete="SET NULL"))
    state: Mapped[str] = mapped_column(String(12), default=ItemState.TODO)
    reason: Mapped[str | None] = mapped_column(Text)
    months_done: Mapped[list] = mapped_column(JSON, default=list)  # checkpoint: "2026-03", ...
    written: Mapped[int] = mapped_column(default=0)

    client: Mapped[Client] = relationship()


class RunEvent(CompanyOwned, db.Model):
    """A step of a run, in a sentence."""

    __tablename__ = "run_event"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    level: Mapped[str] = mapped_column(String(8), default="info")
    text: Mapped[str] = mapped_column(Text)


class RunCall(CompanyOwned, db.Model):
    """One attempt of one request. The path is a template: no value, no query, no secret. Kept 30 days."""

    __tablename__ = "run_call"

    id: Mapped[int] = mapped_column(primary_key=True)
    run_id: Mapped[int] = mapped_column(ForeignKey("run.id", ondelete="CASCADE"), index=True)
    at: Mapped[datetime] = mapped_column(UtcTime, default=now, index=True)
    method: Mapped[str] = mapped_column(String(8))
    path: Mapped[str] = mapped_column(String(255))
    status: Mapped[int | None]
    ms: Mapped[int] = mapped_column(default=0)
    attempt: Mapped[int] = mapped_column(default=1)
    note: Mapped[str | None] = mapped_column(String(255))


class Due(CompanyOwned, db.Model):
    """Something that falls due: one row per job, subject and period, however many ticks look."""

    __tablename__ = "due"
    __table_args__ = (UniqueConstraint("company_id", "job", "subject", "period"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    job: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(64))
    period: Mapped[str] = mapped_column(String(32))
    due_at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    not_before: Mapped[datetime | None] = mapped_column(UtcTime)  # the vendor failed on the day: try again then
    settled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("run.id", ondelete="SET NULL"))
