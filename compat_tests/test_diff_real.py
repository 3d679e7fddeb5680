"""``tornado4 diff`` against the real Tornado 4.5.3: its own demos, and three applications from the package registry.

The applications were written for Tornado 4 and are run as they are: livereload 2.5.1 (a development server which
reloads browsers), webssh 1.4.5 (a terminal in the browser), tailon 1.4.2 (log files there, over sockjs-tornado).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from compat_tests.oracle import CACHE, TOP, OracleUnavailable, find_native_python, locked, oracle, sdist
from tornado4.migrate.diff.model import Kind, Outcome, Run
from tornado4.migrate.diff.report import from_json

SECONDS = 300

# What the applications want besides themselves; what would bring a newer Tornado comes without dependencies.
NEEDS = ["setuptools<80", "six", "paramiko", "PyYAML", "deepmerge"]
APPLICATIONS = [
    "livereload==2.5.1", "webssh==1.4.5", "tailon==1.4.2", "sockjs-tornado==1.0.7", "tornado-http-auth==1.1.1"
]  # fmt: skip


def command(folder: Path, *arguments: str, python: Path | None = None) -> subprocess.CompletedProcess[str]:
    env = {**os.environ, "PYTHONPATH": str(TOP), "TORNADO4_ORACLE_CACHE": str(CACHE)}
    return subprocess.run(
        [python or sys.executable, "-m", "tornado4", "diff", *arguments],
        cwd=folder, env=env, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip


def diff(folder: Path, *arguments: str, python: Path | None = None) -> tuple[int, Run]:
    """The exit code and the report of the command, run in that folder."""
    report = folder / "report.json"
    report.unlink(missing_ok=True)
    done = command(folder, "--json", str(report), *arguments, python=python)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.returncode, from_json(report.read_text())


def unexplained(run: Run) -> list[str]:
    return [
        f"{verdict.step.name}: {one.kind.value} {one.where}: {one.old!r} -> {one.new!r}"
        for verdict in run.verdicts
        for one in verdict.differences
        if not one.rule
    ]


@pytest.fixture(scope="module")
def demos() -> Path:
    try:
        oracle()
        return sdist() / "demos"
    except OracleUnavailable as error:
        pytest.skip(f"the real Tornado cannot be had here: {error}")


def write(folder: Path, name: str, *requests: str) -> str:
    (folder / name).write_text("\n###\n".join(requests))
    return name


# -- The demos ---------------------------------------------------------------------------------------------

FORM = "Content-Type: application/x-www-form-urlencoded"
UPLOAD = (
    "POST /post\nContent-Type: multipart/form-data; boundary=b0\n\n"
    '--b0\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
    "Content-Type: text/plain\r\n\r\nhello\r\n--b0--\r\n"
)


def test_helloworld_is_the_same(demos: Path, tmp_path: Path) -> None:
    traffic = write(tmp_path, "t.http", "GET /", "HEAD /", "GET /?x=1 HTTP/1.0", "OPTIONS /", "GET /none", "DELETE /")
    script = str(demos / "helloworld" / "helloworld.py")
    code, run = diff(tmp_path, script, "--port={port}", "--http", traffic, "--crawl", "--unsafe")
    assert unexplained(run) == [] and code == 0
    assert len(run.verdicts) > 10


def test_the_chat_demo_is_the_same(demos: Path, tmp_path: Path) -> None:
    traffic = write(
        tmp_path, "t.http", "GET /", "GET /static/chat.css", "GET /static/chat.js\nAccept-Encoding: gzip",
        f"POST /a/message/new\n{FORM}\n\n_xsrf=x&body=hello", f"POST /a/message/new\n{FORM}\n\nbody=no+token",
        f"POST /a/message/updates\n{FORM}\n\n_xsrf=x&cursor=gone", "GET /a/message/new",
    )  # fmt: skip
    script = str(demos / "chat" / "chatdemo.py")
    code, run = diff(tmp_path, script, "--port={port}", "--http", traffic, "--unsafe")
    assert unexplained(run) == [] and code == 0
    posted = run.verdicts[3]
    assert posted.answers["tornado4"].raw.startswith(b"HTTP/1.1 200 ")
    assert {one.rule for one in posted.differences} <= {"noise", "etag", "length"}


def test_the_chat_of_the_examples_is_the_same_however_often(demos: Path, tmp_path: Path) -> None:
    """Noise that is not learned from one pair of runs would show in some later one: ``nox -s unchanged``."""
    script = str(TOP / "examples" / "legacy" / "chat" / "chat.py")
    for _ in range(int(os.environ.get("TORNADO4_DIFF_RUNS", "2"))):
        code, run = diff(tmp_path, script, "--port={port}", "--crawl", "--unsafe", "--timeout", "3")
        assert unexplained(run) == [] and code == 0
        assert len(run.verdicts) > 40
        # What hangs waits for a message of somebody else: the long poll.
        untested = {verdict.sequence.partition(" ")[0] for verdict in run.verdicts if verdict.untested}
        assert len(untested) <= 1


WSGI = '''\
import tornado.web
import tornado.wsgi

class Main(tornado.web.RequestHandler):
    def get(self, name):
        self.set_cookie("seen", name)
        self.write("hello " + name)
    def post(self, name):
        self.write(self.get_argument("x"))

adapter = tornado.wsgi.WSGIAdapter(tornado.web.Application([("/(.*)", Main)]))
application = tornado.wsgi.WSGIApplication([("/(.*)", Main)])

def plain(environ, start_response):
    start_response("404 Not Found", [("Content-Type", "text/plain"), ("X-Path", environ["PATH_INFO"])])
    return [b"nothing ", environ["wsgi.input"].read()]
'''


@pytest.mark.parametrize("name", ["adapter", "application", "plain"])
def test_wsgi_applications_are_the_same(demos: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "wsgi.py").write_text(WSGI)
    traffic = write(tmp_path, "t.http", "GET /ann?x=1", "HEAD /", f"POST /\n{FORM}\n\nx=%C3%A9", "POST /", "DELETE /")
    code, run = diff(tmp_path, f"wsgi.py:{name}", "--http", traffic, "--unsafe")
    assert unexplained(run) == [] and code == 0
    assert not run.count(Outcome.UNTESTED)


def test_the_upload_demo_is_the_same(demos: Path, tmp_path: Path) -> None:
    (tmp_path / "up.bin").write_bytes(
        UPLOAD.replace("POST /post\n", f"POST /post HTTP/1.1\r\nHost: x\r\nContent-Length: {len(UPLOAD) - 65}\r\n")
        .replace("boundary=b0\n\n", "boundary=b0\r\n\r\n").encode()
    )  # fmt: skip
    (tmp_path / "body.txt").write_bytes(UPLOAD.partition("\n\n")[2].encode())
    form = "POST /post\nContent-Type: multipart/form-data; boundary=b0\n\n< ./body.txt"
    traffic = write(tmp_path, "t.http", form, "PUT /picture.png\nContent-Type: image/png\n\n" + "x" * 9000, "GET /post")
    script = str(demos / "file_upload" / "file_receiver.py")
    code, run = diff(tmp_path, script, "--http", traffic, "--crawl", "--unsafe")
    assert unexplained(run) == [] and code == 0
    assert run.verdicts[0].answers["4.5.3"].raw.endswith(b"OK")


def test_the_websocket_demo_is_the_same(demos: Path, tmp_path: Path) -> None:
    (tmp_path / "chat.ws").write_text(
        'connect /chatsocket\nsend {"body": "hello"}\nexpect\nsend {"body": "<b>"}\nexpect\n'
        "ping p\nexpect\nclose 1000 bye\nexpect close\n"
    )
    (tmp_path / "bad.ws").write_text("connect /chatsocket\nsend no json\nexpect close\n")
    script = str(demos / "websocket" / "chatdemo.py")
    code, run = diff(tmp_path, script, "--port={port}", "--ws", "chat.ws", "--ws", "bad.ws", "--crawl")
    assert unexplained(run) == [] and code == 0
    frames = [frame for verdict in run.verdicts for frame in verdict.answers["tornado4"].frames]
    assert {frame.opcode for frame in frames} >= {1, 8, 10}


def test_a_refusal_on_purpose_is_explained_by_its_row(demos: Path, tmp_path: Path) -> None:
    (tmp_path / "nohost.bin").write_bytes(b"GET / HTTP/1.1\r\n\r\n")
    script = str(demos / "helloworld" / "helloworld.py")
    code, run = diff(tmp_path, script, "--port={port}", "--raw", "nohost.bin")
    assert code == 0 and set(run.rules) == {"WIRE-HOST"}
    assert run.count(Outcome.IGNORED) == 1


def test_a_changed_copy_of_a_demo_is_caught_against_the_real_tornado(demos: Path, tmp_path: Path) -> None:
    text = (demos / "helloworld" / "helloworld.py").read_text()
    changed = text.replace('self.write("Hello, world")', 'self.write("Hello, " + tornado.web.__name__)')
    assert changed != text
    (tmp_path / "app.py").write_text(changed)
    traffic = write(tmp_path, "t.http", "GET /")
    # tornado4's own name shows here: ignored by rule, and with it the ETag and the length.
    assert diff(tmp_path, "app.py", "--port={port}", "--http", traffic)[0] == 0
    (tmp_path / "app.py").write_text(changed.replace("web.__name__", "web.__file__"))
    code, run = diff(tmp_path, "app.py", "--port={port}", "--http", traffic)
    assert code == 1
    assert {one.kind for one in run.verdicts[0].differences} >= {Kind.BODY, Kind.HEADER}


def test_a_thousand_recorded_requests_take_less_than_a_minute(demos: Path, tmp_path: Path) -> None:
    headers = [{"name": "Accept", "value": "*/*"}]
    urls = [f"http://x.test/?page={n}" for n in range(1000)]
    entries = [{"request": {"method": "GET", "url": url, "headers": headers}} for url in urls]
    (tmp_path / "long.har").write_text(json.dumps({"log": {"version": "1.2", "entries": entries}}))
    script = str(demos / "helloworld" / "helloworld.py")
    code, run = diff(tmp_path, script, "--port={port}", "--har", "long.har")
    assert (code, run.count(Outcome.SAME)) == (0, 1000)
    assert run.seconds < 60


# -- Applications from the registry ------------------------------------------------------------------------


@pytest.fixture(scope="module")
def pythons() -> tuple[Path, Path]:
    """(with Tornado 4.5.3, without any): both with the applications and what they need."""
    native = find_native_python()
    if native is None:
        pytest.skip("no Python on which these applications ran with Tornado 4.5.3")
    envs = CACHE / "applications-old", CACHE / f"applications-new-{sys.version_info[0]}.{sys.version_info[1]}"
    try:
        _make(envs[0], native, ["tornado==4.5.3", *NEEDS])
        _make(envs[1], Path(sys.executable), NEEDS)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"the registry does not give them: {error.stderr}")
    return envs[0] / "bin" / "python", envs[1] / "bin" / "python"


def _make(env: Path, python: Path, packages: list[str]) -> None:
    with locked(env.name):
        if (env / "ready").exists():
            return
        shutil.rmtree(env, ignore_errors=True)
        pip = [str(env / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        for command in (
            [str(python), "-m", "venv", str(env)],
            [*pip, "wheel", *packages],
            [*pip, "--no-deps", *APPLICATIONS],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=SECONDS)
        (env / "ready").touch()


def test_livereload_is_the_same(pythons: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "index.html").write_text("<html><body><h1>Hi</h1></body></html>")
    (tmp_path / "serve.py").write_text("from livereload.cli import main\nmain()\n")
    paths = "GET /", "GET /index.html", "HEAD /", "GET /none", "GET /livereload.js", "GET /forcereload"
    traffic = write(tmp_path, "t.http", *paths)
    (tmp_path / "t.ws").write_text(
        'connect /livereload\nsend {"command": "hello", "protocols": '
        '["http://livereload.com/protocols/official-7"]}\n'
        "expect\nclose 1000\nexpect close\n"
    )
    old, new = pythons
    code, run = diff(
        tmp_path, "--python", str(old), "--http", traffic, "--ws", "t.ws", "--crawl",
        "serve.py", "site", "--port={port}", python=new,
    )  # fmt: skip
    assert unexplained(run) == [] and code == 0
    assert any(verdict.answers["tornado4"].frames for verdict in run.verdicts)


def test_webssh_is_the_same(pythons: tuple[Path, Path], tmp_path: Path) -> None:
    post = f"POST /\n{FORM}\n\n_xsrf=x&hostname=127.0.0.1&port=1&username=me&password=it"
    nameless = post.replace("hostname=127.0.0.1", "hostname=")
    traffic = write(tmp_path, "t.http", "GET /", post, nameless, "GET /ws?id=none")
    old, new = pythons
    code, run = diff(
        tmp_path, "--python", str(old), "--http", traffic, "--crawl", "--unsafe", "-m", "webssh.main", "--port={port}",
        python=new,
    )  # fmt: skip
    assert unexplained(run) == [] and code == 0
    assert len(run.verdicts) > 50


def test_tailon_is_the_same(pythons: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text("line 1\nline 2\n")
    paths = "GET /", "GET /files/", "GET /fetch/a.log", "GET /ws/info", "GET /ws/iframe.html"
    traffic = write(tmp_path, "t.http", *paths)
    old, new = pythons
    code, run = diff(
        tmp_path, "--python", str(old), "--http", traffic, "--crawl", "-m", "tailon", "--", "-b", "127.0.0.1:8080",
        "-f", "a.log", python=new,
    )  # fmt: skip
    assert unexplained(run) == [] and code == 0
    assert len(run.verdicts) > 50


# -- The documentation -------------------------------------------------------------------------------------


def test_every_command_of_the_documentation_runs(demos: Path, tmp_path: Path) -> None:
    """docs/diff.md: each file that it shows is written, each ``tornado4 diff`` line is run."""
    text = (TOP / "docs" / "diff.md").read_text("utf-8")
    for name, content in re.findall(r"`([\w.]+)`:\n\n(?:<!-- ran: [^\n]* -->\n)?```\w*\n(.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(content)
    commands = re.findall(r"(?m)^    \$ tornado4 diff (.*)$", text)
    # Those with programs of the reader's own for sides: test_route_by_route.py has such.
    commands = [line for line in commands if "--new" not in line]
    assert len(commands) == 7
    for line in commands:
        words, _, expected = line.partition("  # exit code ")
        done = command(tmp_path, *words.split())
        assert done.returncode == int(expected or 0), line + done.stdout + done.stderr
