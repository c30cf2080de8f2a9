"""The commands: what they print and how they end."""

import json
import os
import re
import shutil
import subprocess
import sys
from decimal import Decimal
from functools import partial
from pathlib import Path

import httpx
import pytest

from uku_web import cli
from uku_web.config import ConfigError
from uku_web.launcher import ask_vendor, doctor, owner
from uku_web.launcher.ask_vendor import plain, read_invoice
from uku_web.models import Company, Membership, Person
from uku_web.sandbox.server import create_sandbox, describe
from uku_web.vendors import errors
from uku_web.vendors.access import Setup
from uku_web.vendors.records import Month

ROOT = Path(__file__).parent.parent
INVOICE = {
    "number": "2026001",
    "date": "2026-03-05",
    "due_date": "2026-03-19",
    "currency": "EUR",
    "reference": "uku-1",
    "customer": {"name": "Aru OÜ", "country": "EE", "email": "info@aru.example"},
    "rows": [{"description": "Bookkeeping", "quantity": "1.5", "unit": "h", "price": "40.00", "tax_percent": "24"}],
}


@pytest.fixture(autouse=True)
def in_this_folder(monkeypatch, tmp_path):
    """Commands change to the checkout; what they leave behind goes into a folder of the test."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UKU_DATA", str(tmp_path / "var"))


@pytest.fixture
def stand_in(tmp_path, monkeypatch) -> dict:
    """What the first vendor's stand-in tells of itself; the command meets it in this process."""
    app = create_sandbox()
    monkeypatch.setattr(ask_vendor, "Setup", partial(Setup, transport=httpx.WSGITransport(app=app)))
    return describe("http://sandbox.test", tmp_path / "sandbox", app)[0]


@pytest.fixture
def vendor(stand_in, monkeypatch, capsys, tmp_path):
    """vendor("test") -> (exit code, printed objects, what stood on the standard error)."""
    names = "_".join(part.upper() for part in (stand_in["kind"], stand_in["variant"]) if part)
    monkeypatch.setenv(f"UKU_VENDOR_URL_{names}", stand_in["base_url"])

    def run(what: str, *rest: str, credentials: str | None = None, kind: str | None = None):
        path = credentials or stand_in["credentials"]
        code = cli.main(["vendor", kind or stand_in["kind"], what, "--credentials", path, *rest])
        printed = capsys.readouterr()
        return code, [json.loads(line) for line in printed.out.splitlines()], printed.err

    return run


def test_help_lists_every_command_with_a_line(capsys):
    assert cli.main(["help"]) == 0
    printed = capsys.readouterr().out
    for name in ("demo", "serve", "test", "sandbox", "vendor", "work", "tick", "web", "doctor", "help"):
        assert re.search(rf"^    {name} +\w.+", printed, re.M), name


def test_a_wrong_setting_is_told_in_a_sentence(monkeypatch, capsys):
    monkeypatch.setenv("UKU_WORKERS", "many")
    assert cli.main(["doctor"]) == 2
    assert capsys.readouterr().err.startswith("UKU_WORKERS='many' must be a whole number")


def test_a_vendor_s_test_prints_the_account(vendor):
    code, lines, told = vendor("test")
    assert code == 0 and lines[0]["id"]
    assert json.loads(told)["requests"] >= 1


def test_statistics_are_of_the_twelve_months_before_this_one(vendor, monkeypatch):
    code, lines, _told = vendor("statistics")
    assert code == 0
    assert len({line["month"] for line in lines}) == 12
    current = str(Month.of(ask_vendor.clock.now().date()))
    assert max(line["month"] for line in lines) < current
    for line in lines:
        assert set(line) == {"month", "field", "value"} | ({"unknown"} if line["value"] is None else set())
        assert line["value"] is None or isinstance(line["value"], str)


def test_statistics_of_chosen_months(vendor):
    month = Month.of(ask_vendor.clock.now().date()).shift(-2)
    days = ["--since", month.first.isoformat(), "--until", month.last.isoformat()]
    _code, lines, _told = vendor("statistics", *days)
    assert {line["month"] for line in lines} == {str(month)}


