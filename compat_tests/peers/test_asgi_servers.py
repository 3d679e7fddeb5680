"""Programs written for Tornado 4 under uvicorn, hypercorn, granian and daphne, by ``tornado4 diff`` against our server.

What differs is the server's doing, and has a name in ``RULES``; `docs/asgi.md` has the same table.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from compat_tests.oracle import TOP, OracleUnavailable, sdist
from compat_tests.test_bridge import installed

RECORDED = Path(__file__).with_name("recorded")
APPS = "compat_tests.peers.asgi_apps"
#: With the real Tornado 6 beside: no alias there.
MOVED = "compat_tests.peers.moved_app"
SERVERS = {
    "uvicorn": "uvicorn {app} --port {{port}} --log-level warning",
    "uvicorn on uvloop": "uvicorn {app} --port {{port}} --log-level warning --loop uvloop",
    "hypercorn": "hypercorn --bind 127.0.0.1:{{port}} {app}",
    "granian": "granian --interface asgi --host 127.0.0.1 --port {{port}} {app}",
    "daphne": "daphne -b 127.0.0.1 -p {{port}} {app}",
}

Found = dict[str, str]


def header(*names: str) -> Callable[[Found], bool]:
    return lambda one: one["kind"] == "header" and one["where"].lower() in names


def kind(name: str, old: str | None = None, new: str | None = None) -> Callable[[Found], bool]:
    return lambda one: one["kind"] == name and old in (None, one["old"]) and new in (None, one["new"])


def aborted(one: Found) -> bool:
    return one["kind"] == "status" and not one["old"] and one["new"].startswith("HTTP/1.1 500")


def compressed(one: Found) -> bool:
    return one["where"].endswith(" compressed") or header("sec-websocket-extensions")(one)


def close_answer(one: Found) -> bool:
    return one["kind"] == "close code" or (one["kind"], one["old"]) == ("websocket frame", "close 4000 ")


def bare(one: Found) -> bool:
    refused = ("Cross origin websockets not allowed", "35", "text/html; charset=UTF-8", "length")
    return one["kind"] in ("body", "header", "framing") and one["old"] in refused and one["new"] in ("", "close")


def without_reason(one: Found) -> bool:
    return one["kind"] == "websocket frame" and one["new"] == "close 4001 " and one["old"].startswith(one["new"])


EVERY = ("uvicorn", "hypercorn", "granian", "daphne")
#: What the servers do by themselves: a name, which of them, what it means, which differences that are.
RULES: list[tuple[str, tuple[str, ...], str, Callable[[Found], bool]]] = [
    ("own-headers", EVERY, "`Server` and `Date` are the server's; daphne sends no date", header("server", "date")),
    ("header-case", EVERY, "names of headers in small letters, or in a spelling of its own", kind("header case")),
    ("header-order", EVERY, "its own headers before ours, or behind", kind("header order")),
    ("reason", EVERY, "the phrase behind the status, of which ASGI knows nothing", kind("reason")),
    ("handshake", EVERY, "how it spells `Upgrade` and `Connection` of a WebSocket", header("upgrade", "connection")),
    ("kept-open", EVERY, "when a connection is closed", kind("connection")),
    ("aborted", EVERY, "an exception in `data_received` is a 500, where our server hangs up", aborted),
    ("compression", EVERY, "whether messages of a WebSocket are compressed, and how that is agreed on", compressed),
    ("close-answer", EVERY, "what a client's close frame is answered: its code and reason, or 1000", close_answer),
    ("refusal", ("granian",), "a refused handshake has a `Sec-WebSocket-Accept`", header("sec-websocket-accept")),
    ("bare-refusal", ("daphne",), "a refused handshake is a 403 of its own, without body", bare),
    ("no-close-reason", ("daphne",), "a close frame has no reason", without_reason),
]


@pytest.fixture(scope="module")
def demos() -> Path:
    try:
        return sdist() / "demos"
    except OracleUnavailable as error:
        pytest.skip(f"the demos cannot be had here: {error}")


def differences(server: str, app: str, demos: Path, folder: Path) -> list[tuple[str, Found]]:
    """(the step's name, a difference that no rule of ``tornado4 diff`` explains), of a whole run."""
    python = sys.executable
    recorded = [f"--{path.suffix[1:]}={path}" for path in sorted(RECORDED.glob(f"{app}[.-]*"))]
    module = MOVED if app == "moved" else APPS
    command = SERVERS[server].format(app=f"{module}:{app}_asgi")
    path = str(installed().path) if app == "moved" else str(TOP)
    done = subprocess.run(
        [python, "-m", "tornado4", "diff", "--old", f"{python} -m {module} {app} {{port}}",
         "--new", f"{python} -m {command}", "--unsafe", "--json", str(folder / "report.json"), *recorded],
        env={**os.environ, "PYTHONPATH": path, "TORNADO4_DEMOS": str(demos)},
        capture_output=True, text=True, timeout=300, cwd=folder,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stdout + done.stderr
    report = json.loads((folder / "report.json").read_text())
    assert report["counts"]["untested"] == 0 and len(report["verdicts"]) > 1
    return [(v["step"]["name"], d) for v in report["verdicts"] for d in v["differences"] if not d["rule"]]


def unexplained(server: str, found: list[tuple[str, Found]]) -> list[Any]:
    rules = [explains for _, servers, _, explains in RULES if server.partition(" ")[0] in servers]
    return [(step, one) for step, one in found if not any(explains(one) for explains in rules)]


def markdown() -> str:
    """The table of docs/asgi.md."""
    rows = [f"| `{name}` | {'all' if servers == EVERY else servers[0]} | {text} |" for name, servers, text, _ in RULES]
    return "\n".join(["| | server | what |", "|---|---|---|", *rows])


def test_the_documentation_has_the_table() -> None:
    assert markdown() in (TOP / "docs" / "asgi.md").read_text("utf-8")


def check(server: str, app: str, demos: Path, folder: Path) -> None:
    for module in server.split(" on "):
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")
    assert unexplained(server, differences(server, app, demos, folder)) == []


@pytest.mark.parametrize(
    ("server", "app"),
    [("uvicorn", "everything"), ("uvicorn", "moved"), ("hypercorn", "chat"), ("daphne", "sockets")],
)
def test_it_answers_what_our_server_answers(server: str, app: str, demos: Path, tmp_path: Path) -> None:
    check(server, app, demos, tmp_path)


@pytest.mark.asgi_servers
@pytest.mark.parametrize("app", ["chat", "hello", "polling", "sockets", "upload", "everything", "moved"])
@pytest.mark.parametrize("server", SERVERS)
def test_each_of_them_on_each_program(server: str, app: str, demos: Path, tmp_path: Path) -> None:
    check(server, app, demos, tmp_path)
