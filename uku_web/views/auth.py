"""Signing in and out."""

from urllib.parse import urlsplit

from flask import Blueprint, current_app, redirect, render_template, request, session, url_for
from flask_limiter.util import get_remote_address
from flask_login import current_user, login_user, logout_user

from uku_web.services import people
from uku_web.texts import gettext as _
from uku_web.views import limiter
from uku_web.views.guard import member, person, public
from uku_web.views.render import render, see_other, wants_partial

blueprint = Blueprint("auth", __name__)


@blueprint.get("/")
@member
def home():
    return redirect(url_for("clients.index"), 303)


@blueprint.get("/sign-in")
@public
def sign_in():
    if current_user.is_authenticated:
        return see_other(own_path(request.args.get("next")) or url_for("auth.home"))
    return _form(request.args.get("next"))


def _email() -> str:
    return request.form.get("email", "").strip().lower()


# Only refusals count: an office behind one address signs in as often as it likes.
def _refused(response) -> bool:
    return response.status_code == 422


@blueprint.post("/sign-in")
@public
@limiter.limit("10/minute", deduct_when=_refused)
@limiter.limit("100/day", key_func=lambda: _email(), deduct_when=_refused)
@limiter.limit("5/minute", key_func=lambda: f"{get_remote_address()}|{_email()}", deduct_when=_refused)
def sign_in_now():
    who = people.authenticate(_email(), request.form.get("password", ""))
    if who is None:
        # One sentence for an unknown person and a wrong password.
        wrong = _("The e-mail address or the password is not right. Check both and try again.")
        return _form(request.form.get("next"), {"email": wrong}, status=422)
    session.clear()  # nothing of an earlier visitor's session lives on
    login_user(who)
    return see_other(own_path(request.form.get("next")) or url_for("auth.home"))


@blueprint.post("/sign-out")
@person
def sign_out():
    logout_user()
    session.clear()
    return see_other(url_for("auth.sign_in"))


@blueprint.errorhandler(429)
def too_many(_error):
    sentence = _("There were too many attempts to sign in. Wait a minute, then try again.")
    page = render_template("errors/429.html", sentence=sentence, partial=wants_partial())
    return page, 429, {"Retry-After": "60"}


def own_path(target: str | None) -> str | None:
    """The target if it is a path of this app, else None: what stands in a link must not lead people elsewhere."""
    if not target or not target.startswith("/") or target.startswith("//"):
        return None
    # Browsers read a backslash as a slash and drop line breaks and tabs.
    if "\\" in target or any(ord(letter) < 33 or ord(letter) == 127 for letter in target):
        return None
    parts = urlsplit(target)
    return target if not parts.scheme and not parts.netloc else None


def _form(target: str | None, errors: dict[str, str] | None = None, status: int = 200):
    demo = current_app.extensions["uku_config"].demo
    logins = [
        {"role": role.label, "email": email, "password": people.DEMO_PASSWORD} for role, email in people.DEMO_LOGINS
    ]
    return render(
        "auth/sign_in.html",
        status=status,
        errors=errors or {},
        email=request.form.get("email", ""),
        next=own_path(target),
        demo_logins=logins if demo else [],
    )
