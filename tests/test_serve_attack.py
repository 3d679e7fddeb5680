"""`tornado4 serve` against clients that mean it ill, and applications that do not end."""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest
from programs import environment, free_port
from serving import APP, PATIENCE, Peer, Served, serve

ONE = ("app:application", "--port", "0")
TWO = (*ONE, "--processes", "2")
forks = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")

#: Patience of a second less, for tests of what is killed.
IMPATIENT = "from tornado4.serve import worker\nworker.MERCY = 0.2\n"

BLOCKS = APP + (
    "class Block(web.RequestHandler):\n"
    "    def get(self):\n"
    "        import time\n"
    "        print('blocked', file=sys.stderr, flush=True)\n"
    "        while True: time.sleep(1000)\n"
    "application.add_handlers('.*', [('/block', Block)])\n"
)


def health_port(served: Served) -> int:
    found = re.search(r"health on http://127.0.0.1:(\d+)", "\n".join(served.lines))
    assert found
    return int(found[1])


# ---------------------------------------------------------------------------------------------------------
# What does not end


def test_one_process_whose_loop_is_blocked_is_killed_when_the_grace_is_over(tmp_path: Path) -> None:
    with serve(*ONE, "--grace", "0.2", cwd=tmp_path, app=IMPATIENT + BLOCKS) as served:
        peer = served.connect()
        peer.ask("/block")
        served.wait_for("blocked")
        served.signal(signal.SIGTERM)
        assert served.end() == 1
        assert "the process does not end by itself: killed" in served.lines[-1]
        peer.close()


def test_a_second_signal_to_a_blocked_process_shortens_the_grace(tmp_path: Path) -> None:
    with serve(*ONE, "--grace", "1000", cwd=tmp_path, app=IMPATIENT + BLOCKS) as served:
        peer = served.connect()
        peer.ask("/block")
        served.wait_for("blocked")
        served.signal(signal.SIGTERM)
        served.signal(signal.SIGINT)  # two of a kind that are not heard of yet are one
        assert served.end() == 1
        peer.close()


def test_a_thread_that_does_not_end_does_not_keep_the_process(tmp_path: Path) -> None:
    """The interpreter waits for an executor's job, for ever."""
    app = (
        APP
        + IMPATIENT
        + (
            "import concurrent.futures, time\n"
            "executor = concurrent.futures.ThreadPoolExecutor(1)\n"
            "executor.submit(time.sleep, 100000)\n"
        )
    )
    with serve(*ONE, "--grace", "0.2", cwd=tmp_path, app=app) as served:
        served.signal(signal.SIGTERM)
        assert served.end() == 1
        assert any("stopped" in line for line in served.lines)


