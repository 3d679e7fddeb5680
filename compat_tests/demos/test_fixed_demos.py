"""The demos of Tornado 4.5.3, fixed with all that is allowed, on the real Tornado 6 and on tornado4 with flags.

They answer as the old ones did on 4.5.3; the differences of the releases themselves are taken out by `same`. And
`tornado4 diff --candidate` holds each server under all flags against the same tree on the real 6.6.1.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from compat_tests.demos.test_demos import (
    SECONDS,
    Runner,
    ask,
    chat,
    demos,
    file_upload,
    helloworld,
    plain,
    tcpecho,
    webspider,
)
from compat_tests.oracle import CACHE, TOP, oracle
from compat_tests.peers.programs import free_port
from tornado4.migrate.diff.report import from_json

pytest.importorskip("libcst")

__all__ = ["demos"]

TORNADO_6 = "6.6.1"


@pytest.fixture(scope="module")
def fixed(demos: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fixed") / "demos"
    shutil.copytree(demos, folder)
    command = [sys.executable, "-m", "tornado4", "fix", "--unsafe", "--native", "--backup", str(folder)]
    subprocess.run(command, check=True, capture_output=True, cwd=TOP)
    return folder


def same(text: str) -> str:
    """Without what differs between 4.5.3 and 6 whatever the program: names, hashes and their lengths, a repr."""
    text = plain(text)
    for pattern, word in [
        (r"TornadoServer/[\d.]+", "TornadoServer"),
        (r"(?m)^Vary: Accept-Encoding\n", ""),
        (r"Etag: \"[^\"]*\"", "Etag: HASH"),
        (r"\?v=[0-9a-f]+", "?v=HASH"),
        (r"Content-Length: \d+", "Content-Length: LENGTH"),  # of a page that has a hash in it
        (r"HTTPResponse\(.*?\bcode=(\d+).*", r"code \1"),
    ]:
        text = re.sub(pattern, word, text)
    return text


def sides() -> list[Runner]:
    """Where the fixed demos run."""
    real = oracle(TORNADO_6)
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ours = [sys.executable, "-W", "error", "-m", "tornado4", "run"]
    flags = [{**env, "PYTHONPATH": str(TOP), "TORNADO4_FUTURE": future} for future in ("names", "6.6")]
    return [Runner(real.command(), real.environ()), *(Runner(ours, environ) for environ in flags)]


def old() -> Runner:
    real = oracle()
    return Runner(real.command(), real.environ())


def agree(script: Callable[[Runner, Path], list[str]], demos: Path, fixed: Path) -> list[str]:
    """The old demo on the old release, and the fixed one on both sides: what a client sees is equal."""
    before = [same(text) for text in script(old(), demos)]
    for runner in sides():
        assert [same(text) for text in script(runner, fixed)] == before
    return before


def websocket(runner: Runner, demos: Path) -> list[str]:
    """Two people in the demo's chat: what each one's socket gets."""
    port = free_port()
    with runner.server(port, str(demos / "websocket/chatdemo.py"), f"--port={port}"):
        page = ask(port, "GET", "/")[0]
        sockets = [opened(port) for _ in range(2)]
        seen = [page]
        for text in ("one", "two <b>"):
            send(sockets[0], b'{"body": "%s"}' % text.encode())
            seen += [received(each) for each in sockets]
        for each in sockets:
            each.close()
        return [*seen, re.sub(r"(?s).*(<div id=\"inbox\">.*</form>).*", r"\1", ask(port, "GET", "/")[0])]


def opened(port: int) -> socket.socket:
    """A WebSocket of few words: RFC 6455, without a mask's secret."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=SECONDS)
    key = base64.b64encode(bytes(16)).decode()
    sock.sendall(
        f"GET /chatsocket HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    head = b""
    while b"\r\n\r\n" not in head:
        head += sock.recv(1)
    assert head.startswith(b"HTTP/1.1 101")
    return sock


def send(sock: socket.socket, data: bytes) -> None:
    assert len(data) < 126
    sock.sendall(bytes([0x81, 0x80 | len(data)]) + bytes(4) + data)


def received(sock: socket.socket) -> str:
    first, length = exactly(sock, 2)
    assert first == 0x81
    if length == 126:
        length = int.from_bytes(exactly(sock, 2), "big")
    return exactly(sock, length).decode()


def exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        got = sock.recv(count - len(data))
        assert got, "it has closed"
        data += got
    return data


def diff(folder: Path, candidate: Path, *arguments: str) -> dict[str, set[str]]:
    """``tornado4 diff --candidate``: the rules that explain what differs, by step. "": what none explains."""
    command = [sys.executable, "-m", "tornado4", "diff", *arguments, "--json", "report.json"]
    command += ["--candidate", str(candidate), "--candidate-python", str(oracle(TORNADO_6).python)]
    env = {**os.environ, "PYTHONPATH": str(TOP), "TORNADO4_ORACLE_CACHE": str(CACHE)}
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=5 * SECONDS)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    run = from_json((folder / "report.json").read_text())
    assert run.verdicts and not any(verdict.untested for verdict in run.verdicts)
    found: dict[str, set[str]] = {}
    for verdict in run.verdicts:
        for one in verdict.differences:
            if not one.rule:
                found.setdefault(verdict.step.name, set()).add(one.explained.partition(":")[0])
    return found


