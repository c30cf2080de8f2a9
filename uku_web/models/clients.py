"""The firm's clients."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, event
from sqlalchemy.orm import Mapped, mapped_column, relationship

from uku_web.clock import now
from uku_web.db import db
from uku_web.models.base import UtcTime
from uku_web.models.people import Person
from uku_web.tenancy import CompanyOwned


class ClientGroup(CompanyOwned, db.Model):
    __tablename__ = "client_group"
    __table_args__ = (UniqueConstraint("company_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))


class Client(CompanyOwned, db.Model):
    __tablename__ = "client"
    __table_args__ = (Index("ix_client_company_sort", "company_id", "sort_name", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    sort_name: Mapped[str] = mapped_column(String(255), default="")  # folded, for sorting alike on every database
    search_text: Mapped[str] = mapped_column(Text, default="")  # folded, for searching as you type
    code: Mapped[str | None] = mapped_column(String(64))
    register_number: Mapped[str | None] = mapped_column(String(64))
    vat_number: Mapped[str | None] = mapped_column(String(64))
    email: Mapped[str | None] = mapped_column(String(255))
    phone: Mapped[str | None] = mapped_column(String(64))
    country: Mapped[str | None] = mapped_column(String(2))
    notes: Mapped[str | None] = mapped_column(Text)
    group_id: Mapped[int | None] = mapped_column(ForeignKey("client_group.id"), index=True)
    default_member_id: Mapped[int | None] = mapped_column(ForeignKey("person.id"), index=True)
    active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime, default=now)

    group: Mapped[ClientGroup | None] = relationship()
    default_member: Mapped[Person | None] = relationship()


class Contact(CompanyOwned, db.Model):
    """A person at a client."""

    __tablename__ = "contact"

    id: Mapped[int] = mapped_column(primary_key=True)
    client_id: Mapped[int] = mapped_column(ForeignKey("client.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(255))
    email: Mapped[str | None] = mapped_column(String(255))
    phone: Mapped[str | None] = mapped_column(String(64))
    role: Mapped[str | None] = mapped_column(String(255))


@event.listens_for(Client, "before_insert")
@event.listens_for(Client, "before_update")
def _fold(_mapper, _connection, client: Client) -> None:
    client.sort_name = client.name.casefold()[:255]
    parts = (client.name, client.code, client.register_number, client.vat_number, client.email)
    client.search_text = " ".join(part for part in parts if part).casefold()
