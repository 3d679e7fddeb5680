"""A machine with the chat on it, as examples/deploy sets it up; paths and ports are those of the test."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from programs import ROOT, free_port
from serving import PATIENCE, Served

EXAMPLES = ROOT / "examples"
DEPLOY = EXAMPLES / "deploy"


def program(name: str) -> str:
    """Where a program is. A machine without it is no machine for these tests: they fail."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    assert found is not None, f"no {name} here; nox -s deploy sees to it, or says what is missing"
    return found


@contextlib.contextmanager
def started(command: list[str], **options: Any) -> Iterator[Served]:
    """A program and whatever it starts, which all end with the block. What it says on stderr is in ``lines``."""
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True, **options)
    served = Served(process)
    try:
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        served.end()
        assert process.stderr is not None
        process.stderr.close()


class Machine:
    """The folders that the configuration files name, below one of the test's own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.srv, self.data, self.run = root / "srv", root / "data", root / "run"
        shutil.copytree(EXAMPLES / "legacy/chat", self.srv)
        for file in DEPLOY.glob("*.py"):
            shutil.copy(file, self.srv)
        self.data.mkdir()
        self.run.mkdir()
        self.socket = self.run / "chat.sock"
        self.port = free_port()
        self.accessed = root / "access.log"

    @property
    def environ(self) -> dict[str, str]:
        return {"CHAT_DATA": str(self.data), "CHAT_ACCEL": "/stored/"}

    def adapted(self, text: str) -> str:
        """A configuration file with this machine's paths and port; all else stands as it is."""
        text = text.replace("listen 80;", f"listen 127.0.0.1:{self.port};")
        places = {"/srv/chat/": self.srv, "/srv/chat\n": self.srv, "/var/lib/chat": self.data, "/run/chat/": self.run}
        for place, here in places.items():
            text = text.replace(place, str(here) + place[len(place.rstrip("/\n")) :])
        return text

    @contextlib.contextmanager
    def nginx(self, conf: str) -> Iterator[Served]:
        """nginx with ``conf`` in its ``http`` block. Its error log is in ``lines``."""
        temporary = "".join(
            f"{name}_temp_path {self.root}/{name};\n" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        user = "user root;" if os.getuid() == 0 else ""
        (self.root / "nginx.conf").write_text(
            f"{user} daemon off; pid {self.root}/nginx.pid; error_log stderr notice; worker_processes 1;\n"
            "events { worker_connections 1024; }\n"
            f"http {{ include /etc/nginx/mime.types; {temporary} access_log {self.accessed};\n{conf}\n}}\n"
        )
        command = [program("nginx"), "-p", str(self.root), "-e", "stderr", "-c", str(self.root / "nginx.conf")]
        with started(command) as served:
            served.port = self.port
            served.wait_for("start worker process ")
            yield served

    def wait_for_access(self, beginning: str) -> None:
        """Until nginx has a line of its access log that begins so: it writes it when the client has its answer."""
        end = time.monotonic() + PATIENCE
        while not any(line.startswith(beginning) for line in self.accessed.read_text().splitlines()):
            assert time.monotonic() < end, self.accessed.read_text()
            time.sleep(0.05)


class Client:
    """One connection to the server in front, from an address of one's own: Linux has all of 127.0.0.0/8."""

    def __init__(self, port: int, address: str = "127.0.0.1") -> None:
        self.connection = http.client.HTTPConnection(
            "127.0.0.1", port, timeout=PATIENCE, source_address=(address, 0)
        )

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if method == "POST":
            sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
        self.connection.request(method, path, body, sent)
        response = self.connection.getresponse()
        return response.status, response.msg, response.read()

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *args: object) -> None:
        self.connection.close()


def unix_answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as sock:
        return sock.connect_ex(str(path)) == 0
