"""Our own lints. Each says what to do instead."""

import ast
import re
import subprocess
from pathlib import Path

import pytest

from uku_web.config import PATTERNS, SETTINGS
from uku_web.vendors.registry import VENDORS

ROOT = Path(__file__).parent.parent
SOURCES = sorted([*ROOT.glob("uku_web/**/*.py"), *ROOT.glob("jobs/**/*.py")])
PRODUCT = [path for path in SOURCES if "migrations" not in path.parts and "sandbox" not in path.parts]
TEMPLATES = sorted(ROOT.glob("templates/**/*.html"))


def rel(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tracked() -> list[Path]:
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout.split(
        "\n"
    )
    found = [ROOT / name for name in names if name]
    return [path for path in found if path.is_file()] or [*SOURCES, *TEMPLATES]


def imports(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return found


def within(names: set[str], package: str) -> bool:
    return any(name == package or name.startswith(package + ".") for name in names)


@pytest.mark.parametrize("path", PRODUCT, ids=rel)
def test_only_the_two_doors_open_sockets_to_a_vendor(path):
    doors = {
        "uku_web/vendors/http.py",
        "uku_web/vendors/oauth.py",
        "uku_web/vendors/addresses.py",
        "uku_web/vendors/access.py",
        "uku_web/vendors/attempts.py",
        "uku_web/vendors/pinned.py",
    }
    if rel(path) in doors:
        return
    names = imports(path)
    for package in ("httpx", "requests", "httpcore", "urllib3", "urllib.request"):
        assert not within(names, package), f"{rel(path)} imports {package}. Send vendor calls through vendors/http.py."


@pytest.mark.parametrize("path", [*PRODUCT, *TEMPLATES], ids=rel)
def test_no_vendor_is_named_outside_its_own_folder(path):
    parts = path.relative_to(ROOT).parts
    if any(kind in parts for kind in VENDORS) or rel(path) == "uku_web/vendors/registry.py":
        return
    for kind in VENDORS:
        assert not re.search(rf"[\"']{kind}[\"'._/]", path.read_text(), re.I), (
            f"{rel(path)} names {kind}. Ask its declaration (registry.spec_of) instead."
        )


@pytest.mark.parametrize("path", [path for path in SOURCES if "sandbox" not in path.parts], ids=rel)
def test_production_code_never_imports_the_stand_ins(path):
    if rel(path) in ("uku_web/cli.py", "uku_web/launcher/demo.py") or path.parts[-2] == "launcher":
        return  # the commands that start them
    assert not within(imports(path), "uku_web.sandbox"), f"{rel(path)} imports the stand-ins."


@pytest.mark.parametrize("path", [p for p in PRODUCT if {"services", "vendors", "models"} & set(p.parts)], ids=rel)
def test_nothing_points_back_up(path):
    names = imports(path)
    forbidden = {
        "services": ("uku_web.views", "jobs", "rq"),
        "vendors": ("uku_web.services", "uku_web.models", "flask", "sqlalchemy", "jobs", "rq", "uku_web.views"),
        "models": ("uku_web.services", "uku_web.views", "jobs"),
    }
    for package in forbidden[path.relative_to(ROOT).parts[1]]:
        assert not within(names, package), (
            f"{rel(path)} imports {package}: data flows one way, from views and jobs down."
        )


@pytest.mark.parametrize("path", PRODUCT, ids=rel)
def test_money_never_becomes_a_float_and_times_are_aware(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if not isinstance(node, ast.Call):
            continue
        text = ast.unparse(node.func)
        assert text not in ("datetime.utcnow", "datetime.utcfromtimestamp"), f"{rel(path)}: use uku_web.clock.now()."
        if text == "datetime.now":
            assert node.args or node.keywords, f"{rel(path)}: datetime.now() without a zone. Use uku_web.clock.now()."
        if text == "float" and "vendors" in path.parts and path.parent.name in VENDORS:
            raise AssertionError(f"{rel(path)}:{node.lineno}: float() in a connector. Numbers are Decimal.")


@pytest.mark.parametrize("path", PRODUCT, ids=rel)
def test_no_error_is_swallowed(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ExceptHandler) and (
            node.type is None or ast.unparse(node.type) in ("Exception", "BaseException")
        ):
            text = ast.unparse(node)
            assert "raise" in text or "log" in text or "record" in text, (
                f"{rel(path)}:{node.lineno} catches everything silently. Name the error, or log and record it."
            )


@pytest.mark.parametrize("path", [p for p in PRODUCT if p.parent.name != "models"], ids=rel)
def test_files_stay_short(path):
    assert len(path.read_text().splitlines()) <= 300, f"{rel(path)} is past 300 lines. Split it by noun."


@pytest.mark.parametrize("path", TEMPLATES, ids=rel)
def test_templates_have_no_inline_script_or_style_and_no_outside_address(path):
    text = path.read_text()
    assert not re.search(r"<script(?![^>]*\bsrc=)[^>]*>", text), f"{rel(path)}: inline script; the CSP forbids it."
    assert not re.search(r"\sstyle=|\son[a-z]+=\"|hx-on", text), f"{rel(path)}: inline style or handler; use a class."
    assert not re.search(r"(src|href)=[\"']https?://", text), f"{rel(path)}: an address outside of the app."


def tag_around(text: str, at: int) -> str:
    """The tag that this place stands in, "" when in none; what Jinja writes into it may hold any sign."""
    plain = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", lambda found: "_" * len(found.group()), text, flags=re.S)
    start, end = plain.rfind("<", 0, at), plain.find(">", at)
    return "" if ">" in plain[start:at] else text[start:end]


@pytest.mark.parametrize("path", TEMPLATES, ids=rel)
def test_every_htmx_request_also_works_as_a_plain_link_or_form(path):
    text = path.read_text()
    for found in re.finditer(r"hx-(?:get|post)=", text):
        tag = tag_around(text, found.start())
        if "hx-trigger" in tag or not tag:
            continue  # polling and searching come on top of a link or form; a macro's attributes go into others' tags
        assert re.search(r"\b(href|action|formaction)=", tag), f"{rel(path)}: {tag[:60]} needs a plain address too."


def test_every_setting_stands_in_the_readme():
    readme = (ROOT / "README.md").read_text()
    for name in [*(setting.name for setting in SETTINGS), *(name for name, _help in PATTERNS)]:
        assert f"`{name}`" in readme, f"Add {name} to the README's settings table."


def test_every_environment_variable_that_is_read_is_a_setting():
    known = {setting.name for setting in SETTINGS} | {"UKU_BROWSER_TESTS", "UKU_CHROMIUM", "UKU_EXTRAS"}
    for path in PRODUCT:
        for name in re.findall(r"environ(?:\.get\(|\[)\s*[\"']([A-Z_]+)[\"']", path.read_text()):
            assert name in known, f"{rel(path)} reads {name}, which config.SETTINGS does not know."


def test_no_registry_host_no_machine_path_and_no_secret_file_is_committed():
    hosts = ["py" + "pi.org", "python" + "hosted.org", "registry.npm" + "js.org", "deb.deb" + "ian.org"]
    for path in tracked():
        if path.suffix in (".png", ".ico"):
            continue
        text = path.read_text(errors="replace")
        for host in hosts:
            assert host not in text, f"{rel(path)} names {host}."
        assert not re.search(r"(?<![\w.])/(work|home/\w+|root)/", text), f"{rel(path)} holds a path of one machine."


def test_htmx_comes_from_its_package_unchanged():
    import hashlib

    from uku_web.views.assets import HTMX

    digest = hashlib.sha256(HTMX.read_bytes()).hexdigest()
    assert digest == "491955cd1810747d7d7b9ccb936400afb760e06d25d53e4572b64b6563b2784e"
