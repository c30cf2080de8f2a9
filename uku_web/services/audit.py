"""The audit log: every management act leaves a row. Secrets have no way in: only the fields named here are kept."""

from contextvars import ContextVar
from dataclasses import dataclass

from sqlalchemy import select

from uku_web.db import db
from uku_web.models import AuditEntry


@dataclass(frozen=True)
class Actor:
    """Who acts, and from where. The tick and the operator's commands act without a person."""

    person_id: int | None
    name: str
    address: str = ""


SYSTEM = Actor(None, "Uku")
_actor: ContextVar[Actor] = ContextVar("actor", default=SYSTEM)


def set_actor(actor: Actor) -> None:
    _actor.set(actor)


def actor() -> Actor:
    return _actor.get()


def record(act: str, subject: str = "", **detail: str | int | bool | None) -> None:
    """Part of the caller's transaction: an act that is rolled back leaves no row."""
    who = _actor.get()
    db.session.add(
        AuditEntry(
            person_id=who.person_id,
            person_name=who.name,
            act=act,
            subject=subject[:255],
            detail=detail,
            address=who.address,
        )
    )


def entries(limit: int = 200, before_id: int | None = None) -> list[AuditEntry]:
    query = select(AuditEntry).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id:
        query = query.where(AuditEntry.id < before_id)
    return list(db.session.scalars(query))
