"""The frame around every page: navigation."""

from flask import request, url_for

from uku_web.texts import gettext as _


def navigation(*, manages: bool) -> list[dict]:
    entries = [
        (_("Clients"), "clients", "clients.index", ("clients", "client_integration")),
        (_("Tasks"), "tasks", "tasks.index", ("tasks",)),
        (_("Runs"), "runs", "runs.index", ("runs",)),
        (_("Settings & Apps"), "settings", "apps.index", ("apps", "integration", "task_fields", "audit")),
    ]
    if not manages:
        entries.pop()  # Settings & Apps
    blueprint = request.blueprint
    return [
        {"label": label, "icon": icon, "url": url_for(endpoint), "active": blueprint in owners}
        for label, icon, endpoint, owners in entries
    ]