FORM = "Content-Type: application/x-www-form-urlencoded"
BODY = (
    '--b0\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
    "Content-Type: text/plain\r\n\r\nhello\r\n--b0--\r\n"
)
#: By demo: the script, what is sent, and which answers differ, by the release's own doing: hashes of static files.
SENT: dict[str, tuple[list[str], dict[str, str], set[str]]] = {
    "helloworld": (["helloworld.py", "--port={port}", "--crawl", "--unsafe"], {}, set()),
    "chat": (
        ["chatdemo.py", "--port={port}", "--unsafe"],
        {
            "t.http": "\n###\n".join(
                [
                    "GET /",
                    "GET /static/chat.css",
                    "GET /static/chat.js\nAccept-Encoding: gzip",
                    f"POST /a/message/new\n{FORM}\n\n_xsrf=x&body=hello",
                    f"POST /a/message/new\n{FORM}\n\nbody=no+token",
                    f"POST /a/message/updates\n{FORM}\n\n_xsrf=x&cursor=gone",
                    "GET /a/message/new",
                ]
            )
        },
        {"GET /", "GET /static/chat.css", "GET /static/chat.js"},
    ),
    "websocket": (
        ["chatdemo.py", "--port={port}"],
        {
            "chat.ws": 'connect /chatsocket\nsend {"body": "hello"}\nexpect\nsend {"body": "<b>"}\nexpect\n'
            "ping p\nexpect\nclose 1000 bye\nexpect close\n",
            "t.http": "GET /\n###\nGET /none\n###\nGET /chatsocket",
        },
        {"GET /"},
    ),
    "file_upload": (
        ["file_receiver.py", "--crawl", "--unsafe"],
        {
            "body.txt": BODY,
            "t.http": "POST /post\nContent-Type: multipart/form-data; boundary=b0\n\n< ./body.txt\n###\n"
            f"PUT /picture.png\nContent-Type: image/png\n\n{'x' * 9000}\n###\nGET /post",
        },
        set(),
    ),
}


@pytest.mark.parametrize("name", SENT)
def test_diff_says_that_the_fixed_demo_answers_as_before(demos: Path, fixed: Path, tmp_path: Path, name: str) -> None:
    """The demo as it was, here, against the fixed one on the real Tornado 6."""
    arguments, files, other_hashes = SENT[name]
    folder = tmp_path / "before"
    shutil.copytree(demos / name, folder)
    for file, text in files.items():
        (folder / file).write_bytes(text.encode())
        if file != "body.txt":
            arguments = [*arguments, f"--{file.rpartition('.')[2]}", file]
    assert diff(folder, fixed / name, *arguments) == {each: {"TND505"} for each in other_hashes}


def test_helloworld(demos: Path, fixed: Path) -> None:
    assert agree(helloworld, demos, fixed)[0].endswith("Hello, world")


