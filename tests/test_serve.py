"""`tornado4 serve` in one process: what can be served, how it listens, and how it comes to its end."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from programs import free_port, python, server
from serving import APP, PATIENCE, Peer, serve
from stream_pairs import certificate  # noqa: F401  (a fixture)

from tornado4.migrate.settings import SettingsError
from tornado4.serve import config, target

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")

KINDS = """
import typing
from tornado4 import httputil, web, wsgi

class Main(web.RequestHandler):
    def get(self):
        self.write("tornado")

def factory():
    return web.Application([("/", Main)])

def wsgi_app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi"]

async def asgi_app(scope, receive, send):
    if scope["type"] == "lifespan":
        while True:
            event = await receive()
            print(event["type"], flush=True)
            await send({"type": event["type"] + ".complete"})
            if event["type"] == "lifespan.shutdown":
                return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})

class Asgi:
    async def __call__(self, scope, receive, send):
        await asgi_app(scope, receive, send)

def make_asgi():
    return Asgi()

def callback(request):
    request.connection.write_headers(
        httputil.ResponseStartLine("", 200, "OK"), httputil.HTTPHeaders({"Content-Length": "8"}), b"callback")
    request.connection.finish()

class there:
    application = factory()

old = wsgi.WSGIApplication([("/", Main)])
number = 7
"""


@pytest.mark.parametrize(
    "name, body",
    [
        ("factory", b"tornado"), ("there.application", b"tornado"), ("old", b"tornado"), ("wsgi_app", b"wsgi"),
        ("asgi_app", b"asgi"), ("make_asgi", b"asgi"), ("callback", b"callback"),
    ],
)  # fmt: skip
def test_whatever_is_an_application_is_served(tmp_path: Path, name: str, body: bytes) -> None:
    with serve(f"app:{name}", "--port", "0", cwd=tmp_path, app=KINDS, stdout=subprocess.PIPE) as served:
        peer = served.connect()
        assert peer.get("/", "Connection: close")[2] == body
        peer.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        said = served.process.stdout.read()
        assert said == ("lifespan.startup\nlifespan.shutdown\n" if "asgi" in name else "")


@pytest.mark.parametrize(
    "name, message",
    [
        ("nosuch:app", "there is no module 'nosuch'"),
        ("app:nosuch", "app has no 'nosuch'; it has: factory, wsgi_app"),
        ("app:number", "7 is no application"),
    ],
)
def test_what_is_no_application_is_named(tmp_path: Path, name: str, message: str) -> None:
    (tmp_path / "app.py").write_text(KINDS)
    done = python("-m", "tornado4", "serve", name, "--port", "0", cwd=tmp_path, code=1)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_class_of_applications_is_named_as_well(tmp_path: Path) -> None:
    """The usual form of Tornado 4's demos; one that needs arguments is no candidate."""
    app = (
        "from tornado4 import web\n"
        "from tornado4.web import RequestHandler\n"
        "class Application(web.Application):\n"
        "    def __init__(self):\n"
        "        web.Application.__init__(self, [])\n"
        "class Other(Application):\n"
        "    def __init__(self, loop):\n"
        "        Application.__init__(self)\n"
        "def main(): pass\n"
    )
    (tmp_path / "app.py").write_text(app)
    done = python("-m", "tornado4", "serve", "app:application", "--port", "0", cwd=tmp_path, code=1)
    assert "app has no 'application'; it has: Application, main" in done.stderr
    with serve("app:Application", "--port", "0", cwd=tmp_path, app=app) as served:
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 404
        peer.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_running_program_tells_what_tornado_6_does_otherwise(tmp_path: Path, processes: str) -> None:
    app = (
        "from tornado4 import concurrent, web\n"
        "class Main(web.RequestHandler):\n"
        "    def get(self):\n"
        "        future = concurrent.Future()\n"
        "        future.add_done_callback(lambda future: None)\n"
        "        future.set_result(None)\n"
        "application = web.Application([('/', Main)])\n"
    )
    command = ("-W", "default", "-m", "tornado4", "serve")
    ready = "ready" if processes == "1" else "all workers ready"
    with serve("app:application", "--port", "0", "--processes", processes, cwd=tmp_path, app=app, command=command,
               env={"TORNADO4_MIGRATE": "warn"}, ready=ready) as served:  # fmt: skip
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()
        served.wait_for("Tornado6Silent: TND403")
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert any("TND403  1 place, 1 times" in line for line in served.lines)  # at the end of the worker


