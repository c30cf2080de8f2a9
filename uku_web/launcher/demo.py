"""`uku demo`: a firm with clients, and the vendors played by the stand-ins, all on this machine."""

import os
import shutil
from datetime import date
from pathlib import Path

from uku_web import ROOT, clock
from uku_web.config import SETTINGS, Config, read_config
from uku_web.launcher import supervisor, valkey
from uku_web.launcher.processes import PYTHON, Processes
from uku_web.launcher.supervisor import CannotStart, Lock, Supervisor, say
from uku_web.services import people

HOST = "127.0.0.1"
FOLDER = Path(ROOT) / "var" / "demo"
MARK = "this-is-a-demo"  # only a folder that holds it is ever emptied; it says "ready" when the firm is in there
KEPT = ("launcher.lock",)


def demo(port: int, *, fresh: bool = False, today: date | None = None, data: Path | None = None) -> None:
    """Until asked to stop. Raises CannotStart."""
    config = _config(data or FOLDER, port, today)
    _check_folder(config.data)
    with Lock(config.data) as lock:
        supervisor.require_port(HOST, port)
        lock.tell(config.public_url)
        _prepare_folder(config, fresh)
        boss = Supervisor()
        try:
            hints = _start(Processes(config, dict(config.environ), config.data), boss, port)
            say(_welcome(config, hints))
            boss.run()
        finally:
            boss.end()
    say("Stopped.")


def _config(data: Path, port: int, today: date | None) -> Config:
    """Nothing of an installation's own settings counts here: a demo must never touch its database."""
    values = {setting.name: "" for setting in SETTINGS if setting.name not in ("REDIS_URL", "UKU_WORKERS")}
    values["UKU_WORKERS"] = os.environ.get("UKU_WORKERS", "")
    day = today.isoformat() if today else os.environ.get("UKU_TODAY", "")
    values |= {"UKU_DATA": str(data.absolute()), "UKU_DEMO": "1", "UKU_TODAY": day}
    values["UKU_PUBLIC_URL"] = f"http://{HOST}:{port}"
    config = read_config(values)
    os.environ["UKU_TODAY"] = day  # the launcher's own clock
    return config


def _check_folder(folder: Path) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise CannotStart(f"{folder} holds something else than a demo. Choose an empty folder.")


def _prepare_folder(config: Config, fresh: bool) -> None:
    mark = config.data / MARK
    mark.touch()
    if fresh or mark.read_text() != "ready":  # a start that was cut short leaves half a firm
        mark.write_text("")
        _empty(config)


def _empty(config: Config) -> None:
    valkey.end_survivor(config)
    for path in config.data.iterdir():
        if path.name in (*KEPT, MARK):
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _start(processes: Processes, boss: Supervisor, port: int) -> list[dict]:
    """Returns what the stand-ins tell of themselves."""
    processes.start_valkey(boss)
    hints = _start_sandbox(processes, boss)
    processes.step("uku_web.sandbox.seed")
    (processes.config.data / MARK).write_text("ready")
    processes.start_app(boss, HOST, port)
    return hints


def _start_sandbox(processes: Processes, boss: Supervisor) -> list[dict]:
    from uku_web.sandbox.clock import Clock
    from uku_web.sandbox.server import create_sandbox, describe

    port, folder = supervisor.free_port(), processes.config.data / "sandbox"
    command = [*PYTHON, "uku_web.sandbox", "--keep", "--port", str(port), "--dir", str(folder)]
    child = processes.child("sandbox", command)
    boss.start(child)
    hints = describe(f"http://{HOST}:{port}", folder, create_sandbox(Clock(clock.now().date())))
    for line in hints:
        processes.environ |= _overrides(line)
    boss.wait_until(lambda: supervisor.connects(HOST, port), child)
    return hints


def _overrides(line: dict) -> dict[str, str]:
    """The settings that point the vendor's connector at its stand-in."""
    names = "_".join(part.upper().replace("-", "_") for part in (line["kind"], line["variant"]) if part)
    settings = {"UKU_VENDOR_URL": line["base_url"], "UKU_VENDOR_AUTH_URL": line["auth_url"]}
    return {f"{prefix}_{names}": url for prefix, url in settings.items() if url}


def _welcome(config: Config, hints: list[dict]) -> str:
    logins = "\n".join(f"    {role.label:<16} {email}" for role, email in people.DEMO_LOGINS)
    files = "\n".join(f"    {_short(line['credentials'])}" for line in hints if line["credentials"])
    switches = hints[0]["base_url"].split("/", 3)[:3] if hints else []
    return (
        f"\n  {config.public_url}\n\n"
        f"  Sign in with the password  {people.DEMO_PASSWORD}\n{logins}\n\n"
        f"  Credentials to paste when you connect a client:\n{files}\n\n"
        f"  The vendors' stand-ins, with switches for trouble: {'/'.join(switches)}/\n"
        f"  Logs: {_short(config.data / 'logs')}\n\n"
        f"  Ctrl-C ends it.\n"
    )


def _short(path: str | Path) -> str:
    return os.path.relpath(path) if Path(path).is_relative_to(Path.cwd()) else str(path)
