"""Notifications: one open notice per cause and person, counted up, closed by recovery."""

from collections.abc import Iterable

from sqlalchemy import func, select, update

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import Membership, Notice, Role


def managers() -> list[int]:
    """The people of this company who can mend an integration."""
    return list(
        db.session.scalars(
            select(Membership.person_id).where(Membership.active, Membership.role.in_([Role.OWNER, Role.ADMIN]))
        )
    )


def tell(
    people: Iterable[int], title: str, *, body: str = "", path: str = "", level: str = "info", cause: str | None = None
) -> None:
    """Part of the caller's transaction. The same open cause is counted up and becomes unread again."""
    for person_id in set(people):
        open_one = _open(person_id, cause) if cause else None
        if open_one is None:
            db.session.add(
                Notice(person_id=person_id, title=title[:255], body=body, path=path, level=level, cause=cause)
            )
            continue
        open_one.count += 1
        open_one.title, open_one.body, open_one.path = title[:255], body, path
        open_one.level, open_one.read_at, open_one.changed_at = level, None, now()
    db.session.flush()


def _open(person_id: int, cause: str) -> Notice | None:
    return db.session.scalar(
        select(Notice).where(Notice.person_id == person_id, Notice.cause == cause, Notice.closed_at.is_(None))
    )


def close(cause: str) -> None:
    """The cause is gone."""
    db.session.execute(
        update(Notice)
        .where(Notice.cause == cause, Notice.closed_at.is_(None))
        .values(closed_at=now(), changed_at=now())
    )


def of(person_id: int, limit: int = 50) -> list[Notice]:
    return list(
        db.session.scalars(
            select(Notice).where(Notice.person_id == person_id).order_by(Notice.changed_at.desc()).limit(limit)
        )
    )


def unread(person_id: int) -> int:
    return db.session.scalar(
        select(func.count())
        .select_from(Notice)
        .where(Notice.person_id == person_id, Notice.read_at.is_(None), Notice.closed_at.is_(None))
    )


def read_all(person_id: int) -> None:
    db.session.execute(
        update(Notice).where(Notice.person_id == person_id, Notice.read_at.is_(None)).values(read_at=now())
    )
