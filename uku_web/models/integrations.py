"""A company's vendors: what is enabled, the accounts, the connections to them, and the clients' links."""

from datetime import date, datetime
from enum import StrEnum

from sqlalchemy import JSON, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.models.clients import Client
from uku_web.models.tasks import TaskField, Topic
from uku_web.tenancy import CompanyOwned


class ImportWhen(StrEnum):
    LAST_WORK_DAY = "last_work_day"
    LAST_DAY = "last_day"
    FOLLOWING_DAY = "following_day"  # a day of the following month


class Integration(CompanyOwned, db.Model):
    """A vendor in a company: on or off, and the settings of its summary tasks."""

    __tablename__ = "integration"
    __table_args__ = (UniqueConstraint("company_id", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    enabled: Mapped[bool] = mapped_column(default=False)
    enabled_at: Mapped[datetime | None] = mapped_column(UtcTime)
    task_title: Mapped[str] = mapped_column(String(255), default="")  # may hold {month} {year} {client} {vendor}
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topic.id"))
    import_when: Mapped[str] = mapped_column(String(20), default=ImportWhen.LAST_WORK_DAY)
    import_day: Mapped[int] = mapped_column(default=1)  # 1-28, for a day of the following month
    options: Mapped[dict] = mapped_column(JSON, default=dict)
    mapping_version: Mapped[int] = mapped_column(default=0)
    configured_at: Mapped[datetime | None] = mapped_column(UtcTime)  # title, topic and a mapping were first saved

    topic: Mapped[Topic | None] = relationship()


class FieldMapping(CompanyOwned, db.Model):
    """Vendor data field -> custom task field. Blank fields have no row."""

    __tablename__ = "field_mapping"
    __table_args__ = (UniqueConstraint("company_id", "kind", "group", "vendor_field"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    group: Mapped[str] = mapped_column(String(20), default="statistics")
    vendor_field: Mapped[str] = mapped_column(String(64))
    field_id: Mapped[int] = mapped_column(ForeignKey("task_field.id"))

    field: Mapped[TaskField] = relationship()


class Account(CompanyOwned, db.Model):
    """What a vendor calls company, organisation, tenant, realm, agreement or database."""

    __tablename__ = "account"
    __table_args__ = (UniqueConstraint("company_id", "kind", "vendor_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    vendor_id: Mapped[str] = mapped_column(String(255))
    name: Mapped[str | None] = mapped_column(String(255))
    number: Mapped[str | None] = mapped_column(String(64))
    currency: Mapped[str | None] = mapped_column(String(3))


class Level(StrEnum):
    COMPANY = "company"
    CLIENT = "client"


class ConnectionState(StrEnum):
    UNVERIFIED = "unverified"  # saved while the vendor could not be reached
    OK = "ok"
    ATTENTION = "attention"  # a person must act; scheduled runs pause


class Connection(CompanyOwned, db.Model):
    """Credentials for one account of one vendor, held by the company or by one or more clients' links."""

    __tablename__ = "connection"
    __table_args__ = (
        Index(
            "uq_connection_company_level",
            "company_id",
            "kind",
            unique=True,
            sqlite_where=text("level = 'company'"),
            postgresql_where=text("level = 'company'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(32))
    level: Mapped[str] = mapped_column(String(10), default=Level.COMPANY)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(255))  # as the vendor told it, or as a person typed it
    sealed: Mapped[str] = mapped_column(Text)  # credentials, encrypted by the key ring
    hints: Mapped[dict] = mapped_column(JSON, default=dict)  # what is not secret: variant, ends of keys
    state: Mapped[str] = mapped_column(String(20), default=ConnectionState.UNVERIFIED)
    problem_code: Mapped[str | None] = mapped_column(String(32))  # the error's class
    problem: Mapped[str | None] = mapped_column(Text)  # the sentence
    problem_since: Mapped[datetime | None] = mapped_column(UtcTime)
    tested_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_on: Mapped[date | None]
    # Short-lived tokens: refreshed by one process at a time, under a committed lease.
    token_version: Mapped[int] = mapped_column(default=0)
    token_expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    lease_owner: Mapped[str | None] = mapped_column(String(64))
    lease_until: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    account: Mapped[Account | None] = relationship()


class Link(CompanyOwned, db.Model):
    """The tie of a client to a target: the whole books of an account, or one customer in it.

    With a connection of its own it uses that; without one it uses the company's connection, and sleeps while that
    connection stands at another account.
    """

    __tablename__ = "link"
    __table_args__ = (UniqueConstraint("client_id", "kind", "account_id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(32), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"), index=True)
    connection_id: Mapped[int | None] = mapped_column(ForeignKey("connection.id"), index=True)
    customer_id: Mapped[str | None] = mapped_column(String(255))  # None = the whole books
    customer_name: Mapped[str | None] = mapped_column(String(255))
    problem_code: Mapped[str | None] = mapped_column(String(32))
    problem: Mapped[str | None] = mapped_column(Text)
    problem_since: Mapped[datetime | None] = mapped_column(UtcTime)
    synced_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    client: Mapped[Client] = relationship()
    account: Mapped[Account | None] = relationship()
    connection: Mapped[Connection | None] = relationship()
