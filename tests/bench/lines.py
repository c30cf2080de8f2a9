"""What is printed of a figure: its value beside its target, and what it was measured over."""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Line:
    """`bound` says how the target is meant: the value is to be at "most", at "least" or "exactly" so much."""

    figure: str
    value: float | None  # None: it could not be measured
    unit: str
    target: float
    bound: str
    ok: bool
    vendor: str | None
    over: str

    def as_json(self) -> dict:
        return asdict(self)


def at_most(figure: str, value: float, unit: str, target: float, over: str, vendor: str | None = None) -> Line:
    return Line(figure, _short(value), unit, target, "most", value <= target, vendor, over)


def at_least(figure: str, value: float, unit: str, target: float, over: str, vendor: str | None = None) -> Line:
    return Line(figure, _short(value), unit, target, "least", value >= target, vendor, over)


def exactly(figure: str, value: float, unit: str, target: float, over: str, vendor: str | None = None) -> Line:
    return Line(figure, _short(value), unit, target, "exactly", value == target, vendor, over)


def not_measured(figure: str, why: str) -> Line:
    return Line(figure, None, "", 0, "exactly", False, None, f"not measured: {why}")


def p95(seconds: Sequence[float]) -> float:
    """In milliseconds: 19 of 20 took no longer."""
    return sorted(seconds)[math.ceil(len(seconds) * 0.95) - 1] * 1000


def table(lines: Sequence[Line]) -> str:
    signs = {"most": "≤", "least": "≥", "exactly": "="}
    rows = [("", "figure", "value", "target", "over")]
    for line in lines:
        value = "–" if line.value is None else f"{line.value:g} {line.unit}".strip()
        over = f"{line.vendor}: {line.over}" if line.vendor else line.over
        rows.append(("ok" if line.ok else "MISS", line.figure, value, f"{signs[line.bound]} {line.target:g}", over))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]]) for row in rows
    )


def _short(value: float) -> float:
    """Three digits that count: the rest is noise."""
    if value == 0 or float(value).is_integer():
        return value
    return round(value, max(0, 2 - math.floor(math.log10(abs(value)))))