def test_a_refusal_prints_its_class_and_sentence(vendor, stand_in, tmp_path):
    wrong = json.loads(Path(stand_in["credentials"]).read_text())
    secret = next(name for name, value in wrong.items() if "key" in name)
    wrong[secret] = wrong[secret][::-1]
    file = tmp_path / "wrong.json"
    file.write_text(json.dumps(wrong))
    code, lines, _told = vendor("test", credentials=str(file))
    assert code == 1
    assert lines[-1]["error"] == "NeedsReauth" and lines[-1]["sentence"].endswith(".")

    assert vendor("test")[0] == 0  # and right ones work again


def test_credentials_that_lack_a_value_are_told(vendor, tmp_path):
    (tmp_path / "empty.json").write_text("{}")
    code, lines, _told = vendor("test", credentials="empty.json")
    assert code == 1 and lines[0]["error"] == "BadSettings" and "lacks" in lines[0]["sentence"]


def test_what_cannot_be_asked_exits_2(vendor, tmp_path):
    (tmp_path / "no.json").write_text("no json")
    for code, lines, told in (
        vendor("ledger-of-dreams"),
        vendor("test", kind="nobody"),
        vendor("test", credentials="missing.json"),
        vendor("test", credentials="no.json"),
        vendor("send-invoice"),
    ):
        assert (code, lines) == (2, [])
        assert told.splitlines()[-1].endswith(".")


def test_an_invoice_is_sent_step_by_step(vendor, tmp_path):
    product, rate = vendor("products")[1][0], vendor("tax-rates")[1][0]
    today = ask_vendor.clock.now().date().isoformat()
    row = {**INVOICE["rows"][0], "product": product["code"], "tax_code": rate["code"], "tax_percent": rate["percent"]}
    (tmp_path / "invoice.json").write_text(json.dumps({**INVOICE, "date": today, "due_date": today, "rows": [row]}))
    code, lines, told = vendor("send-invoice", "--invoice", str(tmp_path / "invoice.json"))
    assert code == 0, (lines, told)
    assert lines[-1]["last"] is True and lines[-1]["refs"]

    (tmp_path / "sent.json").write_text(json.dumps(lines[-1]))
    code, paid, _told = vendor("payments", "--invoice", str(tmp_path / "sent.json"))
    assert code == 0 and Decimal(paid[0]["paid"]) == 0


def test_an_invoice_file_holds_amounts_as_strings():
    invoice = read_invoice(INVOICE)
    assert (invoice.rows[0].quantity, invoice.rows[0].price) == (Decimal("1.5"), Decimal("40.00"))
    for wrong, told in (
        ({**INVOICE, "rows": [{**INVOICE["rows"][0], "price": 40.1}]}, "amounts are strings"),
        ({key: value for key, value in INVOICE.items() if key != "due_date"}, "lacks due_date"),
        ({**INVOICE, "customer": {"nmae": "Aru"}}, "not right"),
    ):
        with pytest.raises(ConfigError, match=told):
            read_invoice(wrong)


def test_errors_go_by_the_class_that_is_known():
    assert next(known for known in ask_vendor.CLASSES if isinstance(errors.StaleToken("x"), known)).__name__ == (
        "NeedsReauth"
    )


def test_numbers_are_printed_exactly():
    assert plain({"sum": Decimal("1E+3"), "month": Month(2026, 3)}) == {"sum": "1000", "month": "2026-03"}


def test_the_first_owner_comes_from_the_environment(app, database, monkeypatch, capsys):
    given = {
        "UKU_OWNER_EMAIL": "Mari@Firm.example",
        "UKU_OWNER_NAME": "Mari Tamm",
        "UKU_OWNER_PASSWORD": "too short",
        "UKU_COMPANY_NAME": "Tamm OÜ",
    }
    config = app.extensions["uku_config"]
    monkeypatch.setattr(owner, "create_app", lambda _config: app)
    assert owner.make_owner(_with(config, {})) == 2
    assert "set UKU_OWNER_EMAIL" in capsys.readouterr().err
    assert owner.make_owner(_with(config, given)) == 2
    assert "at least 10 characters" in capsys.readouterr().err
    given["UKU_OWNER_PASSWORD"] = "long enough now"
    assert owner.make_owner(_with(config, {**given, "UKU_COMPANY_COUNTRY": "??"})) == 2
    assert owner.make_owner(_with(config, given)) == 0
    assert owner.make_owner(_with(config, given)) == 0  # nothing more to do
    from uku_web.db import db
    from uku_web.tenancy import across_companies

    with across_companies():
        assert [person.email for person in db.session.query(Person)] == ["mari@firm.example"]
        assert [company.timezone for company in db.session.query(Company)] == ["Europe/Tallinn"]
        assert [membership.role for membership in db.session.query(Membership)] == ["owner"]


