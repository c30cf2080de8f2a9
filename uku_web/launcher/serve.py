"""`uku serve`: web, workers and tick of a small team's server under one supervisor."""

import os
from pathlib import Path

from uku_web import ROOT
from uku_web.config import Config
from uku_web.launcher.processes import Processes
from uku_web.launcher.supervisor import Lock, Supervisor, require_port, say


def serve(config: Config, host: str, port: int) -> None:
    """Until asked to stop. Raises CannotStart."""
    with Lock(config.data) as lock:
        require_port(host, port)
        address = config.public_url or f"http://{host}:{port}"
        lock.tell(address)
        environ = {"UKU_DATA": str(config.data), "UKU_PUBLIC_URL": address}
        boss = Supervisor()
        try:
            _start(Processes(config, environ, Path(ROOT)), boss, host, port)
            say(f"\n  {address}\n\n  Logs: {_short(config.data / 'logs')}   Ctrl-C ends it.\n")
            boss.run()
        finally:
            boss.end()
    say("Stopped.")


def _start(processes: Processes, boss: Supervisor, host: str, port: int) -> None:
    processes.start_valkey(boss)
    processes.step("uku_web.cli", "upgrade")
    processes.step("uku_web.cli", "owner")
    processes.start_app(boss, host, port)


def _short(path: Path) -> str:
    """Relative where that is shorter to read."""
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
