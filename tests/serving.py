"""`tornado4 serve` in a process of its own: tests wait for what it says, never for a while."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from queue import Empty, Queue
from typing import Any

from programs import environment

#: Seconds; only what hangs for ever comes so far.
PATIENCE = 120

APP = '''
import os, sys
from tornado4 import gen, web, websocket


class Main(web.RequestHandler):
    def get(self):
        self.write("hello from %d" % os.getpid())


class Begun(web.RequestHandler):
    """Says that it has begun, and ends when a file is there."""

    async def get(self):
        print("begun", file=sys.stderr, flush=True)
        while not os.path.exists(self.get_argument("until")):
            await gen.sleep(0.01)
        self.write("done by %d" % os.getpid())


class Echo(websocket.WebSocketHandler):
    def on_message(self, message):
        self.write_message(message)


class Die(web.RequestHandler):
    def get(self):
        os._exit(3)


def make_app():
    return web.Application([("/", Main), ("/begun", Begun), ("/ws", Echo), ("/die", Die)])


application = make_app()
'''


class Served:
    """A running server; what it says on stderr is in ``lines``, of which `wait_for` takes one after the other."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._seen: Queue[str | None] = Queue()
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._seen.put(line.rstrip("\n"))
        self._seen.put(None)

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The next line that has it; AssertionError when the process says no more."""
        while True:
            try:
                line = self._seen.get(timeout=PATIENCE)
            except Empty:
                line = None
            assert line is not None, f"no line with {pattern!r} in: " + "\n".join(self.lines)
            self.lines.append(line)
            found = re.search(pattern, line)
            if found:
                return found

    def says(self, pattern: str, within: float) -> bool:
        """Whether a line with it comes within so many seconds; for tests that try again until it does."""
        try:
            while True:
                line = self._seen.get(timeout=within)
                assert line is not None, "\n".join(self.lines)
                self.lines.append(line)
                if re.search(pattern, line):
                    return True
        except Empty:
            return False

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self) -> int:
        """Wait for the end; all further lines are in ``lines`` then."""
        code = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        while (line := self._seen.get_nowait() if not self._seen.empty() else None) is not None:
            self.lines.append(line)
        return code

    def connect(self, port: int | None = None) -> Peer:
        return Peer(socket.create_connection(("127.0.0.1", port or self.port), timeout=PATIENCE))

    port = 0


class Peer:
    """A client's connection, by the bytes."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self.file = sock.makefile("rb")

    def ask(self, path: str = "/", *headers: str) -> None:
        lines = [f"GET {path} HTTP/1.1", "Host: localhost", *headers, "", ""]
        self.sock.sendall("\r\n".join(lines).encode())

    def answer(self) -> tuple[int, dict[str, str], bytes]:
        """Status, headers with their names in lower case, body."""
        line = self.file.readline()
        assert line, "the connection was closed without an answer"
        status = int(line.split()[1])
        headers = {}
        while (line := self.file.readline().strip()) != b"":
            name, _, value = line.decode().partition(":")
            headers[name.lower()] = value.strip()
        return status, headers, self.file.read(int(headers.get("content-length", 0)))

    def get(self, path: str = "/", *headers: str) -> tuple[int, dict[str, str], bytes]:
        self.ask(path, *headers)
        return self.answer()

    def upgrade(self, path: str = "/ws") -> None:
        key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="
        status, _, _ = self.get(path, "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key)
        assert status == 101

    def frame(self) -> tuple[int, bytes]:
        """Opcode and payload of a short frame of the server's."""
        head = self.file.read(2)
        return head[0] & 15, self.file.read(head[1])

    def send_frame(self, opcode: int, payload: bytes) -> None:
        """A masked frame, the mask being zero."""
        self.sock.sendall(bytes([0x80 | opcode, 0x80 | len(payload)]) + b"\0\0\0\0" + payload)

    def at_end(self) -> bool:
        """Wait for the other side's end."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True

    def close(self) -> None:
        self.file.close()
        self.sock.close()


@contextlib.contextmanager
def serve(
    *args: str,
    cwd: Path,
    app: str | None = APP,
    command: Sequence[str] = ("-m", "tornado4", "serve"),
    ready: str | None = "ready",
    env: dict[str, str] | None = None,
    **popen: Any,
) -> Iterator[Served]:
    """A server that is ready; the port is the first that it says it listens on."""
    if app is not None:
        (cwd / "app.py").write_text(app)
    process = subprocess.Popen(
        [sys.executable, *(["-W", "error"] if command[0] != "-W" else []), *command, *args],
        cwd=cwd, env=environment() | (env or {}), stderr=subprocess.PIPE, text=True, start_new_session=True, **popen,
    )  # fmt: skip
    served = Served(process)
    try:
        if ready:
            served.wait_for(ready)
            ports = re.findall(r"[Ll]istening (?:on|at):? http\S+:(\d+)", "\n".join(served.lines))
            served.port = int(ports[0]) if ports else 0
        yield served
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        served.end()
        if process.stdout is not None:
            process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()
