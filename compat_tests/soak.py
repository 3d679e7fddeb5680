"""Does it leak? A server under long load, and the same process as a client; figures before and after.

    python -m compat_tests.soak             # 200,000 requests, 50,000 messages, 20,000 fetches, 5,000 connections
    python -m compat_tests.soak --quick     # a hundredth of that, the figures that are exact; a test runs this

The subject is a process of its own: an application on tornado4 that also fetches from itself when told. Each
load runs once to warm up (caches fill, pools grow), then again and again; what is printed are the subject's figures
after each time: resident memory, open descriptors, live asyncio tasks, objects of tornado4's and all objects that the
garbage collector knows, and how many objects only that collector could free (cycles: in a quick run it is off between
measurements, so that these are all there were). None but the last may grow, the memory by 4 MiB at most, and objects by
what bounded caches hold in a full run, where each request has another path. Exit code 1 if anything did.

All traffic stays on the loopback interface.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import collections
import gc
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parent.parent
RSS_ROOM = 4.0  # MiB
CACHE_ROOM = 2000  # objects
ROUNDS = 3
ANSWER_SECONDS = 600


@dataclass
class Figures:
    """What is counted in the subject, after a full garbage collection."""

    rss_mib: float
    descriptors: int
    tasks: int
    ours: int
    objects: int
    cycles: int


# -- the subject --------------------------------------------------------------------------------------------


def subject(quick: bool) -> None:
    """Serve, and obey the lines on standard input: "measure", "fetch N"."""
    from tornado4 import gen, httpclient, httpserver, ioloop, iostream, netutil, web, websocket

    class Hello(web.RequestHandler):
        def get(self) -> None:
            self.write("Hello")

    class Waiting(web.RequestHandler):
        @gen.coroutine
        def get(self) -> Any:
            yield gen.moment
            self.write("Hello")

    class Native(web.RequestHandler):
        async def get(self) -> None:
            await asyncio.sleep(0)
            self.write("Hello")

        async def post(self) -> None:
            self.write(str(len(self.request.body)))

    class Callback(web.RequestHandler):
        @web.asynchronous
        def get(self) -> None:
            ioloop.IOLoop.current().add_callback(self.finish, "Hello")

    class Failing(web.RequestHandler):
        def get(self) -> None:
            raise web.HTTPError(404)

    class Echo(websocket.WebSocketHandler):
        def on_message(self, message: Any) -> None:
            self.write_message(message, binary=isinstance(message, bytes))

        def get_compression_options(self) -> Any:
            return {}

    handlers = [
        ("/", Hello), ("/waiting", Waiting), ("/native", Native), ("/callback", Callback), ("/failing", Failing),
        ("/echo", Echo),
    ]  # fmt: skip
    application = web.Application(handlers, log_function=lambda handler: None, compress_response=True)
    server = httpserver.HTTPServer(application)
    (sock,) = netutil.bind_sockets(0, "127.0.0.1")
    server.add_sockets([sock])
    port = sock.getsockname()[1]
    loop = ioloop.IOLoop.current()
    client = httpclient.AsyncHTTPClient()
    orders = iostream.PipeIOStream(os.dup(0))

    async def fetch(number: int) -> None:
        paths = ("/", "/waiting", "/native", "/callback", "/failing")
        for start in range(0, number, 10):
            some = [
                client.fetch(f"http://127.0.0.1:{port}{paths[i % 5]}", raise_error=False)
                for i in range(start, start + 10)
            ]
            for answer in await gen.multi(some):
                assert answer.code in (200, 404), answer

    async def settle() -> None:
        """Until the connections that clients have closed are gone here, too."""
        for _ in range(1000):
            await asyncio.sleep(0.001)
            if not server._connections:
                break
        await asyncio.sleep(0.01)

    async def serve() -> None:
        say(port)
        while True:
            order = (await orders.read_until(b"\n")).split()
            if order[0] == b"fetch":
                await fetch(int(order[1]))
                say("done")
            else:
                await settle()
                say(asdict(measure(loop.asyncio_loop)))

    if quick:
        gc.disable()  # so that what only it could free is counted, not freed on the way
    try:
        loop.run_sync(serve)
    except iostream.StreamClosedError:
        pass  # the driver has gone


def say(what: Any) -> None:
    print(json.dumps(what), flush=True)


def measure(loop: asyncio.AbstractEventLoop) -> Figures:
    from tornado4.ioloop import _Timeout

    cycles = gc.collect()
    gc.collect()
    # A timer that was taken back stays in the loop's heap until it comes up, or until there are some hundreds.
    known = [item for item in gc.get_objects() if not (isinstance(item, _Timeout) and item.callback is None)]
    ours = sum(1 for item in known if type(item).__module__.partition(".")[0] == "tornado4")
    if os.environ.get("SOAK_TYPES"):
        types = collections.Counter(f"{type(item).__module__}.{type(item).__qualname__}" for item in known)
        print(types.most_common(40), file=sys.stderr)
    with open("/proc/self/statm") as statm:
        rss = int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    descriptors = len(os.listdir("/proc/self/fd"))
    return Figures(round(rss, 1), descriptors, len(asyncio.all_tasks(loop)), ours, len(known), cycles)


# -- the loads ----------------------------------------------------------------------------------------------


class Subject:
    """The process, as its driver sees it."""

    def __init__(self, quick: bool) -> None:
        env = {**os.environ, "PYTHONPATH": str(TOP)}
        command = [sys.executable, "-W", "error", "-m", "compat_tests.soak", "--subject", *["--quick"][:quick]]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, cwd=TOP, env=env, stdin=pipe, stdout=pipe, text=True)
        self.quick = quick
        self.port: int = self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the subject ended with {self._process.wait()}")
        return json.loads(line)

    def order(self, text: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(text + "\n")
        self._process.stdin.flush()
        return self._answer()

    def measure(self) -> Figures:
        return Figures(**self.order("measure"))

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=60)

    def close(self) -> None:
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(30)
        self._process.stdout.close()


PATHS = (b"/", b"/waiting", b"/native", b"/callback", b"/failing")


def requests(subject: Subject, number: int) -> None:
    """Keep-alive, twenty pipelined at a time; every tenth is a POST; a new connection each thousand."""
    batch = 20
    for start in range(0, number, 1000):
        with subject.connect() as sock, sock.makefile("rb") as answers:
            for at in range(start, min(start + 1000, number), batch):
                size = min(batch, number - at)
                sock.sendall(b"".join(_request((at + i) % 100 if subject.quick else at + i) for i in range(size)))
                for _ in range(size):
                    _read_answer(answers)


def _request(number: int) -> bytes:
    if number % 10 == 9:
        return b"POST /native HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n" + b"x" * 100
    return b"GET " + PATHS[number % 5] + b"?n=%d HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\n\r\n" % number


def _read_answer(answers: Any) -> None:
    status = answers.readline()
    assert status.startswith((b"HTTP/1.1 200", b"HTTP/1.1 404")), status
    length = 0
    while (line := answers.readline()) != b"\r\n":
        assert line, "the server closed the connection"
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    answers.read(length)


def messages(subject: Subject, number: int) -> None:
    """WebSocket echoes, text and binary, small, and some of more than 64 KiB; a new connection each thousand."""
    for start in range(0, number, 1000):
        with subject.connect() as sock, sock.makefile("rb") as answers:
            key = base64.b64encode(os.urandom(16))
            sock.sendall(
                b"GET /echo HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + key + b"\r\n\r\n"
            )
            while answers.readline() != b"\r\n":
                pass
            for at in range(start, min(start + 1000, number)):
                size = 70_000 if at % 500 == 250 else 50
                sock.sendall(_frame(0x81 if at % 2 else 0x82, b"m" * size))
                head = answers.read(2)
                got = head[1]
                if got == 126:
                    got = int.from_bytes(answers.read(2), "big")
                elif got == 127:
                    got = int.from_bytes(answers.read(8), "big")
                assert got == size, (head, got)
                answers.read(got)
            if start % 2000:  # every other connection ends without a word
                sock.sendall(_frame(0x88, (1000).to_bytes(2, "big")))
                answers.read()


def _frame(first: int, data: bytes) -> bytes:
    size = len(data)
    length = bytes([0x80 | size]) if size < 126 else b"\xff" + size.to_bytes(8, "big")
    return bytes([first]) + length + b"\0\0\0\0" + data  # a mask of zeros


def fetches(subject: Subject, number: int) -> None:
    """The subject is the client, and its own server."""
    subject.order(f"fetch {number}")


def connects(subject: Subject, number: int) -> None:
    """Connections that end before, within and after a request, at either side's will."""
    pieces = (
        b"",
        b"GET / HT",
        b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"POST /native HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf",
        b"nonsense\r\n\r\n",
        b"GET /waiting HTTP/1.0\r\n\r\n",
    )
    for at in range(number):
        with subject.connect() as sock:
            sock.sendall(pieces[at % len(pieces)])
            if at % len(pieces) in (3, 6):
                sock.recv(1000)


