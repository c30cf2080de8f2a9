"""Invoices and their exports. An export is the sending of one invoice to one account, stored step by step."""

from datetime import date, datetime

from sqlalchemy import JSON, ForeignKey, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.tenancy import CompanyOwned


class Invoice(CompanyOwned, db.Model):
    __tablename__ = "invoice"
    __table_args__ = (UniqueConstraint("company_id", "number"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id"), index=True)
    number: Mapped[str | None] = mapped_column(String(35))  # assigned when issued
    state: Mapped[str] = mapped_column(String(12), default="draft")
    on: Mapped[date | None]
    due: Mapped[date | None]
    currency: Mapped[str] = mapped_column(String(3), default="EUR")
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)


class Export(CompanyOwned, db.Model):
    __tablename__ = "export"
    __table_args__ = (UniqueConstraint("invoice_id", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    invoice_id: Mapped[int] = mapped_column(ForeignKey("invoice.id"))
    kind: Mapped[str] = mapped_column(String(32))
    account_id: Mapped[int] = mapped_column(ForeignKey("account.id"))
    state: Mapped[str] = mapped_column(String(12), default="to_send")
    reference: Mapped[str] = mapped_column(String(64), unique=True)  # ours, sent along to find it again
    replay_key: Mapped[str] = mapped_column(String(64))
    replay_until: Mapped[datetime | None] = mapped_column(UtcTime)  # how long the vendor remembers the key
    steps: Mapped[dict] = mapped_column(JSON, default=dict)  # step -> the vendor's references, committed one by one
    attempts: Mapped[int] = mapped_column(default=0)
    problem_code: Mapped[str | None] = mapped_column(String(32))
    problem: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)
    changed_at: Mapped[datetime] = mapped_column(UtcTime, default=now)
