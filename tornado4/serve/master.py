"""The process over several workers: starts them, replaces them, ends them. It serves nothing itself.

It does not import the application: each worker does, so a new worker has the program as it is on the disk then.

Signals: SIGTERM and SIGINT drain all workers and end, SIGQUIT hangs up; SIGHUP replaces the workers one by one; SIGTTIN
and SIGTTOU are one worker more, or one less. A worker that dies is replaced; if it died at once, after a while that
doubles.
"""

from __future__ import annotations

import enum
import logging
import os
import selectors
import signal
import socket
import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

if sys.platform == "win32":
    raise ImportError("tornado4.serve.master: Windows has no fork, and so no workers")

from tornado4 import process
from tornado4._core import private_names
from tornado4.serve import health, reloading, signals, sockets, worker
from tornado4.serve.config import Config
from tornado4.serve.signals import Signals
from tornado4.serve.sockets import Listening
from tornado4.serve.worker import Worker

log = logging.getLogger("tornado4.serve")

#: Seconds that a worker has to live for its death to be an accident; before that, the next one is put off.
_AT_ONCE = 1.0
#: Seconds to put off the first time, and at most.
_FIRST_DELAY, _LONGEST_DELAY = 0.25, 30.0

#: What has a worker hang up. A second SIGTERM does not: who ends a service by signalling all its processes (systemd's
#: ``KillMode=control-group``, supervisor's ``stopasgroup``) sends one to each worker, and so does its master.
HANG_UP = signal.SIGQUIT

#: What a worker writes to its master.
_READY, _ENOUGH = b"r", b"e"


class Phase(enum.Enum):
    """A worker's life: STARTING -> READY -> LEAVING; from each of them it may die."""

    STARTING = "the application is being imported"
    READY = "it serves"
    LEAVING = "it was told to drain"


class Child:
    """What the master knows of a worker."""

    def __init__(self, number: int, pid: int, pipe: int, generation: int) -> None:
        self.number = number
        self.pid = pid
        self.pipe = pipe
        self.generation = generation
        self.phase = Phase.STARTING
        self.started = time.monotonic()
        self.kill_at = float("inf")


