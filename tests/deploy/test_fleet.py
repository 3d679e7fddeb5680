"""Tornado 4.5.3, tornado4 and Tornado 6.6.1 behind nginx, with the configuration file of the examples."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from machine import DEPLOY, Machine
from serving import Peer, Served

from compat_tests.fleet.sides import NAMES, Browser, three
from compat_tests.side import ServerSide

pytestmark = pytest.mark.deploy

CONF = (DEPLOY / "nginx/fleet.conf").read_text()
#: What the file calls the sides.
KINDS = dict(zip(("old", "tornado4", "six"), NAMES, strict=True))


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


@pytest.fixture
def sides() -> Iterator[dict[str, ServerSide]]:
    with three() as running:
        yield running


def conf(machine: Machine, sides: dict[str, ServerSide], sticky: bool = True) -> str:
    text = machine.adapted(CONF)
    for port, name in zip(("9001", "9002", "9003"), NAMES, strict=True):
        assert text.count(f"127.0.0.1:{port}") >= 2
        text = text.replace(f"127.0.0.1:{port}", f"127.0.0.1:{sides[name].port}")
    if not sticky:
        text = text.replace("http://fleet_$fleet;", "http://fleet_any;")
    return text


def everything(browser: Browser, port: int) -> set[str]:
    """A visit: whether all that a session consists of goes on, whoever answers; those who did."""
    seen = set()

    def ask(path: str, body: str | None = None) -> str:
        seen.add(browser.ask(port, "/xsrf2/side")[2])
        status, _, text = browser.ask(port, path, body)
        assert status == 200, (path, status)
        return text

    token = ask("/xsrf2/form")
    assert ask("/xsrf2/form", f"_xsrf={quote(token)}") == "taken"
    assert browser.read(port, "xsrf2")["who"] == "jane"
    assert ask("/packed/private") == "jane"
    seen.add(greeting(browser, port))
    return seen


def greeting(browser: Browser, port: int) -> str:
    """Which side a WebSocket is on. It knows who is there, and has the subprotocol that was wanted."""
    peer = Peer(socket.create_connection(("127.0.0.1", port), source_address=(browser.address, 0)))
    origin = f"http://127.0.0.1:{port}"
    key = "dGhlIHNhbXBsZSBub25jZQ=="
    peer.sock.sendall(
        f"GET /xsrf2/socket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: chat.v1, chat.v2\r\n"
        f"Origin: {origin}\r\nCookie: {browser.cookie_header()}\r\n\r\n".encode()
    )
    status, headers, _ = peer.answer()
    assert (status, headers["sec-websocket-protocol"]) == (101, "chat.v1")
    side, who = json.loads(peer.frame()[1])
    peer.close()
    assert who == "jane"
    return str(side)


def until(condition: Callable[[], bool]) -> None:
    for _ in range(1000):
        if condition():
            return
    raise AssertionError("it never came so")


def test_not_sticky_every_side_takes_over_from_every_other(machine: Machine, sides: dict[str, ServerSide]) -> None:
    with machine.nginx(conf(machine, sides, sticky=False)):
        browser = Browser()
        browser.ask(machine.port, "/xsrf2/sign")
        seen: set[str] = set()
        for _ in range(12):
            seen |= everything(browser, machine.port)
        assert seen == set(NAMES)


def test_sticky_a_visitor_stays(machine: Machine, sides: dict[str, ServerSide]) -> None:
    with machine.nginx(conf(machine, sides)):
        met = set()
        for number in range(1, 60):
            browser = Browser(f"127.0.1.{number}")
            browser.ask(machine.port, "/xsrf2/sign")
            kind = browser.cookies["fleet"]
            met.add(kind)
            # From another address, too: it is the cookie that counts.
            browser.address = f"127.0.2.{number}"
            assert everything(browser, machine.port) == {KINDS[kind]}
            if met == set(KINDS):
                return
        raise AssertionError(f"only {met} of 59 addresses")


def test_a_visitor_whose_side_has_died_is_still_signed_in(machine: Machine, sides: dict[str, ServerSide]) -> None:
    with machine.nginx(conf(machine, sides)):
        browser = Browser(fleet="six")
        browser.ask(machine.port, "/xsrf2/sign")
        assert everything(browser, machine.port) == {"6.6.1"}
        sides["6.6.1"].close()
        assert everything(browser, machine.port) == {"tornado4"}


def test_the_way_back(machine: Machine, sides: dict[str, ServerSide]) -> None:
    """Nobody is sent to a side any more, by a line and a reload; those who were on it go on where they are sent."""
    text = conf(machine, sides)
    with machine.nginx(text) as nginx:
        browsers = [Browser(fleet=kind) for kind in ("six", "tornado4")]
        for browser, name in zip(browsers, ("6.6.1", "tornado4"), strict=True):
            browser.ask(machine.port, "/xsrf2/sign")
            assert everything(browser, machine.port) == {name}
        file = machine.root / "nginx.conf"
        assert file.read_text().count("six         six;") == 1
        file.write_text(
            file.read_text()
            .replace("six         six;", "six         old;")
            .replace("tornado4    tornado4;", "tornado4    old;")
        )
        asked: list[int] = []
        over = threading.Event()

        def ask() -> None:
            while not over.is_set():
                asked.append(Browser(fleet="six").ask(machine.port, "/xsrf2/side")[0])

        thread = threading.Thread(target=ask)
        thread.start()
        reload(nginx)
        until(lambda: browsers[0].ask(machine.port, "/xsrf2/side")[2] == "4.5.3")
        for browser in browsers:
            assert everything(browser, machine.port) == {"4.5.3"}
            assert browser.cookies["fleet"] == "old"
        over.set()
        thread.join()
        assert len(asked) > 1 and set(asked) == {200}  # whoever asked meanwhile


def reload(nginx: Served) -> None:
    """As ``nginx -s reload``: the former worker process goes on with what it has, and accepts no more."""
    os.kill(nginx.process.pid, signal.SIGHUP)
    nginx.wait_for("start worker process ")
    nginx.wait_for("gracefully shutting down")
