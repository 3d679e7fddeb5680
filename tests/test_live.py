"""``--migrate``: each rule's own program under it, the modes, the categories, and that off it does not exist."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest

from tornado4.migrate.live import wanted
from tornado4.migrate.rules import rules

HERE = Path(__file__).resolve().parent

#: The rules that a running program can show by the table's own pair: what stands in the line that is told.
PAIRS = {
    "TND150": "client = httpclient.HTTPClient()",
    "TND203": "fetch(url, show)",
    "TND204": "stream.connect(address, connected)",
    "TND205": "read_bytes(5, show)",
    "TND210": "double(21, callback=show)",
    "TND401": "helper = IOLoop()",
    "TND402": "futures.append(Future())",
    "TND403": "future.set_result(None)",
    "TND404": "future.set_result(2)",
    "TND405": "future.cancel()",
    "TND406": 'future.set_result("done")',
    "TND407": "IOLoop.current().add_callback(done)",
    "TND408": "print(IOLoop(make_current=False)",
    "TND410": "raise web.HTTPError(418)",
    "TND411": "await gen.sleep(",
    "TND412": "yield gen.with_timeout",
    "TND417": "periodic = PeriodicCallback(",
    "TND418": "IOLoop.current().start()",
    "TND423": "def get(self):",
    "TND424": "return future.result(timeout=5)",
    "TND425": "queue.get(timeout=0)",
    "TND428": "loop.stop()",
    "TND501": 'self.finish("later")',
    "TND502": "def get(self):",
    "TND504": "def get_modified_time",
    "TND517": "def data_received",
    "TND601": "raise_error=False)",
    "TND703": 'self.offered == [""]',
    "TND753": "HTTPHeaders.parse(text)",
    "TND754": 'parse_multipart_form_data(b"x", body',
    "TND802": 'self.fetch("/", request_timeout',
    "TND803": "self.assertEqual(1, 2)",
}

#: Of what is optional, with ``native``.
NATIVE_PAIRS = {"TND315": "work()", "TND316": "print(first, (yield waiting))"}

#: Those whose rule has no pair, or another one: (a program of 4.5.3, what stands in the line that is told).
OTHERS = {
    "TND409": ("""
        from tornado.concurrent import Future
        def fails(future):
            raise ValueError("in a callback")
        future = Future()
        import threading
        future._callbacks.append(fails)
        from tornado.ioloop import IOLoop
        import logging; logging.disable(logging.CRITICAL)
        IOLoop.current().call_later(0, future.set_result, None)
        IOLoop.current().call_later(0.01, IOLoop.current().stop)
        IOLoop.current().start()
        """, 'raise ValueError("in a callback")'),
    "TND415": ("""
        from tornado.ioloop import IOLoop
        loop = IOLoop(make_current=False)
        loop.close()
        try:
            loop.call_later(1, print)
        except TypeError:
            print("TypeError")
        """, "loop.call_later(1, print)"),
    "TND416": ("""
        import socket
        from tornado.ioloop import IOLoop
        loop = IOLoop.current()
        a, b = socket.socketpair()
        loop.add_handler(a, print, loop.READ)
        try:
            loop.add_handler(a, print, loop.READ)
        except OSError as error:
            print(type(error).__name__)
        """, "loop.add_handler(a, print, loop.READ)"),
    "TND419": ("""
        from tornado import process
        from tornado.ioloop import IOLoop
        IOLoop.instance()
        try:
            process.fork_processes(2)
        except RuntimeError as error:
            print(error)
        """, "process.fork_processes(2)"),
    "TND422": ("""
        import contextvars
        from tornado import gen
        from tornado.ioloop import IOLoop
        request = contextvars.ContextVar("request")
        @gen.coroutine
        def start():
            request.set("mine")
            yield gen.moment
        @gen.coroutine
        def main():
            yield start()
            print(request.get())
        import contextlib
        IOLoop.current().run_sync(main)
        """, "yield start()"),
    "TND450": ("""
        import socket
        from tornado.ioloop import IOLoop
        from tornado.iostream import IOStream
        loop = IOLoop.current()
        ours, theirs = socket.socketpair()
        stream = IOStream(ours)
        stream.write(b"x" * 10000000)
        theirs.close()
        loop.call_later(0.05, loop.stop)
        loop.start()
        print(stream.closed())
        """, 'stream.write(b"x"'),
    "TND451": ("""
        import socket, struct
        from tornado.ioloop import IOLoop
        from tornado.iostream import IOStream
        from tornado.testing import bind_unused_port
        listener, port = bind_unused_port()
        theirs = socket.create_connection(("127.0.0.1", port))
        listener.setblocking(True)
        ours, _ = listener.accept()
        stream = IOStream(ours)
        async def main():
            reading = stream.read_until_close()
            theirs.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            theirs.close()
            print(await reading)
        IOLoop.current().run_sync(main)
        """, "stream.read_until_close()"),
    "TND452": ("""
        from tornado4 import switches
        switches.allow("unverified-tls")
        from tornado.netutil import ssl_options_to_context, verifies_by_default
        print(verifies_by_default({}))
        """, "verifies_by_default({})"),
    "TND507": ("""
        from tornado import web
        print(web.StaticFileHandler.make_static_url({"static_path": "."}, "../x", include_version=False))
        """, "make_static_url("),
    "TND510": ("""
        from tornado4 import switches
        switches.allow("cookie-attributes")
        from tornado import httputil, web
        class Connection(object):
            context = None
            def set_close_callback(self, callback):
                pass
        request = httputil.HTTPServerRequest("GET", "/", connection=Connection())
        handler = web.RequestHandler(web.Application(), request)
        handler.set_cookie("a", "b", path="/; SameSite=Lax")
        print(handler._new_cookie["a"]["path"])
        """, "handler.set_cookie("),
    "TND525": ("""
        import asyncio, logging
        logging.disable(logging.CRITICAL)
        from tornado import web
        from tornado.testing import AsyncHTTPTestCase
        class Handler(web.RequestHandler):
            async def get(self):
                raise asyncio.CancelledError()
        class Case(AsyncHTTPTestCase):
            def get_app(self):
                return web.Application([("/", Handler)])
            def runTest(self):
                print(self.fetch("/").code)
        import unittest
        Case().run(unittest.TestResult())
        """, "async def get(self):"),
    "TND608": ("""
        from tornado.httpclient import HTTPRequest, HTTPResponse
        response = HTTPResponse(HTTPRequest("http://localhost/"), 404)
        print(response.body)
        """, "response.body"),
    "TND614": ("""
        from tornado import gen
        from tornado.curl_httpclient import CurlAsyncHTTPClient
        from tornado.ioloop import IOLoop
        from tornado.testing import bind_unused_port
        listener, port = bind_unused_port()
        listener.close()
        @gen.coroutine
        def piece(data):
            pass
        async def main():
            try:
                await CurlAsyncHTTPClient().fetch("http://127.0.0.1:%d/" % port, streaming_callback=piece)
            except Exception as error:
                print(error.code)
        IOLoop.current().run_sync(main)
        """, "streaming_callback=piece"),
    "TND704": ("""
        from tornado.websocket import WebSocketClientConnection
        connection = WebSocketClientConnection.__new__(WebSocketClientConnection)
        connection.protocol = None
        try:
            connection.write_message("lost")
        except AttributeError:
            print("AttributeError")
        """, 'connection.write_message("lost")'),
    "TND705": ("""
        from tornado.concurrent import Future
        from tornado.iostream import StreamClosedError
        from tornado.websocket import WebSocketHandler
        sent = Future()
        class Protocol(object):
            def write_message(self, message, binary):
                sent.add_done_callback(Future.exception)
                return sent
        handler = WebSocketHandler.__new__(WebSocketHandler)
        handler.ws_connection = Protocol()
        handler.write_message("lost")
        sent.set_exception(StreamClosedError())
        """, 'handler.write_message("lost")'),
    "TND506": ("""
        import os
        import tempfile
        from tornado import httpclient, switches, web
        from tornado.httpserver import HTTPServer
        from tornado.ioloop import IOLoop
        from tornado.testing import bind_unused_port
        switches.allow("static-symlinks")
        folder, elsewhere = tempfile.mkdtemp(), tempfile.mkdtemp()
        open(os.path.join(elsewhere, "a.txt"), "w").close()
        os.symlink(os.path.join(elsewhere, "a.txt"), os.path.join(folder, "a.txt"))
        application = web.Application(static_path=folder)
        socket, port = bind_unused_port()
        HTTPServer(application).add_sockets([socket])
        fetch = httpclient.AsyncHTTPClient().fetch
        print(IOLoop.current().run_sync(lambda: fetch("http://127.0.0.1:%d/static/a.txt" % port)).code)
        """, "application = web.Application(static_path=folder)"),
    "TND806": ("""
        import unittest
        from tornado import gen
        from tornado.testing import AsyncTestCase
        async def work():
            await gen.sleep(10)
        class Case(AsyncTestCase):
            def runTest(self):
                self.io_loop.add_callback(work)
                self.io_loop.call_later(0.01, self.stop)
                self.wait()
        print(Case().run(unittest.TestResult()) is None)
        """, "def runTest(self):"),
    "TND809": ("""
        import unittest
        from unittest import mock
        from tornado import gen
        from tornado.testing import AsyncTestCase, gen_test
        @gen.coroutine
        def asks():
            raise gen.Return((yield gen.Task(None)))
        class Case(AsyncTestCase):
            @gen_test
            def runTest(self):
                done = gen.maybe_future(5)
                with mock.patch.object(gen, "Task", lambda *args: [done]):
                    yield asks()
        Case().run(unittest.TestResult())
        """, "gen.Task(None)"),
}  # fmt: skip

def run(programs: list[str], *options: str) -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, str(HERE / "live_programs.py"), *options],
        input=json.dumps(programs), capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    results: list[dict[str, Any]] = json.loads(done.stdout)
    return results


def told(result: dict[str, Any], program: str) -> list[tuple[str, str]]:
    """What was told, each with the line's text."""
    lines = program.splitlines()
    return [
        (rule, lines[line - 1] if file == "program.py" else f"{file}:{line}") for rule, file, line in result["told"]
    ]


