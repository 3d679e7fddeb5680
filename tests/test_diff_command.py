"""``tornado4 diff`` as it is called, over real sockets and processes.

The old side is not the real Tornado here (compat_tests/test_diff_real.py has that) but a stand-in: tornado4 again,
under the name ``tornado``, with a marker by which the application below knows that it is not its changed copy.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tornado4.migrate.commands import main
from tornado4.migrate.diff import command
from tornado4.migrate.diff.compare import Comparer
from tornado4.migrate.diff.model import Kind, Outcome, Run, Sequence, Verdict
from tornado4.migrate.diff.report import from_json
from tornado4.migrate.diff.runner import Runner
from tornado4.migrate.diff.served import Program, Served, start_all
from tornado4.migrate.diff.traffic import read_har, read_http_file, read_raw, read_websocket

TOP = Path(__file__).resolve().parent.parent

APP = '''\
import logging
import os
import sys
import tornado.ioloop
import tornado.web
import tornado.websocket
from tornado.options import define, options

try:
    import the_original
    CHANGED = False
except ImportError:
    CHANGED = True

define("port", default=8888, type=int)
define("pids", default="")

class Handler(tornado.web.RequestHandler):
    def get(self, what):
        getattr(self, "on_" + what)()
    def post(self, what):
        self.write("posted " + self.get_argument("x"))
    def on_same(self):
        self.write("same")
    def on_status(self):
        self.set_status(202 if CHANGED else 200)
    def on_reason(self):
        self.set_status(200, "Fine" if CHANGED else "OK")
    def on_header(self):
        self.set_header("X-Flavour", "new" if CHANGED else "old")
    def on_order(self):
        for name in ("X-B", "X-A") if CHANGED else ("X-A", "X-B"):
            self.set_header(name, "1")
    def on_body(self):
        self.write({"items": [{"id": 2 if CHANGED else 1}]})
    def on_framing(self):
        self.write("hello")
        if CHANGED:
            self.flush()
    def on_close(self):
        if CHANGED:
            self.set_header("Connection", "close")
        self.write("x")
    def on_log(self):
        logging.getLogger("shop").warning("sold %d" % (2 if CHANGED else 1))
    def on_exception(self):
        raise KeyError("new") if CHANGED else ValueError("old")
    def on_crash(self):
        if CHANGED:
            os._exit(3)
    def on_hang(self):
        while CHANGED:
            pass
    @tornado.web.asynchronous
    def on_never(self):
        pass
    def on_random(self):
        self.write("%s" % os.urandom(8).hex())
    def on_login(self):
        self.set_secure_cookie("user", "ann")
    def on_user(self):
        self.write(self.get_secure_cookie("user") or b"nobody")
    def on_form(self):
        self.write(self.xsrf_form_html())

class Socket(tornado.websocket.WebSocketHandler):
    def open(self):
        self.write_message("welcome")
    def on_message(self, message):
        if message == "leave":
            self.close(4001 if CHANGED else 4000, "bye")
        else:
            self.write_message("NEW" if CHANGED and message == "frame" else message)

def make_app():
    return tornado.web.Application([("/ws", Socket), ("/([a-z]+)", Handler)], cookie_secret="secret", xsrf_cookies=True)

if __name__ == "__main__":
    options.parse_command_line()
    if options.pids:
        open(os.path.join(options.pids, str(os.getpid())), "w").close()
    make_app().listen(options.port)
    tornado.ioloop.IOLoop.current().start()
'''

OLD_TORNADO = f'''\
import sys
sys.path.append({str(TOP)!r})
del sys.modules["tornado"]
from tornado4.migrate import alias
alias.install()
import tornado
'''


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache in which a Tornado 4.5.3 seems to have been fetched before."""
    cache = tmp_path_factory.mktemp("cache")
    package = cache / "package-4.5.3"
    for folder in (cache / "tornado-4.5.3", package / "tornado"):
        folder.mkdir(parents=True)
    (cache / "tornado-4.5.3" / "setup.py").touch()
    (package / "ready").touch()
    (package / "the_original.py").touch()
    (package / "tornado" / "__init__.py").write_text(OLD_TORNADO)
    return cache


