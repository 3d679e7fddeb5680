"""The demos of Tornado 4.5.3's source distribution, unchanged, on the real one and by ``tornado4 run``.

The same scripted client talks to both; what passes from run to run (dates, ports, random names) is
replaced by a word.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from compat_tests.oracle import TOP, OracleUnavailable, oracle, sdist
from compat_tests.peers.programs import free_port

ELSEWHERE = str(Path(__file__).with_name("elsewhere.py"))
SECONDS = 60


@pytest.fixture(scope="module")
def demos() -> Path:
    try:
        given = os.environ.get("TORNADO4_SDIST")
        oracle()
        return (Path(given) if given else sdist()) / "demos"
    except OracleUnavailable as error:
        pytest.skip(f"the real Tornado cannot be had here: {error}")


class Runner:
    """How one side starts a program."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.command = command
        self.env = {**env, "PYTHONUNBUFFERED": "1"}

    @contextlib.contextmanager
    def server(self, port: int, *args: str) -> Iterator[list[str]]:
        """Runs until the ``with`` ends; the list has its log afterwards."""
        log: list[str] = []
        process = subprocess.Popen(
            [*self.command, *args], env=self.env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        try:
            wait_for(port, process)
            yield log
        finally:
            process.terminate()
            output, _ = process.communicate(timeout=SECONDS)
            log += [line for line in output.splitlines() if "DeprecationWarning" not in line]

    def output(self, *args: str) -> str:
        done = subprocess.run(
            [*self.command, *args],
            env=self.env,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            stdin=subprocess.DEVNULL,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def runners() -> list[Runner]:
    real = oracle()
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    ours = [sys.executable, "-W", "error", "-m", "tornado4", "run"]
    return [Runner(real.command(), real.environ()), Runner(ours, {**env, "PYTHONPATH": str(TOP)})]


def wait_for(port: int, process: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        time.sleep(0.05)
    process.kill()
    raise AssertionError(f"it does not listen: {process.communicate()[0]}")


def plain(text: str) -> str:
    """Without what passes."""
    for pattern, word in [
        (r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "UUID"),
        (r"2\|[0-9a-f]{8}\|[0-9a-f]{32}\|\d{10}", "XSRF"),
        (r"expires=[^;\r\n]*", "expires=THEN"),
        (r"Date: [^\r\n]*", "Date: NOW"),
        (r"(Last-Modified|Expires): [^\r\n]*", r"\1: THEN"),
        (r"object at 0x[0-9a-f]+", "object at PLACE"),
        (r"<tornado4\.", "<tornado."),  # a class says its own home: the one difference that is meant
        (r"request_time=[0-9.e-]+", "request_time=TIME"),
        (r"'Date': '[^']*'", "'Date': NOW"),
        (r"\d+\.\d\dms", "TIMEms"),
        (r"\[([A-Z]) \d{6} \d\d:\d\d:\d\d (\w+):\d+\]", r"[\1 NOW \2]"),
        (r"Etag: \"[0-9a-f]{40}\"", "Etag: HASH"),
        (r"Done in \d+ seconds", "Done in SOME seconds"),
    ]:
        text = re.sub(pattern, word, text)
    return text


def ask(port: int, method: str, path: str, body: str | None = None, **headers: str) -> tuple[str, str]:
    """What the client sees: (everything, the cookies)."""
    return answered(asked(port, method, path, body, **headers))


def asked(port: int, method: str, path: str, body: str | None = None, **headers: str) -> http.client.HTTPConnection:
    """A connection with a request that is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=SECONDS)
    if body is not None:
        headers["Content-Type"] = "application/x-www-form-urlencoded"
    connection.request(method, path, body, headers)
    return connection


def answered(connection: http.client.HTTPConnection) -> tuple[str, str]:
    try:
        response = connection.getresponse()
        text = response.read().decode("latin-1")
        fields = "".join(f"{name}: {value}\n" for name, value in sorted(response.getheaders()))
        return f"{response.status} {response.reason}\n{fields}\n{text}", response.headers.get(
            "Set-Cookie", ""
        )
    finally:
        connection.close()


def both(script: Callable[[Runner], list[str]]) -> list[str]:
    """The same scripted client on both sides; what the two saw must be equal, and is returned."""
    real, ours = ([plain(text) for text in script(runner)] for runner in runners())
    assert ours == real
    return ours


def helloworld(runner: Runner, demos: Path) -> list[str]:
    port = free_port()
    with runner.server(port, str(demos / "helloworld/helloworld.py"), f"--port={port}"):
        return [
            ask(port, method, path)[0]
            for method, path in [("GET", "/"), ("HEAD", "/"), ("GET", "/no"), ("POST", "/")]
        ]


def test_helloworld(demos: Path) -> None:
    answers = both(lambda runner: helloworld(runner, demos))
    assert answers[0].startswith("200 OK") and answers[0].endswith("Hello, world")


def chat(runner: Runner, demos: Path) -> list[str]:
    port = free_port()
    seen = []
    with runner.server(port, str(demos / "chat/chatdemo.py"), f"--port={port}"):
        page, cookie = ask(port, "GET", "/")
        token = cookie.partition("=")[2].partition(";")[0]
        form = {"_xsrf": token}
        send = urllib.parse.urlencode
        seen += [page, ask(port, "POST", "/a/message/new", send({"body": "refused"}))[0]]
        listeners = [
            asked(port, "POST", "/a/message/updates", send(form), Cookie=f"_xsrf={token}") for _ in range(3)
        ]
        ask(port, "GET", "/")  # who came later has an answer: those before are listening
        said = {**form, "body": "hello <b> http://example.com/ \u00e9"}
        seen.append(ask(port, "POST", "/a/message/new", send(said), Cookie=f"_xsrf={token}")[0])
        seen += [answered(listener)[0] for listener in listeners]
        then = send({**form, "body": "two", "next": "/"})
        seen.append(ask(port, "POST", "/a/message/new", then, Cookie=f"_xsrf={token}")[0])
        seen.append(ask(port, "GET", "/", Cookie=f"_xsrf={token}")[0])
        for path in re.findall(r"/static/[^\"]+", page):
            seen.append(ask(port, "GET", path)[0])
        seen.append(ask(port, "GET", "/static/none.css")[0])
    return seen


def test_chat(demos: Path) -> None:
    answers = both(lambda runner: chat(runner, demos))
    assert len(answers) == 11 and answers[1].startswith("403") and answers[3] == answers[4] == answers[5]
    assert "&lt;b&gt;" in answers[3] and answers[6].startswith("302") and answers[-1].startswith("404")


def file_upload(runner: Runner, demos: Path, folder: Path) -> list[str]:
    (folder / "a b.txt").write_bytes(b"text" * 10)
    (folder / "big.bin").write_bytes(bytes(range(250)) * 1200)
    files = [str(folder / "a b.txt"), str(folder / "big.bin")]
    port = str(free_port())
    with runner.server(int(port), ELSEWHERE, port, str(demos / "file_upload/file_receiver.py")) as log:
        uploader = str(demos / "file_upload/file_uploader.py")
        outputs = [
            runner.output(ELSEWHERE, port, uploader, *options, *files) for options in ([], ["--put"])
        ]
    received = [line.partition("] ")[2] for line in log if "bytes" in line]
    return outputs + received


def test_file_upload(demos: Path, tmp_path: Path) -> None:
    results = both(lambda runner: file_upload(runner, demos, tmp_path))
    assert len(results) == 6 and results[-1].endswith("300000 bytes") and "code=200" in results[0]


def tcpecho(runner: Runner, demos: Path) -> list[str]:
    port = free_port()
    with runner.server(port, str(demos / "tcpecho/server.py"), f"--port={port}") as log:
        client = str(demos / "tcpecho/client.py")
        answer = runner.output(client, f"--port={port}", "--message=hello there")
        with socket.create_connection(("127.0.0.1", port), timeout=SECONDS) as sock:
            sock.sendall(b"one\ntwo\nhalf")
            got = b""
            while len(got) < 8:
                got += sock.recv(100)
    return [answer, got.decode(), *sorted(line.partition("] ")[2] for line in log if "Received" in line)]


def test_tcpecho(demos: Path) -> None:
    assert both(lambda runner: tcpecho(runner, demos))[:2] == [
        "Sent to server: hello there\nResponse from server: hello there\n",
        "one\ntwo\n",
    ]


class Site(BaseHTTPRequestHandler):
    """Seven pages that link to each other, one of them missing, one outside."""

    PAGES = {
        "/en/stable/": '<a href="a.html">a</a><a href="b.html#x">b</a><a href="http://example.com/">out</a>',
        "/en/stable/a.html": '<a href="b.html">b</a><a href="c/">c</a><a name="x">no link</a>',
        "/en/stable/b.html": '<a href="/en/stable/">home</a><a href="gone.html">gone</a>',
        "/en/stable/c/": '<a href="../d.html">d</a>',
        "/en/stable/d.html": "",
    }

    def do_GET(self) -> None:
        page = self.PAGES.get(self.path)
        body = (page or "nothing").encode()
        self.send_response(404 if page is None else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


def webspider(runner: Runner, demos: Path) -> list[str]:
    site = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        # Ten fetches run at once, so the order of the lines is nobody's promise.
        port = str(site.server_address[1])
        return sorted(runner.output(ELSEWHERE, port, str(demos / "webspider/webspider.py")).splitlines())
    finally:
        site.shutdown()
        site.server_close()


def test_webspider(demos: Path) -> None:
    lines = both(lambda runner: webspider(runner, demos))
    assert "Done in SOME seconds, fetched 6 URLs." in lines
    assert "Exception: HTTP 404: Not Found http://www.tornadoweb.org/en/stable/gone.html" in lines
