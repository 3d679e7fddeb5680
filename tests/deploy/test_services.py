"""The other files of examples/deploy, each in the hands of the program that it is for."""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from machine import DEPLOY, Client, Machine, program, started, unix_answers
from programs import ROOT, environment, free_port
from serving import PATIENCE, serve

pytestmark = pytest.mark.deploy


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def wait_until(condition: Callable[[], Any]) -> None:
    """For programs that do not say when they are ready."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


class UnixClient(Client):
    """One connection to the application's own socket."""

    def __init__(self, path: Path) -> None:
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(str(path))
        self.connection = http.client.HTTPConnection("localhost")
        self.connection.sock = sock


def installed(machine: Machine, text: str) -> str:
    """A file of the examples, with this checkout where it has an environment of the chat's own."""
    script = machine.root / "tornado4"
    script.write_text(
        f'#!/bin/sh\nPYTHONPATH="{ROOT}" PYTHONUNBUFFERED=1 exec "{sys.executable}" -m tornado4 "$@"\n'
    )
    script.chmod(0o755)
    assert "/srv/chat/venv/bin/tornado4" in text
    return machine.adapted(text.replace("/srv/chat/venv/bin/tornado4", str(script)))


# ---------------------------------------------------------------------------------------------------------
# supervisor


class Supervisor:
    """supervisord with the file of the examples, and supervisorctl."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.log = machine.root / "chat.log"
        text = installed(machine, (DEPLOY / "supervisor/chat.conf").read_text())
        text = text.replace("/var/log/chat.log", str(self.log))
        # Of the users of this machine there may be no "chat".
        text = re.sub(r"(?m)^user=chat\n", "", text)
        self.conf = machine.root / "supervisord.conf"
        self.conf.write_text(
            f"[supervisord]\nnodaemon=true\nlogfile=/dev/null\nlogfile_maxbytes=0\npidfile={machine.root}/pid\n"
            f"{'user=root' if os.getuid() == 0 else ''}\n"
            f"[unix_http_server]\nfile={machine.root}/ctl.sock\n[supervisorctl]\nserverurl=unix://{machine.root}/ctl.sock\n"
            "[rpcinterface:supervisor]\nsupervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface\n"
            + text
        )

    def ctl(self, *words: str) -> str:
        command = [program("supervisorctl"), "-c", str(self.conf), *words]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE).stdout

    def said(self, pattern: str) -> list[str]:
        return re.findall(pattern, self.log.read_text()) if self.log.exists() else []


@pytest.fixture
def supervisor(machine: Machine) -> Iterator[Supervisor]:
    supervised = Supervisor(machine)
    process = subprocess.Popen(
        [program("supervisord"), "-c", str(supervised.conf)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    try:
        wait_until(lambda: "RUNNING" in supervised.ctl("status", "chat"))
        wait_until(lambda: supervised.said("all workers ready"))
        yield supervised
    finally:
        process.terminate()  # stops what it has started
        process.wait(PATIENCE)


def test_supervisor_starts_restarts_and_stops(machine: Machine, supervisor: Supervisor) -> None:
    def master() -> int:
        return int(supervisor.ctl("pid", "chat"))

    with UnixClient(machine.socket) as client:
        assert client.ask("POST", "/say", b"text=kept", X_Real_Ip="127.0.0.9")[0] == 201
    wait_until(lambda: supervisor.said(r"201 POST /say \(127\.0\.0\.9\)"))  # the log is in its file
    # SIGHUP: the workers are new, the master is not, and nothing is refused.
    first = master()
    supervisor.ctl("signal", "HUP", "chat")
    wait_until(lambda: len(supervisor.said("all workers ready")) == 2)
    with UnixClient(machine.socket) as another:
        assert b"kept" in another.ask("GET", "/listen?after=0")[2]
    assert master() == first
    # A restart is another master. What runs ends first.
    with UnixClient(machine.socket) as waiting:
        waiting.connection.request("GET", "/listen?after=1")
        assert "chat: started" in supervisor.ctl("restart", "chat")
        assert json.loads(waiting.connection.getresponse().read()) == {"messages": []}
    wait_until(lambda: len(supervisor.said("all workers ready")) == 3)
    assert master() != first
    # A master that dies is replaced.
    os.kill(master(), signal.SIGKILL)
    wait_until(lambda: len(supervisor.said("all workers ready")) == 4)
    assert "chat: stopped" in supervisor.ctl("stop", "chat")
    assert not unix_answers(machine.socket)
    assert supervisor.said("Traceback") == []


# ---------------------------------------------------------------------------------------------------------
# systemd


def test_systemd_takes_the_units(machine: Machine) -> None:
    units = machine.root / "units"
    units.mkdir()
    for name in ("chat.service", "chat.socket"):
        text = (DEPLOY / "systemd" / name).read_text()
        (units / name).write_text(installed(machine, text) if name == "chat.service" else machine.adapted(text))
    done = subprocess.run(
        [program("systemd-analyze"), "verify", *map(str, units.iterdir())], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_units_command_takes_the_socket_that_systemd_hands_over(machine: Machine) -> None:
    """By systemd's own program for that; nothing is refused while nobody serves yet."""
    unit = installed(machine, (DEPLOY / "systemd/chat.service").read_text())
    command = re.search(r"(?m)^ExecStart=(.*)$", unit)
    assert command is not None
    health = free_port()
    argv = command[1].replace("--health 8001", f"--health {health}").split()
    metrics = machine.root / "metrics"  # RuntimeDirectory=
    metrics.mkdir()
    env = environment() | machine.environ | {"PROMETHEUS_MULTIPROC_DIR": str(metrics)}
    names = [f"--setenv={name}" for name in env]
    command_line = [program("systemd-socket-activate"), "-l", str(machine.socket), *names, *argv]
    with started(command_line, cwd=machine.srv, env=env) as served:
        served.wait_for("Listening on")
        with UnixClient(machine.socket) as client:  # which has it start
            assert client.ask("GET", "/ping")[2] == b"pong"
            served.wait_for("all workers ready")
            served.signal(signal.SIGHUP)  # ExecReload
            served.wait_for("replacing 2 workers")
            served.wait_for("all workers ready")
        with Client(health) as asking:
            assert json.loads(asking.ask("GET", "/ready")[2])["workers"] == 2
        with Client(health) as asking:
            # Of a worker that has left meanwhile.
            expected = b'tornado4_request_seconds_count{handler="chat.PingHandler",method="GET",status="200"} 1.0'
            assert expected in asking.ask("GET", "/metrics")[2]
        served.signal(signal.SIGTERM)
        assert served.end() == 0


