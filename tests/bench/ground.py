"""Where a figure is measured: an app with a database of its own in a temporary folder, and the processes beside it."""

import gc
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import httpx
from flask import Flask
from flask_migrate import upgrade

from uku_web import create_app
from uku_web.config import SETTINGS, read_config
from uku_web.db import db
from uku_web.launcher import supervisor
from uku_web.launcher.children import Child
from uku_web.launcher.processes import PYTHON, Processes
from uku_web.launcher.supervisor import Supervisor
from uku_web.sandbox.server import describe
from uku_web.services import passwords
from uku_web.tenancy import set_company

HOST = "127.0.0.1"
WORKERS = 2  # as many as are started unless the operator says otherwise


class Ground:
    """`app` is there from the beginning; Valkey, stand-ins and workers when they are asked for."""

    def __init__(self, folder: Path):
        # Nothing of the operator's own settings counts here.
        values = {setting.name: "" for setting in SETTINGS if setting.name != "REDIS_URL"}
        values |= {"UKU_DATA": str(folder), "UKU_WORKERS": str(WORKERS)}
        self.folder = folder
        self.config = read_config(values)
        self._processes = Processes(self.config, dict(values), folder)
        self._boss = Supervisor()
        _end_with_an_exception()
        self._app: Flask | None = None

    @property
    def app(self) -> Flask:
        if self._app is None:
            self._app = create_app(read_config(self._processes.environ))
            self._app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
            with self._app.app_context():
                upgrade()
                db.session.remove()
        return self._app

    def start_valkey(self) -> None:
        """Before `app` is asked for the first time."""
        self._processes.start_valkey(self._boss)

    def start_stand_ins(self, companies: int) -> "StandIns":
        """In a process of their own, with so many companies more than the demo has. Before `app`, too."""
        port = supervisor.free_port(HOST)
        command = [*PYTHON, "uku_web.sandbox", "--port", str(port), "--companies", str(companies)]
        child = self._processes.child("sandbox", [*command, "--dir", str(self.folder / "sandbox")])
        self._boss.start(child)
        self._boss.wait_until(lambda: supervisor.connects(HOST, port), child, 60)
        for line in describe(f"http://{HOST}:{port}", self.folder / "sandbox"):
            names = "_".join(part.upper().replace("-", "_") for part in (line["kind"], line["variant"]) if part)
            self._processes.environ[f"UKU_VENDOR_URL_{names}"] = line["base_url"]
            if line["auth_url"]:
                self._processes.environ[f"UKU_VENDOR_AUTH_URL_{names}"] = line["auth_url"]
        return StandIns(f"http://{HOST}:{port}")

    def start_workers(self) -> list[int]:
        """Their process ids."""
        workers = [self._processes.uku(f"worker-{number + 1}", "work") for number in range(WORKERS)]
        self._boss.start(*workers)
        return [worker.process.pid for worker in workers]

    def logs_of_the_dead(self) -> str:
        """The last lines of children that ended by themselves."""
        dead: list[Child] = [child for child in self._boss.children if not child.running]
        return "\n".join(f"{child.name}: {child.log.read_text(errors='replace')[-500:]}" for child in dead)

    def end(self) -> None:
        self._boss.end()
        if self._app is not None:
            with self._app.app_context():
                db.session.remove()
                db.engine.dispose()


class StandIns:
    """The control side of the stand-ins' process."""

    def __init__(self, url: str):
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def accounts(self, kind: str) -> list[dict]:
        found = self._client.get("/_control/accounts").raise_for_status().json()["accounts"]
        return [account for account in found if account["kind"] == kind]

    def slow_down(self, milliseconds: int) -> None:
        wanted = {"fault": "slow", "value": str(milliseconds)}
        self._client.post("/_control/switches", json=wanted).raise_for_status()

    def forget_requests(self) -> None:
        self._client.delete("/_control/requests").raise_for_status()

    def counters(self) -> tuple[int, dict[str, int]]:
        """How many requests came in, and how many by their answer's status."""
        found = self._client.get("/_control/requests", params={"limit": 1}).raise_for_status().json()
        return found["total"], found["counters"]["status"]


@contextmanager
def ground() -> Iterator[Ground]:
    """Thrown away at the end, with all its processes."""
    folder = Path(tempfile.mkdtemp(prefix="uku-bench-"))
    made = Ground(folder)
    try:
        yield made
    finally:
        made.end()
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def inside(app: Flask) -> Iterator[None]:
    """The app's context, with garbage of earlier figures gone."""
    gc.collect()
    with app.app_context():
        try:
            yield
        finally:
            db.session.remove()
            set_company(None)


def leave_the_operators_settings() -> None:
    """Those of the shell: a bench must never meet an installation's database."""
    for name in [name for name in os.environ if name.startswith("UKU_")] + ["DATABASE_URL", "REDIS_URL"]:
        os.environ.pop(name, None)
    passwords.cheaper_for_tests()


def _end_with_an_exception() -> None:
    """The supervisor only takes notes of signals; here they end what is measured, and with it the children."""

    def stop(number: int, _frame: FrameType | None) -> None:
        sys.exit(128 + number)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
