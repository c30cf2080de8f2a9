"""Which company one works in, a further company, and the moments shown in its time zone."""

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, abort, flash, g, render_template, request, session, url_for
from flask_login import current_user

from uku_web import clock
from uku_web.services import people
from uku_web.services.errors import Invalid
from uku_web.texts import gettext as _
from uku_web.views.guard import person
from uku_web.views.render import render, see_other, wants_partial

blueprint = Blueprint("companies", __name__)


@blueprint.app_template_filter("local")
def local(moment: datetime | None) -> datetime | None:
    """The moment as the clocks of the chosen company show it."""
    if moment is None or getattr(g, "company", None) is None:
        return moment
    return moment.astimezone(ZoneInfo(g.company.timezone))


@blueprint.app_template_global("moment_now")
def moment_now() -> datetime:
    return local(clock.now())


@blueprint.post("/companies/<int:company_id>/switch")
@person
def switch(company_id: int):
    if all(m.company_id != company_id for m in g.memberships):
        abort(404)
    session["company_id"] = company_id
    return see_other(url_for("auth.home"))


@blueprint.get("/companies/new")
@person
def new():
    if not people.owns_a_company(current_user.id):
        return _refuse()
    here = g.company
    values = {"country": here.country, "timezone": here.timezone} if here else {"timezone": "Europe/Tallinn"}
    return _form(values)


@blueprint.post("/companies/new")
@person
def create():
    if not people.owns_a_company(current_user.id):
        return _refuse()
    values = {name: request.form.get(name, "") for name in ("name", "country", "timezone")}
    try:
        company = people.create_company(**values, owner_id=current_user.id)
    except Invalid as wrong:
        return _form(values, wrong.errors, status=422)
    session["company_id"] = company.id
    flash(_("%(name)s is ready. You are its Company Owner.", name=company.name), "good")
    return see_other(url_for("auth.home"))


def _form(values: dict, errors: dict | None = None, status: int = 200):
    return render(
        "companies/new.html",
        status=status,
        values=values,
        errors=errors or {},
        countries=list(people.countries().items()),
        timezones=people.timezones(),
    )


def _refuse():
    """People without a company are led here too: somebody who was deactivated reads why nothing opens."""
    sentence = _("Only a Company Owner can create a further company.")
    if g.company is None:
        sentence = _("You belong to no company at present. Ask the Company Owner to invite you.")
    return render_template("errors/403.html", sentence=sentence, partial=wants_partial()), 403
