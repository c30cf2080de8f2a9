"""Real Chromium against the real thing: the demo with workers, tick, Valkey and stand-ins, as `./uku demo` starts it.

Asked for by UKU_BROWSER_TESTS=1; without it they are left out, as Chromium is not everywhere.
"""

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import SimpleNamespace

import pytest

CHROMIUM = os.environ.get("UKU_CHROMIUM", "/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
PASSWORD = "uku demo firm"
ROOT = Path(__file__).parents[2]


def pytest_collection_modifyitems(items):
    wanted = os.environ.get("UKU_BROWSER_TESTS") == "1"
    for item in items:
        if "tests/browser" in item.nodeid and not wanted:
            item.add_marker(pytest.mark.skip(reason="set UKU_BROWSER_TESTS=1 to drive Chromium"))


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo on a free port, with data of its own."""
    folder = tmp_path_factory.mktemp("demo")
    port = 8700 + os.getpid() % 200
    environ = {
        k: v for k, v in os.environ.items() if not k.startswith("UKU_") and k not in ("DATABASE_URL", "REDIS_URL")
    }
    command = [sys.executable, "-m", "uku_web.cli", "demo", "--port", str(port), "--data", str(folder / "d")]
    with open(folder / "out", "w") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=out, stderr=subprocess.STDOUT)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait_until_ready(url, process, folder / "out")
        keys = {path.stem: json.loads(path.read_text()) for path in (folder / "d" / "sandbox").glob("*.json")}
        stand_ins = re.search(r"stand-ins.*(http://127\.0\.0\.1:\d+)", (folder / "out").read_text()).group(1)
        yield SimpleNamespace(url=url, keys=keys, stand_ins=stand_ins, folder=folder / "d")
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(20)


def _wait_until_ready(url: str, process, out: Path) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        assert process.poll() is None, out.read_text()
        try:
            with urllib.request.urlopen(f"{url}/health", timeout=2) as answer:
                if answer.status == 200:
                    return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"The demo did not become ready:\n{out.read_text()}")


@pytest.fixture(scope="session")
def chromium():
    from playwright.sync_api import sync_playwright  # asked for, these tests fail where it is missing

    with sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium, demo):
    """open_page("owner", width=390, scheme="dark") -> a signed-in page that fails on any console error."""
    contexts, troubles = [], []

    def opener(who: str | None = "owner", *, width: int = 1280, height: int = 900, scheme: str = "light"):
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, base_url=demo.url
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        page.on("console", lambda message: message.type == "error" and troubles.append(message.text))
        page.on("pageerror", lambda error: troubles.append(str(error)))
        if who:
            page.goto("/sign-in")
            page.get_by_label("E-mail").fill(f"{who}@demo.example")
            page.get_by_label("Password").fill(PASSWORD)
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url("**/clients**")
        return page

    opener.troubles = troubles
    yield opener
    for context in contexts:
        context.close()
    # An answer that refuses a form (422) is logged by the browser as a failed load; that is no trouble.
    assert [text for text in troubles if "422" not in text] == []
