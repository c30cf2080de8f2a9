"""Settings & Apps: the cards, and the master switch of all integrations."""

from flask import Blueprint, request, url_for

from uku_web.db import db
from uku_web.services import integrations
from uku_web.services.integrations import Card
from uku_web.texts import gettext as _
from uku_web.texts import ngettext
from uku_web.views.companies import local
from uku_web.views.guard import manager
from uku_web.views.render import render, see_other

blueprint = Blueprint("apps", __name__)


@blueprint.get("/settings")
@manager
def index():
    search, region = request.args.get("q", "").strip()[:100], request.args.get("region", "")
    regions = integrations.regions()
    region = region if region in dict(regions) else ""
    found = integrations.cards(search, region)
    return render(
        "apps/index.html",
        "apps/_cards.html",
        cards=[_card(card) for card in found],
        search=search,
        region=region,
        regions=regions,
    )


def _card(card: Card) -> dict:
    linked = ngettext("%(n)s client linked", "%(n)s clients linked", card.linked) if card.linked else ""
    since = local(card.since)
    return {
        "url": url_for("integration.show", kind=card.spec.kind),
        "kind": card.spec.kind,
        "label": card.spec.label,
        "mark": card.spec.mark,
        "state": card.state,
        "about": card.spec.summary,
        "why": card.why,
        "since": since.strftime("%Y-%m-%d %H:%M") if since else "",
        "foot": linked,
    }


@blueprint.post("/settings/integration-app")
@manager
def switch():
    on = request.form.get("on") == "1"
    integrations.set_app(on)
    db.session.commit()
    said = _("The Integration app is on.") if on else _("The Integration app is off. All data is kept.")
    return see_other(url_for("apps.index"), said)
