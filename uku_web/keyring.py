"""The key ring: encrypts credentials at rest. It lives in a file outside the database, one key a line, newest first."""

import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from uku_web.config import ConfigError


class Unreadable(Exception):
    """A sealed value that no key on the ring opens."""


class KeyRing:
    def __init__(self, keys: list[bytes]):
        self._fernet = MultiFernet([Fernet(key) for key in keys])

    @classmethod
    def load(cls, path: Path) -> "KeyRing":
        """Read the ring; a new one is made where there is none yet."""
        if not path.exists():
            write_private(path, Fernet.generate_key().decode() + "\n")
        try:
            return cls([line.strip().encode() for line in path.read_text().splitlines() if line.strip()])
        except (ValueError, IndexError) as error:
            raise ConfigError(
                f"The key ring {path} holds something that is no key. Put back the copy you keep of it."
            ) from error

    def seal(self, values: Mapping[str, str]) -> str:
        return self._fernet.encrypt(json.dumps(dict(values)).encode()).decode()

    def open(self, sealed: str) -> dict[str, str]:
        try:
            return json.loads(self._fernet.decrypt(sealed.encode()))
        except InvalidToken as error:
            raise Unreadable(
                "No key on the ring opens these credentials. Put back the ring they were saved with."
            ) from error

    def reseal(self, sealed: str) -> str:
        """The same, encrypted with the newest key."""
        return self._fernet.rotate(sealed.encode()).decode()


def session_key(path: Path) -> str:
    if not path.exists():
        write_private(path, secrets.token_urlsafe(48) + "\n")
    return path.read_text().strip()


def write_private(path: Path, text: str) -> None:
    """Only the owner may read it; two processes that start at once agree on the first one's text."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with open(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(temporary, path)
    except FileExistsError:
        pass
    finally:
        os.unlink(temporary)
