"""The supervisor: one per folder, ports, restarts, and clean ends; the demo's folder and firm."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from sqlalchemy import func, select

from tests.jobs.waiting import until
from uku_web.config import ConfigError, read_config
from uku_web.db import db
from uku_web.launcher import demo, valkey
from uku_web.launcher.supervisor import CannotStart, Lock, free_port, require_port
from uku_web.models import Client, Company, Connection, ConnectionState, Integration, Link, Membership, Role, TaskField
from uku_web.sandbox import seed
from uku_web.sandbox.server import create_sandbox, describe
from uku_web.tenancy import across_companies
from uku_web.vendors.access import Setup

# A supervisor with a Valkey and three children: a calm one, one that dies, and one that ignores SIGTERM.
SMALL = """
import signal, sys, time
from pathlib import Path
from uku_web.config import read_config
from uku_web.launcher import supervisor
from uku_web.launcher.processes import Processes

supervisor.GRACE = 1.0
config = read_config({"UKU_DATA": sys.argv[1]})
processes = Processes(config, {}, config.data)
lock = supervisor.Lock(config.data)
lock.tell("the small set")
boss = supervisor.Supervisor()
try:
    processes.start_valkey(boss)
    for name, code in {
        "calm": "import time; time.sleep(600)",
        "dying": "import time; time.sleep(0.2); open('deaths', 'a').write('x'); raise SystemExit(3)",
        "deaf": "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(600)",
    }.items():
        boss.start(processes.child(name, [sys.executable, "-c", code]))
    print("pids", *[child.process.pid for child in boss.base + boss.children], flush=True)
    boss.run()
finally:
    boss.end()
