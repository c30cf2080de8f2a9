"""What bench prints, without measuring anything."""

import json
from types import SimpleNamespace

from tests.bench import __main__ as bench
from tests.bench.lines import at_least, at_most, exactly, p95

FIGURES = {  # all that the app promises about its speed
    "reload-requests",
    "bulk-reload-time",
    "bulk-reload-refusals",
    "cpu-per-request",
    "client-list",
    "settings-apps",
    "dialog-tab",
    "page-statements",
    "page-statements-growth",
    "page-growth",
    "progress-poll",
    "bulk-click",
    "values-written",
    "growth-syncs",
}


def module(name: str, *figures: str, lines=(), error: Exception | None = None) -> SimpleNamespace:
    def measure(_quick):
        yield from lines
        if error:
            raise error

    return SimpleNamespace(__name__=f"tests.bench.{name}", FIGURES=figures, measure=measure)


def test_every_figure_is_measured_by_one_module():
    assert sorted(bench.KNOWN) == sorted(FIGURES)


def test_a_value_is_held_against_its_target():
    assert at_most("a", 5, "ms", 5, "").ok and not at_most("a", 5.01, "ms", 5, "").ok
    assert at_least("a", 5, "ms", 5, "").ok and not at_least("a", 4.99, "ms", 5, "").ok
    assert exactly("a", 1, "ratio", 1, "").ok and not exactly("a", 1.0001, "ratio", 1, "").ok


def test_nineteen_of_twenty_took_no_longer():
    assert p95([0.001 * number for number in range(1, 21)]) == 19


def test_each_line_is_json_and_a_missed_target_ends_in_1(monkeypatch, capsys):
    monkeypatch.setattr(bench, "leave_the_operators_settings", lambda: None)
    good = module("good", "a", lines=[at_most("a", 4, "ms", 5, "one page")])
    monkeypatch.setattr(bench, "MODULES", (good,))
    assert bench.main([]) == 0
    printed = capsys.readouterr()
    (line,) = map(json.loads, printed.out.splitlines())
    assert line.items() >= {"figure": "a", "value": 4, "unit": "ms", "target": 5, "ok": True}.items()
    assert "one page" in printed.err

    bad = module("bad", "b", "c", lines=[at_most("b", 6, "ms", 5, "")], error=RuntimeError("no room"))
    monkeypatch.setattr(bench, "MODULES", (bad, good))
    assert bench.main(["--json"]) == 1
    lines = list(map(json.loads, capsys.readouterr().out.splitlines()))
    assert [(line["figure"], line["ok"]) for line in lines] == [("b", False), ("c", False), ("a", True)]
    assert "no room" in lines[1]["over"]


def test_a_figure_that_breaks_off_is_missed_though_it_had_lines(monkeypatch, capsys):
    monkeypatch.setattr(bench, "leave_the_operators_settings", lambda: None)
    half = module("half", "a", lines=[at_most("a", 4, "ms", 5, "")], error=RuntimeError("no room"))
    monkeypatch.setattr(bench, "MODULES", (half,))
    assert bench.main(["--json"]) == 1
    assert [json.loads(line)["ok"] for line in capsys.readouterr().out.splitlines()] == [True, False]
