"""The benchmark program: what it makes of figures, and that its page shows what its files say."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from programs import ROOT, environment

sys.path.insert(0, str(ROOT))

from benchmarks import chart, check
from benchmarks.environments import OURS, PEERS, RAW_ASYNCIO
from benchmarks.load import Exchange, messages, request
from benchmarks.points import POINTS
from benchmarks.results import Results, by_python, ratio, table
from benchmarks.serve_load import Server

BASE = "tornado4 abc"


def results(**points: dict[str, list[float]]) -> Results:
    return Results("a run", dict.fromkeys(points, "µs"), points)


def test_a_ratio_is_of_pairs_and_knows_its_noise() -> None:
    """The second round is twice as slow for both: that is no noise."""
    steady = ratio([10, 20, 10], [5, 10, 5])
    assert (steady.value, steady.noise) == (2, 1)
    noisy = ratio([10, 20, 10], [5, 5, 10])
    assert noisy.value == 2 and noisy.noise > 2
    assert ratio([10], [5]).noise == float("inf")


@pytest.mark.parametrize(
    ("ours", "base", "raw", "known", "worse"),
    [
        ([10, 10.1, 10], [10, 10, 10.1], [5, 5, 5], 2.0, False),  # as it was
        ([12, 12.1, 12], [10, 10, 10.1], [5, 5, 5], 2.0, True),
        ([12, 12.1, 12], [10, 10, 10.1], [5, 5, 5], 2.5, False),  # the tree allows for it
        ([12, 12.1, 12], [10, 10, 10.1], [6, 6, 6], 2.1, False),  # the machine is slower, for raw asyncio as well
        ([10, 10.1, 10], [10, 10, 10.1], [4, 4, 4], 2.0, False),  # raw asyncio alone is quicker today
        ([12, 8, 16], [10, 10, 10], [5, 5, 5], 2.0, False),  # nothing can be said
        ([12, 12.1, 12], [10, 10, 10.1], None, None, True),  # no raw one: the base commit alone
        ([9, 9.1, 9], [10, 10, 10.1], None, None, False),
    ],
)
def test_the_check_wants_two_witnesses(
    ours: list[float], base: list[float], raw: list[float] | None, known: float | None, worse: bool
) -> None:
    figures = {OURS: ours, BASE: base} | ({RAW_ASYNCIO: raw} if raw else {})
    lines, found = check.failures(results(hello=figures), BASE, {"hello": known} if known else {})
    assert found == (["hello"] if worse else [])
    assert lines[0].startswith("WORSE") is worse


def test_ratios_are_recorded_for_this_python_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "RATIOS", tmp_path / "ratios.json")
    (tmp_path / "ratios.json").write_text('{"2.7": {"hello": 9}}')
    check.record(results(hello={OURS: [4, 6], RAW_ASYNCIO: [2, 3]}, template={OURS: [1, 1]}))
    assert check.load() == {"hello": 2.0}
    assert '"hello": 9' in (tmp_path / "ratios.json").read_text()


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    kept = results(hello={OURS: [1.23456, 2], "Tornado 6": [3, 4]})
    kept.save(tmp_path / "kept.json")
    back = Results.load(tmp_path / "kept.json")
    assert back.points == {"hello": {OURS: [1.235, 2], "Tornado 6": [3, 4]}}
    assert back.peers() == [OURS, "Tornado 6"] and back.median("hello", "aiohttp") is None


def test_tables() -> None:
    run = results(hello={OURS: [2, 4, 3], "Tornado 6": [9, 12, 10]}, template={OURS: [123.4]})
    assert table(run, [OURS, "Tornado 6"], ["hello", "template"], markdown=True) == [
        "| median of the rounds | unit | tornado4 | Tornado 6 |",
        "|----------------------|-----:|---------:|----------:|",
        "| hello                |   µs |        3 |        10 |",
        "| template             |   µs |      123 |         - |",
    ]
    assert table(run, [OURS, "Tornado 6"], ["hello"], markdown=False, ratios=True) == [
        "times tornado4's  Tornado 6",
        "hello                  3.33",
    ]


def test_points_and_peers_know_each_other() -> None:
    names = [point.name for point in POINTS]
    assert len(names) == len(set(names))
    assert {point for peer in PEERS for point in peer.points} <= set(names)


def test_what_is_sent() -> None:
    assert request("/a", {"B": "c"}) == b"GET /a HTTP/1.1\r\nHost: 127.0.0.1\r\nB: c\r\n\r\n"
    assert request("/a", method="POST", body=b"xy").endswith(b"Content-Length: 2\r\n\r\nxy")
    two = messages(4, 2)
    assert two == Exchange(b"\x82\x84\1\2\3\4abcd" * 2, 12, 2, two.opening)
    assert messages(65536, 1).answer == 10 + 65536


def test_the_page_has_the_figures_of_its_run_and_the_chart_is_drawn_from_them() -> None:
    folder = ROOT / "benchmarks"
    runs = {version: Results.load(folder / f"results-{version}.json") for version in ("3.11", "3.12", "3.13")}
    run = runs["3.13"]
    page = (folder / "README.md").read_text("utf-8")
    names = [point.name for point in POINTS]
    for own in (False, True):
        points = [point for point in run.points if (point not in names) is own]
        peers = [peer for peer in run.peers() if any(peer in run.points[point] for point in points)]
        assert "\n".join(table(run, peers, points, markdown=True)) in page
        assert "\n".join(table(run, peers, points, markdown=True, ratios=True)) in page
    assert run.title in page
    assert "\n".join(by_python(runs, OURS, ["Tornado 4.5.3", "Tornado 6", RAW_ASYNCIO])) in page
    drawn = (folder / "chart.svg").read_text("utf-8")
    assert drawn == chart.draw(run), "run: python -m benchmarks.chart > benchmarks/chart.svg"


def test_the_command_names_what_there_is() -> None:
    command = [sys.executable, "-m", "benchmarks", "--only", "helo"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 1 and "no point ['helo']; there are: 1,000 rules, the last, " in done.stderr


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processor time is read from /proc")
def test_it_measures() -> None:
    """One figure each of what needs nothing installed: an HTTP server, a WebSocket, a TCP server, a client, memory."""
    points = ["upload 1 MiB", "WebSocket 16 B, 16 in flight", "TCP line", "fetch 12 B", "start"]
    command = [sys.executable, "-m", "benchmarks", "--rounds", "1", "--seconds", "0.01", "--only", *points]
    command += ["--peers", OURS, RAW_ASYNCIO]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and "left out" not in done.stderr, done.stderr
    lines = done.stdout.partition("times tornado4's")[0].splitlines()
    for point in points:
        (line,) = [line for line in lines if line.startswith(point)]
        assert all(float(figure) > 0 for figure in line.removeprefix(point).split()[1:])


@pytest.mark.source_tree
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="processor time is read from /proc")
def test_the_cost_of_asgi_is_measured() -> None:
    pytest.importorskip("uvicorn", reason="uvicorn, of the dependency group peers, is not installed")
    command = [sys.executable, "-m", "benchmarks.asgi", "--only", "adapter", "--rounds", "1", "--seconds", "0.01"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("our application under uvicorn, over a bare ASGI function there: "), done.stdout


def test_what_a_drain_takes_is_read_from_the_log() -> None:
    server = object.__new__(Server)
    server.log = [
        (1.0, "worker 0 (pid 10) ready"), (1.1, "worker 1 (pid 11) ready"), (5.0, "worker 0 (pid 12) ready"),
        (5.2, "worker 0 (pid 10) has left"), (5.4, "worker 1 (pid 13) ready"), (6.4, "worker 1 (pid 11) has left"),
    ]  # fmt: skip
    assert server.drains() == pytest.approx([0.2, 1.0])
    server.log = [(1.0, "ready (pid 10)"), (2.0, "draining, for 30 seconds at most"), (2.5, "restarting")]
    assert server.drains() == pytest.approx([0.5])
