"""`python -m uku_web.sandbox --port N` serves the stand-ins and prints one JSON line for each."""

import argparse
import json
import logging
from datetime import date
from pathlib import Path

from .clock import Clock, from_environment
from .firm import demo_firm, extra_companies
from .server import create_sandbox, describe, serve

HOST = "127.0.0.1"


def main(arguments: list[str] | None = None) -> None:
    options = _parser().parse_args(arguments)
    # A dropped answer is the sandbox's own doing, not news.
    logging.getLogger("waitress").setLevel(logging.WARNING)
    clock = Clock(options.today) if options.today else from_environment()
    firm = demo_firm(clock.today(), options.seed)
    clients = [*firm.companies(), *extra_companies(options.companies, clock.today())]
    keep_in = Path(options.dir) / "books" if options.keep else None
    app = create_sandbox(clock, options.seed, clients, options.latency_ms, keep_in)

    def announce(port: int) -> None:
        for line in describe(f"http://{HOST}:{port}", options.dir, app):
            print(json.dumps(line), flush=True)

    serve(HOST, options.port, app, announce)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m uku_web.sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8600, help="0 picks a free one")
    parser.add_argument("--today", type=date.fromisoformat, metavar="YYYY-MM-DD", help="move the stand-ins' clock")
    parser.add_argument("--dir", default="var/sandbox", help="folder for the credentials files")
    parser.add_argument("--latency-ms", type=int, default=0, help="every answer takes this long")
    parser.add_argument("--companies", type=int, default=0, help="so many further companies per vendor, for load tests")
    parser.add_argument("--keep", action="store_true", help="keep in that folder what is written into the books")
    parser.add_argument("--seed", type=int, default=1)
    return parser


if __name__ == "__main__":
    main()
