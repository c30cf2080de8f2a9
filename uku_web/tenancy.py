"""The one place through which every query is scoped to a company.

Whatever belongs to a company (CompanyOwned) is read, changed and deleted only inside `company_scope`; a statement
outside of it raises instead of answering. `across_companies` is for the few places that must look at all of them:
sign-in, the tick, the reaper, the operator's commands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from sqlalchemy import ForeignKey, event, inspect
from sqlalchemy.orm import Mapped, ORMExecuteState, Session, mapped_column, with_loader_criteria

_ALL = -1
_company: ContextVar[int | None] = ContextVar("company", default=None)


class OutOfScope(RuntimeError):
    """A statement touched a company's data without saying which company's, or another company's."""


class CompanyOwned:
    """Mixin of every table whose rows belong to one company."""

    company_id: Mapped[int] = mapped_column(ForeignKey("company.id", ondelete="CASCADE"), index=True)


@contextmanager
def company_scope(company_id: int) -> Iterator[None]:
    """Inside, queries see this company's rows and new rows become its own."""
    token = _company.set(company_id)
    try:
        yield
    finally:
        _company.reset(token)


@contextmanager
def across_companies() -> Iterator[None]:
    """Inside, queries see all companies. New rows must name theirs."""
    token = _company.set(_ALL)
    try:
        yield
    finally:
        _company.reset(token)


def set_company(company_id: int | None) -> None:
    """For the request's own context, which ends by itself."""
    _company.set(company_id)


def current_company_id() -> int:
    company_id = _company.get()
    if company_id is None or company_id == _ALL:
        raise OutOfScope("No company is chosen here. Use company_scope(company_id).")
    return company_id


def install(session_class: type[Session]) -> None:
    event.listen(session_class, "do_orm_execute", _scope_statement)
    event.listen(session_class, "before_flush", _guard_flush)


def _touches_owned(state: ORMExecuteState) -> bool:
    return any(issubclass(mapper.class_, CompanyOwned) for mapper in state.all_mappers)


def _scope_statement(state: ORMExecuteState) -> None:
    company_id = _company.get()
    if company_id == _ALL or state.is_column_load:
        return
    if company_id is None:
        if _touches_owned(state):
            raise OutOfScope(f"A query outside of any company: {str(state.statement)[:120]}")
        return
    if state.is_insert:
        return
    state.statement = state.statement.options(
        with_loader_criteria(
            CompanyOwned, lambda cls: cls.company_id == company_id, include_aliases=True, track_closure_variables=True
        )
    )


def _guard_flush(session: Session, _context, _instances) -> None:
    company_id = _company.get()
    for row in [*session.new, *session.dirty, *session.deleted]:
        if not isinstance(row, CompanyOwned) or company_id == _ALL:
            continue
        if company_id is None:
            raise OutOfScope(f"{type(row).__name__} written outside of any company")
        if row.company_id is None and inspect(row).pending:
            row.company_id = company_id
        if row.company_id != company_id:
            raise OutOfScope(f"{type(row).__name__} of company {row.company_id} written from company {company_id}")