@functools.cache
def pairs(mode: str, *options: str) -> dict[tuple[str, str], tuple[str, dict[str, Any]]]:
    """The outcome of each program before and after, by rule."""
    wanted_pairs = NATIVE_PAIRS if "native" in options else PAIRS
    keys = [(rule, when) for rule in wanted_pairs for when in ("before", "after")]
    if mode == "error":
        keys = [(rule, when) for rule, when in keys if when == "after" or rule in RAISED or rule in SILENT]
    programs = [rules()[rule].program(getattr(rules()[rule], when)) for rule, when in keys]
    return dict(zip(keys, zip(programs, run(programs, mode, *options), strict=True), strict=True))


@pytest.mark.parametrize("rule", [*PAIRS, *NATIVE_PAIRS])
def test_before_tells_just_its_rule_at_its_line_and_after_tells_nothing(rule: str) -> None:
    outcomes = pairs("warn", "native") if rule in NATIVE_PAIRS else pairs("warn")
    program, result = outcomes[rule, "before"]
    ((told_rule, line),) = told(result, program)
    assert told_rule == rule
    assert {**PAIRS, **NATIVE_PAIRS}[rule] in line
    assert result["printed"].strip() == rules()[rule].prints.strip()
    program, result = outcomes[rule, "after"]
    assert told(result, program) == []
    assert result["printed"].strip() == (rules()[rule].prints_after or rules()[rule].prints).strip()


