"""Load: ``wrk`` where it is installed, otherwise a small client of our own. Returns how many answers came."""

from __future__ import annotations

import os
import re
import selectors
import shutil
import socket
import subprocess
import tempfile
import time

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


def request_bytes(path: str, headers: dict[str, str], port: int) -> bytes:
    lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def fetch(port: int, path: str, headers: dict[str, str]) -> bytes:
    """One answer, read until the peer is done: the check before timing."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(request_bytes(path, {**headers, "Connection": "close"}, port))
        pieces = []
        while piece := sock.recv(65536):
            pieces.append(piece)
    return b"".join(pieces)


def drive(port: int, path: str, headers: dict[str, str], seconds: float, pipelined: bool = False) -> int:
    """Ask for ``seconds``; the number of answers."""
    return (_wrk if WRK else _own)(port, path, headers, seconds, pipelined)


def _leave_the_last_core() -> None:
    """The last core is the server's. A client that is scheduled there as well interrupts it with each answer."""
    if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
        os.sched_setaffinity(0, set(cores[:-1]))


def _wrk(port: int, path: str, headers: dict[str, str], seconds: float, pipelined: bool) -> int:
    command = [WRK or "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
    for name, value in headers.items():
        command += ["-H", f"{name}: {value}"]
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        if pipelined:
            one = f'wrk.format(nil, "{path}")'
            script.write(f"init = function(args) local r = {one}; q = string.rep(r, {PIPELINE}) end\n"
                         "request = function() return q end\n")
            script.flush()
            command += ["-s", script.name]
        done = subprocess.run([*command, f"http://127.0.0.1:{port}{path}"], capture_output=True, text=True,
                              preexec_fn=_leave_the_last_core)
    found = re.search(r"(\d+) requests in", done.stdout)
    if not found or "Non-2xx" in done.stdout:
        raise RuntimeError(f"wrk: {done.stdout}{done.stderr}")
    return int(found[1])


def _own(port: int, path: str, headers: dict[str, str], seconds: float, pipelined: bool) -> int:
    batch = PIPELINE if pipelined else 1
    asked = request_bytes(path, headers, port) * batch
    size = _answer_size(port, path, headers) * batch
    selector, answers, end = selectors.DefaultSelector(), 0, time.monotonic() + seconds
    socks = [socket.create_connection(("127.0.0.1", port)) for _ in range(CONNECTIONS)]
    waiting = dict.fromkeys(socks, 0)
    for sock in socks:
        selector.register(sock, selectors.EVENT_READ)
        sock.sendall(asked)
    while time.monotonic() < end:
        for key, _ in selector.select(0.1):
            sock = key.fileobj
            assert isinstance(sock, socket.socket)
            waiting[sock] += len(sock.recv(262144))
            if waiting[sock] >= size:
                waiting[sock] -= size
                answers += batch
                sock.sendall(asked)
    for sock in socks:
        sock.close()
    selector.close()
    return answers


def _answer_size(port: int, path: str, headers: dict[str, str]) -> int:
    """The length of a kept-alive answer, by its Content-Length."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as sock:
        sock.sendall(request_bytes(path, headers, port))
        data = b""
        while b"\r\n\r\n" not in data:
            data += sock.recv(65536)
    head = data.split(b"\r\n\r\n")[0]
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    if not length:
        raise RuntimeError(f"no Content-Length in {head!r}")
    return len(head) + 4 + int(length[1])
