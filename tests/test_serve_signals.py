"""Signals that come before an application is there, while it goes, and between a fork and the worker's own handlers.

The application sends them itself, so that each comes at its moment.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from programs import environment
from serving import APP, PATIENCE, serve

from tornado4.serve import signals

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="what is tested are a POSIX system's signals")

ONE = ("app:application", "--port", "0")
TWO = (*ONE, "--processes", "2")


def sends(name: str, to: str = "os.getpid()", times: int = 1) -> str:
    """An application that sends a signal while it is imported: the first time, and no other."""
    return (
        "import os, signal\n"
        "try:\n"
        "    os.close(os.open('sent', os.O_CREAT | os.O_EXCL))\n"
        "except FileExistsError:\n"
        "    pass\n"
        "else:\n"
        f"    for _ in range({times}):\n"
        f"        os.kill({to}, signal.{name})\n"
    ) + APP


def ended(tmp_path: Path, app: str, *options: str, **kwargs: object) -> tuple[int, str]:
    """Exit code and all lines of a server that ends by itself."""
    with serve(*options, cwd=tmp_path, app=app, ready=None, **kwargs) as served:
        code = served.end()
        return code, "\n".join(served.lines)


# ---------------------------------------------------------------------------------------------------------
# One process


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT"])
def test_a_stop_during_the_import_drains_what_waits_already(tmp_path: Path, name: str) -> None:
    """The socket listens before the application is there: who has connected is answered."""
    app = (
        "import socket, os\n"
        "port = int(os.environ['PORT'])\n"
        "peer = socket.create_connection(('127.0.0.1', port))\n"
        "peer.sendall(b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n')\n"
        "def tell(): print(peer.makefile('rb').readline(), file=sys.stderr, flush=True)\n"
        "import atexit; atexit.register(tell)\n"
    ) + sends(name)
    with socket.create_server(("127.0.0.1", 0)) as sock:
        os.set_inheritable(sock.fileno(), True)
        port = str(sock.getsockname()[1])
        with serve(
            "app:application", "--fd", str(sock.fileno()), cwd=tmp_path, app=app, ready=None, env={"PORT": port},
            close_fds=False,
        ) as served:  # fmt: skip
            assert served.end() == 0
            said = "\n".join(served.lines)
    assert "draining" in said and "stopped" in said and "HTTP/1.1 200 OK" in said


@pytest.mark.parametrize("name, times, code", [("SIGTERM", 2, 143), ("SIGINT", 2, 130), ("SIGQUIT", 1, 131)])
def test_a_second_stop_during_the_import_ends_it(tmp_path: Path, name: str, times: int, code: int) -> None:
    app = sends(name, times=times) + "\nraise SystemExit(77)\n"
    assert ended(tmp_path, app, *ONE)[0] == code


def test_sighup_during_the_import_starts_anew(tmp_path: Path) -> None:
    with serve(*ONE, cwd=tmp_path, app=sends("SIGHUP"), ready="ready") as served:
        served.wait_for("draining")
        served.wait_for("restarting")
        served.wait_for(f"ready .pid {served.process.pid}")
        peer = served.connect()
        assert peer.get("/", "Connection: close")[0] == 200
        peer.close()


def test_sighup_during_an_import_that_fails_starts_anew(tmp_path: Path) -> None:
    """Files that were not all there: who has written the rest asks for another start."""
    app = "import os\nif not os.path.exists('sent'): here = 'nothing'\n" + sends("SIGHUP")
    app += "\nif 'here' in globals(): 1 / 0\n"
    with serve(*ONE, cwd=tmp_path, app=app, ready="ZeroDivisionError") as served:
        served.wait_for("restarting")
        served.wait_for("ready")
        served.signal(signal.SIGTERM)
        assert served.end() == 0


def test_a_stop_during_an_import_that_fails_is_no_other_start(tmp_path: Path) -> None:
    code, said = ended(tmp_path, sends("SIGTERM") + "\n1 / 0\n", *ONE)
    assert code == 1 and "restarting" not in said


def test_a_handler_that_the_application_sets_while_it_is_imported_does_not_stay(tmp_path: Path) -> None:
    app = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + APP
    with serve(*ONE, cwd=tmp_path, app=app) as served:
        served.signal(signal.SIGTERM)
        assert served.end() == 0


def test_sigterm_while_sighup_drains_is_a_stop_and_cuts_nothing_off(tmp_path: Path) -> None:
    until = tmp_path / "until"
    with serve(*ONE, cwd=tmp_path) as served:
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGHUP)
        served.wait_for("draining")
        waiting = served.connect()  # for the next program, which does not come
        waiting.ask("/", "Connection: close")
        served.signal(signal.SIGTERM)
        served.wait_for("no restart: stopping")
        assert waiting.answer()[0] == 200
        until.touch()
        assert running.answer()[0] == 200
        assert served.end() == 0
        assert "restarting" not in "\n".join(served.lines)
        for peer in (running, waiting):
            peer.close()


def test_sigterm_when_the_drain_before_a_restart_is_over_is_for_the_next_program(tmp_path: Path) -> None:
    """Which drains and ends: what has waited to be accepted is answered by it."""
    app = APP + (
        "from tornado4.serve import worker\n"
        "on_end = worker.Single.on_end\n"
        "def stopped(self):\n"
        "    if self.again:\n"
        "        import signal\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "    on_end(self)\n"
        "worker.Single.on_end = stopped\n"
    )
    with serve(*ONE, cwd=tmp_path, app=app) as served:
        served.signal(signal.SIGHUP)
        served.wait_for("restarting")
        served.wait_for("ready")
        served.wait_for("stopped")
        assert served.end() == 0


def test_a_signal_between_two_programs_waits_for_handlers(tmp_path: Path) -> None:
    """From the exec on, while the interpreter starts: here it is sent just before."""
    app = APP + (
        "from tornado4.serve import reloading\n"
        "anew = reloading.become_anew\n"
        "def become_anew():\n"
        "    import signal\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    anew()\n"
        "reloading.become_anew = become_anew\n"
    )
    with serve(*ONE, cwd=tmp_path, app=app) as served:
        served.signal(signal.SIGHUP)
        served.wait_for("restarting")
        served.wait_for("ready")
        served.wait_for("stopped")
        assert served.end() == 0


def test_a_process_that_the_application_forks_dies_of_its_signals(tmp_path: Path) -> None:
    app = (
        "import os, signal, sys\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os.kill(os.getpid(), signal.SIGTERM)\n"
        "    os._exit(1)\n"
        "print('child', os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), file=sys.stderr)\n"
    ) + APP
    with serve(*ONE, cwd=tmp_path, app=app, ready="child -15") as served:
        served.wait_for("ready")


def test_ctrl_c_ends_a_reload_that_waits_for_a_change(tmp_path: Path) -> None:
    with serve(*ONE, "--reload", cwd=tmp_path, app="1 / 0", ready="waiting for a change") as served:
        served.signal(signal.SIGINT)
        assert served.end() == 1
        assert "KeyboardInterrupt" not in "\n".join(served.lines)


@pytest.mark.parametrize("options", [ONE, TWO])
def test_sigquit_hangs_up(tmp_path: Path, options: tuple[str, ...]) -> None:
    ready = "ready" if options is ONE else "all workers ready"
    with serve(*options, "--grace", "1000", cwd=tmp_path, ready=ready) as served:
        running = served.connect()
        running.ask(f"/begun?until={tmp_path / 'never'}")
        served.wait_for("begun")
        served.signal(signal.SIGQUIT)
        served.wait_for("grace is over: 1 requests")
        assert running.at_end()
        running.close()
        assert served.end() == 0


# ---------------------------------------------------------------------------------------------------------
# A master and its workers


@pytest.mark.parametrize("name", ["SIGHUP", "SIGTTIN", "SIGTTOU"])
def test_a_worker_that_starts_does_not_hear_what_is_its_masters_business(tmp_path: Path, name: str) -> None:
    """Of a terminal that hangs up, say: it signals all."""
    with serve(*TWO, cwd=tmp_path, app=sends(name), ready="all workers ready") as served:
        assert "was killed" not in "\n".join(served.lines)


@pytest.mark.parametrize("name", ["SIGTERM", "SIGINT", "SIGQUIT"])
def test_a_stop_before_the_first_worker_is_there_is_no_failure(tmp_path: Path, name: str) -> None:
    code, said = ended(tmp_path, sends(name, "os.getppid()"), *TWO)
    assert code == 0 and "stopped" in said and "giving up" not in said


def test_a_stop_of_the_whole_group_before_the_first_worker_is_there_is_no_failure(tmp_path: Path) -> None:
    """systemd's KillMode=control-group: the workers die of it, as they have accepted nothing; the master ends."""
    code, said = ended(tmp_path, sends("SIGTERM", "-os.getpgrp()"), *TWO)
    assert code == 0 and "giving up" not in said