@functools.cache
def others() -> dict[str, tuple[str, dict[str, Any]]]:
    programs = [textwrap.dedent(program) for program, _ in OTHERS.values()]
    return dict(zip(OTHERS, zip(programs, run(programs, "warn"), strict=True), strict=True))


@pytest.mark.parametrize("rule", OTHERS)
def test_rules_without_a_pair_are_told_at_their_line(rule: str) -> None:
    program, result = others()[rule]
    ((told_rule, line),) = told(result, program)
    assert told_rule == rule, result
    assert OTHERS[rule][1] in line


#: Both ways of writing it wait for a list: it is no pair.
NATIVE = {
    "TND314": ("""
        from tornado import gen
        from tornado.ioloop import IOLoop
        class Things(object):
            kept = None
        @gen.coroutine
        def wait_for(things):
            yield things
            yield [gen.moment]
            yield gen.moment
            yield Things.kept
        async def main():
            await wait_for([gen.sleep(0)])
            await wait_for(gen.sleep(0))
        IOLoop.current().run_sync(main)
        """, ["yield things", "yield Things.kept"]),
}  # fmt: skip


@pytest.mark.parametrize("rule", NATIVE)
def test_a_rule_of_native_ones_is_told_at_each_line(rule: str) -> None:
    program = textwrap.dedent(NATIVE[rule][0])
    (result,) = run([program], "warn", "native")
    assert [(told_rule, line.strip()) for told_rule, line in told(result, program)] == [
        (rule, line) for line in NATIVE[rule][1]
    ]


def test_each_rule_that_the_table_gives_to_the_running_program_is_here() -> None:
    given = {rule.id for rule in rules().values() if "run" in rule.seen_by}
    assert len(given) == 53
    assert given == {*PAIRS, *NATIVE_PAIRS, *OTHERS, *NATIVE}


# -- error ----------------------------------------------------------------------------------------------------

