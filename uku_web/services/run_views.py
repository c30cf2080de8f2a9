"""Reading the ledger of runs: the list, and everything one run has to tell."""

import zlib
from dataclasses import dataclass

from sqlalchemy import func, select

from uku_web.db import db
from uku_web.models import ACTIVE, Client, Person, Run, RunCall, RunEvent, RunItem, RunState
from uku_web.services import audit, runs, statistics
from uku_web.services.errors import NotFound, NotNow
from uku_web.services.paging import Page
from uku_web.texts import gettext as _

STATES = ("active", *(state.value for state in RunState))
EVENTS_SHOWN = 200


@dataclass(frozen=True)
class Wanted:
    """What the list is asked for. `state` is one of STATES, `person` whose runs are wanted."""

    q: str = ""
    kind: str = ""
    state: str = ""
    trigger: str = ""
    person: int | None = None
    page: int = 1
    size: int = 50


def found(wanted: Wanted) -> tuple[list[Run], Page]:
    """One page of runs, newest first, without the parts of larger runs. A constant number of statements."""
    query = select(Run).where(Run.parent_id.is_(None))
    for column, value in ((Run.kind, wanted.kind), (Run.trigger, wanted.trigger), (Run.person_id, wanted.person)):
        query = query.where(column == value) if value else query
    for term in wanted.q.casefold().split():
        query = query.where(func.lower(Run.title).contains(term, autoescape=True))
    if wanted.state:
        query = query.where(Run.state.in_(ACTIVE) if wanted.state == "active" else Run.state == wanted.state)
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(Run.id).subquery()))
    page = Page.of(wanted.page, wanted.size, total)
    query = query.order_by(Run.created_at.desc(), Run.id.desc()).limit(page.size).offset(page.offset)
    return list(db.session.scalars(query.options(db.joinedload(Run.person)))), page


def kinds_and_triggers() -> tuple[list[str], list[str]]:
    """What there is to filter by."""
    pairs = db.session.execute(select(Run.kind, Run.trigger).distinct()).all()
    return sorted({pair.kind for pair in pairs}), sorted({pair.trigger for pair in pairs})


@dataclass(frozen=True)
class Progress:
    """How far a run is. `version` changes with anything that is shown of it."""

    run: Run
    parts: list[Run]  # the newest state of each child
    version: str

    @property
    def stopping(self) -> bool:
        return self.run.active and self.run.cancel_asked


def version(run_id: int) -> str:
    """Cheap enough to be asked every two seconds by everybody who looks."""
    last_event = select(func.max(RunEvent.id)).where(RunEvent.run_id == run_id).scalar_subquery()
    query = select(Run.state, Run.progress, Run.total, Run.doing, Run.cancel_asked, Run.not_before, last_event)
    rows = db.session.execute(query.where((Run.id == run_id) | (Run.parent_id == run_id)).order_by(Run.id)).all()
    if not rows:
        raise NotFound
    return f"{zlib.crc32(repr([tuple(row) for row in rows]).encode()):08x}"


def progress(run_id: int) -> Progress:
    seen = version(run_id)  # first: what changes while the rest is read is asked for again
    return Progress(runs.get(run_id), runs.children(run_id), seen)


def events(run_id: int) -> list[RunEvent]:
    """The newest steps, in the order in which they happened."""
    query = select(RunEvent).where(RunEvent.run_id == run_id).order_by(RunEvent.id.desc()).limit(EVENTS_SHOWN)
    return list(db.session.scalars(query))[::-1]


def items(run_id: int, number: int = 1, size: int = 100) -> tuple[list[RunItem], Page]:
    """The clients of a run and of its parts: what failed and what was left out first, with the reason."""
    query = select(RunItem).where(RunItem.run_id.in_(_family(run_id))).join(Client, Client.id == RunItem.client_id)
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(RunItem.id).subquery()))
    page = Page.of(number, size, total)
    rank = db.case({"failed": 0, "skipped": 1, "todo": 2}, value=RunItem.state, else_=3)
    query = query.order_by(rank, Client.sort_name, RunItem.id).limit(page.size).offset(page.offset)
    return list(db.session.scalars(query.options(db.joinedload(RunItem.client)))), page


def calls(run_id: int, number: int = 1, size: int = 100) -> tuple[list[RunCall], Page]:
    """The requests of a run and of its parts, newest first. They are kept for 30 days."""
    query = select(RunCall).where(RunCall.run_id.in_(_family(run_id)))
    total = db.session.scalar(select(func.count()).select_from(query.with_only_columns(RunCall.id).subquery()))
    page = Page.of(number, size, total)
    return list(db.session.scalars(query.order_by(RunCall.id.desc()).limit(page.size).offset(page.offset))), page


def _family(run_id: int):
    return select(Run.id).where((Run.id == run_id) | (Run.parent_id == run_id))


def cancel(run: Run) -> None:
    """Ask the run to stop. Commits. Raises NotNow when it has ended."""
    if not run.active:
        raise NotNow(_("This run has ended already."))
    runs.cancel(run)
    audit.record("run.cancelled", run.title, run=run.id, kind=run.kind)
    db.session.commit()


def start_again(run: Run, person_id: int) -> Run:
    """The same once more; the running one if it still runs. Commits; the caller rings."""
    if run.active:
        return run
    again = statistics.restart(run, person_id)
    audit.record("run.restarted", run.title, run=again.id, before=run.id, kind=run.kind)
    db.session.commit()
    return again


def asked_by(run: Run) -> str:
    """The person's name, or who it was instead."""
    if run.person_id is None:
        return _("Scheduled")
    return db.session.scalar(select(Person.name).where(Person.id == run.person_id)) or ""
