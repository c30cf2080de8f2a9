"""The integrations hub of a practice-management tool for accounting firms."""

import os
from pathlib import Path

from flask import Flask
from flask_migrate import Migrate
from sqlalchemy import inspect, text
from werkzeug.middleware.proxy_fix import ProxyFix

from uku_web.config import Config, ConfigError, read_config
from uku_web.db import db, prepare_engine
from uku_web.keyring import KeyRing, session_key

ROOT = Path(__file__).parent.parent
migrate = Migrate(directory=str(Path(__file__).parent / "migrations"))


def create_app(config: Config | None = None) -> Flask:
    """The web app; jobs and commands use its context too."""
    config = config or read_config()
    config.data.mkdir(parents=True, exist_ok=True)
    if config.today:
        os.environ["UKU_TODAY"] = config.today  # also when it comes from `.env`: the clock looks there
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
    if config.trusted_proxies:
        # Whose X-Forwarded headers count is the operator's word: anybody else's would be believed about addresses.
        count = config.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)
    _prepare_database(app)
    app.extensions["uku_keyring"] = _key_ring(app, config)

    from uku_web import views

    views.install(app)
    return app


def _key_ring(app: Flask, config: Config) -> KeyRing:
    """A new ring is made on the first start only: beside a new one, stored credentials could not be read."""
    if not config.keys.exists():
        with app.app_context(), db.engine.connect() as connection:
            used = (
                inspect(connection).has_table("connection")
                and connection.execute(text("SELECT 1 FROM connection LIMIT 1")).first()
            )
        if used:
            raise ConfigError(
                f"The key ring {config.keys} is missing, and the stored credentials cannot be read without it. "
                "Put back your copy of it, or set UKU_KEYS to where it is."
            )
    return KeyRing.load(config.keys)


def _prepare_database(app: Flask) -> None:
    from uku_web import models, tenancy  # noqa: F401  (models register their tables)

    db.init_app(app)
    migrate.init_app(app, db, render_as_batch=True)
    with app.app_context():
        prepare_engine(db.engine)
    tenancy.install(db.session)
