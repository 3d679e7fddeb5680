"""What is measured: each point is a name, a unit, and a way to get one figure from one peer."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.environments import CACHE, Peer, PeerUnavailable, has_speedups, start
from benchmarks.load import BROWSER_HEADERS, Exchange, Small, connect, load, messages, read_answer, request
from benchmarks.processes import Server, serving

IDLE = 500
MIB = 1 << 20
IN_C, IN_PYTHON = {"TORNADO_EXTENSION": "1"}, {"TORNADO_EXTENSION": "0"}


class Bench:
    """Servers that run for as long as points are measured on them: one for each peer and way to start it."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._servers: dict[tuple[str, ...], Server] = {}
        self._stack = contextlib.ExitStack()
        make_files()

    def server(self, peer: Peer, *args: str, **variables: str) -> Server:
        key = (peer.name, *args, *map(str, sorted(variables.items())))
        if key not in self._servers:
            self._servers[key] = self._stack.enter_context(serving(peer, *args, **variables))
        return self._servers[key]

    def close(self) -> None:
        self._stack.close()
        self._servers.clear()


def make_files() -> None:
    """What all servers serve, and their certificate, into the cache and the environment."""
    static = CACHE / "static"
    static.mkdir(parents=True, exist_ok=True)
    (static / "1k.txt").write_bytes(b"0123456789abcdef" * 64)
    (static / "1m.txt").write_bytes(b"0123456789abcdef" * 65536)
    os.environ["BENCH_STATIC"] = str(static)
    certificate = CACHE / "certificate.pem"
    if not certificate.exists() and shutil.which("openssl"):
        make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3650", "-subj", "/CN=localhost"]
        subprocess.run([*make, "-keyout", "key", "-out", "cert"], cwd=CACHE, check=True, capture_output=True)
        certificate.write_text(Path(CACHE, "key").read_text() + Path(CACHE, "cert").read_text())
    if certificate.exists():
        os.environ["BENCH_CERT"] = str(certificate)


Measure = Callable[[Bench, Peer], float]


@dataclass(frozen=True)
class Point:
    name: str
    unit: str
    measure: Measure
    ours_only: bool = False  # made for the Tornados alone: those with a micro.py

    def fits(self, peer: Peer) -> bool:
        return peer.micro if self.ours_only else peer.serves(self.name)


def small(name: str, path: str, expect: bytes, *, args: tuple[str, ...] = (), ours_only: bool = False,
          headers: dict[str, str] | None = None, pipelined: bool = False) -> Point:  # fmt: skip
    """Small requests: server CPU for each."""
    asks = Small(path, headers or {}, pipelined)

    def measure(bench: Bench, peer: Peer) -> float:
        server = bench.server(peer, *args)
        check(peer, server.port, Exchange(request(path, headers)), expect)
        with load(server.port, Exchange(request(path, headers))) as some:
            some.run(0.1)
        before = server.cpu()
        count = asks.run(server.port, bench.seconds)
        return (server.cpu() - before) * 1e6 / count

    return Point(name, "µs", measure, ours_only)


def check(peer: Peer, port: int, exchange: Exchange, expect: bytes) -> None:
    """One answer, looked at, before anything is timed."""
    with contextlib.closing(connect(port, exchange)) as sock:
        sock.sendall(exchange.asked)
        answer = read_answer(sock).replace(b" ", b"")
    if b"200" not in answer[:16] or expect.replace(b" ", b"") not in answer:
        raise RuntimeError(f"{peer.name} answers {exchange.asked[:200]!r} with {answer[:300]!r}")


def driven(name: str, exchange: Exchange, expect: bytes = b"", port: str = "port", *, ours_only: bool = False,
           variables: dict[str, str] | None = None) -> Point:  # fmt: skip
    """Whatever keeps pace by counting bytes: server CPU for each unit."""

    def measure(bench: Bench, peer: Peer) -> float:
        if variables == IN_C and peer.micro and not has_speedups(peer):
            raise PeerUnavailable(f"{peer.name}: has no compiled speedups")
        server = bench.server(peer, **(variables or {}))
        number = getattr(server, port)
        if not number:
            raise PeerUnavailable(f"{peer.name}: no TLS without openssl, which makes the certificate")
        if expect:
            check(peer, number, exchange, expect)
        with load(number, exchange) as some:
            some.run(0.1)
            before = server.cpu()
            count = some.run(bench.seconds)
            return (server.cpu() - before) * 1e6 / count

    return Point(name, "µs", measure, ours_only)


