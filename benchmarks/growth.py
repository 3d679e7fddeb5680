"""``--growth``: a hundred times as much of something, and what each one of it costs then.

CPU a unit, and memory, at 1x, 10x and 100x: requests in a row, bytes of a body, open connections, open WebSockets.
"""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterator

from benchmarks.environments import Peer
from benchmarks.load import Exchange, Load, load, messages, request
from benchmarks.points import make_files
from benchmarks.processes import Server, serving

TIMES = (1, 10, 100)
Row = tuple[str, list[float], list[float]]
Measure = Callable[[Server, int], tuple[float, float]]


def growth(peer: Peer, rounds: int) -> Iterator[Row]:
    """(what and its unit, CPU µs a unit, KiB of memory that the server has gained) at each size: medians."""
    make_files()
    hello, message = Exchange(request("/")), messages(16, 1)
    measures: dict[str, Measure] = {
        "requests, from 2,000": lambda server, times: many(server, hello, 4, 2000 * times, 2000 * times),
        "uploaded KiB, from 256": lambda server, times: upload(server, 256 * times),
        "connections, from 20": lambda server, times: many(server, hello, 20 * times, 8000, 8000),
        "WebSockets, from 20": lambda server, times: many(server, message, 20 * times, 16000, 16000),
    }
    for what, measure in measures.items():
        found = [[once(peer, measure, times) for times in TIMES] for _ in range(rounds)]
        at_each = list(zip(*found, strict=True))
        cpu = [statistics.median(spent for spent, _ in size) for size in at_each]
        yield what, cpu, [statistics.median(memory for _, memory in size) for size in at_each]


def once(peer: Peer, measure: Measure, times: int) -> tuple[float, float]:
    """On a fresh server, after a few requests."""
    with serving(peer) as server:
        with load(server.port, Exchange(request("/"))) as some:
            some.run(0.2)
        return measure(server, times)


def many(server: Server, exchange: Exchange, connections: int, units: int, per: int) -> tuple[float, float]:
    memory = server.memory()
    with load(server.port, exchange, connections) as some:
        return cost(server, some, units, per), server.memory() - memory


def upload(server: Server, kib: int) -> tuple[float, float]:
    memory, rounds = server.memory(), max(4, 102400 // kib)
    with load(server.port, Exchange(request("/upload", method="POST", body=b"x" * kib * 1024)), 1) as some:
        return cost(server, some, rounds, rounds * kib), server.memory() - memory


def cost(server: Server, some: Load, units: int, per: int) -> float:
    """CPU µs for each of ``per``, of which ``units`` exchanges are made."""
    some.run(units=max(len(some.socks), units // 10))
    before = server.cpu()
    done = some.run(units=units)
    return (server.cpu() - before) * 1e6 / (per * done / units)
