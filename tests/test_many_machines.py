"""examples/many_machines: that its files agree with `tornado4 serve`, and with each other.

``nox -s many_machines ray`` runs it: Redis, nginx, four processes; Ray Serve; the manifest held against its schema.
"""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
from programs import ROOT
from serving import Served, serve

from tornado4.serve import command, config, health

FOLDER = ROOT / "examples/many_machines"
MANIFEST = (FOLDER / "kubernetes.yaml").read_text("utf-8")


def served() -> config.Config:
    """The options of the manifest's container."""
    words = re.findall(r"^            - (\S+)", MANIFEST.partition("command:\n")[2].partition("env:")[0], re.MULTILINE)
    assert words[:2] == ["tornado4", "serve"]
    options = vars(command._parser().parse_args(words[2:]))
    return config.combine({key: options[key] for key in options if hasattr(config.Config(), key)}, None, "")


def number(pattern: str) -> int:
    (found,) = re.findall(pattern, MANIFEST)
    return int(found)


def test_kubernetes_waits_for_longer_than_the_drain_may_take() -> None:
    before = number(r'command: \["sleep", "(\d+)"\]')
    assert number(r"terminationGracePeriodSeconds: (\d+)") >= before + served().grace + 5


def test_the_probes_ask_where_the_server_answers() -> None:
    ports = dict(re.findall(r"- name: (\w+)\n +containerPort: (\d+)", MANIFEST))
    chosen = served()
    assert ports == {"http": str(chosen.port), "health": str(chosen.health)}
    assert chosen.host == chosen.health_host == "0.0.0.0"  # the kubelet comes from outside
    probes = re.findall(r"(\w+)Probe:.*\n +httpGet:\n +path: (\S+)\n +port: (\w+)", MANIFEST)
    assert {name for name, _, _ in probes} == {"startup", "readiness", "liveness"}
    for name, path, port in probes:
        status, _ = health.answer(path, {"ready": False})
        assert port == "health" and status == (200 if name == "liveness" else 503)


def test_nginx_and_the_script_know_the_same_sockets() -> None:
    sockets = re.findall(r"server unix:run/(\d)\.sock max_fails=0;", (FOLDER / "nginx.conf").read_text("utf-8"))
    (processes,) = re.findall(r"^PROCESSES = (\d)$", (FOLDER / "measure.py").read_text("utf-8"), re.MULTILINE)
    assert sockets == [str(number + 1) for number in range(int(processes))]


# As much of redis-py as the example uses, within the one process: it is about the example, not about Redis.
REDIS = {
    "__init__": "",
    "exceptions": "class RedisError(Exception): ...",
    "asyncio": """
import asyncio


class Stream:
    def __init__(self):
        self.entries, self.keys, self.news = [], {}, asyncio.Event()

    def register_script(self, source):
        return self.say

    async def say(self, keys, args):
        if keys[1] not in self.keys:
            self.entries.append((f"0-{len(self.entries) + 1}", dict(zip(args[2::2], args[3::2]))))
            self.keys[keys[1]] = len(self.entries)
            self.news.set()
        return self.keys[keys[1]]

    async def xread(self, streams, block):
        (last,) = streams.values()
        self.news.clear()
        if len(self.entries) == int(last[2:]):
            await self.news.wait()
        return [["chat", self.entries[int(last[2:]):]]]


def from_url(address, **options):
    return Stream()
""",
}


def say(served: Served, text: str, key: str) -> int:
    peer = served.connect()
    body = f"name=ann&text={text}&key={key}".encode()
    head = f"POST /say HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n"
    peer.sock.sendall(head.encode() + b"Content-Type: application/x-www-form-urlencoded\r\n\r\n" + body)
    status, _, answer = peer.answer()
    peer.sock.close()
    assert status == 201
    number: int = json.loads(answer)["number"]
    return number


@pytest.mark.skipif(os.name != "posix", reason="signals of POSIX")
def test_the_chat_keeps_its_cursors_and_lets_its_listeners_go(tmp_path: Path) -> None:
    (tmp_path / "redis").mkdir()
    for name, source in REDIS.items():
        (tmp_path / "redis" / f"{name}.py").write_text(source)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    command = ("everywhere:make_app", "--alias", "--port", "0")
    with serve(*command, cwd=FOLDER, app=None, env={"PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"}) as served:
        listener, feed = served.connect(), served.connect()
        listener.ask("/listen?after=0")
        assert say(served, "one", "1") == 1
        assert [message["text"] for message in json.loads(listener.answer()[2])["messages"]] == ["one"]
        assert say(served, "one", "1") == 1  # no answer had come, let us say
        assert say(served, "two", "2") == 2
        feed.upgrade("/feed?after=1")
        assert [message["number"] for message in json.loads(feed.frame()[1])] == [2]
        listener.ask("/listen?after=2")
        served.signal(signal.SIGTERM)
        assert json.loads(listener.answer()[2]) == {"messages": []}
        assert feed.frame() == (8, b"\x03\xe9server is going away")
        feed.send_frame(8, b"\x03\xe9")
        assert served.end() == 0
        for peer in (listener, feed):
            peer.sock.close()
