"""Blueprints: read the form, call one service, render."""

from importlib import import_module
from importlib.util import find_spec

from flask import Flask, g, render_template, request, url_for
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_login import LoginManager, current_user
from flask_wtf import CSRFProtect
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import IntegrityError
from werkzeug.routing import IntegerConverter

from uku_web import texts
from uku_web.db import db
from uku_web.models import Person
from uku_web.services.audit import SYSTEM, set_actor
from uku_web.services.errors import NotFound, ServiceError
from uku_web.services.notices import unread
from uku_web.tenancy import set_company
from uku_web.views import guard
from uku_web.views.render import wants_partial

BLUEPRINTS = (
    "assets",
    "auth",
    "companies",
    "apps",
    "integration",
    "clients",
    "client_integration",
    "client_bulk",
    "tasks",
    "task_fields",
    "runs",
    "notices",
    "audit",
    "health",
)
SECURITY_HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' data:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class RowId(IntegerConverter):
    """A number that a row may have; anything larger is no address of ours, and no database would take it."""

    def __init__(self, url_map, **options):
        super().__init__(url_map, max=2**31 - 1, **options)


csrf = CSRFProtect()
limiter = Limiter(get_remote_address, in_memory_fallback_enabled=True)
login = LoginManager()


def install(app: Flask) -> None:
    config = app.extensions["uku_config"]
    app.config.setdefault("RATELIMIT_STORAGE_URI", config.redis_url.replace("unix://", "redis+unix://"))
    csrf.init_app(app)
    limiter.init_app(app)
    login.init_app(app)
    login.user_loader(_load_person)
    app.jinja_env.add_extension("jinja2.ext.i18n")
    app.jinja_env.install_gettext_callables(texts.gettext, texts.ngettext, newstyle=True)
    app.jinja_env.globals["company_id"] = lambda: g.company.id if getattr(g, "company", None) else ""
    app.url_map.converters["int"] = RowId
    app.before_request(guard.check_access)
    app.after_request(_secure)
    app.teardown_request(_leave)
    app.context_processor(_shell)
    _install_errors(app)
    for name in BLUEPRINTS:
        if find_spec(f"uku_web.views.{name}"):
            app.register_blueprint(import_module(f"uku_web.views.{name}").blueprint)


def _leave(_error: BaseException | None) -> None:
    """A thread serves many requests: the next one must find neither company nor person of this one."""
    set_company(None)
    set_actor(SYSTEM)


def _load_person(session_id: str) -> Person | None:
    """Sessions of an older version have ended: a changed role or password, a deactivated person."""
    person_id, _, version = session_id.partition(".")
    person = db.session.get(Person, int(person_id)) if person_id.isdecimal() else None
    return person if person is not None and str(person.session_version) == version else None


def _secure(response):
    for name, value in SECURITY_HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint not in ("static", "assets.htmx"):
        response.headers.setdefault("Cache-Control", "no-store")
    if request.is_secure:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    return response


def _shell() -> dict:
    """What the page's frame shows."""
    from uku_web.views.shell import navigation

    company = getattr(g, "company", None)
    membership = getattr(g, "membership", None)
    shown = company is not None and current_user.is_authenticated
    return {
        "company": company,
        "role": guard.Role(membership.role) if membership else None,
        "companies": [m.company for m in getattr(g, "memberships", [])],
        "nav": navigation(manages=guard.Role(membership.role).manages) if shown else [],
        "unread": unread(current_user.id) if shown else 0,
        "notices_url": url_for("notices.index") if shown else "",
    }


def _install_errors(app: Flask) -> None:
    def show(status: int, sentence: str | None = None):
        return render_template(f"errors/{status}.html", sentence=sentence, partial=wants_partial()), status

    app.register_error_handler(403, lambda _e: show(403))
    app.register_error_handler(404, lambda _e: show(404))
    app.register_error_handler(429, lambda _e: show(429))
    app.register_error_handler(500, lambda _e: (db.session.rollback(), show(500))[1])
    app.register_error_handler(
        IntegrityError,
        lambda _e: (
            db.session.rollback(),
            show(
                422,
                texts.gettext("Somebody else saved the same in this very moment. Go back, reload the page and look."),
            ),
        )[1],
    )
    app.register_error_handler(
        CSRFError,
        lambda _e: show(
            422, texts.gettext("This form was open for too long. Go back, reload the page and send it again.")
        ),
    )
    app.register_error_handler(NotFound, lambda e: show(404, e.sentence))
    app.register_error_handler(ServiceError, lambda e: show(422, e.sentence))
