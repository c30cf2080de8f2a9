"""Every setting: read once, checked, and told in a sentence when it is wrong.

Settings come from the environment or from a `.env` file in the working folder; the environment wins.
The README's table lists them all.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values


class ConfigError(Exception):
    """A setting is wrong or missing; the sentence says how to mend it."""


def _text(value: str) -> str:
    return value


def _address(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be an address such as https://uku.example.com")
    return value.rstrip("/")


def _database(value: str) -> str:
    if value.startswith("postgres://"):
        value = "postgresql://" + value.removeprefix("postgres://")
    if value.startswith("postgresql://"):
        value = "postgresql+psycopg://" + value.removeprefix("postgresql://")
    if not value.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


def _redis(value: str) -> str:
    if not value.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return value


def _switch(value: str) -> bool:
    if value.lower() not in ("1", "0", "true", "false", "yes", "no", "on", "off"):
        raise ValueError("must be 1 or 0")
    return value.lower() in ("1", "true", "yes", "on")


def _count(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 64:
        raise ValueError("must be a whole number from 1 to 64")
    return int(value)


def _day(value: str) -> str:
    date.fromisoformat(value)
    return value


def _hosts(value: str) -> tuple[str, ...]:
    hosts = tuple(part.strip() for part in value.split(",") if part.strip())
    if any("://" in host or " " in host for host in hosts):
        raise ValueError("must be a list such as 10.0.0.5:8600,books.internal")
    return hosts


@dataclass(frozen=True)
class Setting:
    name: str
    help: str
    default: str | None
    parse: Callable[[str], object] = _text
    shown_default: str = ""
    secret: bool = False  # its value must not stand in a message


SETTINGS: tuple[Setting, ...] = (
    Setting("UKU_DATA", "Folder for the database, keys and the embedded Valkey", "var", Path),
    Setting("DATABASE_URL", "Database: SQLite or PostgreSQL", None, _database, "SQLite in UKU_DATA", secret=True),
    Setting("REDIS_URL", "Redis 6.2 or newer, or Valkey", None, _redis, "embedded Valkey in UKU_DATA", secret=True),
    Setting(
        "UKU_PUBLIC_URL",
        "Address people use; redirect addresses are built from it",
        None,
        _address,
        "the address the server prints",
    ),
    Setting(
        "UKU_KEYS",
        "Key ring file for stored credentials; keep a copy apart from the database",
        None,
        Path,
        "keys/ring in UKU_DATA",
    ),
    Setting(
        "UKU_SESSION_KEY",
        "Secret that signs session cookies; the same on all web machines",
        None,
        _text,
        "keys/session in UKU_DATA",
        secret=True,
    ),
    Setting("UKU_SECURE_COOKIES", "1 sends cookies over https only", None, _switch, "1 if UKU_PUBLIC_URL is https"),
    Setting(
        "UKU_TRUSTED_PROXIES",
        "Number of reverse proxies in front whose X-Forwarded headers count",
        None,
        _count,
        "none",
    ),
    Setting("UKU_WORKERS", "Background workers started by the supervisor", "2", _count),
    Setting(
        "UKU_ALLOW_PRIVATE_HOSTS",
        "host:port list at private addresses that vendors may be reached at",
        "",
        _hosts,
        "none",
    ),
    Setting("UKU_TODAY", "Moves the clock to this date (demo and tests)", None, _day, "the real date"),
    Setting("UKU_DEMO", "1 shows the demo log-ins on the sign-in page", "0", _switch),
    Setting("UKU_OWNER_EMAIL", "First start without a terminal: the owner's e-mail address", None, _text, "asked for"),
    Setting("UKU_OWNER_NAME", "First start without a terminal: the owner's name", None, _text, "asked for"),
    Setting(
        "UKU_OWNER_PASSWORD",
        "First start without a terminal: the owner's password",
        None,
        _text,
        "asked for",
        secret=True,
    ),
    Setting("UKU_COMPANY_NAME", "First start without a terminal: the company's name", None, _text, "asked for"),
    Setting("UKU_COMPANY_COUNTRY", "First start without a terminal: its country, two letters", "EE"),
    Setting("UKU_COMPANY_TIMEZONE", "First start without a terminal: its time zone", "Europe/Tallinn"),
)
# Per vendor, by pattern; listed in the README as well.
PATTERNS: tuple[tuple[str, str], ...] = (
    ("UKU_VENDOR_URL_<KIND>", "Points a vendor's connector elsewhere and permits that host"),
    ("UKU_VENDOR_URL_<KIND>_<VARIANT>", "The same for one country or environment"),
    ("UKU_VENDOR_AUTH_URL_<KIND>", "The same for sign-in, token and revoke paths"),
)


@dataclass(frozen=True)
class Config:
    data: Path
    database_url: str = field(repr=False)  # either may hold a password
    redis_url: str = field(repr=False)
    public_url: str | None
    keys: Path
    session_key: str | None = field(repr=False)
    secure_cookies: bool
    trusted_proxies: int
    workers: int
    allow_private_hosts: tuple[str, ...]
    today: str | None
    demo: bool
    environ: Mapping[str, str] = field(
        repr=False
    )  # everything as given: vendor overrides and operator settings are looked up here

    @property
    def embedded_redis(self) -> bool:
        return "REDIS_URL" not in self.environ

    @property
    def valkey_folder(self) -> Path:
        return self.data / "valkey"


def read_config(environ: Mapping[str, str] | None = None) -> Config:
    """Raises ConfigError with one sentence per wrong setting."""
    if environ is None:
        environ = {**{k: v for k, v in dotenv_values(".env").items() if v is not None}, **os.environ}
    values, wrong = {}, []
    for setting in SETTINGS:
        raw = environ.get(setting.name, "").strip() or setting.default
        try:
            values[setting.name] = None if raw is None else setting.parse(raw)
        except ValueError as error:
            given = "" if setting.secret else f"={raw!r}"
            wrong.append(f"{setting.name}{given} {error}. {setting.help}.")
    if wrong:
        raise ConfigError("\n".join(wrong))
    data = values["UKU_DATA"].absolute()
    public = values["UKU_PUBLIC_URL"]
    secure = values["UKU_SECURE_COOKIES"]
    return Config(
        data=data,
        database_url=values["DATABASE_URL"] or f"sqlite:///{data / 'uku.db'}",
        redis_url=values["REDIS_URL"] or f"unix://{data / 'valkey' / 'valkey.sock'}?db=0",
        public_url=public,
        keys=values["UKU_KEYS"] or data / "keys" / "ring",
        session_key=values["UKU_SESSION_KEY"],
        secure_cookies=bool(public and public.startswith("https://")) if secure is None else secure,
        trusted_proxies=values["UKU_TRUSTED_PROXIES"] or 0,
        workers=values["UKU_WORKERS"],
        allow_private_hosts=values["UKU_ALLOW_PRIVATE_HOSTS"],
        today=values["UKU_TODAY"],
        demo=values["UKU_DEMO"],
        environ=dict(environ),
    )