def test_chat(demos: Path, fixed: Path) -> None:
    assert "async def post" in (fixed / "chat/chatdemo.py").read_text()
    assert len(agree(chat, demos, fixed)) == 11


def test_websocket(demos: Path, fixed: Path) -> None:
    seen = agree(websocket, demos, fixed)
    assert "&lt;b&gt;" in seen[3] and seen[3] == seen[4]


def test_file_upload(demos: Path, fixed: Path, tmp_path: Path) -> None:
    seen = agree(lambda runner, folder: file_upload(runner, folder, tmp_path), demos, fixed)
    assert any("300000 bytes" in line for line in seen)


def test_tcpecho(demos: Path, fixed: Path) -> None:
    agree(tcpecho, demos, fixed)


def test_webspider(demos: Path, fixed: Path) -> None:
    assert "async def main" in (fixed / "webspider/webspider.py").read_text()
    agree(webspider, demos, fixed)


#: What is sent to each demo that serves HTTP, and the rules that explain what differs all the same: hashes of static
#: files in a page and its ETag, the last answer of a connection.
SERVERS: dict[str, tuple[str, list[str], set[str]]] = {
    "helloworld/helloworld.py": (
        "",
        ["GET / HTTP/1.1", "HEAD / HTTP/1.1", "GET /no HTTP/1.1", "POST / HTTP/1.1\nContent-Length: 0"],
        set(),
    ),
    "chat/chatdemo.py": (
        "",
        [
            "GET / HTTP/1.1",
            "GET /static/chat.css HTTP/1.1",
            "GET /static/none.css HTTP/1.1",
            "GET /a/message/new HTTP/1.1",
            "POST /a/message/new HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\nbody=refused",
            "POST /a/message/new HTTP/1.1\nContent-Type: application/x-www-form-urlencoded\n\n_xsrf=x&body=a+%3Cb%3E",
        ],
        {"TND505"},
    ),
    "websocket/chatdemo.py": (
        'connect /chatsocket\nsend {"body": "<b>\'"}\nexpect\nclose 1000 bye\nexpect close\n',
        ["GET / HTTP/1.1", "GET /static/chat.js HTTP/1.1", "GET /chatsocket HTTP/1.1"],
        {"TND505"},
    ),
    "file_upload/file_receiver.py": (
        "",
        [
            "GET /post HTTP/1.1",
            "PUT /a%20b.txt HTTP/1.1\nContent-Type: text/plain\n\ntext",
            (
                "POST /post HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\n\n--x\n"
                'Content-Disposition: form-data; name="f"; filename="a.txt"\n\nabc\n--x--\n'
            ),
        ],
        set(),
    ),
}  # fmt: skip


@pytest.mark.parametrize("demo", SERVERS)
def test_diff_with_all_flags_against_the_same_tree_on_tornado_6(demo: str, fixed: Path, tmp_path: Path) -> None:
    socket_script, requests, known = SERVERS[demo]
    (tmp_path / "requests.http").write_text("\n\n###\n".join(requests) + "\n")
    (tmp_path / "socket.ws").write_text(socket_script)
    report = tmp_path / "report.json"
    command = [
        sys.executable, "-m", "tornado4", "diff", *(["--ws", str(tmp_path / "socket.ws")] if socket_script else []),
        "--http", str(tmp_path / "requests.http"), "--unsafe", "--json", str(report),
        "--candidate", ".", "--candidate-python", str(oracle(TORNADO_6).python), Path(demo).name,
    ]  # fmt: skip
    done = subprocess.run(
        command, cwd=fixed / Path(demo).parent, env=os.environ | {"TORNADO4_FUTURE": "6.6"},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    verdicts = json.loads(report.read_text())["verdicts"]
    assert len(verdicts) >= len(requests)
    counted = [one for verdict in verdicts for one in verdict["differences"] if not one["rule"]]
    assert {one["explained"].partition(":")[0] for one in counted} <= known, done.stdout
    assert "untested" not in {verdict["outcome"] for verdict in verdicts}, done.stdout
