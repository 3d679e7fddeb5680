"""Measure tornado4 beside its peers: server CPU per request, interleaved, one core, one table.

    python -m benchmarks [--seconds 2] [--rounds 3] [--only hello ...] [--peers tornado4 ...] [--markdown]

Each peer serves the same cases from an environment of its own (made once, below .cache/bench). Every answer is
checked once before it is timed. The server has a core of its own where there are two. CPU time per request is the
figure, and the best of the rounds: what else the machine does only ever adds to it. The last column says how many
times tornado4's cost 4.5.3 takes.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from benchmarks.environments import PEERS, Peer, PeerUnavailable, start
from benchmarks.load import BROWSER_HEADERS, WRK, drive, fetch

IDLE_CONNECTIONS = 500


@dataclass(frozen=True)
class Case:
    name: str
    path: str
    expect: bytes
    headers: dict[str, str] = field(default_factory=dict)
    pipelined: bool = False
    args: tuple[str, ...] = ()


CASES = [
    Case("hello", "/", b"Hello, world"),
    Case("hello, access log", "/", b"Hello, world", args=("--log",)),
    Case("browser", "/browser?page=3&tag=a&tag=b&empty=", b'"tags": ["a", "b"]', BROWSER_HEADERS),
    Case("coroutine", "/coroutine", b"Hello, world"),
    Case("async def", "/native", b"Hello, world"),
    Case("template", "/template", b"&lt;19&gt;"),
    Case("static 1 KB", "/static/1k.txt", b"0123456789abcdef"),
    Case("pipelined", "/", b"Hello, world", pipelined=True),
]


@contextlib.contextmanager
def serving(peer: Peer, *args: str) -> Iterator[tuple[int, int]]:
    """(pid, port) of a running server."""
    process = start(peer, *args)
    assert process.stdout is not None
    try:
        line = process.stdout.readline()
        if not line.startswith("PORT "):
            raise PeerUnavailable(f"{peer.name}: did not start")
        if hasattr(os, "sched_setaffinity") and len(cores := sorted(os.sched_getaffinity(0))) > 1:
            os.sched_setaffinity(process.pid, {cores[-1]})
        yield process.pid, int(line.split()[1])
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()


def cpu_seconds(pid: int) -> float:
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_kib(pid: int) -> int:
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 1024


def measure(peer: Peer, case: Case, seconds: float) -> float:
    """Microseconds of server CPU a request."""
    with serving(peer, *case.args) as (pid, port):
        answer = fetch(port, case.path, case.headers)
        if not answer.startswith(b"HTTP/1.1 200") or (case.expect not in answer and
                                                      case.expect.replace(b" ", b"") not in answer.replace(b" ", b"")):
            raise RuntimeError(f"{peer.name}, {case.name}: {answer[:300]!r}")
        drive(port, case.path, case.headers, 1, case.pipelined)
        before = cpu_seconds(pid)
        answers = drive(port, case.path, case.headers, seconds, case.pipelined)
        return (cpu_seconds(pid) - before) * 1e6 / answers


def idle_memory(peer: Peer) -> float:
    """KiB of resident memory that one idle, kept-alive connection costs after a request."""
    with serving(peer) as (pid, port), contextlib.ExitStack() as stack:
        fetch(port, "/", {})
        before = rss_kib(pid)
        for _ in range(IDLE_CONNECTIONS):
            sock = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
            sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            sock.recv(4096)
        return (rss_kib(pid) - before) / IDLE_CONNECTIONS


def micro(peer: Peer) -> dict[str, float]:
    process = start(peer, program="micro.py")
    out, _ = process.communicate(timeout=300)
    return json.loads(out) if process.returncode == 0 else {}


def table(title: str, unit: str, rows: dict[str, dict[str, float]], names: list[str], markdown: bool) -> None:
    bar = " | " if markdown else "  "
    heads = [f"{title} ({unit})", *names, "4.5.3 : tornado4"]
    lines = [heads]
    for case, figures in rows.items():
        cells = [case, *(f"{figures[n]:.1f}" if n in figures else "-" for n in names)]
        ours, theirs = figures.get("tornado4"), figures.get("tornado 4.5.3")
        lines.append([*cells, f"{theirs / ours:.1f}" if ours and theirs else "-"])
    widths = [max(len(line[i]) for line in lines) for i in range(len(heads))]
    edge = "|" if markdown else ""
    for number, line in enumerate(lines):
        print(f"{edge} " * bool(edge) + bar.join(c.ljust(w) for c, w in zip(line, widths, strict=True)) + f" {edge}")
        if markdown and number == 0:
            print("|" + "|".join("-" * (w + 2) for w in widths) + "|")
    print()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", nargs="*", help="cases, 'idle memory', 'micro'")
    parser.add_argument("--peers", nargs="*")
    parser.add_argument("--markdown", action="store_true")
    options = parser.parse_args()
    chosen = [p for p in PEERS if not options.peers or p.name in options.peers]
    peers = []
    for peer in chosen:
        try:
            with serving(peer):
                peers.append(peer)
        except PeerUnavailable as e:
            print(f"left out: {e}", file=sys.stderr)
    names = [p.name for p in peers]
    print(f"Python {platform.python_version()}, {'wrk' if WRK else 'own client'}, 32 connections, "
          f"best of {options.rounds} rounds of {options.seconds:g} s\n")

    def wanted(name: str) -> bool:
        return not options.only or name in options.only

    rows: dict[str, dict[str, float]] = {}
    for case in filter(lambda c: wanted(c.name), CASES):
        found: dict[str, list[float]] = {}
        for _ in range(options.rounds):
            for peer in peers:
                if peer.serves(case.name) or (peer.micro and case.args):
                    found.setdefault(peer.name, []).append(measure(peer, case, options.seconds))
        rows[case.name] = {name: min(values) for name, values in found.items()}
        print(f"  {case.name}: {rows[case.name]}", file=sys.stderr, flush=True)
    if rows:
        table("server CPU", "µs a request", rows, names, options.markdown)
    if wanted("idle memory"):
        memory = {p.name: idle_memory(p) for p in peers if p.serves("idle memory")}
        table("memory", "KiB an idle connection", {"idle memory": memory}, names, options.markdown)
    if wanted("micro"):
        cells: dict[str, dict[str, float]] = {}
        for peer in peers:
            if peer.micro:
                for operation, spent in micro(peer).items():
                    cells.setdefault(operation, {})[peer.name] = spent
        table("gen and IOLoop", "µs an operation", cells, [p.name for p in peers if p.micro], options.markdown)


if __name__ == "__main__":
    try:
        main()
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as e:
        sys.exit(f"stopped: {e!r}")