class Master:
    """Keeps as many workers as are wanted, of the present generation; `run` returns the exit code."""

    def __init__(self, config: Config, listening: Listening, serve: Callable[[Worker], None], obeyed: Signals) -> None:
        self.config = config
        self.listening = listening
        #: Runs a worker in its process, until its end.
        self.serve = serve
        self.wanted = config.workers
        self.generation = 0
        self.children: dict[int, Child] = {}
        self.ending = False
        self.ever_ready = False
        self.settled = False
        self.code = 0
        self.not_before = 0.0
        self.held_back = False
        self.delay = 0.0
        self.selector = selectors.DefaultSelector()
        self.signals = obeyed

    def run(self) -> int:
        """Until the end."""
        # The workers see by it that the master has gone, however it went.
        self.alive, self.alive_writer = os.pipe()
        self.woken, self.waker = os.pipe()
        for fd in (self.woken, self.waker):
            os.set_blocking(fd, False)
        self.health = health.OnSelector(self.selector, self.listening.health, self.report)
        self.selector.register(self.woken, selectors.EVENT_READ, lambda: os.read(self.woken, 512))
        self.signals.wait_by_oneself()
        signal.set_wakeup_fd(self.waker, warn_on_full_buffer=False)
        log.info("master (pid %d), %d workers", os.getpid(), self.wanted)
        while True:
            # First those of before the wake-up descriptor: no wait would end for them.
            while self.signals.received:
                _SIGNALS[self.signals.received.pop(0)](self)
            self.reap()
            self.balance()
            if self.ending and not self.children:
                break
            for key, _ in self.selector.select(self.patience()):
                key.data()
        log.info("stopped")
        return self.code

    def report(self) -> health.Report:
        """For --health."""
        ready = sum(child.phase is Phase.READY for child in self.children.values())
        return {
            "ready": ready > 0 and not self.ending,
            "draining": self.ending,
            "workers": ready,
            "pid": os.getpid(),
        }

    # -- what is, and what should be

    def balance(self) -> None:
        """Start and end workers until there are as many as are wanted, and all of the present generation.

        Those of an earlier generation go when the new ones that take their place are ready.
        """
        now = time.monotonic()
        for child in self.children.values():
            if now >= child.kill_at:
                log.warning("worker %d (pid %d) does not leave: killed", child.number, child.pid)
                child.kill_at = float("inf")
                os.kill(child.pid, signal.SIGKILL)
        if self.ending:
            return
        staying = [child for child in self.children.values() if child.phase is not Phase.LEAVING]
        fresh = [child for child in staying if child.generation == self.generation]
        former = [child for child in staying if child.generation != self.generation]
        starting = sum(child.phase is Phase.STARTING for child in fresh)
        replaced = {child.number for child in fresh if child.phase is Phase.READY}
        missing = self.wanted - len(fresh)
        # One by one where there is something to replace, so that no more run at once than need to.
        for _ in range(min(missing, 1 - starting) if former else missing):
            if now >= self.not_before:  # `start` may put the next one off
                self.start()
        self.held_back = missing > 0 and now < self.not_before
        for child in staying:
            if child.number >= self.wanted or (child in former and child.number in replaced):
                self.dismiss(child)
        left_over = any(child.phase is not Phase.LEAVING for child in former)
        settled = not left_over and not starting and len(fresh) == self.wanted
        if settled and not self.settled:
            log.info("all workers ready")
        self.settled = settled

    def patience(self) -> float | None:
        """Seconds until something is due; None when only an event can change anything."""
        due = min((child.kill_at for child in self.children.values()), default=float("inf"))
        if not self.ending and self.held_back:
            due = min(due, self.not_before)
        return None if due == float("inf") else max(0.0, due - time.monotonic())

    def start(self) -> None:
        """Fork a worker."""
        numbers = {
            child.number
            for child in self.children.values()
            if child.phase is not Phase.LEAVING and child.generation == self.generation
        }
        number = next(number for number in range(len(numbers) + 1) if number not in numbers)
        reloading.flush()
        reader = writer = -1
        try:
            reader, writer = os.pipe()
            # The child has our handlers, and nobody to obey them, until it has its own.
            with signals.held(self.signals.numbers):
                pid = os.fork()
                if pid == 0:
                    self.become_worker(number, reader, writer)
        except OSError as error:  # a limit of processes, descriptors or memory
            for fd in {reader, writer} - {-1}:
                os.close(fd)
            log.error("worker %d cannot be started: %s", number, error.strerror or error)
            self.put_off()
            return
        os.close(writer)
        os.set_blocking(reader, False)
        child = self.children[pid] = Child(number, pid, reader, self.generation)
        self.selector.register(reader, selectors.EVENT_READ, lambda: self.hear(child))

    def put_off(self) -> None:
        """Start no worker for a while, which doubles each time."""
        self.delay = min(max(self.delay * 2, _FIRST_DELAY), _LONGEST_DELAY)
        self.not_before = time.monotonic() + self.delay
        log.error("the next one in %g seconds", self.delay)

    def dismiss(self, child: Child) -> None:
        """Tell a worker to drain; the second time, to hang up.

        One that has accepted nothing yet dies of either. It knows best whether that is so: what it says of it may be
        on its way to us.
        """
        again = child.phase is Phase.LEAVING
        child.phase = Phase.LEAVING
        if not again:
            child.kill_at = time.monotonic() + self.config.grace + worker.MERCY
        os.kill(child.pid, HANG_UP if again else signal.SIGTERM)

    def hear(self, child: Child) -> None:
        """A worker has said something."""
        said = os.read(child.pipe, 64)
        if not said:  # it is about to be reaped
            self.selector.unregister(child.pipe)
            return
        if _READY in said and child.phase is Phase.STARTING:
            child.phase = Phase.READY
            self.ever_ready = True
            log.info("worker %d (pid %d) ready", child.number, child.pid)
        if _ENOUGH in said and child.phase is Phase.READY:
            child.generation = -1  # to be replaced, whenever there is another one

    def reap(self) -> None:
        """See who has ended."""
        while self.children:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            child = self.children.pop(pid, None)
            if child is None:
                continue
            if child.pipe in self.selector.get_map():
                self.selector.unregister(child.pipe)
            os.close(child.pipe)
            self.lose(child, os.waitstatus_to_exitcode(status))

    def lose(self, child: Child, code: int) -> None:
        """A worker has ended: as it was told to, or not."""
        health.forget(child.pid)
        if child.phase is Phase.LEAVING:
            log.info("worker %d (pid %d) has left", child.number, child.pid)
            return
        how = f"was killed by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        log.error("worker %d (pid %d) %s", child.number, child.pid, how)
        self.settled = False
        if self.ending:
            return
        told_to_leave = child.phase is Phase.STARTING and code == -signal.SIGTERM  # by somebody else
        if child.phase is Phase.STARTING and not self.ever_ready and not told_to_leave:
            log.error("the application does not start: giving up")
            self.code = 1
            self.end()
            return
        others = [each for each in self.children.values() if each.phase is Phase.READY]
        former = any(each.generation < self.generation for each in others)
        if child.phase is Phase.STARTING and former and not told_to_leave:
            log.error("the former workers go on; SIGHUP tries again")
            self.generation = max(each.generation for each in others)
            for each in others:
                each.generation = self.generation
            self.settled = True  # nothing is new that would have to be said
            return
        if time.monotonic() - child.started < _AT_ONCE or child.phase is Phase.STARTING:
            self.put_off()
        else:
            self.delay = self.not_before = 0.0

    # -- signals

    def end(self) -> None:
        """Drain all workers; the second time, have them hang up."""
        if not self.ending:
            self.ending = True
            log.info("draining %d workers, for %g seconds at most", len(self.children), self.config.grace)
            self.listening.close_serving()
        for child in self.children.values():
            self.dismiss(child)

    def hang_up(self) -> None:
        """End at once."""
        if not self.ending:
            self.end()
        self.end()

    def replace(self) -> None:
        """Replace all workers, one by one."""
        if not self.ending:
            log.info("replacing %d workers", self.wanted)
            self.generation += 1
            self.not_before = self.delay = 0.0

    def more(self) -> None:
        """One worker more."""
        if not self.ending:
            self.wanted += 1
            log.info("%d workers wanted", self.wanted)

    def less(self) -> None:
        """One worker less, but for the last."""
        if not self.ending:
            self.wanted = max(1, self.wanted - 1)
            log.info("%d workers wanted", self.wanted)

    # -- in the child

    def become_worker(self, number: int, reader: int, writer: int) -> None:
        """The forked child: forget what is the master's, serve, and end the process."""
        code = 1
        try:
            signal.set_wakeup_fd(-1)
            for each in self.signals.numbers:
                # Those of the terminal and of a group come here as well as to the master, who knows what to do. Not
                # SIG_IGN, which programs that the application starts would inherit.
                signal.signal(each, _deaf if each in _OF_THE_MASTER else signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signals.release(self.signals.numbers)
            self.health.close()
            for sock in self.listening.health:
                sock.close()
            for fd in (reader, self.woken, self.waker, self.alive_writer, *(c.pipe for c in self.children.values())):
                os.close(fd)
            self.selector.close()
            process._task_id = number
            process._reseed_random()
            self.serve(Member(self, writer))
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
        except BaseException:
            log.critical("worker %d failed", number, exc_info=True)
        finally:
            try:
                # A worker is a process of the application's, which may have something to do at its end. What only the
                # interpreter's own end does is left out: it waits for threads.
                private_names.run_exit_functions()
                sys.stdout.flush()
                sys.stderr.flush()
            finally:
                os._exit(code)


class Member(Worker):
    """One worker of a master's. It leaves when the master has gone, too."""

    def __init__(self, master: Master, pipe: int) -> None:
        super().__init__(master.config, master.listening)
        self._pipe = pipe
        self._alive = master.alive

    def sockets(self) -> list[socket.socket]:
        if self.config.reuse_port:  # not before: connections would wait in it for an application that is not there yet
            self.listening = Listening(sockets.bind(self.config), [])
        return self.listening.serving

    def set_signals(self) -> None:
        obeyed = Signals((signal.SIGTERM, HANG_UP))
        obeyed.attach(self.loop, {signal.SIGTERM: self.drain_once, HANG_UP: self.hang_up})
        for number in _OF_THE_MASTER:
            signal.signal(number, _deaf)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        self.loop.add_handler(self._alive, lambda fd, events: self.on_orphaned(), self.loop.READ)

    def drain_once(self) -> None:
        """Begin to drain, however often that is asked for."""
        if self.draining is None:
            self.leave()

    def on_orphaned(self) -> None:
        """The master has died."""
        self.loop.remove_handler(self._alive)
        log.error("the master is gone")
        self.drain_once()

    def on_ready(self) -> None:
        self._say(_READY)

    def on_enough(self) -> None:
        self._say(_ENOUGH)

    def _say(self, word: bytes) -> None:
        try:
            os.write(self._pipe, word)
        except OSError:
            pass  # the master is gone, which is heard of elsewhere


def _deaf(number: int, frame: FrameType | None) -> None:
    """A worker's handler for what is its master's business."""


def _nothing(master: Master) -> None:
    """SIGCHLD: who has ended is looked for after each wait."""


def _unknown(master: Master) -> None:
    """SIGUSR1 and SIGUSR2: other servers open their logs anew. Nobody shall end ours by it."""
    log.warning("SIGUSR1 and SIGUSR2 mean nothing to the master: logs are written to stderr and stdout")


#: What a worker does not hear; `signal.SIGCHLD` and the like are the application's.
_OF_THE_MASTER = (signal.SIGHUP, signal.SIGTTIN, signal.SIGTTOU)

_SIGNALS: dict[int, Callable[[Master], Any]] = {
    signal.SIGTERM: Master.end,
    signal.SIGINT: Master.end,
    signal.SIGQUIT: Master.hang_up,
    signal.SIGHUP: Master.replace,
    signal.SIGTTIN: Master.more,
    signal.SIGTTOU: Master.less,
    signal.SIGUSR1: _unknown,
    signal.SIGUSR2: _unknown,
    signal.SIGCHLD: _nothing,
}
