"""Load. `wrk` for small requests where it is installed, and for all else one client that keeps pace by counting bytes:
each of a few connections sends what it has to, and waits for as many bytes as the answer has.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

CONNECTIONS = 32
WRK = shutil.which("wrk")
PIPELINE = 16

BROWSER_HEADERS = {
    "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en-US,en;q=0.5",
    "Accept-Encoding": "identity",
    "Referer": "http://localhost/browser?page=1",
    "Connection": "keep-alive",
    "Cookie": "user=ada; theme=dark; _ga=GA1.1.1234567890.1234567890; session=0123456789abcdef",
    "Upgrade-Insecure-Requests": "1",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Site": "same-origin",
}


@dataclass(frozen=True)
class Exchange:
    """What a connection sends, and how many bytes come back; ``units`` of what is counted are in it.

    ``opening`` is sent first, once, and answered with a head. ``answer`` may be 0: it is then found out by asking once.
    """

    asked: bytes
    answer: int = 0
    units: int = 1
    opening: bytes = b""
    tls: bool = False


def request(path: str, headers: dict[str, str] | None = None, method: str = "GET", body: bytes = b"") -> bytes:
    length = {"Content-Length": str(len(body))} if method != "GET" else {}
    fields = {"Host": "127.0.0.1", **(headers or {}), **length}
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


HANDSHAKE = request("/ws", {
    "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
})  # fmt: skip


def messages(size: int, count: int) -> Exchange:
    """``count`` binary messages in one write, all of them echoed."""
    length = bytes([size]) if size < 126 else b"\x7e" + struct.pack(">H", size) if size < 65536 else (
        b"\x7f" + struct.pack(">Q", size))  # fmt: skip
    masked = bytes([0x82, length[0] | 0x80]) + length[1:] + b"\1\2\3\4" + (b"abcd" * (size // 4 + 1))[:size]
    return Exchange(masked * count, (1 + len(length) + size) * count, count, HANDSHAKE)


def connect(port: int, exchange: Exchange) -> socket.socket:
    sock = socket.create_connection(("127.0.0.1", port), timeout=20)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if exchange.tls:
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        sock = context.wrap_socket(sock)
    if exchange.opening:
        sock.sendall(exchange.opening)
        head = read_head(sock)
        if b" 101 " not in head[0]:
            raise RuntimeError(f"no WebSocket: {head!r}")
    return sock


def read_head(sock: socket.socket) -> tuple[bytes, bytes]:
    """A head, and what came behind it."""
    data = b""
    while b"\r\n\r\n" not in data:
        piece = sock.recv(65536)
        if not piece:
            raise RuntimeError(f"hung up after {data!r}")
        data += piece
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def read_answer(sock: socket.socket) -> bytes:
    """A whole response: by its length, or to its last chunk."""
    head, body = read_head(sock)
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    while len(body) < int(length[1]) if length else not body.endswith(b"0\r\n\r\n"):
        piece = sock.recv(1 << 20)
        if not piece:
            raise RuntimeError(f"hung up after {head!r}")
        body += piece
    return head + b"\r\n\r\n" + body


class Load:
    """Some connections that do the same."""

    def __init__(self, port: int, exchange: Exchange, connections: int = 4) -> None:
        self._exchange = exchange
        self.socks = [connect(port, exchange) for _ in range(connections)]
        self._buffer = bytearray(1 << 20)
        self.answer = exchange.answer or self._ask_once()

    def _ask_once(self) -> int:
        self.socks[0].sendall(self._exchange.asked)
        return len(read_answer(self.socks[0]))

    def run(self, seconds: float = 0, units: int = 0) -> int:
        """Go on for ``seconds``, or for so many ``units``; how many there were."""
        done, end = 0, time.monotonic() + seconds
        while done < units if units else time.monotonic() < end:
            for sock in self.socks:
                sock.sendall(self._exchange.asked)
            for sock in self.socks:
                left = self.answer
                while left > 0:
                    count = sock.recv_into(self._buffer)
                    if not count:
                        raise RuntimeError(f"hung up, {left} bytes early")
                    left -= count
                if left:
                    raise RuntimeError(f"{-left} bytes too many")
            done += self._exchange.units * len(self.socks)
        return done

    def close(self) -> None:
        for sock in self.socks:
            sock.close()


@contextlib.contextmanager
def load(port: int, exchange: Exchange, connections: int = 4) -> Iterator[Load]:
    made = Load(port, exchange, connections)
    try:
        yield made
    finally:
        made.close()


@dataclass(frozen=True)
class Small:
    """A small request, by wrk with 32 connections where that is."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)
    pipelined: bool = False

    def run(self, port: int, seconds: float) -> int:
        if WRK:
            return wrk(port, self, seconds)
        batch = PIPELINE if self.pipelined else 1
        one = request(self.path, self.headers)
        with load(port, Exchange(one), 1) as asked_once:
            exchange = Exchange(one * batch, asked_once.answer * batch, batch)
        with load(port, exchange, CONNECTIONS) as many:
            return many.run(seconds)


def wrk(port: int, small: Small, seconds: float) -> int:
    command = [WRK or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    for name, value in small.headers.items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if small.pipelined:
            one = f'wrk.format(nil, "{small.path}")'
            script.write(f"init = function(args) local r = {one}; q = string.rep(r, {PIPELINE}) end\n"
                         "request = function() return q end\n")  # fmt: skip
            script.flush()
            command += ["-s", script.name]
        done = subprocess.run([*command, f"http://127.0.0.1:{port}{small.path}"], capture_output=True, text=True)
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return int(found[1])


def leave_the_last_core() -> None:
    """The last core is the server's. A client that is scheduled there as well interrupts it with each answer."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, set(cores[:-1]))
