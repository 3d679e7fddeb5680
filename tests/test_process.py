"""Forking servers and running other programs."""

from __future__ import annotations

import re
import signal
import subprocess
import sys

import pytest

from tornado4 import process
from tornado4.ioloop import IOLoop
from tornado4.process import Subprocess

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs fork and SIGCHLD")

FORKING = """
import logging, os, sys, warnings
logging.basicConfig(stream=sys.stdout, level=logging.INFO, format="%(name)s %(levelname)s %(message)s")
from tornado4 import process
from tornado4.ioloop import IOLoop
"""


def run_script(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKING + code], capture_output=True, text=True, timeout=300
    )
    assert done.stderr == ""
    return done.returncode, [
        re.sub(r"child \d+ \(pid \d+\)", "child C", line) for line in done.stdout.splitlines()
    ]


def test_fork_logs_and_ends_with_zero_when_all_children_did_as_in_453():
    code, lines = run_script("""
number = process.fork_processes(2)
assert process.task_id() == number
logging.shutdown()
os._exit(0)
""")
    assert code == 0
    assert lines[0] == "tornado.general INFO Starting 2 processes"
    assert sorted(lines[1:]) == ["tornado.general INFO child C exited normally"] * 2


def test_children_that_fail_are_restarted_and_only_so_often_as_in_453():
    code, lines = run_script("""
import signal
try:
    number = process.fork_processes(1, max_restarts=1)
except RuntimeError as e:
    print(e)
    assert process.task_id() is None
    sys.exit(7)
sys.stdout.flush()
os.kill(os.getpid(), signal.SIGKILL)
""")
    assert code == 7
    assert lines == [
        "tornado.general INFO Starting 1 processes",
        "tornado.general WARNING child C killed by signal 9, restarting",
        "tornado.general WARNING child C killed by signal 9, restarting",
        "Too many child restarts, giving up",
    ]


def test_exit_codes_are_logged_and_a_restarted_child_keeps_its_number():
    code, lines = run_script("""
import tempfile
marker = os.path.join(tempfile.gettempdir(), "tornado4-restart-%d" % os.getpid())
number = process.fork_processes(3, max_restarts=1)
if number == 2 and not os.path.exists(marker):
    open(marker, "w").close()
    os._exit(5)
if number == 2:
    os.unlink(marker)
os._exit(0)
""")
    assert code == 0
    assert "tornado.general WARNING child C exited with status 5, restarting" in lines
    assert len(lines) == 5


def test_the_first_signal_that_a_child_has_a_handler_for_stops_it_as_in_453():
    """Before `start`, in a callback, in a timeout, and during the wait for events."""
    code, lines = run_script("""
import signal, threading
number = process.fork_processes(4)
loop = IOLoop.instance()
signal.signal(signal.SIGTERM, lambda number, frame: loop.add_callback_from_signal(loop.stop))
end = lambda: os.kill(os.getpid(), signal.SIGTERM)
[end, lambda: loop.add_callback(end), lambda: loop.call_later(0.01, end), threading.Timer(0.1, end).start][number]()
loop.start()
logging.shutdown()
os._exit(0)
""")
    assert code == 0
    assert lines[1:] == ["tornado.general INFO child C exited normally"] * 4


def test_fork_refuses_when_a_loop_exists_as_in_453():
    code, lines = run_script("""
IOLoop.instance()
try:
    process.fork_processes(1)
except RuntimeError as e:
    print(e)
IOLoop.instance().close()
""")
    assert code == 0
    assert lines == [
        (
            "Cannot run in multiple processes: IOLoop instance has already been initialized. "
            "You cannot call IOLoop.instance() before calling start_processes()"
        )
    ]


def test_children_get_loops_and_random_numbers_of_their_own_and_no_warning_about_threads():
    code, lines = run_script("""
import random, threading
parent_loop = IOLoop()
stop = threading.Event()
thread = threading.Thread(target=stop.wait, daemon=True)
thread.start()
number = process.fork_processes(2)
assert IOLoop.current() is not parent_loop
async def native():
    return os.getpid()
assert IOLoop.current().run_sync(native) == os.getpid()
os.write(1, f"random {random.random()}{os.linesep}".encode())
os._exit(0)
""")
    assert code == 0
    numbers = [line for line in lines if line.startswith("random")]
    assert len(set(numbers)) == 2


def test_cpu_count_is_one_and_logged_when_unknown(monkeypatch, caplog):
    assert process.cpu_count() >= 1
    monkeypatch.setattr(process.os, "cpu_count", lambda: None)
    assert process.cpu_count() == 1
    assert caplog.messages == ["Could not detect number of processors; assuming 1"]


@pytest.fixture
def loop():
    IOLoop.clear_current()
    made = IOLoop()
    yield made
    Subprocess.uninitialize()
    IOLoop.clear_current()
    made.close(all_fds=True)


def test_streams_of_a_subprocess_talk_to_it(loop):
    program = (
        "import sys; data = sys.stdin.read(); print(data.upper(), end=''); print('err', file=sys.stderr)"
    )
    child = Subprocess(
        [sys.executable, "-c", program],
        stdin=Subprocess.STREAM,
        stdout=Subprocess.STREAM,
        stderr=Subprocess.STREAM,
    )
    child.stdin.write(b"hello")
    child.stdin.close()
    assert loop.run_sync(child.stdout.read_until_close, timeout=120) == b"HELLO"
    assert loop.run_sync(child.stderr.read_until_close, timeout=120) == b"err\n"
    assert loop.run_sync(child.wait_for_exit, timeout=120) == 0
    assert (child.returncode, child.proc.returncode) == (0, 0)


def test_wait_for_exit_raises_unless_told_not_to(loop):
    def child(code):
        return Subprocess([sys.executable, "-c", code], io_loop=loop)

    with pytest.raises(subprocess.CalledProcessError) as caught:
        loop.run_sync(child("import sys; sys.exit(3)").wait_for_exit, timeout=120)
    assert (caught.value.returncode, caught.value.cmd) == (3, None)
    failing = child("import sys; sys.exit(3)")
    assert loop.run_sync(lambda: failing.wait_for_exit(raise_error=False), timeout=120) == 3
    killed = child("import os; os.kill(os.getpid(), 9)")
    assert loop.run_sync(lambda: killed.wait_for_exit(raise_error=False), timeout=120) == -9
    assert process.CalledProcessError is subprocess.CalledProcessError


def test_exit_callbacks_of_several_children_each_run_once(loop):
    seen = []

    def ended(number, code):
        seen.append((number, code))
        if len(seen) == 3:
            loop.stop()

    children = [Subprocess([sys.executable, "-c", f"raise SystemExit({n})"]) for n in range(3)]
    for number, child in enumerate(children):
        child.set_exit_callback(lambda code, number=number: ended(number, code))
    loop.start()
    assert sorted(seen) == [(0, 0), (1, 1), (2, 2)]
    assert Subprocess._waiting == {}


def test_a_program_that_cannot_be_run_leaves_no_descriptor_open(loop):
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), Subprocess.STREAM)
    with pytest.raises(FileNotFoundError):
        Subprocess(["/nonexistent/program"], **streams)  # warnings about open files are errors here


def test_the_earlier_handler_of_sigchld_comes_back(loop):
    before = signal.getsignal(signal.SIGCHLD)
    Subprocess.initialize()
    Subprocess.initialize()
    assert signal.getsignal(signal.SIGCHLD) is not before
    Subprocess.uninitialize()
    Subprocess.uninitialize()
    assert signal.getsignal(signal.SIGCHLD) == before