#: What ``--migrate=error`` raises in the program itself: as the real 6.6.1 does.
RAISED = {
    "TND404": ("asyncio.exceptions", "InvalidStateError", "invalid state"),
    "TND424": ("builtins", "TypeError", "Future.result() takes no keyword arguments"),
    "TND601": ("builtins", "ConnectionRefusedError", "[Errno 111] Connection refused"),
    "TND753": ("tornado4.httputil", "HTTPInputError", "no colon in header line"),
    "TND754": ("tornado4.httputil", "HTTPInputError", "Invalid multipart/form-data: no final boundary found"),
}

SILENT = ("TND401", "TND403", "TND405")


@pytest.mark.parametrize("rule", RAISED)
def test_error_raises_what_tornado_6_raises(rule: str) -> None:
    assert tuple(pairs("error")[rule, "before"][1]["raised"]) == RAISED[rule]


@pytest.mark.parametrize("rule", SILENT)
def test_error_raises_a_silent_change_where_tornado_6_says_nothing(rule: str) -> None:
    module, name, text = pairs("error")[rule, "before"][1]["raised"]
    assert (module, name) == ("tornado4.migrate.live", "SilentChange")
    assert text.startswith(f"{rule}: {rules()[rule].title}")


@pytest.mark.parametrize("rule", PAIRS)
def test_under_error_after_goes_as_ever(rule: str) -> None:
    _, result = pairs("error")[rule, "after"]
    assert result["printed"].strip() == (rules()[rule].prints_after or rules()[rule].prints).strip()


# -- off, and on again ----------------------------------------------------------------------------------------


def python(code: str, *options: str, **environ: str) -> str:
    done = subprocess.run(
        [sys.executable, *options, "-c", textwrap.dedent(code)],
        env=os.environ | environ, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


HOT = """
    from tornado4 import concurrent, gen, ioloop, iostream, web
    from tornado4.gen import coroutines, runner
    from tornado4.web import application, execution
    def hot():
        return [vars(owner)[name] for owner, names in (
            (concurrent.Future, "__init__ _set_done add_done_callback cancel result"),
            (ioloop.IOLoop, "initialize instance run_sync _setup_logging"),
            (ioloop.PollIOLoop, "start close call_at add_callback add_handler"),
            (runner.Runner, "__init__ run handle_yield"), (runner, "_outcome"),
            (coroutines, "_begin _first_unresolved take_over _run_callback_later"),
            (execution, "execute _fail _run_through"), (execution._Run, "_as_future wait_for"),
            (application._HandlerDelegate, "data_received finish execute"),
        ) for name in names.split()]
    before = hot()
"""


def test_off_nothing_of_it_is_imported() -> None:
    code = """
        import sys, tornado4.web, tornado4.testing, tornado4.migrate.run
        print([name for name in sys.modules if "migrate.live" in name])
    """
    assert python(code) == "[]\n"


def test_the_hot_functions_are_the_same_objects_before_and_after() -> None:
    code = HOT + """
    from tornado4.migrate import live
    live.start("warn")
    assert not any(a is b for a, b in zip(before[:5], hot()))
    live.stop()
    print(all(a is b for a, b in zip(before, hot(), strict=True)))
    """
    assert python(code) == "True\n"


def test_off_a_request_makes_no_call_more() -> None:
    """``sys.setprofile`` counts the calls of one request: with it stopped, those of a process that never had it."""
    code = """
        import sys
        from tornado4 import httputil, web
        if "live" in sys.argv:
            from tornado4.migrate import live
            live.start("warn")
            live.stop()
        class Connection(object):
            context = None
            def set_close_callback(self, callback): pass
            def write_headers(self, *args, **kwargs): pass
            def write(self, *args, **kwargs): pass
            def finish(self): pass
        class Handler(web.RequestHandler):
            def get(self):
                self.write("hello")
        app = web.Application([("/", Handler)], log_function=lambda handler: None)
        def request():
            app(httputil.HTTPServerRequest("GET", "/", connection=Connection()))
        for _ in range(5):
            request()
        calls = []
        sys.setprofile(lambda frame, event, arg: calls.append(1) if "call" in event else None)
        request()
        sys.setprofile(None)
        print(len(calls))
    """
    plain = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    stopped = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), "live"], capture_output=True, text=True, check=True
    )
    assert int(plain.stdout) > 20
    assert plain.stdout == stopped.stdout


