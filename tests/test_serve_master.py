"""`tornado4 serve --processes`: a master and its workers, with real processes."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from programs import free_port
from serving import APP, Served, serve

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="workers are forked")

TWO = ("app:application", "--port", "0", "--processes", "2")


def get(served: Served, path: str = "/", port: int | None = None) -> tuple[int, str]:
    """Status and body, by a connection of its own."""
    peer = served.connect(port)
    try:
        status, _, body = peer.get(path, "Connection: close")
        return status, body.decode()
    finally:
        peer.close()


def pids(served: Served, number: int = 2) -> list[int]:
    """Of the workers that said that they are ready."""
    return [int(pid) for pid in re.findall(r"worker \d+ \(pid (\d+)\) ready", "\n".join(served.lines))][-number:]


def test_workers_serve_and_leave_with_the_master(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        workers = pids(served)
        assert len(set(workers)) == 2 and served.process.pid not in workers
        assert get(served)[1] in [f"hello from {pid}" for pid in workers]
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        said = "\n".join(served.lines)
        assert all(re.search(rf"worker \d \(pid {pid}\) has left", said) for pid in workers)
        assert "stopped" in served.lines[-1]


def test_sigterm_lets_the_requests_of_workers_end(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining 2 workers")
        until.touch()
        assert running.answer()[0] == 200
        running.close()
        assert served.end() == 0


def test_a_stop_that_signals_the_workers_as_well_drains(tmp_path: Path) -> None:
    """As systemd's KillMode=control-group: each worker has the signal twice, once from its master."""
    until = tmp_path / "until"
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        for pid in pids(served):
            os.kill(pid, signal.SIGTERM)
        served.wait_for("ended with exit code 0")  # the worker that has nothing to do
        served.wait_for("ready")
        served.signal(signal.SIGTERM)
        served.wait_for("has left")
        until.touch()
        assert running.answer()[0] == 200
        running.close()
        assert served.end() == 0


