"""The integrations hub of a practice-management tool for accounting firms."""

from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from werkzeug.middleware.proxy_fix import ProxyFix

from uku_web.config import Config, read_config
from uku_web.db import db, prepare_engine
from uku_web.keyring import KeyRing, session_key

ROOT = Path(__file__).parent.parent
migrate = Migrate(directory=str(Path(__file__).parent / "migrations"))


def create_app(config: Config | None = None) -> Flask:
    """The web app; jobs and commands use its context too."""
    config = config or read_config()
    config.data.mkdir(parents=True, exist_ok=True)
    app = Flask(__name__, template_folder=str(ROOT / "templates"), static_folder=str(ROOT / "static"))
    app.config.update(
        SECRET_KEY=config.session_key or session_key(config.data / "keys" / "session"),
        SQLALCHEMY_DATABASE_URI=config.database_url,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=config.secure_cookies,
        MAX_CONTENT_LENGTH=2 * 1024 * 1024,
        # An error's text must not tell what was stored.
        SQLALCHEMY_ENGINE_OPTIONS={"hide_parameters": True},
    )
    app.extensions["uku_config"] = config
    app.extensions["uku_keyring"] = KeyRing.load(config.keys)
    if config.trusted_proxies:
        # Whose X-Forwarded headers count is the operator's word: anybody else's would be believed about addresses.
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
    _prepare_database(app)

    from uku_web import views

    views.install(app)
    return app


def _prepare_database(app: Flask) -> None:
    from uku_web import models, tenancy  # noqa: F401  (models register their tables)

    db.init_app(app)
    migrate.init_app(app, db, render_as_batch=True)
    with app.app_context():
        prepare_engine(db.engine)
    tenancy.install(db.session)
