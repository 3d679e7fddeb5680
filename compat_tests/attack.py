"""Under attack: what a server costs while somebody means it ill, and how a well-behaved neighbour fares.

    python -m compat_tests.attack                 # each attack for five seconds
    python -m compat_tests.attack --quick         # a short one each, in small: a test runs this
    python -m compat_tests.attack pings tiny-chunks

The subject is a process of its own on tornado4, with HTTP and TLS, each attack against a fresh one. Printed for each:
the memory that it took more (MiB, at its highest), the descriptors at the most, and how many were left when the
attackers had gone, what a neighbour with one kept connection saw (requests that were answered, the median and the worst
wait in milliseconds, and the mean of its worst second), and log lines a second. Exit code 1 if memory grew by more than
96 MiB, descriptors stayed open, the neighbour lost an answer, or a traceback was logged. Times are told and not judged:
they are the machine's.

All traffic stays on the loopback interface.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

TOP = Path(__file__).resolve().parent.parent
ROOM = 96.0  # MiB
SETTLE_SECONDS = 90  # a million chunks that the kernel holds are read first, on a machine that may be busy
#: Of the subject, for the attack that takes them all.
FEW_DESCRIPTORS = 128

HANDSHAKE = (
    b"GET /echo HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)

# -- the subject ----------------------------------------------------------------------------------------------


def subject(descriptors: int | None) -> None:
    """Serve until standard input ends; first says its ports. ``descriptors``: no more than that many may be open."""
    if descriptors is not None:
        resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
    from tornado4 import gen, httpserver, ioloop, iostream, netutil, testing, web, websocket

    class Hello(web.RequestHandler):
        def get(self) -> None:
            self.write("Hello")

    class Large(web.RequestHandler):
        @gen.coroutine
        def get(self) -> Any:
            try:
                for _ in range(64):
                    self.write(b"x" * 2**20)
                    yield self.flush()
            except iostream.StreamClosedError:
                pass  # let out, it is a traceback in the log: the application's own, as in 4.5.3

    @web.stream_request_body
    class Upload(web.RequestHandler):
        size = 0

        def data_received(self, chunk: bytes) -> None:
            self.size += len(chunk)

        def post(self) -> None:
            self.write(str(self.size))

    class Echo(websocket.WebSocketHandler):
        def on_message(self, message: Any) -> None:
            self.write_message(message)

    application = web.Application(
        [("/", Hello), ("/large", Large), ("/upload", Upload), ("/echo", Echo)], log_function=lambda handler: None
    )
    plain = httpserver.HTTPServer(application)
    certificate = testing.AsyncHTTPSTestCase("run").get_ssl_options()
    secure = httpserver.HTTPServer(application, ssl_options=certificate)
    ports = []
    for server in (plain, secure):
        (listening,) = netutil.bind_sockets(0, "127.0.0.1", backlog=4096)
        server.add_sockets([listening])
        ports.append(listening.getsockname()[1])
    orders = iostream.PipeIOStream(os.dup(0))
    print(json.dumps(ports), flush=True)
    with contextlib.suppress(iostream.StreamClosedError):
        ioloop.IOLoop.current().run_sync(lambda: orders.read_until(b"\n"))


class Subject:
    """The process, as its driver sees it."""

    def __init__(self, descriptors: int | None = None) -> None:
        self.log: IO[bytes] = tempfile.TemporaryFile()
        limit = [] if descriptors is None else ["--descriptors", str(descriptors)]
        self.process = subprocess.Popen(
            [sys.executable, "-W", "error", "-m", "compat_tests.attack", "--subject", *limit],
            cwd=TOP, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.port, self.tls_port = json.loads(self.process.stdout.readline())

    def connect(self, data: bytes = b"", *, tls: bool = False) -> socket.socket:
        made = socket.create_connection(("127.0.0.1", self.tls_port if tls else self.port), timeout=60)
        if data:
            made.sendall(data)
        return made

    @property
    def memory(self) -> float:
        """Resident, in MiB."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 2**20

    @property
    def descriptors(self) -> int:
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def close(self) -> list[str]:
        """End it; the lines that it logged."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()
        with self.log as log:
            log.seek(0)
            return log.read().decode("utf-8", "replace").splitlines()


# -- the neighbour --------------------------------------------------------------------------------------------


class Neighbour(threading.Thread):
    """Asks for "/" on one kept connection, a hundred times a second, and notes how long each answer took."""

    def __init__(self, server: Subject) -> None:
        super().__init__(daemon=True)
        self.waits: list[float] = []
        self.by_second: dict[int, list[float]] = {}
        self.lost: str = ""
        self._connection = server.connect()
        self._ended = threading.Event()

    def run(self) -> None:
        try:
            while not self._ended.wait(0.01):
                began = time.perf_counter()
                self._connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
                answer = b""
                while not answer.endswith(b"Hello"):
                    piece = self._connection.recv(4096)
                    if not piece:
                        self.lost = "its connection was closed"
                        return
                    answer += piece
                ended = time.perf_counter()
                self.waits.append(ended - began)
                self.by_second.setdefault(int(ended), []).append(ended - began)
        except OSError as error:
            self.lost = str(error)

    def finish(self) -> None:
        self._ended.set()
        self.join(90)
        self._connection.close()


# -- the attacks ----------------------------------------------------------------------------------------------


@dataclass
class Attack:
    """One attack under way: its subject, how long and how large it is to be, the connections that it holds."""

    server: Subject
    seconds: float
    scale: float
    held: list[socket.socket] = field(default_factory=list)

    def count(self, number: int) -> int:
        return max(5, int(number * self.scale))

    def hold(self, number: int, data: bytes = b"", *, tls: bool = False) -> None:
        """Open that many connections (of a full attack) and send the same on each."""
        for _ in range(self.count(number)):
            self.held.append(self.server.connect(data, tls=tls))

    def until_the_end(self, step: Callable[[], object] = lambda: None) -> None:
        """Do ``step`` again and again, with a breath between, until the time is up."""
        end = time.monotonic() + self.seconds
        while time.monotonic() < end:
            step()
            time.sleep(0.02)

    def drip(self, piece: bytes) -> None:
        """A piece on each connection, of which some may have been closed by now."""
        for connection in self.held:
            with contextlib.suppress(OSError):
                connection.sendall(piece)


def slow_heads(attack: Attack) -> None:
    attack.hold(200, b"GET / HTTP/1.1\r\nHost: x\r\nA: ")
    attack.until_the_end(lambda: attack.drip(b"a"))


def slow_bodies(attack: Attack) -> None:
    attack.hold(200, b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
    attack.until_the_end(lambda: attack.drip(b"a"))


def slow_readers(attack: Attack) -> None:
    attack.hold(30, b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n")
    attack.until_the_end()


def half_closed(attack: Attack) -> None:
    upload = b"POST /upload HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n"
    for piece in (b"", b"GET / HT", b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n", upload):
        attack.hold(10, piece)
    for connection in attack.held:
        connection.shutdown(socket.SHUT_WR)
    attack.until_the_end()


def vanished(attack: Attack) -> None:
    def come_and_go() -> None:
        for data in (b"GET / HT", b"GET /large HTTP/1.1\r\nHost: x\r\n\r\n", HANDSHAKE):
            connection = attack.server.connect(data)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close() sends RST
            connection.close()

    attack.until_the_end(come_and_go)


def idle(attack: Attack) -> None:
    attack.hold(2000, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    attack.until_the_end()


def pipelined(attack: Attack) -> None:
    data = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * attack.count(10_000)
    attack.held.append(attack.server.connect())
    attack.held[0].settimeout(0.05)
    send_without_reading(attack, data)


def tiny_chunks(attack: Attack) -> None:
    attack.held.append(attack.server.connect(b"POST /upload HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"))
    send_without_reading(attack, b"1\r\na\r\n" * 10_000)


def pings(attack: Attack) -> None:
    attack.held.append(attack.server.connect(HANDSHAKE))
    send_without_reading(attack, b"\x89\x80\0\0\0\0" * 10_000)


def send_without_reading(attack: Attack, data: bytes) -> None:
    """The same bytes over and over, as fast as they are taken; no answer is read."""
    (connection,) = attack.held
    connection.setblocking(False)
    end = time.monotonic() + attack.seconds
    rest = memoryview(data)
    while time.monotonic() < end:
        try:
            rest = rest[connection.send(rest) :] or memoryview(data)
        except BlockingIOError:
            time.sleep(0.005)
        except OSError:
            return  # the server has had enough


def tls_handshakes(attack: Attack) -> None:
    attack.hold(200, b"\x16\x03\x01\x02\x00\x01", tls=True)  # the beginning of a ClientHello
    attack.until_the_end()


def descriptors(attack: Attack) -> None:
    """More connections than the subject has descriptors."""
    for _ in range(2 * FEW_DESCRIPTORS):
        connection = socket.socket()
        connection.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            connection.connect(("127.0.0.1", attack.server.port))
        attack.held.append(connection)
    attack.until_the_end()


ATTACKS: dict[str, Callable[[Attack], None]] = {
    "slow-heads": slow_heads, "slow-bodies": slow_bodies, "slow-readers": slow_readers, "half-closed": half_closed,
    "vanished": vanished, "idle": idle, "pipelined": pipelined, "tiny-chunks": tiny_chunks, "pings": pings,
    "tls-handshakes": tls_handshakes, "descriptors": descriptors,
}  # fmt: skip


# -- the driver -----------------------------------------------------------------------------------------------


def suffer(name: str, seconds: float, scale: float) -> list[str]:
    """One attack, a line of figures, and what was not well."""
    server = Subject(FEW_DESCRIPTORS if name == "descriptors" else None)
    neighbour = Neighbour(server)
    neighbour.start()
    while not (neighbour.waits or neighbour.lost):
        time.sleep(0.01)  # until it has its descriptor there
    attack = Attack(server, seconds, scale)
    memory_before, descriptors_before = server.memory, server.descriptors
    memory = descriptors_at_most = 0.0
    attacker = threading.Thread(target=ATTACKS[name], args=(attack,), daemon=True)
    began = time.monotonic()
    attacker.start()
    while attacker.is_alive():
        memory, descriptors_at_most = max(memory, server.memory), max(descriptors_at_most, server.descriptors)
        attacker.join(0.02)
    took = time.monotonic() - began
    for connection in attack.held:
        connection.close()
    end = time.monotonic() + SETTLE_SECONDS
    while server.descriptors > descriptors_before and time.monotonic() < end:
        time.sleep(0.05)
    descriptors_after = server.descriptors
    neighbour.finish()
    lines = server.close()
    waits = [wait * 1000 for wait in neighbour.waits] or [float("nan")]
    more, left = max(0.0, memory - memory_before), descriptors_after - descriptors_before
    costs = f"{more:8.1f}{descriptors_at_most:8.0f}{left:6}"
    second = 1000 * max(map(statistics.mean, neighbour.by_second.values()), default=float("nan"))
    fares = f"{len(neighbour.waits):10}{statistics.median(waits):9.1f}{max(waits):9.1f}{second:9.1f}"
    print(f"{name:16}{costs}{fares}{len(lines) / took:9.1f}", flush=True)
    wrong = []
    if more > ROOM:
        wrong.append(f"{more:.0f} MiB more memory")
    if left > 0:
        wrong.append(f"{left} descriptors still open")
    if neighbour.lost:
        wrong.append(f"the neighbour lost an answer: {neighbour.lost}")
    if any("Traceback" in line for line in lines):
        wrong.append("a traceback was logged:\n" + "\n".join(lines[:40]))
    return [f"{name}: {what}" for what in wrong]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.attack", description=(__doc__ or "").split("\n")[0])
    parser.add_argument("name", nargs="*", help=f"all by default: {', '.join(ATTACKS)}")
    parser.add_argument("--quick", action="store_true", help="a short one each, in small")
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each is")
    parser.add_argument("--subject", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--descriptors", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.subject:
        subject(options.descriptors)
        return 0
    unknown = [name for name in options.name if name not in ATTACKS]
    if unknown:
        parser.error(f"no attack {', '.join(unknown)}; there are: {', '.join(ATTACKS)}")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192) if hard != resource.RLIM_INFINITY else 8192, hard))
    titles = ("answered", 10), ("median", 9), ("worst", 9), ("second", 9), ("lines/s", 9)
    print(f"{'':16}{'MiB more':>8}{'fds':>8}{'left':>6}" + "".join(title.rjust(width) for title, width in titles))
    seconds, scale = (0.3, 0.05) if options.quick else (options.seconds, 1.0)
    wrong = [what for name in options.name or ATTACKS for what in suffer(name, seconds, scale)]
    print("\n".join(wrong) or "all of it stayed bounded")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
