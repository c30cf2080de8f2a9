"""One address, two shapes: the whole page, or the part of it that htmx asked for."""

import json

from flask import flash, make_response, redirect, render_template, request
from flask.typing import ResponseReturnValue


def wants_partial() -> bool:
    """A history restore wants the whole page even though htmx asks."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def page(template: str, /, *, status: int = 200, **context: object) -> ResponseReturnValue:
    """A page whose template extends `layout`: the whole frame, or for htmx what stands inside it."""
    layout = "_partial.html" if wants_partial() else "_base.html"
    response = make_response(render_template(template, layout=layout, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def render(whole: str, partial: str | None = None, /, *, status: int = 200, **context: object) -> ResponseReturnValue:
    template = partial if partial and wants_partial() else whole
    response = make_response(render_template(template, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def dialog(template: str, /, *, status: int = 200, **context: object) -> ResponseReturnValue:
    """A dialog's content: over the present page for htmx, as a page of its own otherwise."""
    layout = "_dialog_partial.html" if wants_partial() else "_dialog_page.html"
    response = make_response(render_template(template, dialog_layout=layout, **context), status)
    response.headers["Vary"] = "HX-Request"
    return response


def see_other(url: str, text: str | None = None, level: str = "good") -> ResponseReturnValue:
    """303 after a write. The text is shown by whatever page comes next: a redirect's own headers reach no script."""
    if text:
        flash(text, level)
    return redirect(url, 303)


def toast_trigger(text: str, level: str = "good") -> str:
    """For HX-Trigger on answers that are not redirects."""
    return json.dumps({"toast": {"text": text, "level": level}})
