"""The frame around every page: navigation."""

from flask import request, url_for

from uku_web.texts import gettext as _


def navigation() -> list[dict]:
    entries = [
        (_("Clients"), "clients.index", ("clients", "client_integration")),
        (_("Tasks"), "tasks.index", ("tasks",)),
        (_("Runs"), "runs.index", ("runs",)),
        (_("Settings & Apps"), "apps.index", ("apps", "integration", "task_fields", "audit")),
    ]
    blueprint = request.blueprint
    return [
        {"label": label, "url": url_for(endpoint), "active": blueprint in owners} for label, endpoint, owners in entries
    ]