@forks
def test_a_worker_whose_loop_is_blocked_is_killed_and_the_others_go_on(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "from tornado4.serve import command, worker\n"
        "worker.MERCY = 0.2\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    (tmp_path / "start.py").write_text(code)
    options = (*TWO, "--grace", "0.2")
    with serve(*options, cwd=tmp_path, app=BLOCKS, command=("start.py",), ready="all workers ready") as served:
        peer = served.connect()
        peer.ask("/block")
        served.wait_for("blocked")
        served.signal(signal.SIGHUP)
        served.wait_for("all workers ready")
        served.wait_for("does not leave: killed")
        assert peer.at_end()
        peer.close()
        other = served.connect()
        assert other.get("/", "Connection: close")[0] == 200
        other.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0


LIFESPAN = """
import asyncio, os, sys

async def application(scope, receive, send):
    if scope["type"] == "lifespan":
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        %s
    else:
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
        await send({"type": "http.response.body", "body": b"ok"})
"""


@pytest.mark.parametrize(
    "end, said",
    [
        ("await asyncio.Event().wait()", "the end of the ASGI application's lifespan is cut off"),
        ("await send({'type': 'lifespan.shutdown.failed', 'message': 'no'})", "lifespan ends with an error"),
    ],
)
def test_a_lifespan_that_does_not_end_well_hinders_no_restart(tmp_path: Path, end: str, said: str) -> None:
    with serve(*ONE, "--grace", "0", cwd=tmp_path, app=LIFESPAN % end) as served:
        served.signal(signal.SIGHUP)
        served.wait_for(said)
        served.wait_for("restarting")
        served.wait_for("ready")
        peer = served.connect()
        assert peer.get("/", "Connection: close")[2] == b"ok"
        peer.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0


@pytest.mark.parametrize("options", [(), ("--reload",)])
def test_an_application_that_goes_into_another_folder_is_restarted(tmp_path: Path, options: tuple[str, ...]) -> None:
    """The command's own path, and the module, are from where it was started."""
    folder = tmp_path / "folder"
    folder.mkdir()
    command = (os.path.relpath(Path(sys.executable).parent / "tornado4", tmp_path), "serve")
    if not (tmp_path / command[0]).exists():
        command = ("tornado4_command.py", "serve")
        (tmp_path / command[0]).write_text("from tornado4.__main__ import main\nraise SystemExit(main())\n")
    app = f"import os\nos.chdir({str(folder)!r})\n" + APP
    with serve(*ONE, *options, cwd=tmp_path, app=app, command=command) as served:
        served.signal(signal.SIGHUP)
        served.wait_for("restarting")
        served.wait_for("ready")
        if options:
            (tmp_path / "app.py").write_text(app + "\nchanged = True\n")
            served.wait_for("ready")
        served.signal(signal.SIGTERM)
        assert served.end() == 0


# ---------------------------------------------------------------------------------------------------------
# Clients


def test_slow_heads_and_bodies_are_waited_for_until_the_grace_is_over(tmp_path: Path) -> None:
    """What is complete in time is answered; what is not, is cut off. (The second signal is the grace's end, too.)"""
    app = APP + (
        "class Body(web.RequestHandler):\n"
        "    def post(self):\n"
        "        self.write(self.request.body)\n"
        "@web.stream_request_body\n"
        "class Begins(web.RequestHandler):\n"
        "    def prepare(self):\n"
        "        print('begun', file=sys.stderr, flush=True)\n"
        "    def data_received(self, data): pass\n"
        "    def post(self): pass\n"
        "application.add_handlers('.*', [('/body', Body), ('/begins', Begins)])\n"
    )
    with serve(*ONE, "--grace", "1000", cwd=tmp_path, app=app) as served:
        head, body, never = served.connect(), served.connect(), served.connect()
        head.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n")
        body.sock.sendall(b"POST /body HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        never.sock.sendall(b"POST /begins HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\n\r\nab")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        head.sock.sendall(b"\r\n")
        body.sock.sendall(b"cd")
        assert head.answer()[0] == 200 and head.at_end()
        assert body.answer()[2] == b"abcd" and body.at_end()
        served.signal(signal.SIGTERM)
        assert never.at_end()
        assert served.end() == 0
        assert any("grace is over: 1 requests and 0 WebSockets" in line for line in served.lines)
        for peer in (head, body, never):
            peer.close()


def test_a_client_that_asks_on_and_on_does_not_hold_the_end_up(tmp_path: Path) -> None:
    """Requests one behind the other in one piece: the answer to one of them is the last."""
    with serve(*ONE, "--grace", "1000", cwd=tmp_path) as served:
        peer = served.connect()
        assert peer.get()[0] == 200
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        peer.sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n" * 1000)
        status, headers, _ = peer.answer()
        assert (status, headers["connection"]) == (200, "close")
        assert peer.at_end()
        assert served.end() == 0
        peer.close()


def test_a_thousand_idle_connections_and_websockets_that_do_not_answer(tmp_path: Path) -> None:
    """All are gone long before the grace is; a WebSocket has five seconds to answer its close."""
    with serve(*ONE, "--grace", "1000", "--access-log", "off", cwd=tmp_path) as served:
        idle = [served.connect() for _ in range(700)]
        sockets = [served.connect() for _ in range(300)]
        for peer in idle[:350]:
            assert peer.get()[0] == 200  # the others have not asked yet
        for peer in sockets:
            peer.upgrade()
        began = time.monotonic()
        served.signal(signal.SIGTERM)
        for peer in sockets:
            opcode, payload = peer.frame()
            assert (opcode, payload[:2]) == (8, struct.pack(">H", 1001))
        assert served.end() == 0
        assert time.monotonic() - began < 1000
        for peer in (*idle, *sockets):
            assert peer.at_end()
            peer.close()


def test_a_websocket_that_talks_on_after_the_close_does_not_hold_the_end_up(tmp_path: Path) -> None:
    with serve(*ONE, "--grace", "1000", cwd=tmp_path) as served:
        peer = served.connect()
        peer.upgrade()
        served.signal(signal.SIGTERM)
        assert peer.frame()[0] == 8
        try:
            while True:
                peer.send_frame(1, b"and another thing")
                time.sleep(0.01)
        except OSError:
            pass
        assert served.end() == 0
        peer.close()


# ---------------------------------------------------------------------------------------------------------
# --health


@pytest.mark.parametrize("processes", ["1", pytest.param("2", marks=forks)])
def test_health_is_no_way_into_the_application_nor_the_other_way_round(tmp_path: Path, processes: str) -> None:
    options = (*ONE, "--health", "0", "--processes", processes)
    with serve(*options, cwd=tmp_path, ready="ready" if processes == "1" else "all workers ready") as served:
        port = health_port(served)

        def status(path: str, port: int | None = None) -> int:
            peer = served.connect(port)
            try:
                code: int = peer.get(path, "Connection: close")[0]
                return code
            finally:
                peer.close()

        for path in ("/live", "/ready", "/metrics"):
            assert status(path) == 404
        for path in ("/begun?until=x", "/../ready", "//ready", "http://x/ready", "/ready/", "/metrics"):
            assert status(path, port) == 404
        assert status("/ready", port) == 200


@pytest.mark.parametrize("processes", ["1", pytest.param("2", marks=forks)])
def test_health_outlives_clients_that_send_nonsense_or_nothing(tmp_path: Path, processes: str) -> None:
    options = (*ONE, "--health", "0", "--processes", processes)
    with serve(*options, cwd=tmp_path, ready="ready" if processes == "1" else "all workers ready") as served:
        port = health_port(served)
        silent = [served.connect(port) for _ in range(100)]
        for nonsense in (
            b"\r\n\r\n",
            b"\x16\x03\x01\x02\x00",
            b"GET\r\n\r\n",
            b"GET /ready\r\n\r\n",
            b"\xff" * 100_000,
        ):
            peer = served.connect(port)
            try:
                peer.sock.sendall(nonsense)
                peer.sock.shutdown(1)
                peer.file.read()
            except OSError:
                pass  # it was not read to its end
            peer.close()
        peer = served.connect(port)
        status, _, body = peer.get("/ready", "Connection: close")
        assert status == 200 and json.loads(body)["ready"]
        peer.close()
        for each in silent:
            each.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0


def test_health_listens_on_this_machine_only_unless_told_otherwise(tmp_path: Path) -> None:
    with serve(*ONE, "--host", "", "--health", "0", cwd=tmp_path) as served:
        said = "\n".join(served.lines)
        assert re.search(r"health on http://127\.0\.0\.1:\d+", said)
        assert said.count("health on") == 1


def test_a_connection_that_was_dropped_for_another_is_not_read() -> None:
    """Both were ready in the same round: the master would have died of it, and with it all workers."""
    from tornado4.serve import health

    selector = selectors.DefaultSelector()
    with contextlib.ExitStack() as stack:
        listening = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=100))
        listening.setblocking(False)
        answering = health.OnSelector(selector, [listening], lambda: {"ready": True})
        clients = [stack.enter_context(socket.create_connection(listening.getsockname())) for _ in range(33)]
        for _ in range(32):
            selector.select()
            answering._accept(listening)
        clients[0].sendall(b"GET /ready HTTP/1.1\r\n\r\n")
        oldest = next(iter(answering._received))
        selector.register(clients[0], selectors.EVENT_WRITE)  # it has been sent when this is there
        read_oldest = selector.get_key(oldest).data
        answering._accept(listening)
        read_oldest()
        assert oldest not in answering._received and len(answering._received) == 32
        answering.close()


