"""What follows when a run has ended: its parent may have ended too, and whoever asked for it is told."""

from datetime import timedelta

from sqlalchemy import func, select, update

from uku_web.clock import now
from uku_web.db import db
from uku_web.models import ACTIVE, Due, ItemState, Run, RunEvent, RunItem, RunState
from uku_web.services import notices
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors.registry import spec_of

TRY_AGAIN = timedelta(hours=1)
_LEVELS = {RunState.DONE: "good", RunState.DOUBT: "warn", RunState.CANCELLED: "info"}


def ended(run: Run) -> None:
    """In the transaction that ends the run."""
    db.session.refresh(run)
    _free_due(run)
    if run.parent_id is not None:
        settle_parent(run.parent_id)
    elif run.person_id is not None and not _known_already(run):
        notices.tell(
            [run.person_id],
            f"{spec_of(run.kind).label} · {run.title}",
            body="\n".join(filter(None, [run.outcome, *reasons(run.id)])),
            path=f"/runs/{run.id}",
            level=_LEVELS.get(RunState(run.state), "bad"),
        )


def _known_already(run: Run) -> bool:
    """Who stopped it knows; and of a connection in trouble its managers are told as such, once a cause."""
    told_as_cause = run.connection_id is not None and run.outcome_code in ("credentials", "not_permitted", "settings")
    return run.state == RunState.CANCELLED or (told_as_cause and run.person_id in notices.managers())


def _free_due(run: Run) -> None:
    """What a scheduled run was to settle: given up, it falls due again and somebody is told; a person who stopped it
    has decided. Runs that came to an end of their own have settled it themselves."""
    due = update(Due).where(Due.run_id == run.id, Due.settled_at.is_(None))
    if run.state == RunState.CANCELLED:
        db.session.execute(due.values(settled_at=now()))
    elif run.state == RunState.INTERRUPTED or run.outcome_code == "internal":
        db.session.execute(due.values(run_id=None, not_before=now() + TRY_AGAIN))
        if run.trigger == "import":
            tell_late(run, run.outcome or "")


def tell_late(run: Run, sentence: str) -> None:
    """A scheduled import brought nothing. One notice a connection, closed when an import has succeeded."""
    notices.tell(
        notices.managers(),
        _("%(vendor)s: the import did not succeed", vendor=spec_of(run.kind).label),
        body=sentence,
        path=f"/runs/{run.id}",
        level="bad",
        cause=late_cause(run.connection_id),
    )


def late_cause(connection_id: int | None) -> str:
    return f"import:{connection_id}"


def settle_parent(run_id: int) -> None:
    """End the parent when its last child has ended. Its row is the lock: of two last children, one sees the other."""
    waiting = db.session.execute(
        update(Run)
        .where(Run.id == run_id, Run.state == RunState.WAITING, Run.not_before.is_(None))
        .values(fence=Run.fence)
    )
    if waiting.rowcount != 1:
        return
    states = db.session.execute(
        select(Run.state, func.count()).where(Run.parent_id == run_id).group_by(Run.state)
    ).all()
    left = sum(count for state, count in states if state in ACTIVE)
    total = sum(count for _state, count in states)
    values: dict = {"progress": total - left, "total": total}
    if left == 0:
        counts = item_counts(run_id)
        values |= {
            "state": _verdict(dict(states), counts),
            "counts": counts,
            "outcome": in_words(counts),
            "ended_at": now(),
            "doing": "",
        }
    db.session.execute(update(Run).where(Run.id == run_id).values(**values))
    if left == 0:
        db.session.add(RunEvent(run_id=run_id, text=values["outcome"]))
        ended(db.session.scalar(select(Run).where(Run.id == run_id)))


def item_counts(run_id: int) -> dict[str, int]:
    """Clients by outcome, over the run and its children."""
    family = select(Run.id).where((Run.id == run_id) | (Run.parent_id == run_id))
    rows = db.session.execute(
        select(RunItem.state, func.count()).where(RunItem.run_id.in_(family)).group_by(RunItem.state)
    ).all()
    return {ItemState(state).value: count for state, count in rows}


def fail_items(run_id: int, sentence: str) -> None:
    """The clients that a failed run did not reach failed with it."""
    db.session.execute(
        update(RunItem)
        .where(RunItem.run_id == run_id, RunItem.state == ItemState.TODO)
        .values(state=ItemState.FAILED, reason=sentence)
    )


def reasons(run_id: int) -> list[str]:
    """Why clients were skipped or failed, each reason with its number of clients, most first."""
    family = select(Run.id).where((Run.id == run_id) | (Run.parent_id == run_id))
    number = func.count()
    rows = db.session.execute(
        select(RunItem.reason, number)
        .where(
            RunItem.run_id.in_(family),
            RunItem.state.in_([ItemState.SKIPPED, ItemState.FAILED]),
            RunItem.reason.is_not(None),
        )
        .group_by(RunItem.reason)
        .order_by(number.desc())
    ).all()
    return [ngettext("%(n)s client: %(why)s", "%(n)s clients: %(why)s", n, why=why) for why, n in rows]


def in_words(counts: dict[str, int]) -> str:
    """What came of the clients; what there was none of is left out."""
    done, skipped = counts.get(ItemState.DONE, 0), counts.get(ItemState.SKIPPED, 0)
    failed = counts.get(ItemState.FAILED, 0) + counts.get(ItemState.TODO, 0)
    parts = [
        ngettext("%(n)s client done", "%(n)s clients done", done) if done or not (skipped or failed) else "",
        _("%(n)s skipped", n=skipped) if skipped else "",
        _("%(n)s failed", n=failed) if failed else "",
    ]
    return ", ".join(filter(None, parts)) + "."


def _verdict(states: dict[str, int], counts: dict[str, int]) -> RunState:
    bad = sum(states.get(state, 0) for state in (RunState.FAILED, RunState.INTERRUPTED))
    if bad and not counts.get(ItemState.DONE):
        return RunState.FAILED
    if states.get(RunState.CANCELLED) and not bad:
        return RunState.CANCELLED
    return RunState.DOUBT if bad or states.get(RunState.DOUBT) else RunState.DONE
