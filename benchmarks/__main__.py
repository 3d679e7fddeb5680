"""Measure tornado4 beside its peers: processor time, in turns, on one core, in one table.

    python -m benchmarks [--only POINT ...] [--peers PEER ...]   figures and ratios; --markdown for a page
    python -m benchmarks --against COMMIT                        another commit of this repository as one more peer
    python -m benchmarks --check [COMMIT]                        exit code 1 when a point is worse than at COMMIT (HEAD)
    python -m benchmarks --growth                                1x, 10x, 100x of requests, bytes, connections

Each peer serves the same points from an environment of its own (made once, below .cache/bench). Every answer is
checked once before it is timed. In each round all peers have their turn at a point, one directly after the other;
servers have a core of their own where there are two. The figures are CPU time of the measured process, medians of the
rounds. Only figures of one run compare with each other. --save FILE keeps all of them; benchmarks/chart.py draws them.
"""

from __future__ import annotations

import argparse
import platform
import subprocess
import sys
from pathlib import Path

from benchmarks import check
from benchmarks.environments import OURS, PEERS, RAW_ASYNCIO, Peer, PeerUnavailable, commit
from benchmarks.growth import TIMES, growth
from benchmarks.load import WRK, leave_the_last_core
from benchmarks.points import POINTS, Bench, Point, micro
from benchmarks.results import Results, table

MICRO = "micro"


def log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def measure(points: list[Point], peers: list[Peer], rounds: int, seconds: float, with_micro: bool) -> Results:
    """All points of all peers, in turns. A peer that cannot do something is told once and left out there."""
    results = Results()
    lacking: set[tuple[str, str]] = set()
    bench = Bench(seconds)
    try:
        for number in range(rounds):
            for point in points:
                log(f"round {number + 1} of {rounds}: {point.name}")
                for peer in peers:
                    if not point.fits(peer) or (peer.name, point.name) in lacking:
                        continue
                    try:
                        results.add(point.name, point.unit, peer.name, point.measure(bench, peer))
                    except (PeerUnavailable, OSError, RuntimeError) as error:
                        lacking.add((peer.name, point.name))
                        results.points.get(point.name, {}).pop(peer.name, None)
                        log(f"left out at {point.name!r}: {peer.name}: {error}")
            for peer in filter(lambda peer: with_micro and peer.micro, peers):
                log(f"round {number + 1} of {rounds}: {MICRO}, {peer.name}")
                for operation, spent in micro(peer):
                    results.add(operation, "µs", peer.name, spent)
    finally:
        bench.close()
    return results


def choose(options: argparse.Namespace) -> tuple[list[Point], list[Peer], str]:
    """What is to be measured; and the name of the base commit's peer, if one is wanted."""
    names = {point.name for point in POINTS} | {MICRO}
    unknown = set(options.only or ()) - names
    if unknown:
        sys.exit(f"no point {sorted(unknown)}; there are: {', '.join(sorted(names))}")
    points = [point for point in POINTS if not options.only or point.name in options.only]
    known = {peer.name: peer for peer in PEERS}
    wanted = options.peers or ([OURS, RAW_ASYNCIO] if options.check else list(known))
    if not set(wanted) <= known.keys():
        sys.exit(f"no peer {sorted(set(wanted) - known.keys())}; there are: {', '.join(known)}")
    peers, base = [known[name] for name in wanted], ""
    if options.check or options.against:
        earlier = commit(options.check or options.against)
        peers.insert(1, earlier)
        base = earlier.name
    return points, peers, base


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seconds", type=float, default=0.7, help="of load for each figure (default: %(default)s)")
    parser.add_argument("--rounds", type=int, help="default: 5; for --check 11, for --growth 3")
    parser.add_argument("--only", nargs="+", metavar="POINT", help=f"names of points; {MICRO!r} for all of micro.py")
    parser.add_argument("--peers", nargs="+", metavar="PEER")
    parser.add_argument("--against", metavar="COMMIT")
    parser.add_argument("--check", nargs="?", const="HEAD", metavar="COMMIT")
    parser.add_argument("--record", action="store_true", help="write the ratios to raw asyncio into ratios.json")
    parser.add_argument("--growth", action="store_true")
    parser.add_argument("--markdown", action="store_true")
    parser.add_argument("--save", type=Path, metavar="FILE", help="keep the figures of all rounds")
    parser.add_argument("--show", type=Path, metavar="FILE", help="print what was kept, and measure nothing")
    options = parser.parse_args()
    if options.show:
        print_results(Results.load(options.show), options.markdown)
        return 0
    leave_the_last_core()
    if options.growth:
        wanted = options.peers or (OURS, RAW_ASYNCIO)
        print_growth([peer for peer in PEERS if peer.name in wanted], options.rounds or 3)
        return 0
    points, peers, base = choose(options)
    rounds = options.rounds or (11 if options.check else 5)
    results = measure(points, peers, rounds, options.seconds, not options.only or MICRO in options.only)
    results.title = (f"Python {platform.python_version()}, {platform.system()}, "
                     f"{'wrk' if WRK else 'own client'}, {rounds} rounds")  # fmt: skip
    if options.save:
        results.save(options.save)
    if options.record:
        check.record(results)
    if options.check:
        lines, worse = check.failures(results, base, check.load())
        print("\n".join(lines))
        return 1 if worse else 0
    print_results(results, options.markdown)
    return 0


def print_results(results: Results, markdown: bool) -> None:
    print(results.title, "\n")
    for ratios in (False, True):
        for own in (False, True):
            names = [point.name for point in POINTS]
            points = [point for point in results.points if (point not in names) is own]
            peers = [peer for peer in results.peers() if any(peer in results.points[point] for point in points)]
            if points and len(peers) > ratios:
                print("\n".join(table(results, peers, points, markdown, ratios)), "\n")


def print_growth(peers: list[Peer], rounds: int) -> None:
    print("| CPU, µs each (memory gained, KiB) | |", *(f"{times}x |" for times in TIMES), "100x : 1x |")
    print("|---|---|" + "---:|" * (len(TIMES) + 1))
    for peer in peers:
        for what, cpu, memory in growth(peer, rounds):
            cells = [f"{spent:.3g} ({kib:.0f})" for spent, kib in zip(cpu, memory, strict=True)]
            cells.append(f"{cpu[-1] / cpu[0]:.2f}")
            print(f"| {what} | {peer.name} |", *(f"{cell} |" for cell in cells), flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main())
    except (KeyboardInterrupt, subprocess.TimeoutExpired) as error:
        sys.exit(f"stopped: {error!r}")