@pytest.fixture
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with the application in it; the stand-in is what ``--python`` gives."""
    monkeypatch.setenv("TORNADO4_ORACLE_CACHE", str(cache))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app.py").write_text(APP)
    return tmp_path


def diff(*arguments: str) -> int | None:
    return main(["diff", "app.py", "--port={port}", "--python", sys.executable, *arguments])


def requests(folder: Path, *lines: str) -> str:
    path = folder / "requests.http"
    path.write_text("\n###\n".join(lines))
    return str(path)


# -- A deliberately changed copy of an application is caught -----------------------------------------------


@pytest.fixture(scope="module")
def pair(cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, list[Served]]]:
    """The original and its changed copy, both on tornado4; running."""
    here = tmp_path_factory.mktemp("pair")
    original, changed = here / "original" / "app.py", here / "changed" / "app.py"
    for path in (original, changed):
        path.parent.mkdir()
        path.write_text(APP)
    (original.parent / "the_original.py").touch()
    sides = [
        Served(name, Program(str(path), ("--port={port}",)), None) for name, path in (("o", original), ("c", changed))
    ]
    start_all(sides)
    yield here, sides
    for side in sides:
        side.stop()


def verdicts(pair: tuple[Path, list[Served]], sequence: Sequence, seconds: float = 10.0) -> list[Verdict]:
    return list(Runner(pair[1], Comparer(), seconds=seconds).verdicts([sequence]))


def caught(pair: tuple[Path, list[Served]], *lines: str) -> list[tuple[Kind, str, str, str]]:
    sequence = read_http_file(Path(requests(pair[0], *lines)))
    (verdict,) = verdicts(pair, sequence)
    return [(d.kind, d.where, d.old, d.new) for d in verdict.differences if not d.rule]


def test_what_was_not_changed_is_the_same(pair: tuple[Path, list[Served]]) -> None:
    assert caught(pair, "GET /same") == []


def test_a_changed_status_is_caught(pair: tuple[Path, list[Served]]) -> None:
    kinds = [found[0] for found in caught(pair, "GET /status")]
    assert kinds == [Kind.STATUS, Kind.REASON, Kind.HEADER, Kind.LOG]  # the header: 202 has no Etag


def test_a_changed_reason_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert caught(pair, "GET /reason") == [(Kind.REASON, "", "OK", "Fine")]


def test_a_changed_header_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert caught(pair, "GET /header") == [(Kind.HEADER, "X-Flavour", "old", "new")]


def test_a_changed_header_order_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert [found[0] for found in caught(pair, "GET /order")] == [Kind.HEADER_ORDER]


def test_a_changed_body_is_caught_by_its_json_path(pair: tuple[Path, list[Served]]) -> None:
    found = caught(pair, "GET /body")
    assert (Kind.BODY, "$.items[0].id", "1", "2") in found
    assert [(kind, where) for kind, where, _, _ in found if kind is not Kind.BODY] == [(Kind.HEADER, "Etag")]


def test_changed_framing_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert (Kind.FRAMING, "", "length", "chunked") in caught(pair, "GET /framing")


def test_a_closed_connection_is_caught(pair: tuple[Path, list[Served]]) -> None:
    found = caught(pair, "GET /close")
    assert found == [(Kind.HEADER, "Connection", "", "close")] or (Kind.CONNECTION, "", "kept open", "closed") in found


def test_a_changed_log_line_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert caught(pair, "GET /log") == [(Kind.LOG, "shop, record 1", "WARNING sold 1", "WARNING sold 2")]


def test_a_changed_exception_is_caught(pair: tuple[Path, list[Served]]) -> None:
    assert caught(pair, "GET /exception") == [
        (Kind.EXCEPTION, "tornado.application, record 1", "ValueError: old", "KeyError: 'new'")
    ]


def transcript(pair: tuple[Path, list[Served]], text: str) -> list[tuple[Kind, str, str, str]]:
    path = pair[0] / "session.ws"
    path.write_text(text)
    found = verdicts(pair, read_websocket(path))
    return [(d.kind, d.where, d.old, d.new) for verdict in found for d in verdict.differences if not d.rule]


def test_a_changed_websocket_frame_is_caught(pair: tuple[Path, list[Served]]) -> None:
    text = "connect /ws\nexpect\nsend same\nexpect\nsend frame\nexpect\nclose 1000\nexpect close\n"
    assert transcript(pair, text) == [(Kind.WEBSOCKET_FRAME, "frame 1", "text frame", "text NEW")]


def test_a_changed_close_code_is_caught(pair: tuple[Path, list[Served]]) -> None:
    text = "connect /ws\nexpect text welcome\nsend leave\nexpect 1\nclose 1000\nexpect close\n"
    assert transcript(pair, text) == [(Kind.CLOSE_CODE, "frame 1", "4000", "4001")]


def test_raw_bytes_with_two_pipelined_requests_are_answered_and_compared_one_by_one(
    pair: tuple[Path, list[Served]],
) -> None:
    path = pair[0] / "two.bin"
    path.write_bytes(b"GET /same HTTP/1.1\r\nHost: x\r\n\r\nGET /header HTTP/1.1\r\nHost: x\r\n\r\n")
    (verdict,) = verdicts(pair, read_raw(path))
    assert [(d.where, d.old, d.new) for d in verdict.differences] == [("response 2: X-Flavour", "old", "new")]


def test_a_crash_is_reported_and_the_rest_goes_on(pair: tuple[Path, list[Served]]) -> None:
    sequence = read_http_file(Path(requests(pair[0], "GET /crash", "GET /same")))
    crash, after = verdicts(pair, sequence)
    assert crash.answers["c"].failure == "crashed: ended with exit code 3"
    assert crash.differences[0].kind is Kind.FAILURE and after.outcome is Outcome.SAME


def test_a_side_that_hangs_is_reported_and_the_rest_goes_on(pair: tuple[Path, list[Served]]) -> None:
    sequence = read_http_file(Path(requests(pair[0], "GET /hang", "GET /same")))
    hang, after = verdicts(pair, sequence, seconds=1)
    assert hang.answers["c"].failure == "hangs: its loop did not turn within 1 s"
    assert after.outcome is Outcome.SAME


def test_no_answer_in_time_is_reported_and_alike_on_both_sides(pair: tuple[Path, list[Served]]) -> None:
    sequence = read_http_file(Path(requests(pair[0], "GET /never", "GET /same")))
    never, after = verdicts(pair, sequence, seconds=0.5)
    assert {answer.failure for answer in never.answers.values()} == {"no answer within 0.5 s"}
    assert [never.outcome, after.outcome] == [Outcome.UNTESTED, Outcome.SAME]
    assert (never.untested, after.status) == ("no answer within 0.5 s", "200")


# -- The command -------------------------------------------------------------------------------------------


def test_the_same_is_exit_code_0_and_sessions_are_kept(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    post = "POST /same\nContent-Type: application/x-www-form-urlencoded\n\nx=1&_xsrf=recorded"
    file = requests(folder, "GET /login", "GET /user", "GET /form", post, "GET /random")
    assert diff("--http", file, "--unsafe", "--json", "report.json", "--html", "r.html", "--junit", "r.xml") == 0
    out, err = capsys.readouterr()
    assert "5 steps in" in out and err == ""
    run = from_json((folder / "report.json").read_text())
    assert run.sides == ["4.5.3", "4.5.3 again", "tornado4"]
    _, user, form, posted, random = run.verdicts
    assert user.answers["tornado4"].raw.endswith(b"\r\n\r\nann")
    assert posted.answers["4.5.3"].raw.endswith(b"posted 1") and posted.outcome is Outcome.SAME
    assert form.outcome is random.outcome is Outcome.IGNORED
    assert {d.rule for d in random.differences} == {"noise"} and {"noise", "xsrf"} <= set(run.rules)
    assert ElementTree.parse(folder / "r.xml").getroot().tag == "testsuites"
    assert (folder / "r.html").read_text().startswith("<!DOCTYPE html>")


def test_different_is_exit_code_1_and_replay_says_still_then_fixed(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = requests(folder, "GET /same", "GET /header")
    assert diff("--http", file, "--json", "report.json") == 1
    out = capsys.readouterr().out
    assert "header X-Flavour:  old -> new" in out
    assert diff("--replay", "report.json") == 1
    out = capsys.readouterr().out
    assert "STILL" in out and "GET /header" in out and "1 step in" in out
    (folder / "app.py").write_text(APP.replace("CHANGED = True", "CHANGED = False"))
    assert diff("--replay", "report.json", "--two-way") == 0
    assert "FIXED" in capsys.readouterr().out


def test_a_callable_is_crawled(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    plain = APP.replace("CHANGED = True", "CHANGED = False").replace('"on_" + what', '"on_same"')
    (folder / "shop.py").write_text(plain)
    arguments = ["diff", "--python", sys.executable, "--crawl", "--two-way", "--json", "report.json"]
    assert main([*arguments, "shop.py:make_app"]) == 0
    run = from_json((folder / "report.json").read_text())
    names = [verdict.step.name for verdict in run.verdicts]
    assert {"WebSocket /ws", "GET /abc", "HEAD /abc", "GET /no/such/page.tornado4-diff"} <= set(names)
    assert run.skipped == 1 and "POST /abc" not in names
    assert main([*arguments, "shop:make_app"]) == 0


def test_the_users_rules_beside_the_application_are_used(folder: Path) -> None:
    file = requests(folder, "GET /header")
    (folder / "pyproject.toml").write_text('[tool.tornado4.diff]\nignore-headers = ["x-flavour"]\n')
    assert diff("--http", file, "--json", "report.json") == 0
    run: Run = from_json((folder / "report.json").read_text())
    assert run.rules == {"ignore-headers x-flavour": "your rule: x-flavour"}


def test_what_is_logged_at_the_start_is_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    starting = "    tornado.ioloop.IOLoop.current().start()"
    warning = "    logging.warning('new' if CHANGED else 'old')\n"
    (folder / "app.py").write_text(APP.replace(starting, warning + starting))
    file = requests(folder, "GET /same")
    assert diff("--http", file, "--html", "r.html", "--junit", "r.xml", "--json", "r.json") == 1
    assert "log root, record 1:  WARNING old -> WARNING new" in capsys.readouterr().out
    assert from_json((folder / "r.json").read_text()).verdicts[0].number == 0


def test_a_fixed_port_in_the_script_is_no_hindrance(folder: Path) -> None:
    with socket.socket() as taken:
        with contextlib.suppress(OSError):  # somebody else's then, which is as good
            taken.bind(("127.0.0.1", 8888))
            taken.listen()
        assert main(["diff", "app.py", "--python", sys.executable, "--http", requests(folder, "GET /same")]) == 0


# -- What cannot run is one clear error, and exit code 2 ---------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "which application?"),
        (["none.py", "--crawl"], "there is no file none.py"),
        (["shop", "--crawl"], "neither a script (.py) nor module:callable"),
        (["--jsn", "x"], "--jsn is no option of tornado4 diff"),
        (["shop:make_app", "extra", "--crawl"], "takes no arguments; what is extra?"),
        (["app.py"], "nothing to send"),
        (["app.py", "--crawl", "--json", "no/such/folder/x.json"], "there is no such folder"),
        (["app.py", "--har", "bad.har"], "bad.har: not a HAR file"),
        (["app.py", "--har", "none.har"], "none.har: No such file"),
        (["app.py", "--replay", "bad.har"], ""),
        (["app.py", "--crawl", "--python", "python-that-is-not-there"], "no interpreter 'python-that-is-not-there'"),
    ],
)
def test_bad_input_is_one_error_and_exit_code_2(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    (folder / "bad.har").write_text("{")
    assert main(["diff", *arguments]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tornado4 diff: error: ") and complaint in err
    assert err.count("\n") == 1


def test_an_application_that_does_not_start_is_shown_with_its_own_words(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "app.py").write_text("import nothing_of_this_name\n")
    assert diff("--crawl") == 2
    err = capsys.readouterr().err
    assert "app.py --port={port} does not start: it ended with exit code " in err
    assert "launcher.py" not in err and "runpy" not in err
    assert "ModuleNotFoundError: No module named 'nothing_of_this_name'" in err


def test_an_application_that_never_listens_is_given_up(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "app.py").write_text("import time\ntime.sleep(60)\n")
    assert diff("--crawl", "--start-timeout", "1", "--two-way") == 2
    assert "listens on no port after 1 s" in capsys.readouterr().err


def test_a_port_in_use_is_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code = main(["diff", "app.py", "--python", sys.executable, "--crawl", "--port", str(port)])
    assert code == 2
    assert f"port {port} is in use" in capsys.readouterr().err


def test_no_registry_is_one_error(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TORNADO4_ORACLE_CACHE", str(tmp_path / "empty"))
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert main(["diff", "app.py", "--python", sys.executable, "--crawl"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("tornado4 diff: error: ") and "tornado==4.5.3" in err and "Traceback" not in err


@pytest.mark.parametrize("archive", ["no archive", ""])
def test_an_archive_that_is_none_is_no_difference(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], archive: str
) -> None:
    """What keeps an old side from being made: exit code 2, which never says "different"."""
    download = folder / "cache" / "download"
    download.mkdir(parents=True)
    (download / "tornado-4.5.2.tar.gz").write_text(archive)
    monkeypatch.setenv("TORNADO4_ORACLE_CACHE", str(folder / "cache"))
    monkeypatch.setattr("tornado4.migrate.diff.environments._run", lambda command: None)
    assert diff("--against", "4.5.2", "--http", requests(folder, "GET /same")) == command.COULD_NOT_RUN
    err = capsys.readouterr().err
    assert err.startswith("tornado4 diff: error: Tornado 4.5.2 cannot be made ready in ") and "Traceback" not in err


def test_only_unsafe_requests_and_no_leave_to_send_them(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert diff("--http", requests(folder, "DELETE /same")) == 2
    assert "all 1 requests have unsafe methods" in capsys.readouterr().err


# -- Ctrl-C ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_no_process_behind(folder: Path, number: signal.Signals) -> None:
    pids = folder / "pids"
    pids.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tornado4", "diff", "app.py", "--port={port}", f"--pids={pids}", "--python",
         sys.executable, "--http", requests(folder, "GET /never"), "--timeout", "60"],
        env=buffered(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None and process.stderr is not None
        assert process.stdout.readline().startswith("tornado4 diff app.py")
        process.send_signal(number)
        assert process.wait(120) == command.INTERRUPTED
        assert process.stderr.read() == "tornado4 diff: interrupted\n"
    started = [int(path.name) for path in pids.iterdir()]
    assert len(started) == 3
    assert not [pid for pid in started if alive(pid)]


def test_the_sides_end_when_the_command_is_killed(folder: Path) -> None:
    pids = folder / "pids"
    pids.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-m", "tornado4", "diff", "app.py", "--port={port}", f"--pids={pids}", "--python",
         sys.executable, "--http", requests(folder, "GET /never"), "--timeout", "60"],
        env=buffered(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
    started = [int(path.name) for path in pids.iterdir()]
    deadline = time.monotonic() + 120
    while any(map(alive, started)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(started) == 3 and not any(map(alive, started))


def buffered() -> dict[str, str]:
    """A child writes into its pipe as anybody's would: by the block, unless it sees to it itself."""
    return {**os.environ, "PYTHONPATH": str(TOP), "PYTHONUNBUFFERED": ""}