LOADS: tuple[tuple[str, Callable[[Subject, int], None], int], ...] = (
    ("requests", requests, 200_000),
    ("WebSocket messages", messages, 50_000),
    ("client fetches", fetches, 20_000),
    ("connections", connects, 5_000),
)


# -- the driver ---------------------------------------------------------------------------------------------


def soak(scale: float, *, quick: bool) -> list[str]:
    """Run all loads, print a table, return what grew."""
    grew = []
    subject = Subject(quick)
    print(f"{'':34}{'RSS MiB':>8}{'fds':>6}{'tasks':>6}{'ours':>7}{'objects':>9}{'cycles':>9}{'seconds':>9}")
    try:
        for name, load, full in LOADS:
            number = max(20, int(full * scale))
            warm = number if quick else max(20, number // 10)
            load(subject, warm)
            load(subject, warm)
            before = subject.measure()
            before = subject.measure()  # the measuring itself has settled
            show(f"{name}, after {2 * warm:,}", before, 0)
            after = before
            for _ in range(ROUNDS):
                began = time.monotonic()
                load(subject, number // ROUNDS)
                after = subject.measure()
                show(f"{'':4}+ {number // ROUNDS:,}", after, time.monotonic() - began)
            grew += [f"{name}: {what}" for what in growth(before, after, quick=quick)]
    finally:
        subject.close()
    return grew


def show(title: str, f: Figures, seconds: float) -> None:
    counts = f"{f.rss_mib:8.1f}{f.descriptors:6}{f.tasks:6}{f.ours:7}{f.objects:9}{f.cycles:9}"
    print(f"{title:34}{counts}{seconds:9.1f}", flush=True)


def growth(before: Figures, after: Figures, *, quick: bool) -> list[str]:
    """What is more than it was, beyond the room that it has."""
    # Python's own caches (of regular expressions, of lines of source) come and go with no load at all.
    rooms: dict[str, float] = {"descriptors": 0, "tasks": 0, "ours": 0, "objects": 20}
    if not quick:
        rooms |= {"ours": CACHE_ROOM, "objects": CACHE_ROOM, "rss_mib": RSS_ROOM}
    was, now = asdict(before), asdict(after)
    more = [name for name, room in rooms.items() if now[name] > was[name] + room]
    return [f"{name} grew from {was[name]} to {now[name]}" for name in more]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m compat_tests.soak", description=__doc__.split("\n")[0])
    parser.add_argument("--quick", action="store_true", help="a hundredth of the load, exact figures only")
    parser.add_argument("--subject", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.subject:
        subject(options.quick)
        return 0
    grew = soak(0.01 if options.quick else 1.0, quick=options.quick)
    print("\n".join(grew) or "nothing grew")
    return 1 if grew else 0


if __name__ == "__main__":
    sys.exit(main())
