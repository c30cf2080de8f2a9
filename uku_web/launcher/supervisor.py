"""Runs a set of children until it is asked to stop, then ends them in order. One per data folder."""

import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

from uku_web.launcher.children import Child

LOOK_EVERY = 0.2
GRACE, LAST_GRACE = 7.0, 2.0  # for the children, then for Valkey, which they need to the end


class CannotStart(Exception):
    """Nothing was started, or all of it was ended again; the sentence says why."""


def say(text: str) -> None:
    print(text, flush=True)


class Lock:
    """Held while the launcher lives; the kernel lets it go with the process."""

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self._file = (folder / "launcher.lock").open("a+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.seek(0)
            told = self._file.read().strip() or "somewhere"
            self._file.close()
            raise CannotStart(f"Already running on {folder}: {told}.") from error

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_error: object) -> None:
        self._file.close()

    def tell(self, text: str) -> None:
        """What a second start is told about this one."""
        self._file.truncate(0)
        self._file.write(f"{text} (process {os.getpid()})")
        self._file.flush()


def require_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            told = "is taken by another program" if not isinstance(error, PermissionError) else "is not ours to use"
            raise CannotStart(f"Port {port} {told}. Choose another one, such as --port {port + 1}.") from error


def free_port(host: str = "127.0.0.1") -> int:
    with socket.socket() as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


class Supervisor:
    """`base` children, such as Valkey, start first and end last."""

    def __init__(self, base: list[Child] | None = None):
        self.base, self.children = base or [], []
        self._asked = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask)

    def _ask(self, _number, _frame) -> None:
        self._asked += 1

    @property
    def stopping(self) -> bool:
        return self._asked > 0

    def start(self, *children: Child) -> None:
        for child in children:
            self.children.append(child)
            child.start()

    def wait_until(self, ready: Callable[[], bool], child: Child, seconds: float = 30.0) -> None:
        """Raises CannotStart when the child ends before it is ready, or takes too long."""
        until = time.monotonic() + seconds
        while not ready():
            if self.stopping:
                raise CannotStart("Stopped.")
            if not child.running or time.monotonic() > until:
                told = f"ended ({child.ending()})" if not child.running else f"is not ready after {seconds:g} s"
                raise CannotStart(f"{child.name} {told}. Its log {child.log} ends with:\n{_end_of(child.log)}")
            time.sleep(0.05)

    def run(self) -> None:
        while not self.stopping:
            for child in [*self.base, *self.children]:
                child.look_after(lambda text: print(text, file=sys.stderr, flush=True))
            time.sleep(LOOK_EVERY)

    def end(self) -> None:
        """A second Ctrl-C ends it at once."""
        patience = self._asked + 1
        for group, grace in ((self.children, GRACE), (self.base, LAST_GRACE)):
            for child in group:
                child.ask_to_end()
            until = time.monotonic() + grace
            while any(child.running for child in group) and time.monotonic() < until and self._asked <= patience:
                time.sleep(0.05)
            for child in group:
                child.kill()


def connects(host: str, port: int) -> bool:
    try:
        socket.create_connection((host, port), timeout=1).close()
        return True
    except OSError:
        return False


def _end_of(log: Path, lines: int = 12) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
