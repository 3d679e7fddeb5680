"""What tracing agents record of an application that runs under the alias: each span, below the right one, and ended.

``nox -s agents`` installs them; each test skips where its agent is missing.
"""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from compat_tests.peers.programs import environment

APPLICATION = Path(__file__).with_name("traced_app.py")

MODULES = {
    "opentelemetry": "opentelemetry.instrumentation.tornado",
    "ddtrace": "ddtrace",
    "elasticapm": "elasticapm",
}
#: What each calls a request's span, and whether it watches Tornado's HTTP client.
NAMES = {"opentelemetry": "GET /{}", "ddtrace": "GET /{}", "elasticapm": "GET {}"}
WATCHES_CLIENTS = frozenset(["opentelemetry"])


def installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:
        return False


AGENTS = [
    pytest.param(
        agent, marks=pytest.mark.skipif(not installed(module), reason=f"{agent} is not installed: nox -s agents")
    )
    for agent, module in MODULES.items()
]


def recorded(agent: str, *arguments: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "tornado4", "run", str(APPLICATION), agent, *arguments],
        env=environment(), capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "detach" not in done.stderr and "inconsistency" not in done.stderr, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def request(agent: str, handler: str, *below: Any, mark: str = "") -> list[Any]:
    name = NAMES[agent].format(handler if agent == "elasticapm" else handler.lower())
    return [name + mark, list(below)]


def asking(agent: str, handler: str) -> list[Any]:
    """The spans of a handler that asks another, within a span of its own."""
    asked = request(agent, "Plain", ["plain", []])
    if agent in WATCHES_CLIENTS:
        return [request(agent, handler, [handler.lower(), [["GET", [asked]]]])]
    return [request(agent, handler, [handler.lower(), []]), asked]


def expected(agent: str, handler: str) -> list[Any]:
    if handler in ("Plain", "Callback"):
        return [request(agent, handler, [handler.lower(), []])]
    if handler == "Prepared":
        return [request(agent, handler, ["prepare", []], ["get", []])]
    if handler == "Fails":
        return [request(agent, handler, mark="!")]
    return asking(agent, handler)


HANDLERS = ("Plain", "Coroutine", "Native", "Callback", "Engine", "Prepared", "Fails")


@pytest.mark.parametrize("agent", AGENTS)
def test_each_kind_of_handler(agent: str) -> None:
    for handler in HANDLERS:
        found = recorded(agent, "/" + handler.lower())
        assert found["statuses"] == [500 if handler == "Fails" else 200]
        assert found["spans"] == expected(agent, handler), handler


@pytest.mark.parametrize("agent", AGENTS)
def test_requests_at_the_same_time_do_not_mix(agent: str) -> None:
    handlers = ("Coroutine", "Native", "Prepared", "Engine", "Callback") * 4
    found = recorded(agent, "--together", *["/" + handler.lower() for handler in handlers])
    assert found["statuses"] == [200] * len(handlers)
    wanted = [span for handler in handlers for span in expected(agent, handler)]
    assert sorted(found["spans"]) == sorted(wanted)