def test_a_worker_that_is_ended_while_it_starts_is_replaced(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, app=sends("SIGTERM"), ready="was killed by SIGTERM") as served:
        served.wait_for("all workers ready")


def test_sighup_before_the_first_worker_is_there_replaces_them(tmp_path: Path) -> None:
    app = sends("SIGHUP", "os.getppid()")
    with serve(*TWO, cwd=tmp_path, app=app, ready="replacing 2 workers") as served:
        served.wait_for("all workers ready")


@pytest.mark.parametrize(
    "name, said", [("SIGTERM", "stopped"), ("SIGHUP", "replacing"), ("SIGTTIN", "3 workers wanted")]
)
def test_a_signal_before_the_master_runs_is_obeyed(tmp_path: Path, name: str, said: str) -> None:
    """When it is sent, the socket is just being bound."""
    code = (
        "import os, signal, sys\n"
        "from tornado4.serve import command, sockets\n"
        "bind = sockets.bind\n"
        "def bound(config):\n"
        "    found = bind(config)\n"
        f"    os.kill(os.getpid(), signal.{name})\n"
        "    return found\n"
        "sockets.bind = bound\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    (tmp_path / "start.py").write_text(code)
    with serve(*TWO, cwd=tmp_path, command=("start.py",), ready=said) as served:
        if name != "SIGTERM":
            served.wait_for("all workers ready")
            served.signal(signal.SIGTERM)
        assert served.end() == 0


def test_a_worker_has_its_own_handlers_from_the_fork_on(tmp_path: Path) -> None:
    """Its first deed is to take a signal that its master's handlers would have swallowed."""
    code = (
        "import os, signal, sys\n"
        "from tornado4.serve import command, master\n"
        "become = master.Master.become_worker\n"
        "def become_worker(self, *args):\n"
        "    if not self.ever_ready and not os.path.exists('sent'):\n"
        "        open('sent', 'w').close()\n"
        "        os.kill(os.getpid(), signal.SIGTERM)\n"
        "        os.kill(os.getpid(), signal.SIGHUP)\n"
        "    become(self, *args)\n"
        "master.Master.become_worker = become_worker\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    (tmp_path / "start.py").write_text(code)
    with serve(*TWO, cwd=tmp_path, command=("start.py",), ready="was killed by SIGTERM") as served:
        served.wait_for("all workers ready")
        assert "replacing" not in "\n".join(served.lines)


def test_a_worker_that_has_just_become_ready_is_not_killed_by_a_stop(tmp_path: Path) -> None:
    """It has accepted a request when the master, which has not heard of that yet, is told to end."""
    until = tmp_path / "until"
    code = (
        "import os, sys\n"
        "from tornado4.serve import command, master\n"
        "master.Member._say = lambda self, word: None\n"
        "sys.exit(command.main(sys.argv[1:]))\n"
    )
    (tmp_path / "start.py").write_text(code)
    app = APP + "print('imported', file=sys.stderr, flush=True)\n"
    options = ("app:application", "--port", "0", "--processes", "2")
    with serve(*options, cwd=tmp_path, app=app, command=("start.py",), ready="imported") as served:
        running = served.connect()
        running.ask(f"/begun?until={until}")
        served.wait_for("begun")
        served.signal(signal.SIGTERM)
        served.wait_for("draining 2 workers")
        until.touch()
        assert running.answer()[0] == 200
        running.close()
        assert served.end() == 0


def test_sigusr_does_not_end_the_master(tmp_path: Path) -> None:
    with serve(*TWO, cwd=tmp_path, ready="all workers ready") as served:
        served.signal(signal.SIGUSR1)
        served.wait_for("SIGUSR1 and SIGUSR2 mean nothing")
        served.signal(signal.SIGUSR2)
        served.wait_for("SIGUSR1 and SIGUSR2 mean nothing")
        served.signal(signal.SIGTERM)
        assert served.end() == 0


def test_programs_that_a_worker_starts_have_the_signals_of_any_program(tmp_path: Path) -> None:
    app = (
        "import subprocess, sys\n"
        "code = 'import signal; print([signal.getsignal(n).name for n in (signal.SIGTERM, signal.SIGHUP)],'\n"
        "code += ' signal.pthread_sigmask(signal.SIG_BLOCK, []), file=__import__(\"sys\").stderr, flush=True)'\n"
        "subprocess.run([sys.executable, '-c', code])\n"
    ) + APP
    with serve(*TWO, cwd=tmp_path, app=app, ready=r"\['SIG_DFL', 'SIG_DFL'\] set\(\)") as served:
        served.wait_for("all workers ready")


# ---------------------------------------------------------------------------------------------------------
# The room itself


def test_where_signals_cannot_be_held_nothing_is_handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(signal, "pthread_sigmask")
    with signals.held([signal.SIGTERM]):
        assert not signals.hold([signal.SIGTERM])


def test_what_has_come_before_is_obeyed_first() -> None:
    code = (
        "import os, signal\n"
        "from tornado4.ioloop import IOLoop\n"
        "from tornado4.serve.signals import Signals\n"
        "signals = Signals([signal.SIGHUP, signal.SIGTERM])\n"
        "loop = IOLoop.current()\n"
        "os.kill(os.getpid(), signal.SIGHUP)\n"
        "os.kill(os.getpid(), signal.SIGTERM)\n"
        "signals.attach(loop, {signal.SIGHUP: lambda: print('hup'), signal.SIGTERM: loop.stop})\n"
        "loop.start()\n"
        "print('over')\n"
    )
    command = [sys.executable, "-W", "error", "-c", code]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=PATIENCE, check=True)
    assert done.stdout.split() == ["hup", "over"]
