"""`python -m tests.bench` measures every figure: JSON lines on the standard output, a table on the standard error."""

import argparse
import json
import sys
import traceback
from collections.abc import Iterator
from time import monotonic
from types import ModuleType

from tests.bench import bulk_reload, clicks, pages, reload_requests, values
from tests.bench.ground import leave_the_operators_settings
from tests.bench.lines import Line, not_measured, table

MODULES: tuple[ModuleType, ...] = (reload_requests, bulk_reload, pages, clicks, values)
KNOWN = tuple(figure for module in MODULES for figure in module.FIGURES)


def main(arguments: list[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    leave_the_operators_settings()
    lines = []
    for module in MODULES:
        if options.only and not set(options.only) & set(module.FIGURES):
            continue
        for line in _measured(module, options.quick):
            if not options.only or line.figure in options.only:
                lines.append(line)
                print(json.dumps(line.as_json(), ensure_ascii=False), flush=True)
    if not options.json:
        print(f"\n{table(lines)}", file=sys.stderr)
    return 0 if all(line.ok for line in lines) else 1


def _measured(module: ModuleType, quick: bool) -> Iterator[Line]:
    """Every figure of the module has a line in the end: one that could not be measured says why."""
    missing, why, began = set(module.FIGURES), "no line came of it", monotonic()
    try:
        for line in module.measure(quick):
            missing.discard(line.figure)
            yield line
    except Exception as error:  # noqa: BLE001  what one meets must not keep the others from being measured
        traceback.print_exc()
        why = f"{type(error).__name__}: {error}"
        missing = missing or {module.FIGURES[0]}  # what was still to come
    yield from (not_measured(figure, why) for figure in module.FIGURES if figure in missing)
    print(f"{module.__name__.rpartition('.')[2]} took {monotonic() - began:.0f} s", file=sys.stderr)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="uku bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="smaller numbers; ends within a minute")
    parser.add_argument("--only", action="append", choices=KNOWN, metavar="FIGURE", help="may be given again")
    parser.add_argument("--json", action="store_true", help="without the table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
