"""The client list and the client's own pages."""

from flask import Blueprint, flash, g, request, url_for

from uku_web.services import client_links, clients, people, tasks
from uku_web.services.errors import Invalid, NotNow
from uku_web.services.paging import PAGE_SIZES, USUAL_SIZE
from uku_web.texts import gettext as _
from uku_web.views.guard import manager, member, owner
from uku_web.views.lists import list_url, number, one_of, page_size
from uku_web.views.render import render, see_other

blueprint = Blueprint("clients", __name__)


@blueprint.get("/clients")
@member
def index():
    shown = wanted()
    rows, page = clients.found(shown)
    filters = filters_of(shown)
    order = {"sort": shown.sort if shown.sort != "name" else ""}
    size = {"size": shown.size if shown.size != USUAL_SIZE else ""}
    return render(
        "clients/index.html",
        "clients/_list.html",
        rows=rows,
        paging=page,
        wanted=shown,
        filters=filters,
        filtered=any(filters.values()),
        sort_url=list_url("clients.index", **filters, **size),
        page_url=list_url("clients.index", **filters, **size, **order),
        badges=client_links.badges_for(rows) if g.company.integration_on else {},
        members=[(person.id, person.name) for person in people.members()],
        groups=[(group.id, group.name) for group in clients.groups()],
        sizes=PAGE_SIZES,
        # What was ticked stays so when the list is drawn anew after a dialog.
        ticked=set(request.args.getlist("client")),
        all_ticked=request.args.get("all_matching") == "1",
    )


def wanted() -> clients.Wanted:
    """What the address asks the list for."""
    args = request.args
    return clients.Wanted(
        q=args.get("q", "").strip()[:100],
        member=number("member"),
        group=number("group"),
        integration=one_of("integration", ("connected", "attention", "asleep", "none")),
        state=one_of("state", ("active", "inactive", "all"), "active"),
        sort=one_of("sort", [*clients.SORTS, *(f"-{key}" for key in clients.SORTS)], "name"),
        page=number("page", 1),
        size=page_size(),
    )


def filters_of(shown: clients.Wanted) -> dict[str, object]:
    """The filters as they stand in an address; empty ones change nothing."""
    return {
        "q": shown.q,
        "member": shown.member or "",
        "group": shown.group or "",
        "integration": shown.integration,
        "state": shown.state if shown.state != "active" else "",
    }


@blueprint.get("/clients/new")
@manager
def new():
    return _form(None, {"country": g.company.country})


@blueprint.post("/clients/new")
@manager
def create():
    return _save(None)


@blueprint.get("/clients/<int:client_id>/edit")
@manager
def edit(client_id: int):
    client = clients.get(client_id)
    values = {name: getattr(client, name) for name in clients.DETAILS}
    values |= {"group": client.group.name if client.group else "", "default_member": client.default_member_id}
    return _form(client, values)


@blueprint.post("/clients/<int:client_id>/edit")
@manager
def update(client_id: int):
    return _save(clients.get(client_id))


def _save(client):
    try:
        saved = clients.save(client, request.form)
    except Invalid as wrong:
        return _form(client, request.form, wrong.errors, status=422)
    flash(_("%(name)s is saved.", name=saved.name), "good")
    return see_other(url_for("clients.show", client_id=saved.id))


def _form(client, values, errors=None, status=200):
    return render(
        "clients/form.html",
        status=status,
        client=client,
        values=values,
        errors=errors or {},
        members=[(person.id, person.name) for person in people.members()],
        groups=clients.groups(),
        countries=list(people.countries().items()),
    )


@blueprint.get("/clients/<int:client_id>")
@member
def show(client_id: int):
    client = clients.get(client_id)
    return _tab(client_id, "details", country=people.countries().get(client.country or "", client.country or ""))


@blueprint.get("/clients/<int:client_id>/contacts")
@member
def contacts(client_id: int):
    client = clients.get(client_id)
    return _tab(client_id, "contacts", contacts=people.contacts_of(client))


@blueprint.get("/clients/<int:client_id>/tasks")
@member
def client_tasks(client_id: int):
    wanted = tasks.Wanted(client_id=client_id, state="all", sort="-due", page=number("page", 1), size=page_size())
    rows, page = tasks.found(wanted)
    return _tab(
        client_id, "tasks", rows=rows, paging=page, page_url=list_url("clients.client_tasks", client_id=client_id)
    )


@blueprint.get("/clients/<int:client_id>/integrations")
@member
def integrations(client_id: int):
    client = clients.get(client_id)
    badges = client_links.badges_for([client])[client.id] if g.company.integration_on else []
    return _tab(client_id, "integrations", badges=badges, synced=clients.last_syncs(client))


def _tab(client_id: int, tab: str, **context):
    return render(f"clients/{tab}.html", client=clients.get(client_id), tab=tab, **context)


@blueprint.post("/clients/<int:client_id>/active")
@manager
def set_active(client_id: int):
    client = clients.get(client_id)
    clients.set_active(client, request.form.get("active") == "1")
    said = _("%(name)s is active again.") if client.active else _("%(name)s is inactive: no run touches it.")
    flash(said % {"name": client.name}, "good")
    return see_other(url_for("clients.show", client_id=client.id))


@blueprint.get("/clients/<int:client_id>/delete")
@owner
def delete(client_id: int):
    client = clients.get(client_id)
    return render("clients/delete.html", client=client, goes=clients.what_goes(client), error="")


@blueprint.post("/clients/<int:client_id>/delete")
@owner
def delete_now(client_id: int):
    client = clients.get(client_id)
    name = client.name
    try:
        clients.remove(client)
    except NotNow as no:
        return render(
            "clients/delete.html", status=422, client=client, goes=clients.what_goes(client), error=no.sentence
        )
    flash(_("%(name)s is deleted.", name=name), "good")
    return see_other(url_for("clients.index"))


@blueprint.get("/clients/<int:client_id>/contacts/new")
@manager
def new_contact(client_id: int):
    return _contact_form(clients.get(client_id), None, {})


@blueprint.post("/clients/<int:client_id>/contacts/new")
@manager
def create_contact(client_id: int):
    return _save_contact(clients.get(client_id), None)


@blueprint.get("/clients/<int:client_id>/contacts/<int:contact_id>")
@manager
def edit_contact(client_id: int, contact_id: int):
    client = clients.get(client_id)
    one = people.contact(client, contact_id)
    return _contact_form(client, one, {name: getattr(one, name) for name in ("name", "email", "phone", "role")})


@blueprint.post("/clients/<int:client_id>/contacts/<int:contact_id>")
@manager
def update_contact(client_id: int, contact_id: int):
    client = clients.get(client_id)
    return _save_contact(client, people.contact(client, contact_id))


@blueprint.post("/clients/<int:client_id>/contacts/<int:contact_id>/remove")
@manager
def remove_contact(client_id: int, contact_id: int):
    client = clients.get(client_id)
    one = people.contact(client, contact_id)
    name = one.name
    people.remove_contact(client, one)
    flash(_("%(name)s is no longer a contact.", name=name), "good")
    return see_other(url_for("clients.contacts", client_id=client.id))


def _save_contact(client, one):
    try:
        people.save_contact(client, one, request.form)
    except Invalid as wrong:
        return _contact_form(client, one, request.form, wrong.errors, status=422)
    return see_other(url_for("clients.contacts", client_id=client.id))


def _contact_form(client, one, values, errors=None, status=200):
    return render("clients/contact.html", status=status, client=client, contact=one, values=values, errors=errors or {})