def _with(config, environ):
    from dataclasses import replace

    return replace(config, environ=environ)


def test_doctor_says_what_is_wrong_and_how_to_mend_it(app, database, capsys):
    config = app.extensions["uku_config"]
    assert doctor.examine(config) == 1
    printed = capsys.readouterr().out
    assert re.search(r"WRONG +Redis at unix:.* does not answer .*Start `uku serve`", printed)
    assert "is up to date" in printed and "opens all 0 stored credentials" in printed


def test_doctor_shows_no_password():
    assert doctor._without_password("redis://:secret@cache:6379/0") == "redis://cache:6379/0"


def test_the_script_is_short_and_plain_shell():
    text = (ROOT / "uku").read_text()
    assert text.startswith("#!/bin/sh\n") and len(text.splitlines()) < 80
    assert subprocess.run(["sh", "-n", str(ROOT / "uku")], check=False).returncode == 0


@pytest.fixture
def checkout(tmp_path) -> Path:
    """A checkout in a path with spaces, with a virtual environment that only notes what it is asked."""
    folder = tmp_path / "a check out"
    (folder / "bin").mkdir(parents=True)
    for name in ("uku", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, folder / name)
    # `uv` stands in for every way to install: it makes a "python" that prints its arguments.
    (folder / "bin" / "uv").write_text(
        '#!/bin/sh\necho "$@" >>"$UKU_NOTES"\nsleep 0.3\n[ -z "$UKU_BREAK" ] || exit 3\n'
        "mkdir -p .venv/bin\nprintf '#!/bin/sh\\necho \"$@\"\\n' >.venv/bin/python\nchmod +x .venv/bin/python\n"
    )
    (folder / "bin" / "uv").chmod(0o755)
    return folder


@pytest.fixture
def uku(checkout, tmp_path):
    """uku("help") -> a started process of the checkout's script, called from elsewhere."""

    def start(*arguments: str, **environ: str) -> subprocess.Popen:
        found = {**os.environ, "UKU_NOTES": str(tmp_path / "notes"), "UKU_EXTRAS": "", **environ}
        found["PATH"] = f"{checkout / 'bin'}{os.pathsep}{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        pipe = subprocess.PIPE
        return subprocess.Popen([checkout / "uku", *arguments], env=found, stdout=pipe, stderr=pipe, text=True, cwd="/")

    return start


def test_the_script_installs_once_and_again_when_the_packages_change(uku, checkout, tmp_path):
    assert uku("vendor", "a b").communicate()[0] == "-P -m uku_web.cli vendor a b\n"
    notes = (tmp_path / "notes").read_text()
    uku("demo").communicate()
    assert (tmp_path / "notes").read_text() == notes
    with (checkout / "constraints.txt").open("a") as file:
        file.write("# changed\n")
    uku("demo").communicate()
    assert len((tmp_path / "notes").read_text()) > len(notes)


def test_the_script_adds_the_extras_that_a_command_needs(uku, tmp_path):
    uku("demo").communicate()
    uku("test", UKU_EXTRAS="e2e,postgres").communicate()
    assert (tmp_path / "notes").read_text().splitlines()[-1].endswith("-e .[dev,e2e,postgres]")
    notes = (tmp_path / "notes").read_text()
    uku("test").communicate()  # has all it needs
    assert (tmp_path / "notes").read_text() == notes


def test_two_calls_at_once_install_once(uku, tmp_path):
    both = [uku("help"), uku("help")]
    assert [process.communicate()[0] for process in both] == ["-P -m uku_web.cli help\n"] * 2
    assert (tmp_path / "notes").read_text().count("pip install") == 1


def test_an_install_that_fails_is_tried_again(uku, checkout):
    process = uku("help", UKU_BREAK="1")
    process.communicate()
    assert process.returncode == 3 and not list((checkout / "var").iterdir())
    assert uku("help").communicate()[0] == "-P -m uku_web.cli help\n"