def tcp(name: str, asked: bytes, answer: int, units: int, opening: bytes = b"") -> Point:
    def measure(bench: Bench, peer: Peer) -> float:
        server = bench.server(peer)
        exchange = Exchange(asked, answer, units)
        with load(server.tcp_port, exchange) as some:
            for sock in some.socks:
                sock.sendall(opening)
                if opening and sock.recv(100) != opening:
                    raise RuntimeError(f"{peer.name}: no echo of a line")
            some.run(0.1)
            before = server.cpu()
            count = some.run(bench.seconds)
            return (server.cpu() - before) * 1e6 / count

    return Point(name, "µs", measure)


def fetches(name: str, path: str, *args: str) -> Point:
    """A client's own CPU for each fetch; the server is the same for all."""

    def measure(bench: Bench, peer: Peer) -> float:
        port = str(bench.server(RAW).port)
        process = start(peer, port, path, str(bench.seconds), *args, *peer.args, program=peer.client)
        out, _ = process.communicate(timeout=60)
        if process.returncode:
            raise PeerUnavailable(f"{peer.name}: {peer.client} {' '.join(args)} failed")
        return float(out)

    return Point(name, "µs", measure)


RAW = Peer("what is fetched from", "raw_app.py")


def idle(name: str, exchange: Exchange, answer: int) -> Point:
    """KiB of resident memory that one more connection takes that has done something and waits."""

    def measure(bench: Bench, peer: Peer) -> float:
        with serving(peer) as server, contextlib.ExitStack() as stack:
            check(peer, server.port, Exchange(request("/")), b"Hello, world")
            before = server.memory()
            for _ in range(IDLE):
                sock = stack.enter_context(connect(server.port, exchange))
                sock.sendall(exchange.asked)
                if answer:
                    sock.recv(answer)
                else:
                    read_answer(sock)
            return (server.memory() - before) / IDLE

    return Point(name, "KiB", measure)


def started(bench: Bench, peer: Peer) -> float:
    """Milliseconds of CPU from the interpreter's start to the first answer."""
    with serving(peer) as server:
        check(peer, server.port, Exchange(request("/")), b"Hello, world")
        return server.cpu() * 1000


def micro(peer: Peer) -> Iterator[tuple[str, float]]:
    """The figures of peers/micro.py."""
    process = start(peer, "4000", program="micro.py")
    out, _ = process.communicate(timeout=300)
    if process.returncode:
        raise PeerUnavailable(f"{peer.name}: micro.py failed")
    yield from json.loads(out).items()


LAST = r"/api/v1/abc/r%d/7"
POINTS = [
    small("hello", "/", b"Hello, world"),
    small("hello, access log", "/", b"Hello, world", args=("--log",), ours_only=True),
    small("browser", "/browser?page=3&tag=a&tag=b&empty=", b'"tags": ["a", "b"]', headers=BROWSER_HEADERS),
    small("coroutine", "/coroutine", b"Hello, world", ours_only=True),
    small("async def", "/native", b"Hello, world"),
    small("template", "/template", b"&lt;19&gt;", ours_only=True),
    small("static 1 KiB", "/static/1k.txt", b"0123456789abcdef"),
    small("pipelined", "/", b"Hello, world", pipelined=True),
    small("10 rules, the last", LAST % 9, b"Hello, world", args=("--rules", "10"), ours_only=True),
    small("1,000 rules, the last", LAST % 999, b"Hello, world", args=("--rules", "1000"), ours_only=True),
    driven("static 1 MiB", Exchange(request("/static/1m.txt")), b"Content-Length: 1048576"),
    driven("TLS static 1 MiB", Exchange(request("/static/1m.txt"), tls=True), b"Content-Length: 1048576", "tls_port"),
    driven("upload 1 MiB", Exchange(request("/upload", method="POST", body=b"x" * MIB)), b"1048576"),
    driven("streamed, 1 MiB", Exchange(request("/stream")), b"chunked"),
    driven("WebSocket 64 KiB", messages(65536, 1), variables=IN_C),
    driven("WebSocket 64 KiB, masked in Python", messages(65536, 1), ours_only=True, variables=IN_PYTHON),
    driven("WebSocket 16 B, 16 in flight", messages(16, 16)),
    tcp("TCP read_bytes, 1 MiB", b"x" * MIB * 8, 8, 8, b"bytes\n"),
    tcp("TCP line", b"x" * 99 + b"\n", 100, 1),
    fetches("fetch 12 B", "/"),
    fetches("fetch 12 B, kept", "/", "--kept"),
    fetches("fetch 1 MiB", "/static/1m.txt"),
    idle("idle connection", Exchange(request("/")), 0),
    idle("idle WebSocket", messages(16, 1), 18),
    Point("start", "ms", started),
]