def test_progress_reaches_a_pipe_as_it_happens(folder: Path) -> None:
    paths = [f"GET /same?n={n}" for n in range(9)] + ["GET /never"]
    process = subprocess.Popen(
        [sys.executable, "-m", "tornado4", "diff", "app.py", "--port={port}", "--python", sys.executable,
         "--http", requests(folder, *paths), "--timeout", "60"],
        env=buffered(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3 + 9)]  # the tenth step never answers
        process.terminate()
    assert lines[-1].startswith("[ 9/10] 9 same")


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_the_report_can_be_read_back_whole(folder: Path) -> None:
    assert diff("--http", requests(folder, "GET /body"), "--json", "report.json", "--two-way") == 1
    document = json.loads((folder / "report.json").read_text())
    assert from_json(json.dumps(document)).verdicts[0].answers["tornado4"].sent.startswith(b"GET /body HTTP/1.1\r\n")


# -- What an APP may be ------------------------------------------------------------------------------------

APPS = '''\
import tornado.web
import tornado.wsgi

class Hello(tornado.web.RequestHandler):
    def get(self):
        self.write("hello")

application = tornado.web.Application([("/", Hello)])

def plain(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"plain, " + environ["PATH_INFO"].encode()]

class Callable:
    def __call__(self, environ, start_response):
        return plain(environ, start_response)

class Made(tornado.web.Application):
    def __init__(self, settings=None, debug=False):
        super().__init__([("/", Hello)])

callable_object = Callable()
adapter = tornado.wsgi.WSGIAdapter(application)
wsgi_application = tornado.wsgi.WSGIApplication([("/", Hello)])

def makes_plain():
    return plain

def makes_adapter(debug=False, name="x"):
    return adapter

def request_callback(request):
    request.connection.write(b"HTTP/1.1 200 OK\\r\\nContent-Length: 4\\r\\n\\r\\nback")
    request.connection.finish()

def makes_nothing():
    application.listen(0)

def makes_text():
    return "no application"

def makes_a_factory():
    return makes_plain
'''


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("application", "hello"),
        ("Made", "hello"),
        ("plain", "plain, /"),
        ("callable_object", "plain, /"),
        ("adapter", "hello"),
        ("wsgi_application", "hello"),
        ("makes_plain", "plain, /"),
        ("makes_adapter", "hello"),
        ("request_callback", "back"),
    ],
)
def test_what_an_app_may_be(folder: Path, name: str, body: str) -> None:
    (folder / "apps.py").write_text(APPS)
    arguments = ["--http", requests(folder, "GET /"), "--python", sys.executable, "--two-way", "--json", "r.json"]
    assert main(["diff", f"apps.py:{name}", *arguments]) == 0
    (verdict,) = from_json((folder / "r.json").read_text()).verdicts
    assert {answer.raw.rpartition(b"\r\n\r\n")[2].decode() for answer in verdict.answers.values()} == {body}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("makes_nothing", "apps.py:makes_nothing returned None, which is no Application"),
        ("makes_text", "apps.py:makes_text returned 'no application', which is no Application"),
        ("makes_a_factory", "apps.py:makes_a_factory returned <function makes_plain at "),
        ("APPS", "apps.py defines no APPS"),
        ("__name__", "apps.py:__name__ is 'app', which is no Application"),
    ],
)
def test_what_is_no_app_is_named_with_the_way_out(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str, said: str
) -> None:
    (folder / "apps.py").write_text(APPS)
    assert main(["diff", f"apps.py:{name}", "--crawl", "--python", sys.executable, "--two-way"]) == 2
    err = capsys.readouterr().err
    assert said in err and "Traceback" not in err
    assert err.startswith(("tornado4 diff: error: 4.5.3: apps.py:", "tornado4 diff: error: tornado4: apps.py:"))


