"""The commands behind `uku`. Anything long lives where it belongs and is imported when it is asked for."""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from datetime import date
from pathlib import Path

from uku_web import ROOT
from uku_web.config import ConfigError, read_config

HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> int:
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    if arguments[:1] == ["test"]:  # the rest is pytest's
        return _test(arguments[1:])
    options = _parser().parse_args(arguments or ["help"])
    os.chdir(ROOT)  # `.env` and `var` are those of the checkout, wherever the command was called
    try:
        return options.run(options) or 0
    except ConfigError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _path(text: str) -> Path:
    return Path(text).absolute()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uku", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Callable, help: str) -> argparse.ArgumentParser:
        found = commands.add_parser(name, help=help, description=help)
        found.set_defaults(run=run)
        return found

    _running(command)
    _trying(command)
    _operating(command)
    command("help", lambda _options: parser.print_help(), "list all commands")
    return parser


def _running(command: Callable[..., argparse.ArgumentParser]) -> None:
    demo = command("demo", _demo, "serve a demo firm; the vendors are played on this machine")
    demo.add_argument("--port", type=int, default=8000)
    demo.add_argument("--fresh", action="store_true", help="begin with a new firm; deletes the old demo")
    demo.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD", help="move the clock, the vendors' too")
    demo.add_argument("--data", type=_path, metavar="DIR", help="the demo's folder (var/demo)")
    serve = command("serve", _serve, "serve a firm: web, workers and tick under one supervisor")
    _add_address(serve)
    web = command("web", _web, "run the web server alone")
    _add_address(web)
    command("work", _work, "run one background worker")
    command("tick", _tick, "run the tick, which starts what falls due")


def _add_address(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--host", default=HOST)
    parser.add_argument("--port", type=int, default=8000)


def _trying(command: Callable[..., argparse.ArgumentParser]) -> None:
    command("test", _test, "run the tests; what follows goes to pytest")
    bench = command("bench", _bench, "measure how fast it is; a JSON line for each figure, and a table")
    bench.add_argument("--quick", action="store_true", help="smaller numbers; ends within a minute")
    bench.add_argument("--only", action="append", default=[], metavar="FIGURE", help="may be given again")
    bench.add_argument("--json", action="store_true", help="without the table")
    sandbox = command("sandbox", _sandbox, "run the vendors' stand-ins alone and print a JSON line for each")
    sandbox.add_argument("--port", type=int, default=8600)
    sandbox.add_argument("--today", metavar="YYYY-MM-DD")
    sandbox.add_argument("--dir", type=_path, default=Path(ROOT) / "var" / "sandbox")
    sandbox.add_argument("--latency-ms", type=int, default=0)
    sandbox.add_argument("--companies", type=int, default=0)
    vendor = command("vendor", _vendor, "ask a vendor with credentials from a file; touches no database")
    vendor.add_argument("kind")
    vendor.add_argument("what", help="test, customers, products, tax-rates, statistics, payments, ledger, send-invoice")
    vendor.add_argument("--credentials", type=_path, required=True, metavar="FILE")
    vendor.add_argument("--since", type=date.fromisoformat, metavar="YYYY-MM-DD")
    vendor.add_argument("--until", type=date.fromisoformat, metavar="YYYY-MM-DD")
    vendor.add_argument("--customer", metavar="ID", help="for statistics of one customer, and for the ledger")
    vendor.add_argument("--invoice", type=_path, metavar="FILE", help="what to send, or whose payments to read")


def _operating(command: Callable[..., argparse.ArgumentParser]) -> None:
    command("doctor", _doctor, "say what is wrong with this installation and how to mend it")
    command("upgrade", _upgrade, "bring the database up to date")
    command("owner", _owner, "make the first company and its owner, if there is none")


def _demo(options: argparse.Namespace) -> int:
    from uku_web.launcher.demo import demo

    return _supervised(
        lambda: demo(options.port, fresh=options.fresh, today=options.today, data=options.data),
    )


def _serve(options: argparse.Namespace) -> int:
    from uku_web.launcher.serve import serve

    config = read_config()
    return _supervised(lambda: serve(config, options.host, options.port))


def _supervised(run: Callable[[], None]) -> int:
    from uku_web.launcher.supervisor import CannotStart

    try:
        run()
    except CannotStart as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _as_process() -> None:
    """Logs to the standard error, and finds the embedded Valkey where its path is too long for a socket."""
    from uku_web.launcher import valkey

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    os.environ["REDIS_URL"] = valkey.redis_url(read_config())


def _web(options: argparse.Namespace) -> None:
    _as_process()
    from uku_web.launcher.web import serve

    serve(options.host, options.port)


def _work(_options: argparse.Namespace) -> None:
    _as_process()
    from jobs.worker import main as work

    work()


def _tick(_options: argparse.Namespace) -> None:
    _as_process()
    from jobs.tick import main as tick

    tick()


def _test(arguments: list[str]) -> int:
    """In parallel when all of them are asked for."""
    os.chdir(ROOT)
    many = [] if arguments or (os.cpu_count() or 1) < 2 else ["-n", "auto"]
    os.execv(sys.executable, [sys.executable, "-m", "pytest", *many, *arguments])


def _bench(options: argparse.Namespace) -> None:
    """In a process of its own, which finds the tests beside it."""
    given = [f"--{name}" for name in ("quick", "json") if getattr(options, name)]
    only = [f"--only={figure}" for figure in options.only]
    os.execv(sys.executable, [sys.executable, "-m", "tests.bench", *given, *only])


def _sandbox(options: argparse.Namespace) -> None:
    from uku_web.sandbox.__main__ import main as sandbox

    given = [
        f"--{name}={getattr(options, name.replace('-', '_'))}" for name in ("port", "dir", "latency-ms", "companies")
    ]
    sandbox([*given, *([f"--today={options.today}"] if options.today else [])])


def _vendor(options: argparse.Namespace) -> int:
    from uku_web.launcher.ask_vendor import ask

    return ask(options, read_config())


def _doctor(_options: argparse.Namespace) -> int:
    from uku_web.launcher.doctor import examine

    return examine(read_config())


def _upgrade(_options: argparse.Namespace) -> None:
    from flask_migrate import upgrade

    from uku_web import create_app

    with create_app().app_context():
        upgrade()


def _owner(_options: argparse.Namespace) -> int:
    from uku_web.launcher.owner import make_owner

    return make_owner(read_config())


if __name__ == "__main__":
    sys.exit(main())
