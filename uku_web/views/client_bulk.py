"""The dialog Run integration: one month of the clients that were ticked in the list.

The choice stands in the address: some clients by their ids, or all that the list's filters let through.
"""

from flask import Blueprint, request, url_for
from flask_login import current_user

from uku_web.services import bulk, runs, statistics
from uku_web.services.bulk import Chosen, Tally
from uku_web.services.clients import Wanted
from uku_web.services.errors import Invalid, NotNow
from uku_web.services.paging import PAGE_SIZES
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.vendors.records import Month
from uku_web.vendors.spec import VendorSpec
from uku_web.views import clients, forms
from uku_web.views.guard import manager
from uku_web.views.render import dialog, see_other
from uku_web.views.tasks import month_name

blueprint = Blueprint("client_bulk", __name__, url_prefix="/clients/run-integration")


def _chosen() -> Chosen:
    if request.args.get("all_matching") == "1":
        return clients.wanted()
    given = request.args.getlist("client")[: max(PAGE_SIZES)]
    return [int(raw) for raw in given if raw.isdecimal() and len(raw) < 10]


def _address_of(chosen: Chosen) -> dict[str, object]:
    """The same choice, for an address."""
    return {"all_matching": 1, **_filters(chosen)} if isinstance(chosen, Wanted) else {"client": list(chosen)}


def _filters(chosen: Chosen) -> dict[str, object]:
    shown = clients.filters_of(chosen) if isinstance(chosen, Wanted) else {}
    return {name: value for name, value in shown.items() if value}


@blueprint.get("")
@manager
def show():
    return _show()


def _show(*, errors: dict[str, str] | None = None, refused: str = "", status: int = 200):
    statistics.may_run()
    chosen = _chosen()
    numbers, specs, address = bulk.tally(chosen), bulk.vendors(), _address_of(chosen)
    spec = next((spec for spec in specs if spec.kind == _kind([spec.kind for spec in specs], numbers)), None)
    if spec is not None and not refused:
        refused = _refusal(spec.kind, numbers)
    months = bulk.months()
    return dialog(
        "client_bulk/show.html",
        status=status,
        numbers=numbers,
        kinds=[(spec.kind, spec.label) for spec in specs],
        spec=spec,
        months=[(str(month), month_name(month)) for month in months],
        month=request.values.get("month") or str(months[1]),
        errors=errors or {},
        refused=refused,
        left_out=_left_out(spec, numbers) if spec else [],
        settings=bool(spec and refused and numbers.linked.get(spec.kind)),
        pairs=[(name, each) for name, value in address.items() for each in (value if name == "client" else [value])],
        run_url=url_for("client_bulk.run", **address),
        close_url=url_for("clients.index", **_filters(chosen)),
    )


def _kind(kinds: list[str], numbers: Tally) -> str | None:
    """The asked one; without a choice the one most of these clients are linked to, or the only one there is."""
    asked = request.values.get("kind", "")
    if asked in kinds or not kinds:
        return asked or None
    most = max(kinds, key=lambda kind: numbers.linked.get(kind, 0))
    return most if numbers.linked.get(most) or len(kinds) == 1 else None


def _left_out(spec: VendorSpec, numbers: Tally) -> list[str]:
    """How many of the chosen clients cannot be run, by why."""
    no_link = ngettext(
        "%(n)s of the chosen clients has no live %(vendor)s link.",
        "%(n)s of the chosen clients have no live %(vendor)s link.",
        numbers.unlinked(spec.kind),
        vendor=spec.label,
    )
    inactive = ngettext(
        "%(n)s of the chosen clients is inactive.", "%(n)s of the chosen clients are inactive.", numbers.inactive
    )
    return [no_link] * bool(numbers.unlinked(spec.kind)) + [inactive] * bool(numbers.inactive)


def _refusal(kind: str, numbers: Tally) -> str:
    try:
        bulk.check(kind, numbers)
    except NotNow as no:
        return no.sentence
    return ""


@blueprint.post("")
@manager
def run():
    kind = request.form.get("kind", "")
    try:
        if kind not in [spec.kind for spec in bulk.vendors()]:
            raise Invalid({"kind": _("Choose an integration from the list.")})
        opened = bulk.open_bulk(kind, _chosen(), _month(), current_user.id)
    except Invalid as wrong:
        return _show(errors=wrong.errors, status=422)
    except NotNow as no:
        return _show(refused=no.sentence, status=422)
    forms.start(opened)
    return see_other(url_for("client_bulk.started", run_id=opened.id))


def _month() -> Month:
    try:
        return Month.parse(request.form.get("month", ""))
    except ValueError:
        raise Invalid({"month": _("Choose a month from the list.")}) from None


@blueprint.get("/<int:run_id>")
@manager
def started(run_id: int):
    """How far it is."""
    opened = runs.get(run_id)
    progress = forms.progress_of(opened, "client_bulk.progress", kind=opened.kind)
    return dialog("client_bulk/started.html", run=opened, progress=progress, close_url=url_for("clients.index"))


@blueprint.get("/progress")
@manager
def progress():
    spec = forms.spec_or_404(request.args.get("kind", ""))
    return forms.poll(spec, "client_bulk.progress", kind=spec.kind)