MAIN = """
import threading
from tornado4 import ioloop, web

def make_app():
    loop = ioloop.IOLoop.current()
    loop.run_sync(lambda: None)  # what a factory may do
    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    return web.Application([])

def elsewhere():
    loop = ioloop.IOLoop()
    loop.add_callback(loop.stop)
    loop.start()
    loop.close()

def main():
    make_app().listen(0)
    ioloop.IOLoop.current().start()
"""


@pytest.mark.parametrize("name, code", [("app:main", ""), ("app:make_app", "main()")])
def test_a_program_that_would_serve_by_itself_is_refused(tmp_path: Path, name: str, code: str) -> None:
    (tmp_path / "app.py").write_text(MAIN + code)
    done = python("-m", "tornado4", "serve", name, "--port", "0", cwd=tmp_path, code=1)
    assert f"tornado4 serve: '{name}': it starts an IOLoop, and would serve by itself" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_factory_may_run_what_it_needs(tmp_path: Path) -> None:
    with serve("app:make_app", "--port", "0", cwd=tmp_path, app=MAIN) as served:
        peer = served.connect()
        assert peer.get()[0] == 404
        peer.close()


def test_what_a_module_raises_is_shown(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("1 / 0")
    done = python("-m", "tornado4", "serve", "app:application", "--port", "0", cwd=tmp_path, code=1)
    assert "ZeroDivisionError" in done.stderr and "app:application did not start" in done.stderr


def test_an_application_of_another_tornado_is_refused_with_the_way_out() -> None:
    kind = type("Application", (), {"__module__": "tornado.web"})
    with pytest.raises(target.TargetError, match="--alias"):
        target.adapt(kind(), "app:application")


@pytest.mark.parametrize("called", [lambda a, b, c, d: 0, lambda *, a: 0])
def test_a_callable_of_no_known_kind_is_refused(called: object) -> None:
    with pytest.raises(target.TargetError, match=r"how is .* to be called"):
        target.adapt(called, "app:application")


def test_a_factory_that_makes_no_application_is_refused() -> None:
    async def waited_for() -> None: ...

    with pytest.raises(target.TargetError, match="has to be awaited"):
        target.adapt(waited_for, "app:application")
    with pytest.raises(target.TargetError, match=r"app:application\(\)'.*7 is no application"):
        target.adapt(lambda: 7, "app:application")


# ---------------------------------------------------------------------------------------------------------
# The end


@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_sigterm_lets_requests_end_tells_keep_alive_ones_and_closes_websockets(tmp_path: Path, loop: str) -> None:
    if loop == "uvloop":
        pytest.importorskip("uvloop")
    until = tmp_path / "until"
    # However slow we are, what says nothing is not closed before it has asked.
    app = APP + "\nfrom tornado4.serve import drain\ndrain.SILENCE = 1000.0\n"
    with serve("app:application", "--port", "0", "--loop", loop, cwd=tmp_path, app=app) as served:
        silent, running, websocket = served.connect(), served.connect(), served.connect()
        assert silent.get()[0] == 200
        websocket.upgrade()
        websocket.send_frame(1, b"hello")
        assert websocket.frame() == (1, b"hello")
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        opcode, payload = websocket.frame()
        assert (opcode, struct.unpack(">H", payload[:2])) == (8, (1001,))
        websocket.send_frame(1, b"crossed the close on its way")
        websocket.send_frame(8, payload[:2])
        assert websocket.at_end()
        with pytest.raises(ConnectionRefusedError):
            served.connect()
        # a request on a connection that was open is answered, and is the last on it
        status, headers, _ = silent.get()
        assert (status, headers["connection"]) == (200, "close")
        assert silent.at_end()
        until.touch()
        status, headers, body = running.answer()
        assert (status, headers["connection"]) == (200, "close") and body.startswith(b"done")
        assert running.at_end()
        assert served.end() == 0
        assert not any("WebSocketClosedError" in line for line in served.lines)
        for peer in (silent, running, websocket):
            peer.close()


def test_a_silent_connection_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with serve("app:application", "--port", "0", "--grace", "1000", cwd=tmp_path) as served:
        silent = served.connect()
        assert silent.get()[0] == 200
        served.signal(signal.SIGTERM)
        assert silent.at_end()
        assert served.end() == 0
        silent.close()


@pytest.mark.parametrize("again", [False, True])
def test_what_runs_longer_than_the_grace_is_cut_off(tmp_path: Path, again: bool) -> None:
    """So it is when the signal comes a second time."""
    grace = "1000" if again else "0.5"
    with serve("app:application", "--port", "0", "--grace", grace, cwd=tmp_path) as served:
        running, websocket = served.connect(), served.connect()
        websocket.upgrade()
        running.ask("/begun?until=/nosuch")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        if again:
            served.signal(signal.SIGTERM)
        served.wait_for("grace is over: 1 requests and 1 WebSockets")
        assert running.at_end()
        assert served.end() == 0
        running.close()
        websocket.close()


@pytest.mark.parametrize("listen", ["port", "unix"])
def test_sighup_is_a_new_program_with_the_same_sockets(tmp_path: Path, listen: str) -> None:
    path = tmp_path / "socket"
    where = ("--port", "0") if listen == "port" else ("--unix", str(path))
    until = tmp_path / "until"

    def connect() -> Peer:
        if listen == "port":
            return served.connect()
        sock = socket.socket(socket.AF_UNIX)
        sock.settimeout(PATIENCE)
        sock.connect(str(path))
        return Peer(sock)

    with serve("app:application", *where, cwd=tmp_path) as served:
        running = connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        (tmp_path / "app.py").write_text("from app_2 import application")
        (tmp_path / "app_2.py").write_text(KINDS + "application = factory()")
        served.signal(signal.SIGHUP)
        served.wait_for("draining")
        waiting = connect()  # nobody accepts it now, and it is not refused
        waiting.ask("/")
        until.touch()
        assert running.answer()[1]["connection"] == "close"
        assert waiting.answer()[2] == b"tornado"
        served.wait_for("restarting")
        served.wait_for(f"ready .pid {served.process.pid}")
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        running.close()
        waiting.close()


def test_max_requests_is_a_new_program(tmp_path: Path) -> None:
    with serve("app:application", "--port", "0", "--max-requests", "3", cwd=tmp_path) as served:
        for _ in range(3):
            peer = served.connect()
            assert peer.get("/", "Connection: close")[0] == 200
            peer.close()
        served.wait_for("restarting")
        served.wait_for("ready")
        peer = served.connect()
        assert peer.get()[0] == 200
        peer.close()


# ---------------------------------------------------------------------------------------------------------
# Listening


def test_systemd_hands_sockets_over(tmp_path: Path) -> None:
    """As sd_listen_fds(3) says: from descriptor 3 on, LISTEN_FDS of them, for the process that LISTEN_PID names."""
    script = (
        "import os, socket, sys\n"
        "sock = socket.socket(); sock.bind(('127.0.0.1', 0)); sock.listen()\n"
        "fd = sock.detach()\n"
        "if fd != 3: os.dup2(fd, 3)\n"
        "os.set_inheritable(3, True)\n"
        "os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS='1')\n"
        "os.execv(sys.executable, [sys.executable, '-m', 'tornado4', 'serve', *sys.argv[1:]])"
    )
    with serve("app:application", "--fd", "systemd", cwd=tmp_path, command=("-c", script)) as served:
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()
        served.signal(signal.SIGHUP)  # and they stay
        served.wait_for("ready")
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()


def test_a_descriptor_is_handed_over(tmp_path: Path) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        fd = sock.fileno()
        with serve("app:application", "--fd", str(fd), cwd=tmp_path, pass_fds=[fd]) as served:
            assert served.port == sock.getsockname()[1]
            peer = served.connect()
            assert peer.get("/", "Connection: close")[0] == 200
            peer.close()


@pytest.mark.parametrize(
    "options, code, message",
    [
        (["app"], 2, "'app': MODULE:APP is wanted"),
        (["--fd", "systemd"], 2, "no socket was handed to this process"),
        (["--fd", "nosuch"], 2, "--fd nosuch: it is 'systemd', or numbers"),
        (["--fd", "77"], 2, "descriptor 77 is no socket"),
        (["--port", "0", "--unix", "x"], 2, "--port and --unix: one way to listen"),
        (["--unix", "app.py"], 2, "there is something that is no socket"),
        (["--tls-key", "app.py"], 2, "it needs --tls-cert"),
        (["--tls-cert", "nosuch"], 2, "--tls-cert nosuch: there is no such file"),
        (["--trusted", "10.0.0.1"], 2, "it needs --xheaders"),
        (["--reload", "--processes", "2"], 2, "it restarts one process"),
        (["--processes", "none"], 2, "--processes none: it is a number from 1 on, or 'auto'"),
        (["--grace", "-1"], 2, "--grace -1"),
        (["--access-log", "xml"], 2, "'text', 'json' or 'off'"),
        (["--log-config", "app.py"], 2, "--log-config app.py: "),
        (["--allow", "nosuch"], 1, "nosuch"),
    ],
)
def test_options_that_cannot_be_are_refused_in_one_line(
    tmp_path: Path, options: list[str], code: int, message: str
) -> None:
    (tmp_path / "app.py").write_text(KINDS)
    app = [] if options == ["app"] else ["app:factory"]
    done = python("-m", "tornado4", "serve", *app, *options, cwd=tmp_path, code=code)
    assert message in done.stderr and "Traceback" not in done.stderr


def test_a_port_in_use_is_named(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(KINDS)
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        done = python("-m", "tornado4", "serve", "app:factory", "--port", str(port), cwd=tmp_path, code=1)
    assert f"cannot listen on --host 127.0.0.1 --port {port}" in done.stderr


# ---------------------------------------------------------------------------------------------------------
# The table


def test_the_table_has_the_options_names_and_the_command_line_goes_before_it(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.tornado4]\nalias = true\n\n"
        '[tool.tornado4.serve]\napp = "app:application"\nport = 1\naccess-log = "off"\n'
    )
    with serve(
        "--port", "0", cwd=tmp_path, app="import tornado.web\napplication = tornado.web.Application()"
    ) as served:
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 404
        peer.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert not any("404 GET" in line for line in served.lines)


@pytest.mark.parametrize(
    "table, message",
    [
        ({"prot": 1}, "no key 'prot'; there are: app, host, port"),
        ({"port": "80"}, "port = '80'; it is a number from 0 to 65535"),
        ({"port": True}, "port = True"),
        ({"port": 70000}, "--port 70000"),
        (7, "a table is wanted, not 7"),
    ],
)
def test_a_table_that_cannot_be_is_refused(table: object, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        config.combine({}, table, "there")


def test_one_way_to_listen_on_the_command_line_replaces_another_in_the_table() -> None:
    chosen = config.combine({"unix": "/run/app.sock", "port": None, "fd": None}, {"port": 80}, "there")
    assert (chosen.unix, chosen.port) == ("/run/app.sock", None)


# ---------------------------------------------------------------------------------------------------------
# Logs, proxies, TLS, development


def test_the_access_log_as_json(tmp_path: Path) -> None:
    options = ("--port", "0", "--access-log", "json")
    with serve("app:application", *options, cwd=tmp_path, stdout=subprocess.PIPE) as served:
        peer = served.connect()
        peer.get("/?name=%C3%A9", "Connection: close")
        peer.close()
        line = json.loads(served.process.stdout.readline())
    assert {name: line[name] for name in ("status", "method", "uri", "remote_ip", "level", "logger", "pid")} == {
        "status": 200, "method": "GET", "uri": "/?name=%C3%A9", "remote_ip": "127.0.0.1", "level": "info",
        "logger": "tornado.access", "pid": served.process.pid,
    }  # fmt: skip
    assert line["duration"] >= 0 and line["time"].endswith("Z")


@pytest.mark.parametrize("suffix", ["json", "toml", "ini"])
def test_logging_is_configured_by_a_file(tmp_path: Path, suffix: str) -> None:
    text = {
        "json": json.dumps({
            "version": 1, "root": {"level": "INFO", "handlers": ["one"]},
            "formatters": {"f": {"format": "ours %(message)s"}},
            "handlers": {"one": {"class": "logging.StreamHandler", "formatter": "f"}},
        }),
        "toml": 'version = 1\nroot = {level = "INFO", handlers = ["one"]}\nformatters.f.format = "ours %(message)s"\n'
        'handlers.one = {class = "logging.StreamHandler", formatter = "f"}\n',
        "ini": "[loggers]\nkeys=root\n[handlers]\nkeys=one\n[formatters]\nkeys=f\n"
        "[logger_root]\nlevel=INFO\nhandlers=one\n"
        "[handler_one]\nclass=StreamHandler\nformatter=f\nargs=()\n[formatter_f]\nformat=ours %(message)s\n",
    }[suffix]  # fmt: skip
    (tmp_path / f"log.{suffix}").write_text(text)
    with serve("app:application", "--port", "0", "--log-config", f"log.{suffix}", cwd=tmp_path) as served:
        assert all(line.startswith("ours ") for line in served.lines)


def test_headers_of_proxies_are_believed_on_demand(tmp_path: Path) -> None:
    app = (
        "from tornado4 import web\n"
        "class Main(web.RequestHandler):\n"
        "    def get(self):\n"
        "        self.write(self.request.remote_ip + ' ' + self.request.protocol)\n"
        "application = web.Application([('/', Main)])\n"
    )
    asked = ("X-Forwarded-For: 10.0.0.7, 10.0.0.1", "X-Forwarded-Proto: https", "Connection: close")
    with serve("app:application", "--port", "0", cwd=tmp_path, app=app) as served:
        peer = served.connect()
        assert peer.get("/", *asked)[2] == b"127.0.0.1 http"
        peer.close()
    options = ("--port", "0", "--xheaders", "--trusted", "10.0.0.1")
    with serve("app:application", *options, cwd=tmp_path, app=app) as served:
        peer = served.connect()
        assert peer.get("/", *asked)[2] == b"10.0.0.7 https"
        peer.close()


def test_a_source_file_that_changes_is_a_restart_on_the_same_port(tmp_path: Path) -> None:
    with serve(
        "app:application", "--port", "0", "--reload", cwd=tmp_path, app=KINDS + "application = factory()"
    ) as served:

        def change(text: str) -> None:
            (tmp_path / "app.py").write_text(text)
            stat = (tmp_path / "app.py").stat()
            change.later += 10
            os.utime(tmp_path / "app.py", (stat.st_atime, stat.st_mtime + change.later))

        change.later = 0
        change("1 / 0")
        served.wait_for("ZeroDivisionError")
        served.wait_for("waiting for a change")
        change(KINDS + "application = wsgi_app")
        served.wait_for("ready")
        peer = served.connect()
        assert peer.get("/", "Connection: close")[2] == b"wsgi"
        peer.close()


def test_a_variable_of_another_process_hands_nothing_on(tmp_path: Path) -> None:
    with serve("app:application", "--port", "0", cwd=tmp_path, env={"TORNADO4_SERVE_SOCKETS": "1:0;"}) as served:
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()


def test_help_names_every_option() -> None:
    said = python("-m", "tornado4", "serve", "--help").stdout
    for name in config._KINDS:
        assert name == "app" or f"--{name} " in said, name


def test_https(tmp_path: Path, certificate: dict[str, str]) -> None:  # noqa: F811  (a fixture)
    options = ("--port", "0", "--tls-cert", certificate["certfile"], "--tls-key", certificate["keyfile"])
    with serve("app:application", *options, cwd=tmp_path) as served:
        context = ssl.create_default_context(cafile=certificate["certfile"])
        peer = served.connect()
        peer = Peer(context.wrap_socket(peer.sock, server_hostname="foo.example.com"))
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()


# ---------------------------------------------------------------------------------------------------------
# Other systems


def test_where_there_is_no_fork_several_processes_are_refused_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from tornado4.migrate.settings import Settings
    from tornado4.serve import command, signals, sockets

    monkeypatch.delattr(os, "fork")
    listening = sockets.Listening([], [])
    assert command._serve_several(config.Config(processes=2), listening, Settings(), signals.Signals([])) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_where_there_are_no_unix_sockets_and_no_reuse_port_they_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from tornado4.serve import sockets

    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(SettingsError, match=r"--unix: .* has no such sockets; --port is the way"):
        sockets.open_all(config.Config(unix="x"))
    monkeypatch.delattr(socket, "SO_REUSEPORT")
    with pytest.raises(SettingsError, match=r"--reuse-port: .* has no such thing"):
        sockets.open_all(config.Config(port=0, reuse_port=True))


DRAINING = """
import sys
from tornado4 import serve, web, websocket


class Poll(web.RequestHandler):
    @web.asynchronous
    def get(self):
        if serve.is_draining():
            self.finish("not now")
            return
        self.forget = serve.when_draining(lambda: self.finish("come again"))
        print("begun", file=sys.stderr, flush=True)


class Feed(websocket.WebSocketHandler):
    def open(self):
        self.forget = serve.when_draining(lambda: self.write_message("connect anew"))

    def on_message(self, message):
        self.write_message(str(serve.is_draining()))

    def on_close(self):
        self.forget()
        print("closed", file=sys.stderr, flush=True)


class Fails(web.RequestHandler):
    @web.asynchronous
    def get(self):
        serve.when_draining(lambda: 1 / 0)
        print("begun", file=sys.stderr, flush=True)


application = web.Application([("/", Poll), ("/ws", Feed), ("/fails", Fails)])
from tornado4.serve import drain
drain.SILENCE = 1000.0  # a connection that says nothing is not closed before it has asked
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
@pytest.mark.parametrize("processes", [1, 2])
def test_the_application_asks_whether_the_process_drains_and_is_told(tmp_path: Path, processes: int) -> None:
    options = ("app:application", "--port", "0", "--grace", "1000", "--processes", str(processes))
    ready = "ready" if processes == 1 else "all workers ready"
    with serve(*options, cwd=tmp_path, app=DRAINING, ready=ready) as served:
        poll, fails, websocket, gone = (served.connect() for _ in range(4))
        poll.ask("/")
        served.wait_for("begun")
        fails.ask("/fails")
        served.wait_for("begun")
        websocket.upgrade()
        websocket.send_frame(1, b"?")
        assert websocket.frame() == (1, b"False")
        gone.upgrade()
        gone.send_frame(8, struct.pack(">H", 1000))
        served.wait_for("closed")  # and has taken its callback back
        served.signal(signal.SIGTERM)
        # before the close frame
        assert websocket.frame() == (1, b"connect anew")
        opcode, payload = websocket.frame()
        assert (opcode, payload[:2]) == (8, struct.pack(">H", 1001))
        websocket.send_frame(8, payload[:2])
        assert poll.answer()[2] == b"come again"
        assert fails.answer()[0] == 500
        assert served.end() == 0
        assert sum("ZeroDivisionError" in line for line in served.lines) == 1
        assert not any("WebSocketClosedError" in line for line in served.lines)
        for peer in (poll, fails, websocket, gone):
            peer.close()


def test_a_poll_on_a_connection_that_was_kept_sees_the_drain(tmp_path: Path) -> None:
    options = ("app:application", "--port", "0", "--grace", "1000")
    app = DRAINING.replace('("/", Poll)', '("/", Poll), ("/now", web.RequestHandler)')
    with serve(*options, cwd=tmp_path, app=app) as served:
        kept = served.connect()
        assert kept.get("/now")[0] == 405
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        assert kept.get("/")[2] == b"not now"
        assert kept.at_end()
        assert served.end() == 0
        kept.close()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")
def test_each_of_several_processes_drains_by_itself(tmp_path: Path) -> None:
    app = DRAINING.replace('self.finish("come again")', 'self.finish("come again to " + str(serve.is_draining()))')
    with serve("app:application", "--port", "0", "--processes", "2", cwd=tmp_path, app=app,
               ready="all workers ready") as served:  # fmt: skip
        polls = [served.connect() for _ in range(8)]
        for poll in polls:
            poll.ask("/")
            served.wait_for("begun")
        served.signal(signal.SIGHUP)
        served.wait_for("all workers ready")
        assert {poll.answer()[2] for poll in polls} == {b"come again to True"}
        fresh = served.connect()
        fresh.ask("/")
        served.wait_for("begun")  # so the new worker does not drain
        for peer in (*polls, fresh):
            peer.close()


COUNTING = """
import os, sys
from tornado4 import ioloop, web

calls = 0


def count(frame, event, argument):
    global calls
    calls += 1


class Main(web.RequestHandler):
    def get(self):
        self.write("hello")


class Calls(web.RequestHandler):
    def get(self):
        self.write(str(calls))


application = web.Application([("/", Main), ("/calls", Calls)])
sys.setprofile(count)
if __name__ == "__main__":
    application.listen(int(os.environ["PORT"]), "127.0.0.1")
    ioloop.IOLoop.current().start()
"""


def calls_of_a_request(peer: Peer) -> int:
    """Calls and returns of functions, in Python and in C; of several requests the least: a timer may come between."""
    counted = []
    peer.get("/")
    for _ in range(20):
        before = int(peer.get("/calls")[2])
        peer.get("/")
        counted.append(int(peer.get("/calls")[2]) - before)
    return min(counted)


def test_a_request_costs_no_more_calls_than_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """CPU time is `python -m benchmarks.serve_load --cost`; this has no noise."""
    with serve("app:application", "--port", "0", "--access-log", "off", cwd=tmp_path, app=COUNTING) as served:
        peer = served.connect()
        by_serve = calls_of_a_request(peer)
        peer.sock.close()
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    with server("app.py", port=port, cwd=tmp_path):
        peer = Peer(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        by_hand = calls_of_a_request(peer)
        peer.sock.close()
    assert 0 < by_serve <= by_hand
