"""Several processes: one server per processor (`fork_processes`), and other programs (`Subprocess`)."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

from tornado4 import _handed_on, ioloop, stack_context
from tornado4.concurrent import Future
from tornado4.iostream import PipeIOStream
from tornado4.log import gen_log
from tornado4.platform.auto import set_close_exec
from tornado4.util import PY3, errno_from_exception

__all__ = [
    "PY3",
    "CalledProcessError",
    "Future",
    "PipeIOStream",
    "Subprocess",
    "cpu_count",
    "errno_from_exception",
    "fork_processes",
    "gen_log",
    "set_close_exec",
    "task_id",
]

#: Raised by `Subprocess.wait_for_exit`: `subprocess.CalledProcessError`.
CalledProcessError = subprocess.CalledProcessError

_task_id: int | None = None

#: The signal of a child that ended; None on Windows.
_SIGCHLD: Any = getattr(signal, "SIGCHLD", None)


def cpu_count() -> int:
    """Return the number of processors of this machine; 1, and a log line, when nobody knows."""
    count = os.cpu_count()
    if count is None:
        gen_log.error("Could not detect number of processors; assuming 1")
        return 1
    return count


def _reseed_random() -> None:
    """Give a forked child random numbers of its own (`random` does so since 3.7; a replaced one may not)."""
    random: Any = sys.modules.get("random")
    if random is not None:
        random.seed(int.from_bytes(os.urandom(16), "big"))


def _pipe_cloexec() -> tuple[int, int]:
    """A pipe that a program run later does not inherit; `os.pipe` sees to that since PEP 446."""
    return os.pipe()


def fork_processes(num_processes: int | None, max_restarts: int = 100) -> int:
    """Fork children, and return *in each of them*; None or less than one means one per processor.

    Each child gets its number, from 0 on (see `task_id`), and goes on with the program, in which there must
    not be a loop yet (`RuntimeError`). The parent stays in here: it starts anew each child that ends with
    an error, with the same number, at most ``max_restarts`` times in all (`RuntimeError` then). When all
    have ended normally it leaves the program with ``sys.exit(0)``.

    :arg num_processes: how many.
    """
    assert _task_id is None
    if sys.platform == "win32" or not hasattr(os, "fork"):
        raise RuntimeError(
            f"fork_processes: {sys.platform} cannot fork; start one process for each port, behind a proxy"
        )
    if num_processes is None or num_processes <= 0:
        num_processes = cpu_count()
    if ioloop.IOLoop.initialized():
        raise RuntimeError(
            "Cannot run in multiple processes: IOLoop instance has already been initialized. "
            "You cannot call IOLoop.instance() before calling start_processes()"
        )
    gen_log.info("Starting %d processes", num_processes)
    children: dict[int, int] = {}
    for number in range(num_processes):
        if _start_child(number, children):
            return number
    restarts = 0
    while children:
        pid, status = os.wait()
        ended = children.pop(pid, None)
        if ended is None or not _failed(ended, pid, status):
            continue  # a child that is none of ours, or one that is done
        restarts += 1
        if restarts > max_restarts:
            raise RuntimeError("Too many child restarts, giving up")
        if _start_child(ended, children):
            return ended
    # As in 4.5.3: what follows the call is for children, and the parent has nothing left to do.
    sys.exit(0)


def _start_child(number: int, children: dict[int, int]) -> bool:
    """Fork child ``number``; True in the child."""
    global _task_id
    if sys.platform == "win32":
        raise NotImplementedError(sys.platform)
    with warnings.catch_warnings():
        # 3.12 warns when other threads exist, which is what prefork servers have always lived with.
        warnings.filterwarnings("ignore", category=DeprecationWarning, message=".*multi-threaded.*fork")
        pid = os.fork()
    if pid:
        children[pid] = number
        return False
    _reseed_random()
    # A loop that the parent made current shares its epoll with the parent; the child is to make its own.
    ioloop.IOLoop.clear_current()
    _task_id = number
    return True


def _failed(number: int, pid: int, status: int) -> bool:
    """Log how a child ended; tell whether it has to be started again."""
    if sys.platform == "win32":
        raise NotImplementedError(sys.platform)
    if os.WIFSIGNALED(status):
        gen_log.warning("child %d (pid %d) killed by signal %d, restarting", number, pid, os.WTERMSIG(status))
        return True
    if os.WEXITSTATUS(status) != 0:
        gen_log.warning(
            "child %d (pid %d) exited with status %d, restarting", number, pid, os.WEXITSTATUS(status)
        )
        return True
    gen_log.info("child %d (pid %d) exited normally", number, pid)
    return False


def task_id() -> int | None:
    """Return the number that `fork_processes` gave this process; None in any other process."""
    return _task_id


class Subprocess:
    """`subprocess.Popen` for programs with a loop: pipes that are streams, and a callback at the exit.

    The arguments are `subprocess.Popen`'s, and

    * ``stdin``, ``stdout`` and ``stderr`` may be `Subprocess.STREAM`; the attribute of that name is then a
      `.PipeIOStream`. Close it, or read to its end, when done;
    * ``io_loop`` is the loop of streams and callbacks, by default the current one.

    The Popen object itself is ``proc``; ``returncode`` is set when the exit callback runs.
    """

    STREAM: ClassVar[object] = object()

    _initialized: ClassVar[bool] = False
    _waiting: ClassVar[dict[int, Subprocess]] = {}
    _old_sigchld: ClassVar[Any] = None

    stdin: Any
    stdout: Any
    stderr: Any
    #: The process's id.
    pid: int

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self.io_loop: Any = kwargs.pop("io_loop", None) or ioloop.IOLoop.current()
        # The child's ends, which the parent closes once the child has them.
        theirs: list[int] = []
        streams: dict[str, PipeIOStream] = {}
        try:
            for name in ("stdin", "stdout", "stderr"):
                if kwargs.get(name) is Subprocess.STREAM:
                    read_end, write_end = _pipe_cloexec()
                    kwargs[name], ours = (read_end, write_end) if name == "stdin" else (write_end, read_end)
                    theirs.append(kwargs[name])
                    streams[name] = PipeIOStream(ours, io_loop=self.io_loop)
            self.proc: subprocess.Popen[Any] = subprocess.Popen(*args, **kwargs)
        except BaseException:
            for stream in streams.values():
                stream.close()
            raise
        finally:
            for fd in theirs:
                os.close(fd)
        for name in ("stdin", "stdout", "stderr"):
            setattr(self, name, streams.get(name, getattr(self.proc, name)))
        self.pid = self.proc.pid
        self.returncode: int | None = None
        self._exit_callback: Callable[[int], Any] | None = None

    def set_exit_callback(self, callback: Callable[[int], Any]) -> None:
        """Call ``callback(returncode)`` on the loop when the process has ended.

        A negative code is the signal that killed it.

        Takes over ``SIGCHLD`` (see `initialize`), so the first call must come from the main thread. Where there is no
        such signal, a thread waits for the process.
        """
        self._exit_callback = stack_context.wrap(callback)
        if _SIGCHLD is None:
            threading.Thread(target=self._wait_in_a_thread, name=f"wait-{self.pid}", daemon=True).start()
            return
        Subprocess.initialize(self.io_loop)
        Subprocess._waiting[self.pid] = self
        Subprocess._try_cleanup_process(self.pid)  # it may have ended before anybody listened

    def wait_for_exit(self, raise_error: bool = True) -> Future[int]:
        """Return a Future with the return code; it fails with `subprocess.CalledProcessError` unless that is 0.

        With ``raise_error=False`` any code is a result.
        """
        future: Any = Future()

        def ended(code: int) -> None:
            if code != 0 and raise_error:
                # As in 4.5.3 the error does not know the command.
                future.set_exception(CalledProcessError(code, None))  # type: ignore[arg-type]
            else:
                future.set_result(code)

        self.set_exit_callback(ended)
        return future  # type: ignore[no-any-return]

    @classmethod
    def initialize(cls, io_loop: Any = None) -> None:
        """Install the handler of ``SIGCHLD``, which hands over to ``io_loop``, by default the current loop.

        Called by `set_exit_callback`, and needed before it only when processes start in threads other than
        the main one. Does nothing when the handler is there already, or the system has no such signal.
        """
        if cls._initialized or _SIGCHLD is None:
            return
        loop = io_loop or ioloop.IOLoop.current()
        cls._old_sigchld = signal.signal(
            _SIGCHLD, lambda _number, _frame: loop.add_callback_from_signal(cls._cleanup)
        )
        cls._initialized = True

    @classmethod
    def uninitialize(cls) -> None:
        """Put the earlier handler of ``SIGCHLD`` back."""
        if cls._initialized:
            signal.signal(_SIGCHLD, cls._old_sigchld)
            cls._initialized = False

    @classmethod
    def _cleanup(cls) -> None:
        """Some child has ended. Signals do not add up, so look at all that are waited for."""
        for pid in list(cls._waiting):
            cls._try_cleanup_process(pid)

    @classmethod
    def _try_cleanup_process(cls, pid: int) -> None:
        """If the process has ended, hand its status to its loop."""
        if sys.platform == "win32":
            raise NotImplementedError(sys.platform)
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:
            return  # somebody else, Popen.wait() say, was told
        if ended:
            waiting = cls._waiting.pop(pid)
            waiting.io_loop.add_callback_from_signal(waiting._set_returncode, status)

    def _wait_in_a_thread(self) -> None:
        code = self.proc.wait()
        self.io_loop.add_callback_from_signal(self._end, code)

    def _set_returncode(self, status: int) -> None:
        """On the loop: the process has ended."""
        self._end(os.waitstatus_to_exitcode(status))

    def _end(self, code: int) -> None:
        self.returncode = code
        # Popen was not there when it ended, and would warn that it still runs.
        self.proc.returncode = self.returncode
        callback, self._exit_callback = self._exit_callback, None
        if callback is not None:
            callback(self.returncode)

_handed_on.complete(globals())
