"""The examples run, as their own first lines say."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from programs import ROOT, environment, fetch, free_port, server, tornado4_run

CHAT = str(ROOT / "examples/legacy/chat/chat.py")


def chat(port: int, *args: str):  # type: ignore[no-untyped-def]
    return server("-W", "error", "-m", "tornado4", "run", CHAT, f"--port={port}", *args, port=port)


def test_hello_runs_as_it_stands(tmp_path: Path) -> None:
    port = free_port()
    source = (ROOT / "examples/hello.py").read_text()
    assert "tornado4.web" in source and "import tornado\n" not in source
    (tmp_path / "hello.py").write_text(source.replace("8888", str(port)))
    with server("-W", "error", "hello.py", port=port, cwd=tmp_path):
        assert fetch(port, "/") == (200, b"Hello, world")


def test_chat_knows_nothing_of_tornado4() -> None:
    source = Path(CHAT).read_text()
    code = "\n".join(line for line in source.splitlines() if not line.startswith("#"))
    assert "tornado4" not in code and "import tornado.web" in code


def test_chat_long_polling() -> None:
    port = free_port()
    with chat(port):
        answers: list[tuple[int, bytes]] = []
        listeners = [
            threading.Thread(target=lambda: answers.append(fetch(port, "/listen?after=0"))) for _ in range(5)
        ]
        for thread in listeners:
            thread.start()
        while json.loads(fetch(port, "/status")[1])["listeners"] < 5:
            pass
        assert fetch(port, "/say", b"name=ann&text=hello") == (201, b'{"number": 1}')
        for thread in listeners:
            thread.join(120)
        assert len(answers) == 5 and len(set(answers)) == 1
        (message,) = json.loads(answers[0][1])["messages"]
        assert (message["number"], message["name"], message["text"]) == (1, "ann", "hello")
        assert json.loads(fetch(port, "/listen?after=0")[1])["messages"] == [message]
        status, page = fetch(port, "/")
        assert status == 200 and b"<b>ann</b> hello" in page and b"chat.css?v=" in page
        assert fetch(port, "/static/chat.css")[0] == 200
        assert fetch(port, "/say", b"text=+")[0] == 400
        state = json.loads(fetch(port, "/status")[1])
        assert (state["ping"], state["listeners"], state["messages"]) == ("pong", 0, 1)


def test_chat_listeners_are_let_go_when_patience_ends() -> None:
    port = free_port()
    with chat(port, "--patience=0.05"):
        assert fetch(port, "/listen?after=7") == (200, b'{"messages": []}')


@pytest.mark.skipif(sys.platform == "win32", reason="signals")
def test_chat_ends_on_ctrl_c_without_a_traceback() -> None:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tornado4", "run", CHAT, f"--port={port}"],
        env=environment(), stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        assert process.stderr is not None and "chat on http" in process.stderr.readline()
        while fetch(port, "/ping")[1] != b"pong":
            pass
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 0 and "Traceback" not in said and "chat ends" in said


def test_chat_says_that_its_port_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = tornado4_run(CHAT, f"--port={port}", code=1)
    assert f"chat: cannot listen on 127.0.0.1, port {port}: " in done.stderr and "--port" in done.stderr
    assert "Traceback" not in done.stderr


def test_chat_ends_on_sigterm() -> None:
    port = free_port()
    with chat(port) as process:
        assert fetch(port, "/ping")[1] == b"pong"  # its loop runs, so it has its handler
        process.send_signal(signal.SIGTERM)
        process.wait(120)
        assert process.returncode == 0


def catches(process: str, number: signal.Signals) -> bool:
    """Whether a process has a handler for a signal; one that is gone has none."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False
    caught = re.search(r"(?m)^SigCgt:\s*([0-9a-f]+)", status)
    return caught is not None and bool(int(caught[1], 16) >> (number - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="finds the children in /proc")
def test_chat_with_forked_workers() -> None:
    port = free_port()
    with chat(port, "--workers=2") as process:
        assert all(fetch(port, "/ping") == (200, b"pong") for _ in range(20))
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
        assert len(children.read_text().split()) == 2
        # A child that has no signal handler yet would die of the signal, and another one be forked.
        while process.poll() is None:
            for child in children.read_text().split():
                if catches(child, signal.SIGTERM):
                    os.kill(int(child), signal.SIGTERM)
            time.sleep(0.1)
        assert process.returncode == 0  # the parent only waited for its children
