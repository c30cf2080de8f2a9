"""The children that every start has: how each is run, and where it logs."""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from uku_web import clock
from uku_web.config import Config
from uku_web.launcher import supervisor, valkey
from uku_web.launcher.children import Child
from uku_web.launcher.supervisor import CannotStart, Supervisor

PYTHON = [sys.executable, "-P", "-m"]
STOPPED = 130  # the exit code after Ctrl-C


@dataclass
class Processes:
    """`environ` holds what the children get; `folder` is where they run, and where a `.env` file counts."""

    config: Config
    environ: dict[str, str]
    folder: Path

    def child(self, name: str, command: list[str], last_signal: signal.Signals = signal.SIGKILL) -> Child:
        log = self.config.data / "logs" / f"{name}.log"
        return Child(name, command, log, self.current_environ, self.folder, last_signal)

    def current_environ(self) -> Mapping[str, str]:
        """A clock that was moved has run on since: a child that starts days later must agree with its elders."""
        moved = {"UKU_TODAY": clock.now().date().isoformat()} if self.environ.get("UKU_TODAY") else {}
        return {**os.environ, **self.environ, **moved, "PYTHONUNBUFFERED": "1"}

    def uku(self, name: str, *arguments: str) -> Child:
        return self.child(name, [*PYTHON, "uku_web.cli", *arguments])

    def step(self, *arguments: str) -> None:
        """Run a short command to its end before anything else starts. Raises CannotStart."""
        done = subprocess.run([*PYTHON, *arguments], env=self.current_environ(), cwd=self.folder, check=False)
        if done.returncode:
            raise CannotStart("Stopped." if done.returncode == STOPPED else "It was not started, for the reason above.")

    def start_valkey(self, boss: Supervisor) -> None:
        """The embedded one, unless the operator has named a Redis."""
        if not self.config.embedded_redis:
            return
        valkey.end_survivor(self.config)
        child = self.child("valkey", valkey.command(self.config), signal.SIGTERM)
        child.start()
        boss.base.append(child)
        boss.wait_until(lambda: valkey.answers(self.config), child)
        self.environ["REDIS_URL"] = valkey.redis_url(self.config)

    def start_app(self, boss: Supervisor, host: str, port: int) -> None:
        web = self.uku("web", "web", "--host", host, "--port", str(port))
        workers = [self.uku(f"worker-{number}", "work") for number in range(1, self.config.workers + 1)]
        boss.start(web)
        near = "127.0.0.1" if host in ("0.0.0.0", "::") else host
        boss.wait_until(lambda: supervisor.connects(near, port), web)
        boss.start(self.uku("tick", "tick"), *workers)  # people come first
