"""Puts the stand-ins, the faults around them and the control pages into one WSGI application."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path

import waitress
from flask import Flask, Response, g, request

from .clock import Clock, from_environment
from .control import control_blueprint
from .faults import Faults
from .firm import Client, demo_firm
from .merit import Merit
from .shelf import Shelf
from .smartaccounts import SmartAccounts
from .standin import StandIn, World
from .switches import Scope, SwitchBoard
from .traffic import Traffic

STAND_INS: dict[str, type[StandIn]] = {
    "merit": Merit,
    "smartaccounts": SmartAccounts,
}
# A hanging answer holds a thread, and a bench keeps many slow ones open at once.
THREADS = 96


class Sandbox:
    """The parts of a running sandbox, for tests that reach inside: `app.extensions["sandbox"]`."""

    def __init__(self, world: World, latency_ms: int):
        self.world = world
        self.clock, self.board = world.clock, world.board
        self.traffic = Traffic(world.clock)
        self.faults = Faults(world.board, world.clock, latency_ms)
        self.stand_ins: dict[str, StandIn] = {kind: make(world) for kind, make in STAND_INS.items()}

    def scope(self) -> Scope | None:
        """Whom the present request concerns; None for control pages and unknown paths."""
        stand_in = self.stand_ins.get(request.path.split("/")[1])
        if stand_in is None:
            return None
        variant, account = stand_in.locate(request)
        return Scope(stand_in.kind, variant, account, request.path)

    def reset(self) -> None:
        self.board.clear()
        self.traffic.clear()
        self.world.shelf.drop()
        for stand_in in self.stand_ins.values():
            stand_in.reset()


def create_sandbox(
    clock: Clock | None = None,
    seed: int = 1,
    firm_clients: Iterable[Client] | None = None,
    latency_ms: int = 0,
    keep_in: Path | None = None,
) -> Flask:
    """`firm_clients` are those whose books are played; the demo firm's clients and its own books unless given.

    With `keep_in`, a folder, what is written into the books outlives the process.
    """
    clock = clock or from_environment()
    if firm_clients is None:
        firm = demo_firm(clock.today(), seed)
        firm_clients = firm.companies()
    sandbox = Sandbox(World(clock, SwitchBoard(), seed, list(firm_clients), Shelf(keep_in)), latency_ms)
    app = Flask(__name__, static_folder=None)
    app.extensions["sandbox"] = sandbox
    for stand_in in sandbox.stand_ins.values():
        app.register_blueprint(stand_in.blueprint())
    app.register_blueprint(control_blueprint(sandbox))
    _surround(app, sandbox)
    return app


def _surround(app: Flask, sandbox: Sandbox) -> None:
    """Logs every vendor request and lets the faults act before and after the vendor."""

    @app.before_request
    def before() -> Response | None:
        g.scope = sandbox.scope()
        if g.scope is None:
            return None
        g.received = sandbox.traffic.begin(g.scope, request.method)
        fault = sandbox.faults.before(request, g.scope)
        if fault is None:
            return None
        g.received.fault, response = fault
        return response

    @app.after_request
    def after(response: Response) -> Response:
        if g.get("scope") is None:
            return response
        if g.received.fault is None and (fault := sandbox.faults.after(response, g.scope)):
            g.received.fault, response = fault
        if g.received.fault not in ("hang", "close", "lost"):
            g.received.status = response.status_code
        return response


def describe(
    root_url: str, directory: str | Path = "var/sandbox", app: Flask | None = None
) -> list[dict[str, str | None]]:
    """One line per vendor and variant; writes an example credentials file for each into the directory."""
    sandbox: Sandbox = (app or create_sandbox()).extensions["sandbox"]
    folder = Path(directory)
    folder.mkdir(parents=True, exist_ok=True)
    root = root_url.rstrip("/")
    return [
        _line(stand_in, variant, root, folder)
        for stand_in in sandbox.stand_ins.values()
        for variant in stand_in.variants
    ]


def _line(stand_in: StandIn, variant: str | None, root: str, folder: Path) -> dict[str, str | None]:
    auth_path = stand_in.auth_path(variant)
    return {
        "kind": stand_in.kind,
        "variant": variant,
        "base_url": root + stand_in.base_path(variant),
        "auth_url": root + auth_path if auth_path is not None else None,
        "credentials": _write_credentials(stand_in, variant, folder),
    }


def _write_credentials(stand_in: StandIn, variant: str | None, folder: Path) -> str | None:
    """None where the stand-in holds no company of the variant."""
    example = next((account for account in stand_in.accounts() if account.variant == variant), None)
    if example is None:
        return None
    path = folder / (f"{stand_in.kind}-{variant}.json" if variant else f"{stand_in.kind}.json")
    path.write_text(json.dumps(example.credentials, indent=2) + "\n", encoding="utf-8")
    return str(path.resolve())


def serve(host: str, port: int, app: Flask | None = None, ready: Callable[[int], None] | None = None) -> None:
    """Serves until interrupted; `ready` is called with the port once connections are taken (port 0 picks one)."""
    # Looking ahead on the connection is how a hanging answer notices that its client has left.
    options = {"threads": THREADS, "channel_request_lookahead": 1, "connection_limit": 1000, "ident": None}
    server = waitress.create_server(app or create_sandbox(), host=host, port=port, **options)
    if ready:
        ready(server.effective_port)
    server.run()
