"""The worker for gunicorn, under the gunicorn that is installed."""

from __future__ import annotations

import os
import re
import signal
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from serving import APP, Served, serve

pytest.importorskip("gunicorn")

# What gunicorn itself warns of is not our business, hence no -W error.
COMMAND = ("-W", "default", "-m", "gunicorn", "-k", "tornado4.serve.gunicorn.Worker", "-b", "127.0.0.1:0")
# gunicorn says that a worker boots, not that it serves: the hook comes after the application was imported.
CONF = """
control_socket_disable = True  # else all gunicorns of a user share one, since 24

def post_worker_init(worker):
    worker.log.info("initialised %s", worker.pid)

def worker_abort(worker):
    worker.log.info("aborted %s", worker.pid)
"""


@contextmanager
def gunicorn(
    tmp_path: Path, *options: str, app: str = APP, name: str = "app:application", **kwargs: Any
) -> Iterator[Served]:
    (tmp_path / "gunicorn.conf.py").write_text(CONF)
    with serve(*options, name, cwd=tmp_path, app=app, command=COMMAND, ready="initialised", **kwargs) as served:
        yield served


def get(served: Served, path: str = "/") -> tuple[int, str]:
    peer = served.connect()
    try:
        status, _, body = peer.get(path, "Connection: close")
        return status, body.decode()
    finally:
        peer.close()


def worker(served: Served) -> int:
    return int(re.findall(r"initialised (\d+)", "\n".join(served.lines))[-1])


def test_a_stop_drains(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with gunicorn(tmp_path, "--access-logfile", "-", "--access-logformat", "unused") as served:
        assert get(served) == (200, f"hello from {worker(served)}")
        running, websocket = served.connect(), served.connect()
        websocket.upgrade()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        opcode, payload = websocket.frame()
        assert (opcode, struct.unpack(">H", payload[:2])) == (8, (1001,))
        websocket.send_frame(8, payload[:2])
        assert websocket.at_end()
        until.touch()
        status, headers, _ = running.answer()
        assert (status, headers["connection"]) == (200, "close")
        running.close()
        websocket.close()
        assert served.end() == 0


def test_sighup_is_a_graceful_reload(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with gunicorn(tmp_path) as served:
        old = worker(served)
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGHUP)
        served.wait_for("initialised")
        assert worker(served) != old
        until.touch()
        assert running.answer()[2].decode() == f"done by {old}"
        running.close()
        served.wait_for(rf"Worker exiting.*{old}")
        assert get(served)[1] == f"hello from {worker(served)}"


def test_max_requests_replaces_the_worker(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--max-requests", "2") as served:
        old = worker(served)
        assert [get(served)[0], get(served)[0]] == [200, 200]
        served.wait_for("Autorestarting worker")
        served.wait_for("initialised")
        assert worker(served) != old and get(served)[0] == 200


def test_a_blocked_loop_is_killed_after_the_time_out(tmp_path: Path) -> None:
    app = APP.replace("os._exit(3)", "import time; time.sleep(1000)")
    with gunicorn(tmp_path, "--timeout", "2", app=app) as served:
        old = worker(served)
        peer = served.connect()
        peer.ask("/die")
        served.wait_for(f"aborted {old}")
        assert peer.at_end()
        peer.close()
        served.wait_for("initialised")
        assert get(served)[0] == 200


def test_reload_sees_a_source_file_change(tmp_path: Path) -> None:
    with gunicorn(tmp_path, "--reload", "--reload-engine", "poll") as served:
        assert get(served)[0] == 200
        # Its poller takes note of the times on its first round, a second after the start: go on until it has seen one.
        for later in range(1, 100):
            stat = (tmp_path / "app.py").stat()
            os.utime(tmp_path / "app.py", (stat.st_atime, stat.st_mtime + later))
            if served.says("initialised", within=1):
                break
        assert get(served)[0] == 200


@pytest.mark.parametrize("kind", ["wsgi", "asgi", "alias"])
def test_other_applications(tmp_path: Path, kind: str) -> None:
    app = {
        "wsgi": "def application(environ, start_response):\n    start_response('200 OK', [])\n    return [b'ours']\n",
        "asgi": (
            "async def application(scope, receive, send):\n"
            "    assert scope['type'] == 'http'\n"
            "    await send({'type': 'http.response.start', 'status': 200, 'headers': []})\n"
            "    await send({'type': 'http.response.body', 'body': b'ours'})\n"
        ),
        "alias": (
            "import tornado.web\n"
            "class Main(tornado.web.RequestHandler):\n"
            "    def get(self):\n"
            "        self.write('ours')\n"
            "application = tornado.web.Application([('/', Main)])\n"
        ),
    }[kind]
    with gunicorn(tmp_path, app=app, env={"TORNADO4_ALIAS": "1"}) as served:
        assert get(served) == (200, "ours")


def test_a_stop_while_the_lifespan_begins_is_heard(tmp_path: Path) -> None:
    """The loop runs for the application, and there is no server yet that could drain."""
    app = (
        "import os, signal, sys\n"
        "async def application(scope, receive, send):\n"
        "    assert scope['type'] == 'lifespan'\n"
        "    await receive()\n"
        "    if not os.path.exists('sent'):\n"
        "        open('sent', 'w').close()\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        import asyncio\n"
        "        for _ in range(10): await asyncio.sleep(0)\n"
        "    await send({'type': 'lifespan.startup.complete'})\n"
        "    await receive()\n"
        "    print('the end of', os.getpid(), file=sys.stderr, flush=True)\n"
        "    await send({'type': 'lifespan.shutdown.complete'})\n"
    )
    with gunicorn(tmp_path, "--graceful-timeout", "1000", app=app) as served:
        assert int(served.wait_for(r"the end of (\d+)")[1]) == worker(served)
        served.wait_for("initialised")