def test_names_that_this_python_dropped_are_there_with_backfill(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The old side's Python, current as well here, has them always."""
    (folder / "app.py").write_text("from collections import MutableMapping\n" + APP)
    file = requests(folder, "GET /same")
    assert diff("--http", file, "--two-way") == 2
    err = capsys.readouterr().err
    assert err.endswith("\ncollections.MutableMapping is gone since Python 3.10: --backfill puts it back\n")
    assert diff("--http", file, "--two-way", "--backfill") == 0


# -- Secrets -----------------------------------------------------------------------------------------------

LOGIN = """
import tornado.web

class Login(tornado.web.RequestHandler):
    def get(self):
        self.set_secure_cookie("user", "john")
        self.set_cookie("plain", "c00kie-0f-th1s-run")
        self.write({"access_token": "t0ken-0f-th1s-run", "you": self.get_argument("password", "")})

def make_app():
    return tornado.web.Application([("/", Login)], cookie_secret="x" * 20)
"""


def test_redacted_reports_have_no_secret(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "login.py").write_text(LOGIN)
    program = ["login.py:make_app", "--python", sys.executable]
    traffic = ["--http", requests(folder, "GET /?password=hunter-2000")]
    reports = {name: folder / f"report.{name}" for name in ("json", "html", "junit")}
    options = [word for name, path in reports.items() for word in (f"--{name}", str(path))]
    assert main(["diff", *program, *traffic, *options, "--redact"]) == 0
    said = capsys.readouterr()
    for text in (said.out, said.err, *(path.read_text() for path in reports.values())):
        # What a report holds in base64 is text as well.
        coded = re.findall(r"[A-Za-z0-9+/]{16,}={0,2}", text)
        for shown in (text, *(base64.b64decode(one[: len(one) // 4 * 4]).decode("latin-1") for one in coded)):
            assert not any(secret in shown for secret in ("hunter-2000", "c00kie-0f", "t0ken-0f"))
    assert "redacted-" in reports["json"].read_text()
    assert main(["diff", *program, "--replay", str(reports["json"])]) == 2
    assert "was written with --redact" in capsys.readouterr().err
    assert main(["diff", *program, *traffic, "--redact", "--save", "s.har"]) == 2
    assert "--save writes what was sent" in capsys.readouterr().err


# -- The port ----------------------------------------------------------------------------------------------


def test_the_port_is_held_until_the_program_binds_it(folder: Path) -> None:
    """Others on the machine ask the kernel for ports all the time, and a program may take long to come to its own."""
    meddling = '''
import subprocess, sys
code = """
import errno, socket, sys
with socket.socket() as other:
    try:
        other.bind(("127.0.0.1", int(sys.argv[1].partition("=")[2])))
    except OSError as error:
        sys.exit(error.errno != errno.EADDRINUSE)
sys.exit("the port was free")
"""
subprocess.check_call([sys.executable, "-c", code, sys.argv[1]])
'''
    (folder / "app.py").write_text(meddling + APP)
    assert diff("--http", requests(folder, "GET /same"), "--two-way") == 0


# -- A made-up route that hangs ----------------------------------------------------------------------------


def test_a_crawl_asks_a_route_that_hangs_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    routes = 'tornado.web.Application([("/(never)", Handler), ("/(same)", Handler)])'
    made = APP[APP.index("tornado.web.Application(") : APP.index("\n\nif")]
    (folder / "app.py").write_text(APP.replace(made, routes))
    assert diff("--crawl", "--timeout", "0.5", "--two-way", "--json", "r.json") == 0
    verdicts = from_json((folder / "r.json").read_text()).verdicts
    failures = [verdict.untested for verdict in verdicts if verdict.sequence.startswith("/(never)")]
    assert failures[0] == "no answer within 0.5 s" and len(failures) > 5
    assert set(failures[1:]) == {"not asked: no answer within 0.5 s, to GET /never"}
    assert {v.outcome for v in verdicts if not v.sequence.startswith("/(never)")} <= {Outcome.SAME, Outcome.IGNORED}


# -- What was sent, as HAR ---------------------------------------------------------------------------------


def test_what_was_sent_can_be_sent_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Requests with text and with bytes, a WebSocket; cookies and tokens are that side's, and replaced anew."""
    (folder / "session.ws").write_text(
        "connect /ws\nexpect 1\nsend hello\nexpect\nsend-binary 00 ff\nping x\nexpect 2\nsend leave\nexpect close\n"
    )
    (folder / "bytes").write_bytes(b"\xff\x00")
    (folder / "junk.raw").write_bytes(b"GARBAGE\r\n\r\n")
    form = "\nContent-Type: application/x-www-form-urlencoded\n\nx=caf%C3%A9&_xsrf=none"
    lines = ["GET /login", "GET /user?a=%C3%A9", "GET /form", "POST /same" + form, "POST /same\n\n< bytes", "GET /body"]
    http = requests(folder, *lines)
    sent = ["--http", http, "--ws", "session.ws", "--raw", "junk.raw"]
    assert diff(*sent, "--unsafe", "--save", "saved.har", "--json", "first.json") == 1
    assert "saved.har: 1 steps have no place in a HAR file (raw bytes) and are left out" in capsys.readouterr().out
    assert diff("--har", "saved.har", "--unsafe", "--json", "second.json") == 1

    def told(file: str) -> list[tuple[str, str, list[str], list[int]]]:
        verdicts = [v for v in from_json((folder / file).read_text()).verdicts if not v.step.raw and not v.step.frames]
        return [
            (v.step.name, v.status, [f"{d.kind}{d.where}" for d in v.differences if not d.rule],
             [answer.sent.count(b"caf%C3%A9") + answer.sent.endswith(b"\xff\x00") for answer in v.answers.values()])
            for v in verdicts
        ]  # fmt: skip

    assert told("first.json") == told("second.json") and len(told("first.json")) == 7

    def frames(file: str) -> list[bytes]:
        verdicts = from_json((folder / file).read_text()).verdicts
        return [frame.payload for v in verdicts if v.step.websocket for frame in v.answers["4.5.3"].frames]

    assert frames("first.json") == frames("second.json") and b"\x00\xff" in frames("second.json")


def test_a_saved_har_is_what_har_1_2_asks_for(folder: Path) -> None:
    assert diff("--http", requests(folder, "GET /login?a=1", "GET /user", "GET /never"), "--timeout", "0.5",
                "--two-way", "--save", "saved.har") == 0  # fmt: skip
    log = json.loads((folder / "saved.har").read_text())["log"]
    assert log["version"] == "1.2" and set(log["creator"]) == {"name", "version"}
    request = {"method", "url", "httpVersion", "cookies", "headers", "queryString", "headersSize", "bodySize"}
    response = {"status", "statusText", "httpVersion", "cookies", "headers", "content", "redirectURL", "headersSize",
                "bodySize"}  # fmt: skip
    for entry in log["entries"]:
        assert {"startedDateTime", "time", "request", "response", "cache", "timings"} <= set(entry)
        assert request <= set(entry["request"]) and response <= set(entry["response"])
        assert entry["startedDateTime"].endswith("+00:00") and set(entry["timings"]) == {"send", "wait", "receive"}
    assert [entry["response"]["status"] for entry in log["entries"]] == [200, 200, 0]
    first, second, _ = log["entries"]
    assert first["request"]["queryString"] == [{"name": "a", "value": "1"}]
    (cookie,) = second["request"]["cookies"]
    assert cookie == first["response"]["cookies"][0] and cookie["name"] == "user"
    assert second["response"]["content"] == {"size": 3, "mimeType": "text/html; charset=UTF-8", "text": "ann"}
    (sequence,), notes = read_har(folder / "saved.har")
    assert len(sequence.steps) == 3 and not notes


# -- Sides that are commands ---------------------------------------------------------------------------------


def command_of(folder: Path, name: str, text: str) -> str:
    """A server of its own that answers with a text, and ends itself when it is asked for /end."""
    (folder / name).write_text(
        "import http.server, os, sys\n"
        "class Handler(http.server.BaseHTTPRequestHandler):\n"
        "    def do_GET(self):\n"
        "        if self.path == '/end': os._exit(3)\n"
        "        self.send_response(200)\n"
        f"        self.send_header('Content-Length', '{len(text)}')\n"
        "        self.end_headers()\n"
        f"        self.wfile.write({text.encode()!r})\n"
        "print('so far so good')\n"
        "http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n"
    )
    return f"{sys.executable} {name} {{port}}"


def test_two_commands_are_compared(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one, other = command_of(folder, "one.py", "hello"), command_of(folder, "other.py", "hullo")
    http = requests(folder, "GET /")
    assert main(["diff", "--old", one, "--new", one, "--http", http, "--json", "same.json"]) == 0
    assert from_json((folder / "same.json").read_text()).sides == ["old", "old again", "new"]
    capsys.readouterr()
    assert main(["diff", "--old", one, "--new", other, "--two-way", "--http", http]) == 1
    assert "hello" in (shown := capsys.readouterr().out) and "hullo" in shown and "log" not in shown


def test_the_new_side_may_be_another_program(folder: Path) -> None:
    new = command_of(folder, "one.py", "hello")
    http = requests(folder, "GET /same")
    assert diff("--new", new, "--http", http, "--json", "report.json") == 1
    run = from_json((folder / "report.json").read_text())
    assert run.sides == ["4.5.3", "4.5.3 again", "new"] and run.new == new
    assert not any(d.kind is Kind.LOG for v in run.verdicts for d in v.differences)


def test_a_command_that_ends_is_started_again(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    one = command_of(folder, "one.py", "hello")
    http = requests(folder, "GET /a", "GET /end", "GET /b")
    assert main(["diff", "--old", one, "--new", one, "--two-way", "--http", http, "--json", "report.json"]) == 0
    outcomes = [v.outcome for v in from_json((folder / "report.json").read_text()).verdicts]
    assert outcomes == [Outcome.SAME, Outcome.UNTESTED, Outcome.SAME]
    assert "crashed: ended with exit code 3" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["app.py", "--new", "serve"], "--new 'serve': where {port} stands, the command is told on which port to"),
        (["app.py", "--old", "a {port}", "--new", "b {port}"], "both sides are commands; what is app.py?"),
        (["--new", "b {port}"], "which application?"),
        (["--old", "no-such-program {port}", "--new", "GOOD"], "old: no-such-program: No such file"),
        (["--old", "false {port}", "--new", "GOOD"], "old: false {port} ended with exit code 1, and listened"),
        (["--old", "sleep 9 {port}", "--new", "GOOD"], "does not listen on port"),
    ],
)
def test_a_command_that_cannot_run_is_one_error(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    http = requests(folder, "GET /")
    seconds = "0.2" if any("sleep" in argument for argument in arguments) else "30"
    good = command_of(folder, "good.py", "")
    arguments = [argument.replace("GOOD", good) for argument in arguments]
    assert main(["diff", *arguments, "--http", http, "--two-way", "--start-timeout", seconds]) == 2
    error = capsys.readouterr().err
    assert error.count("tornado4 diff: error:") == 1 and message in error