# ---------------------------------------------------------------------------------------------------------
# gunicorn, with our worker and with its own


def test_gunicorn_with_our_worker(machine: Machine) -> None:
    conf = machine.adapted((DEPLOY / "gunicorn/gunicorn.conf.py").read_text())
    (machine.srv / "gunicorn.conf.py").write_text(conf + "control_socket_disable = True\n")
    command = ("-W", "default", "-m", "gunicorn", "-c", "gunicorn.conf.py")
    env = machine.environ | {"TORNADO4_ALIAS": "1"}
    options: dict[str, Any] = {"app": None, "command": command, "ready": "Booting worker", "env": env}
    with serve("deployed:make_app()", cwd=machine.srv, stdout=subprocess.PIPE, **options) as served:
        with UnixClient(machine.socket) as client:
            assert client.ask("POST", "/say", b"text=hello", X_Real_Ip="127.0.0.9")[0] == 201
            assert b"hello" in client.ask("GET", "/listen?after=0")[2]
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert served.process.stdout is not None
        assert "(127.0.0.9)" in served.process.stdout.read()


def test_the_wsgi_file_under_gunicorns_own_workers(machine: Machine) -> None:
    command = ("-W", "default", "-m", "gunicorn", "-b", f"unix:{machine.socket}", "--no-control-socket")
    with serve("wsgi:application", cwd=machine.srv, app=None, command=command, ready="Booting", env=machine.environ):
        with UnixClient(machine.socket) as client:
            assert client.ask("POST", "/say", b"text=by+wsgi", Connection="close")[0] == 201
        with UnixClient(machine.socket) as client:
            assert b"by wsgi" in client.ask("GET", "/")[2]
        with UnixClient(machine.socket) as client:
            assert client.ask("GET", "/listen?after=0")[0] == 501


# ---------------------------------------------------------------------------------------------------------
# Docker


def test_linters_find_nothing_in_the_dockerfile() -> None:
    done = subprocess.run(
        [program("hadolint"), str(DEPLOY / "docker/Dockerfile")], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_linters_find_nothing_in_the_compose_file(tmp_path: Path) -> None:
    done = subprocess.run(
        [program("dclint"), str(DEPLOY / "docker/compose.yaml")], capture_output=True, text=True, cwd=tmp_path
    )
    assert (done.returncode, done.stdout.strip()) == (0, "")


def docker_runs() -> bool:
    docker = shutil.which("docker")
    return docker is not None and subprocess.run([docker, "info"], capture_output=True).returncode == 0


def test_the_image_is_built_and_serves() -> None:
    if not docker_runs():
        pytest.skip("no Docker daemon here; the linters have seen the files")
    file = str(DEPLOY / "docker/compose.yaml")
    compose = ("docker", "compose", "-f", file)
    subprocess.run([*compose, "up", "--build", "--wait", "--detach"], check=True)
    try:
        with Client(8080) as client:
            assert client.ask("GET", "/ping")[2] == b"pong"
    finally:
        subprocess.run([*compose, "down", "--volumes"], check=True)