print("ended", flush=True)
"""


@pytest.fixture
def small(tmp_path):
    """small() -> (process, pids) of a running small set in tmp_path."""
    started = []

    def start() -> tuple[subprocess.Popen, list[int]]:
        command = [sys.executable, "-c", SMALL, str(tmp_path)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process, [int(word) for word in process.stdout.readline().split()[1:]]

    yield start
    for process in started:
        process.kill()
        process.communicate()


def alive(pid: int) -> bool:
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True, check=False).stdout
    return bool(found.strip()) and not found.startswith("Z")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_everything_ends_when_asked_to(small, number):
    process, pids = small()
    assert len(pids) == 4 and all(map(alive, pids[:2]))
    process.send_signal(number)
    output, _errors = process.communicate(timeout=15)
    assert process.returncode == 0 and "ended" in output
    assert not any(map(alive, pids))


@pytest.mark.skipif(sys.platform != "linux", reason="needs the kernel's parent-death signal")
def test_a_killed_launcher_leaves_nothing_and_the_next_one_starts(small, tmp_path):
    process, pids = small()
    process.kill()
    until(lambda: not any(map(alive, pids)))
    again, pids = small()
    assert len(pids) == 4
    again.terminate()
    again.communicate(timeout=15)
    assert not any(map(alive, pids))


def test_a_child_that_dies_is_started_again(small, tmp_path):
    process, _pids = small()
    until(lambda: (tmp_path / "deaths").exists() and len((tmp_path / "deaths").read_text()) >= 2)
    process.terminate()
    _output, errors = process.communicate(timeout=15)
    assert "dying ended (exit 3) and starts again in 0.5 s; its log:" in errors


def test_a_valkey_left_behind_is_ended_and_its_data_go_on(tmp_path):
    config = read_config({"UKU_DATA": str(tmp_path)})
    for turn in range(2):
        command = valkey.command(config)
        server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: valkey.answers(config))
        with valkey.client(config) as client:
            assert client.get("left") == (b"behind" if turn else None)
            client.set("left", "behind")
        valkey.end_survivor(config)
        assert server.wait(5) == 0
        assert not valkey.answers(config)


def test_a_folder_is_served_by_one_launcher(tmp_path):
    told = rf"Already running on .*: http://127.0.0.1:8000 \(process {os.getpid()}\)"
    with Lock(tmp_path) as lock:
        lock.tell("http://127.0.0.1:8000")
        with pytest.raises(CannotStart, match=told):
            Lock(tmp_path)
    Lock(tmp_path).__exit__()  # free again


def test_a_taken_port_is_told_with_another_one():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=f"Port {port} is taken by another program.*--port {port + 1}"):
            require_port("127.0.0.1", port)
    require_port("127.0.0.1", free_port())


def test_a_path_too_long_for_a_socket_gets_a_short_one(tmp_path):
    long = read_config({"UKU_DATA": str(tmp_path / ("deep" * 30))})
    assert len(os.fsencode(valkey.socket_path(long))) <= 107
    assert valkey.socket_path(long) == valkey.socket_path(long)
    assert valkey.redis_url(read_config({"UKU_DATA": str(tmp_path), "REDIS_URL": "redis://other"})) == "redis://other"


def test_somebody_elses_socket_folder_is_not_used(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "getuid", lambda: 4711)
    with pytest.raises(ConfigError, match="belongs to somebody else"):
        valkey.command(read_config({"UKU_DATA": str(tmp_path)}))


def test_the_demo_takes_nothing_of_an_installation(tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", "postgresql://db/firm")
    monkeypatch.setenv("UKU_KEYS", "/somewhere/ring")
    config = demo._config(tmp_path, 8000, None)
    assert config.database_url == f"sqlite:///{tmp_path / 'uku.db'}"
    assert config.keys == tmp_path / "keys" / "ring"
    assert config.demo and config.embedded_redis
    assert config.environ["DATABASE_URL"] == ""  # so that the children's own look is the same


def test_only_a_demo_s_folder_is_ever_emptied(tmp_path):
    (tmp_path / "letters").write_text("dear")
    with pytest.raises(CannotStart, match="something else than a demo"):
        demo.demo(free_port(), fresh=True, data=tmp_path)
    assert (tmp_path / "letters").read_text() == "dear"


def test_the_stand_ins_are_named_by_kind_and_variant():
    line = {"kind": "some-books", "variant": "ee", "base_url": "http://127.0.0.1:1/x", "auth_url": None}
    assert demo._overrides(line) == {"UKU_VENDOR_URL_SOME_BOOKS_EE": "http://127.0.0.1:1/x"}
    line |= {"variant": None, "auth_url": "http://127.0.0.1:1/y"}
    assert demo._overrides(line) == {
        "UKU_VENDOR_URL_SOME_BOOKS": "http://127.0.0.1:1/x",
        "UKU_VENDOR_AUTH_URL_SOME_BOOKS": "http://127.0.0.1:1/y",
    }


def test_the_firm_is_put_into_an_empty_database_once(app, database, monkeypatch, tmp_path):
    stand_ins = create_sandbox()
    lines = describe("http://sandbox.test", tmp_path, stand_ins)
    environ = {name: url for line in lines for name, url in demo._overrides(line).items()}
    setup = Setup(environ=environ, now=seed.clock.now, transport=httpx.WSGITransport(app=stand_ins))
    monkeypatch.setitem(app.extensions, "uku_vendor_setup", setup)
    with across_companies():
        assert seed.seed() is True

        def count(model, *where):
            return db.session.scalar(select(func.count()).select_from(model).where(*where))

        assert count(Company) == 2 and count(Membership, Membership.role == Role.OWNER) == 2
        assert count(Client) >= 100 and count(TaskField) == 6
        assert count(Link) == count(Connection, Connection.state == ConnectionState.OK) == seed.LINKED
        assert count(Integration, Integration.enabled) == len(seed._kinds(seed.demo.demo_firm(seed.clock.now().date())))
        assert seed.seed() is False
        assert count(Company) == 2


def test_the_demo_is_served_signs_in_and_keeps_its_data(tmp_path):
    """The whole of it, once. Its parts are tested above."""
    port, data = free_port(), tmp_path / "demo"
    command = [sys.executable, "-m", "uku_web.cli", "demo", "--port", str(port), "--data", str(data)]
    with (tmp_path / "output").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        told = tmp_path / "output"
        until(lambda: "Ctrl-C ends it" in told.read_text() or process.poll() is not None, 60)
        text = told.read_text()
        assert f"http://127.0.0.1:{port}" in text and "owner@demo.example" in text
        assert (data / demo.MARK).read_text() == "ready"
        assert _sees(port, b"owner@demo.example")
        second = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (second.returncode, "Already running" in second.stderr) == (1, True)
    finally:
        process.send_signal(signal.SIGINT)
        started = time.monotonic()
        assert process.wait(20) == 0
    assert time.monotonic() - started < 12
    assert not _left_behind(data)
    assert (data / "uku.db").stat().st_size > 0


def _sees(port: int, words: bytes) -> bool:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(b"GET /sign-in HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    return answer.startswith(b"HTTP/1.0 200") and words in answer


def _left_behind(data: Path) -> list[str]:
    found = subprocess.run(["ps", "-eo", "args="], capture_output=True, text=True, check=True).stdout
    return [line for line in found.splitlines() if str(data) in line]
