"""htmx, served out of its installed package."""

from importlib.resources import files

from flask import Blueprint, send_file

from uku_web.views.guard import public

blueprint = Blueprint("assets", __name__)
HTMX = files("js_lib_htmx") / "static" / "htmx" / "htmx.min.js"


@blueprint.get("/assets/htmx.js")
@public
def htmx():
    return send_file(str(HTMX), mimetype="text/javascript", max_age=86400)