def test_the_second_signal_to_the_master_hangs_up(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        running = served.connect()
        running.ask(f"/begun?until={tmp_path / 'never'}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining 2 workers")
        served.signal(signal.SIGTERM)
        assert running.at_end()
        running.close()
        assert served.end() == 0
        assert any("grace is over: 1 requests and 0 WebSockets are cut off" in line for line in served.lines)


def test_sighup_replaces_one_by_one_with_what_is_on_the_disk_now(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        old = pids(served)
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        (tmp_path / "app.py").write_text((tmp_path / "app.py").read_text().replace("hello", "a newer hello"))
        served.signal(signal.SIGHUP)
        served.wait_for("all workers ready")
        new = pids(served)
        assert not set(old) & set(new)
        until.touch()
        assert running.answer()[2] in [f"done by {pid}".encode() for pid in old]
        running.close()
        while not all(f"(pid {pid}) has left" in "\n".join(served.lines) for pid in old):
            served.wait_for("has left")  # one of them may have been heard of before
        assert "a newer hello" in get(served)[1]


def test_a_program_that_does_not_start_any_more_leaves_the_former_workers(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        old = pids(served)
        source = (tmp_path / "app.py").read_text()
        (tmp_path / "app.py").write_text("1 / 0")
        served.signal(signal.SIGHUP)
        served.wait_for("ZeroDivisionError")
        served.wait_for("the former workers go on")
        assert get(served)[1] in [f"hello from {pid}" for pid in old]
        (tmp_path / "app.py").write_text(source + "\n")
        served.signal(signal.SIGHUP)
        served.wait_for("all workers ready")
        assert not set(old) & set(pids(served))


def test_a_program_that_does_not_start_at_all_ends_the_master(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, app="1 / 0", ready=None) as served:
        assert served.end() == 1
        said = "\n".join(served.lines)
        assert "ZeroDivisionError" in said and "the application does not start: giving up" in said


def test_a_worker_that_dies_is_replaced_and_put_off_when_it_dies_at_once(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        for _ in range(2):
            killed, other = pids(served)
            os.kill(killed, signal.SIGKILL)
            served.wait_for(rf"worker \d \(pid {killed}\) was killed by SIGKILL")
            served.wait_for("all workers ready")
            assert killed not in pids(served, 1)
            assert other
        # it dies at once, again and again: each time a longer while
        (tmp_path / "app.py").write_text("import os; os._exit(7)")
        os.kill(pids(served, 1)[0], signal.SIGKILL)
        delays = [float(served.wait_for(r"the next one in (\S+) seconds")[1]) for _ in range(3)]
        assert delays == sorted(delays) and delays[2] == 2 * delays[1]
        assert "ended with exit code 7" in "\n".join(served.lines)
        assert get(served)[0] == 200  # the other one is still there


def test_a_worker_that_was_put_off_is_started_when_its_time_comes_between_two_looks(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The master has seen that it is too early, and waits: not for ever, if it is not too early any more then."""
    from tornado4.serve import master, signals, sockets
    from tornado4.serve.config import Config

    now = 100.0
    monkeypatch.setattr(master, "time", SimpleNamespace(monotonic=lambda: now))
    made = master.Master(Config(processes=2), sockets.Listening([], []), lambda worker: None, signals.Signals([]))
    assert made.patience() is None
    made.put_off()
    made.balance()
    assert made.patience() == made.delay > 0 and not made.children
    now += 1000.0
    assert made.patience() == 0.0


def test_sigttin_and_sigttou_are_one_more_and_one_less(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        served.signal(signal.SIGTTIN)
        served.wait_for("3 workers wanted")
        served.wait_for("worker 2 .* ready")
        served.signal(signal.SIGTTOU)
        served.wait_for("worker 2 .* has left")
        served.signal(signal.SIGTTOU)
        served.wait_for("1 workers wanted")
        served.wait_for("worker 1 .* has left")
        served.signal(signal.SIGTTOU)
        served.wait_for("1 workers wanted")  # the last one stays
        served.signal(signal.SIGTTIN)
        served.wait_for("2 workers wanted")
        served.wait_for(r"worker 1 .* ready")
        assert "0 workers wanted" not in "\n".join(served.lines)


def test_a_worker_ends_as_a_program_does(tmp_path: Path) -> None:
    """What the application has left to atexit is done, in each of them, and not by the master."""
    app = APP + (
        "import atexit\natexit.register(lambda: os.write(2, b'over with %d\\n' % os.getpid()))\n"
    )
    with serve(*TWO, cwd=tmp_path, app=app, ready="all workers ready") as served:
        workers = pids(served)
        served.signal(signal.SIGTERM)
        assert served.end() == 0
        assert sorted(line for line in served.lines if "over" in line) == sorted(f"over with {pid}" for pid in workers)


def test_max_requests_replaces_a_worker_once_the_next_is_ready(tmp_path: Path) -> None:
    with serve(*TWO, "--max-requests", "5", cwd=tmp_path, ready="all workers ready") as served:
        old = pids(served)
        peer = served.connect()
        for _ in range(5):
            assert peer.get()[0] == 200
        served.wait_for("ready")
        left = int(served.wait_for(r"pid (\d+). has left")[1])
        assert left in old
        peer.close()


def test_workers_leave_when_the_master_was_killed(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        os.kill(served.process.pid, signal.SIGKILL)
        served.end()  # once nobody has the other end of its stderr
        assert sum("the master is gone" in line for line in served.lines) == 2


def test_workers_know_their_number_and_cannot_reload_themselves(tmp_path: Path) -> None:
    app = (
        "from tornado4 import process, web\n"
        "class Main(web.RequestHandler):\n"
        "    def get(self):\n"
        "        self.write(str(process.task_id()))\n"
        "application = web.Application([('/', Main)], debug=True)\n"
    )
    with serve(*TWO, cwd=tmp_path, app=app, ready="all workers ready") as served:
        assert get(served)[1] in "01"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="how SO_REUSEPORT shares differs")
def test_with_reuse_port_each_worker_has_a_socket_of_its_own(tmp_path: Path) -> None:
    port = free_port()
    options = ("app:application", "--port", str(port), "--processes", "2", "--reuse-port")
    with serve(*options, cwd=tmp_path, ready="all workers ready") as served:
        said = set()
        while len(said) < 2:  # the kernel chooses by the client's port
            said.add(get(served, port=port)[1])
        assert said == {f"hello from {pid}" for pid in pids(served)}


# ---------------------------------------------------------------------------------------------------------
# --health


def health(served: Served, path: str, port: int) -> tuple[int, dict[str, object]]:
    status, body = get(served, path, port)
    return status, json.loads(body)


@pytest.mark.parametrize("processes", [1, 2])
def test_health_is_ready_until_the_drain_begins(tmp_path: Path, processes: int) -> None:
    until = tmp_path / "until"
    options = ("app:application", "--port", "0", "--processes", str(processes), "--health", "0")
    with serve(*options, cwd=tmp_path, ready="ready" if processes == 1 else "all workers ready") as served:
        found = re.search(r"health on http://127.0.0.1:(\d+)", "\n".join(served.lines))
        assert found
        port = int(found[1])
        here = {"live": True, "ready": True, "draining": False, "workers": processes, "pid": served.process.pid}
        for path in ("/", "/live", "/ready", "/ready?verbose"):
            assert health(served, path, port) == (200, here)
        assert get(served, "/nosuch", port)[0] == 404
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining")
        status, said = health(served, "/ready", port)
        assert (status, said["ready"], said["draining"]) == (503, False, True)
        assert health(served, "/live", port)[0] == 200
        until.touch()
        assert running.answer()[0] == 200
        running.close()
        assert served.end() == 0


def test_health_is_not_ready_before_the_application_is(tmp_path: Path) -> None:
    until = tmp_path / "until"
    app = (
        "import os, sys, time\n"
        "print('loading', file=sys.stderr, flush=True)\n"
        f"while not os.path.exists({str(until)!r}): time.sleep(0.01)\n"
        "from tornado4 import web\n"
        "application = web.Application()\n"
    )
    options = ("app:application", "--port", "0", "--processes", "2", "--health", "0")
    with serve(*options, cwd=tmp_path, app=app, ready="loading") as served:
        found = re.search(r"health on http://127.0.0.1:(\d+)", "\n".join(served.lines))
        assert found
        assert health(served, "/ready", int(found[1]))[0] == 503
        slow = served.connect(int(found[1]))  # says nothing, and holds nobody up
        assert health(served, "/live", int(found[1]))[0] == 200
        until.touch()
        served.wait_for("all workers ready")
        assert health(served, "/ready", int(found[1]))[0] == 200
        slow.close()