def test_starting_twice_is_an_error_and_stopping_twice_is_none() -> None:
    code = """
        from tornado4.migrate import live
        live.start("warn")
        try:
            live.start("warn")
        except RuntimeError as error:
            print(error)
        live.stop(), live.stop()
    """
    assert python(code) == "tornado4.migrate.live runs already; stop() ends it\n"


# -- categories, packages, reports -----------------------------------------------------------------------------

EARLY = """\
from tornado.concurrent import Future
def meet():
    future = Future()
    future.add_done_callback(lambda done: None)
    future.set_result(None)
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    package = tmp_path / "site-packages" / "oldlib"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(EARLY)
    (tmp_path / "mine.py").write_text(EARLY)
    (tmp_path / "app.py").write_text(
        "import sys; sys.path.append('site-packages')\n"
        "import mine, oldlib\nmine.meet(); mine.meet(); oldlib.meet()\nprint('done')\n"
    )
    (tmp_path / "test_app.py").write_text("import mine\ndef test_it():\n    mine.meet()\n")
    return tmp_path


def tornado4(project: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tornado4", *arguments],
        cwd=project, env=os.environ | environ, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip


def test_packages_are_summed_and_listed_when_asked(project: Path) -> None:
    done = tornado4(project, "run", "--migrate=warn", "app.py")
    assert done.stdout == "done\n"
    assert done.stderr.count("Tornado6Silent: TND403") == 1
    assert "mine.py:5: Tornado6Silent" in done.stderr
    assert "TND403  1 place, 2 times" in done.stderr
    assert "in the package oldlib: TND403 1 times" in done.stderr
    done = tornado4(project, "run", "--migrate=warn", "--migrate-packages", "app.py")
    assert done.stderr.count("Tornado6Silent: TND403") == 2


def test_the_variable_and_the_projects_file_ask_as_well(project: Path) -> None:
    assert "TND403" in tornado4(project, "run", "app.py", TORNADO4_MIGRATE="warn").stderr
    (project / "pyproject.toml").write_text('[tool.tornado4]\nmigrate = { mode = "warn", packages = true }\n')
    assert tornado4(project, "run", "app.py").stderr.count("Tornado6Silent: TND403") == 2
    done = tornado4(project, "run", "app.py", TORNADO4_MIGRATE="wran")
    assert done.returncode == 2
    assert "no mode 'wran'; there are: warn, error, record" in done.stderr


def test_filters_of_warnings_take_the_categories(project: Path) -> None:
    done = tornado4(project, "run", "--migrate=warn", "app.py", PYTHONWARNINGS="ignore")
    assert "Tornado6Silent" not in done.stderr
    assert "TND403  1 place, 2 times" in done.stderr


def test_the_report_is_json_with_a_schema(project: Path) -> None:
    done = tornado4(project, "run", "--migrate=warn", "--migrate-report", "report.json", "app.py")
    assert done.returncode == 0, done.stderr
    assert json.loads((project / "report.json").read_text()) == {
        "schema": 1,
        "mode": "warn",
        "rules": {
            "TND403": {
                "title": rules()["TND403"].title,
                "severity": "silent",
                "places": [{"file": "mine.py", "line": 5, "count": 2}],
            }
        },
        "packages": {"oldlib": {"TND403": 1}},
        "elsewhere": {},
    }


def test_under_pytest(project: Path) -> None:
    (project / "pytest.ini").write_text("[pytest]\n")  # else, where temporary files are below a checkout, its settings
    arguments = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "--tornado4-alias", "--tornado4-migrate=warn"]
    done = subprocess.run(
        [sys.executable, *arguments], cwd=project, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Tornado6Silent: TND403" in done.stdout
    assert "TND403  1 place, 1 times" in done.stdout
    strict = ["-W", "error::tornado4.migrate.live.Tornado6Silent"]
    done = subprocess.run(
        [sys.executable, *arguments, *strict], cwd=project, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 1
    assert "1 failed" in done.stdout


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("wran", "no mode 'wran'; there are: warn, error, record"),
        ("warn,pakages", "pakages = True"),
        ("warn,report", "report = True"),
        (3, "migrate = 3"),
    ],
)
def test_what_asks_for_nothing_that_there_is_is_named(text: Any, complaint: str) -> None:
    with pytest.raises(wanted.WantedError, match=complaint):
        wanted.read(text, "here")


def test_a_text_and_a_table_say_the_same() -> None:
    text = wanted.read("warn,packages,native,report=r.json,profile=p.json", "here")
    assert text is not None
    assert wanted.read(text.table(), "here") == text
    assert wanted.read(True, "here") == wanted.Wanted(mode="warn")
    assert wanted.read("", "here") is None
