"""Who may open what. Every route declares it; a route that does not is refused to everybody."""

from collections.abc import Callable
from typing import TypeVar

from flask import abort, current_app, g, redirect, request, session, url_for
from flask_login import current_user
from sqlalchemy import select

from uku_web.db import db, only_reads
from uku_web.models import Membership, Role
from uku_web.services import audit
from uku_web.services.errors import ServiceError
from uku_web.tenancy import across_companies, set_company
from uku_web.texts import gettext as _

View = TypeVar("View", bound=Callable)
_RANK = {Role.MEMBER: 1, Role.ADMIN: 2, Role.OWNER: 3}


def public(view: View) -> View:
    """Anybody, signed in or not."""
    view.access = "public"
    return view


def person(view: View) -> View:
    """Anybody signed in, also without a company."""
    view.access = "person"
    return view


def needs(role: Role) -> Callable[[View], View]:
    """Signed in, and at least this role in the chosen company."""

    def declare(view: View) -> View:
        view.access = role
        return view

    return declare


member = needs(Role.MEMBER)
manager = needs(Role.ADMIN)
owner = needs(Role.OWNER)


def access_of(endpoint: str | None) -> Role | str | None:
    return getattr(current_app.view_functions.get(endpoint or ""), "access", None)


def check_access():
    """Before every request: who is it, which company, and may they."""
    only_reads.set(request.method in ("GET", "HEAD", "OPTIONS"))
    g.membership = g.company = None
    set_company(None)
    if request.endpoint is None or request.endpoint in ("static", "assets.htmx"):
        return None
    access = access_of(request.endpoint)
    if access is None:
        abort(403)
    if any("\0" in value for value in request.values.values()):
        raise ServiceError(_("The text holds a sign that cannot be stored."))
    if current_user.is_authenticated:
        _enter_company()
        _refuse_another_window()
    if access == "public":
        return None
    if not current_user.is_authenticated:
        return _to_sign_in()
    if access == "person":
        return None
    if g.membership is None:
        return redirect(url_for("companies.new"), 303)
    if _RANK[Role(g.membership.role)] < _RANK[access]:
        abort(403)
    return None


def _enter_company() -> None:
    with across_companies():
        g.memberships = list(
            db.session.scalars(
                select(Membership)
                .where(Membership.person_id == current_user.id, Membership.active)
                .order_by(Membership.id)
                .options(db.joinedload(Membership.company))
            )
        )
    chosen = session.get("company_id")
    g.membership = next((m for m in g.memberships if m.company_id == chosen), None)
    if g.membership is None and g.memberships:
        g.membership = g.memberships[0]
    audit.set_actor(audit.Actor(current_user.id, current_user.name, request.remote_addr or ""))
    if g.membership is not None:
        g.company = g.membership.company
        set_company(g.membership.company_id)


def _refuse_another_window() -> None:
    """A form made for one company must not act on another that was switched to in a second window meanwhile."""
    made_for = request.form.get("_company")
    if request.endpoint in ("companies.switch", "auth.sign_out"):
        return
    if made_for and g.company is not None and made_for != str(g.company.id):
        raise ServiceError(
            _("You switched to %(name)s in another window. Go back and reload the page.", name=g.company.name)
        )


def _to_sign_in():
    target = url_for("auth.sign_in", next=request.full_path if request.method == "GET" else None)
    if request.headers.get("HX-Request"):
        return "", 401, {"HX-Redirect": url_for("auth.sign_in")}
    return redirect(target, 303)
