import json
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
import pytest

from uku_web.sandbox.merit import sign
from uku_web.sandbox.server import create_sandbox, describe


def test_one_line_per_vendor_and_variant(app, tmp_path):
    lines = describe("http://127.0.0.1:8600/", tmp_path, app)
    assert [(line["kind"], line["variant"], line["base_url"]) for line in lines] == [
        *(("merit", country, f"http://127.0.0.1:8600/merit/{country}/api") for country in ("ee", "fi", "pl")),
        ("smartaccounts", None, "http://127.0.0.1:8600/smartaccounts"),
    ]
    for line in lines[:3]:
        assert set(line) == {"kind", "variant", "base_url", "auth_url", "credentials"}
        assert line["auth_url"] is None
        with open(line["credentials"], encoding="utf-8") as file:
            credentials = json.load(file)
        assert set(credentials) == {"api_id", "api_key", "country"}
        assert credentials["country"] == line["variant"]
    with open(lines[3]["credentials"], encoding="utf-8") as file:
        assert set(json.load(file)) == {"api_key", "api_secret"}
    assert lines[3]["credentials"].endswith("/smartaccounts.json")


def test_the_demo_firms_books_are_played_unless_told_otherwise():
    sandbox = create_sandbox().extensions["sandbox"]
    for kind, count in (("merit", 69), ("smartaccounts", 23)):
        accounts = sandbox.stand_ins[kind].accounts()
        assert len(accounts) == count and accounts[0].name == "Põhjala Raamatupidamine OÜ"


@contextmanager
def running(folder, *options):
    command = [sys.executable, "-m", "uku_web.sandbox", "--port", "0", "--dir", str(folder), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=folder) as process:
        try:
            yield [json.loads(process.stdout.readline()) for _ in range(4)]
        finally:
            process.terminate()


def signed(line, call, body=b"{}", today=""):
    with open(line["credentials"], encoding="utf-8") as file:
        keys = json.load(file)
    stamp = today + datetime.now(UTC).strftime("%Y%m%d%H%M%S")[len(today) :]
    query = {"ApiId": keys["api_id"], "timestamp": stamp}
    query["signature"] = sign(keys["api_id"], keys["api_key"], stamp, body)
    return httpx.post(f"{line['base_url']}/{call}", params=query, content=body, timeout=10)


def test_the_command_serves_and_its_lines_are_enough_to_call(tmp_path):
    with running(tmp_path, "--today", "2025-02-14") as lines:
        assert signed(lines[0], "v1/gettaxes").status_code == 401
        rates = signed(lines[0], "v1/gettaxes", today="20250214").json()
        assert {"22%"} <= {rate["Code"] for rate in rates if not rate["NonActive"]}


def test_a_lost_answer_closes_the_connection_after_the_work(tmp_path):
    with running(tmp_path) as lines:
        control = lines[0]["base_url"].removesuffix("/merit/ee/api") + "/_control"
        httpx.post(f"{control}/switches", json={"fault": "lost", "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            signed(lines[0], "v1/gettaxes")
        httpx.post(f"{control}/switches", json={"fault": "hang", "value": 1, "times": 1})
        with pytest.raises(httpx.RemoteProtocolError):
            signed(lines[0], "v1/gettaxes")
        assert signed(lines[0], "v1/gettaxes").status_code == 200
        counted = httpx.get(f"{control}/requests").json()["counters"]["fault"]
        assert counted == {"lost": 1, "hang": 1, "None": 1}