@forks
def test_metrics_that_cannot_be_put_together_do_not_end_the_master(tmp_path: Path) -> None:
    pytest.importorskip("prometheus_client")
    folder = tmp_path / "metrics"
    folder.mkdir()
    options = (*TWO, "--health", "0", "--metrics")
    env = {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    with serve(*options, cwd=tmp_path, env=env, ready="all workers ready") as served:
        shutil.rmtree(folder)
        for path, expected in (("/metrics", 500), ("/ready", 200)):
            peer = served.connect(health_port(served))
            assert peer.get(path, "Connection: close")[0] == expected
            peer.close()
        served.wait_for("the metrics cannot be put together")


# ---------------------------------------------------------------------------------------------------------
# The system


@forks
def test_a_master_that_cannot_fork_tries_again(tmp_path: Path) -> None:
    """A limit of processes or of memory is reached just when a worker has died."""
    code = (
        "import errno, os, sys\n"
        "from tornado4.serve import command\n"
        "fork, forks = os.fork, []\n"
        "def limited():\n"
        "    forks.append(1)\n"
        "    if 2 < len(forks) < 5:\n"
        "        raise BlockingIOError(errno.EAGAIN, 'Resource temporarily unavailable')\n"
        "    return fork()\n"
        "os.fork = limited\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    (tmp_path / "start.py").write_text(code)
    with serve(*TWO, cwd=tmp_path, command=("start.py",), ready="all workers ready") as served:
        killed = int(re.findall(r"worker \d \(pid (\d+)\) ready", "\n".join(served.lines))[0])
        os.kill(killed, signal.SIGKILL)
        for _ in range(2):
            served.wait_for("cannot be started: Resource temporarily unavailable")
            served.wait_for("the next one in")
        served.wait_for("all workers ready")
        served.signal(signal.SIGTERM)
        assert served.end() == 0


@pytest.mark.parametrize("processes", ["1", pytest.param("2", marks=forks)])
def test_whoever_reads_the_log_may_go(tmp_path: Path, processes: str) -> None:
    """``serve ... 2>&1 | tee log``, and tee is ended."""
    (tmp_path / "app.py").write_text(APP)
    port = free_port()
    command = [sys.executable, "-m", "tornado4", "serve", "app:application", "--port", str(port)]
    process = subprocess.Popen(
        [*command, "--processes", processes], cwd=tmp_path, env=environment(), stderr=subprocess.PIPE, text=True
    )

    def body() -> bytes:
        peer = Peer(socket.create_connection(("127.0.0.1", port), timeout=PATIENCE))
        found: bytes = peer.get("/", "Connection: close")[2]
        peer.close()
        return found

    try:
        assert process.stderr is not None
        last = "ready (pid" if processes == "1" else "all workers ready"
        while last not in process.stderr.readline():
            assert process.poll() is None
        process.stderr.close()
        assert body().startswith(b"hello")
        (tmp_path / "app.py").write_text(APP.replace("hello", "a newer hello"))
        process.send_signal(signal.SIGHUP)
        while not body().startswith(b"a newer"):
            assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        process.wait(PATIENCE)
    finally:
        process.kill()
        process.wait()


# ---------------------------------------------------------------------------------------------------------
# The log


@pytest.mark.parametrize("kind", ["text", "json"])
def test_no_client_writes_lines_of_the_log(tmp_path: Path, kind: str) -> None:
    """Nor is there a header, a cookie or a body in it."""
    options = (*ONE, "--access-log", kind)
    with serve(*options, cwd=tmp_path, stdout=subprocess.PIPE) as served:
        peer: Peer = served.connect()
        peer.sock.sendall(
            b"POST /x%0a%1b[2J\xc2\x85y HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer c2VzYW1l\r\n"
            b"Cookie: session=c2VzYW1l\r\nConnection: close\r\nContent-Length: 17\r\n\r\npassword=c2VzYW1l"
        )
        assert peer.answer()[0] in (400, 404)
        peer.close()
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert served.process.stdout is not None
        said = "\n".join(served.lines) + served.process.stdout.read()
        assert "c2VzYW1l" not in said
        assert "\x1b[2J" not in said and "\x85" not in said


def test_the_variable_that_hands_sockets_on_is_not_left_to_programs_that_the_application_starts(tmp_path: Path) -> None:
    app = APP + "print('has', sorted(n for n in os.environ if 'SOCKETS' in n or 'LISTEN' in n), file=sys.stderr)\n"
    with serve(*ONE, cwd=tmp_path, app=app) as served:
        served.signal(signal.SIGHUP)
        served.wait_for("restarting")
        served.wait_for(r"has \[\]")
        served.wait_for("ready")
