"""Companies, people and who is what where."""

from datetime import datetime
from enum import StrEnum

from flask_login import UserMixin
from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.tenancy import CompanyOwned


class Role(StrEnum):
    OWNER = "owner"
    ADMIN = "admin"
    MEMBER = "member"

    @property
    def label(self) -> str:
        return {"owner": "Company Owner", "admin": "Company Admin", "member": "Company Member"}[self.value]

    @property
    def manages(self) -> bool:
        """May manage integrations and edit clients, products, taxes and invoices."""
        return self in (Role.OWNER, Role.ADMIN)


class Plan(StrEnum):
    FREE = "free"
    TEAM = "team"
    ELITE = "elite"
    ENTERPRISE = "enterprise"

    @property
    def has_integrations(self) -> bool:
        return self is not Plan.FREE


class Company(db.Model):
    __tablename__ = "company"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    country: Mapped[str] = mapped_column(String(2), default="EE")  # whose public holidays are days off
    timezone: Mapped[str] = mapped_column(String(64), default="Europe/Tallinn")
    plan: Mapped[str] = mapped_column(String(20), default=Plan.ELITE)
    integration_on: Mapped[bool] = mapped_column(default=False)  # the Integration app, the master switch
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    @property
    def has_integrations(self) -> bool:
        return Plan(self.plan).has_integrations


class Person(UserMixin, db.Model):
    __tablename__ = "person"

    id: Mapped[int] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(255), unique=True)  # lower case
    name: Mapped[str] = mapped_column(String(255))
    password_hash: Mapped[str] = mapped_column(String(255))
    session_version: Mapped[int] = mapped_column(default=1)  # raised to end all sessions
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    def get_id(self) -> str:
        return f"{self.id}.{self.session_version}"


class Membership(CompanyOwned, db.Model):
    __tablename__ = "membership"
    __table_args__ = (
        UniqueConstraint("company_id", "person_id"),
        Index(
            "uq_membership_owner",
            "company_id",
            unique=True,
            sqlite_where=db.text("role = 'owner'"),
            postgresql_where=db.text("role = 'owner'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[str] = mapped_column(String(20), default=Role.MEMBER)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    person: Mapped[Person] = relationship()
    company: Mapped[Company] = relationship()
