"""Starting: settings, keys, and what is said when they are wrong."""

import pytest
from flask_migrate import upgrade
from sqlalchemy import text

from uku_web import create_app
from uku_web.config import ConfigError, read_config
from uku_web.db import db
from uku_web.keyring import KeyRing, Unreadable


def test_a_wrong_setting_is_told_with_how_to_mend_it():
    with pytest.raises(ConfigError, match="UKU_WORKERS='many' must be a whole number from 1 to 64"):
        read_config({"UKU_WORKERS": "many"})
    assert read_config({"UKU_WORKERS": "3"}).workers == 3


def test_all_wrong_settings_are_told_at_once_and_no_password_with_them():
    with pytest.raises(ConfigError) as told:
        read_config({"DATABASE_URL": "mysql://uku:s3cretpw@db/uku", "UKU_PUBLIC_URL": "uku.example"})
    assert "DATABASE_URL" in str(told.value)
    assert "UKU_PUBLIC_URL='uku.example'" in str(told.value)
    assert "s3cretpw" not in str(told.value)


def test_a_configs_text_holds_no_secret(tmp_path):
    config = read_config({"UKU_DATA": str(tmp_path), "UKU_SESSION_KEY": "s3cret", "UKU_OWNER_PASSWORD": "s3cret"})
    assert "s3cret" not in repr(config)


def test_private_hosts_are_checked_at_the_start():
    with pytest.raises(ConfigError, match="UKU_ALLOW_PRIVATE_HOSTS"):
        read_config({"UKU_ALLOW_PRIVATE_HOSTS": "http://10.0.0.5:8600"})
    assert read_config({"UKU_ALLOW_PRIVATE_HOSTS": "10.0.0.5:8600, books"}).allow_private_hosts == (
        "10.0.0.5:8600",
        "books",
    )


def test_a_key_ring_that_went_missing_is_not_made_anew_beside_stored_credentials(tmp_path):
    config = read_config({"UKU_DATA": str(tmp_path)})
    app = create_app(config)
    with app.app_context():
        upgrade()
        with db.engine.begin() as connection:
            connection.execute(
                text(
                    "INSERT INTO company (name, country, timezone, plan, integration_on, created_at) "
                    "VALUES ('x', 'EE', 'Europe/Tallinn', 'team', true, '2026-01-01')"
                )
            )
            connection.execute(
                text(
                    "INSERT INTO connection (company_id, kind, level, sealed, hints, state, token_version, created_at) "
                    "VALUES (1, 'x', 'client', 'x', '{}', 'ok', 0, '2026-01-01')"
                )
            )
        db.engine.dispose()
    ring = config.keys.read_text()
    config.keys.unlink()
    with pytest.raises(ConfigError, match="key ring .* is missing"):
        create_app(config)
    config.keys.write_text(ring)
    with create_app(config).app_context():
        db.engine.dispose()


def test_the_ring_opens_what_older_keys_sealed_and_seals_with_the_newest(tmp_path):
    old, new = KeyRing.load(tmp_path / "old"), KeyRing.load(tmp_path / "new")
    sealed = old.seal({"key": "value"})
    with pytest.raises(Unreadable):
        new.open(sealed)
    both = tmp_path / "both"
    both.write_text((tmp_path / "new").read_text() + (tmp_path / "old").read_text())
    ring = KeyRing.load(both)
    assert ring.open(sealed) == {"key": "value"}
    assert new.open(ring.reseal(sealed)) == {"key": "value"}


def test_a_ring_that_holds_no_key_is_told(tmp_path):
    (tmp_path / "ring").write_text("nonsense")
    with pytest.raises(ConfigError, match="no key"):
        KeyRing.load(tmp_path / "ring")


def test_keys_are_readable_by_their_owner_only(tmp_path):
    KeyRing.load(tmp_path / "keys" / "ring")
    assert (tmp_path / "keys" / "ring").stat().st_mode & 0o077 == 0
