"""One address, two shapes: the whole page, or the part of it that htmx asked for."""

import json

from flask import make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue


def wants_partial() -> bool:
    """A history restore wants the whole page even though htmx asks."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def render(page: str, partial: str | None = None, *, status: int = 200, **context: object) -> ResponseReturnValue:
    template = partial if partial and wants_partial() else page
    response = make_response(render_template(template, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def dialog(template: str, *, status: int = 200, **context: object) -> ResponseReturnValue:
    """A dialog's content: over the present page for htmx, as a page of its own otherwise."""
    layout = "_dialog_partial.html" if wants_partial() else "_dialog_page.html"
    response = make_response(render_template(template, dialog_layout=layout, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def see_other(url: str, toast: str | None = None) -> ResponseReturnValue:
    """303 after a write; htmx follows it by itself."""
    response = redirect(url, 303)
    if toast:
        response.headers["HX-Trigger"] = toast_trigger(toast)
    return response


def toast_trigger(text: str, level: str = "good") -> str:
    return json.dumps({"toast": {"text": text, "level": level}})
