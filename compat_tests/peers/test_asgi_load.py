"""Bodies of a gigabyte in flat memory, each way, and a thousand WebSockets: under uvicorn, and in ASGIContainer."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from compat_tests import load
from compat_tests.oracle import TOP
from compat_tests.peers.programs import free_port

pytestmark = pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="memory is told by Linux")

UVICORN = "uvicorn compat_tests.peers.asgi_apps:everything_asgi --log-level warning --port {port}"
SERVERS = {
    "adapter": UVICORN,
    "adapter on uvloop": UVICORN + " --loop uvloop",
    "container": "compat_tests.peers.bodies_app {port}",
    "container on uvloop": "compat_tests.peers.bodies_app {port} uvloop",
}


@contextlib.contextmanager
def serving(name: str) -> Iterator[tuple[int, int]]:
    """(port, process id)"""
    port = free_port()
    words = SERVERS[name].format(port=port).split()
    if importlib.util.find_spec(words[0]) is None:
        pytest.skip(f"{words[0]} is not installed")
    env = {**os.environ, "PYTHONPATH": str(TOP)}
    process = subprocess.Popen([sys.executable, "-m", *words], env=env, stdout=subprocess.DEVNULL)
    try:
        while True:
            with contextlib.suppress(OSError):
                load.download(port, "/counts")
                break
            assert process.poll() is None
            time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait(120)


def check_bodies(name: str, size: int) -> None:
    with serving(name) as (port, pid):
        load.download(port, "/large?pieces=20")
        load.upload(port, "/upload", 1_000_000)
        load.forget_peak(pid)
        before = load.resident(pid)
        assert load.download(port, f"/large?pieces={size // 50_000}") > size
        assert str(size).encode() in load.upload(port, "/upload", size)
        load.stalled(port, f"/large?pieces={size // 50_000}")
        assert load.resident(pid) - before < load.ALLOWED


def check_sockets(name: str, count: int) -> None:
    with serving(name) as (port, _):
        adapter = name.startswith("adapter")
        asyncio.run(load.sockets(port, "/socket", count, greets=adapter))
        told = f"'open': {count}, 'closed': {count}".encode()
        while not adapter and told not in load.answer(port, "/counts"):
            pass  # the last ends are on their way
        assert load.answer(port, "/none" if adapter else "/counts").startswith(b"HTTP/1.1 ")


@pytest.mark.parametrize("name", ["adapter", "container"])
def test_bodies_pass_through_in_flat_memory(name: str) -> None:
    check_bodies(name, 200_000_000)


@pytest.mark.parametrize("name", ["adapter", "container"])
def test_a_hundred_websockets(name: str) -> None:
    check_sockets(name, 100)


@pytest.mark.asgi_servers
@pytest.mark.parametrize("name", SERVERS)
def test_a_gigabyte(name: str) -> None:
    check_bodies(name, 1_000_000_000)


@pytest.mark.asgi_servers
@pytest.mark.parametrize("name", SERVERS)
def test_a_thousand_websockets(name: str) -> None:
    check_sockets(name, 1000)
