"""The event loop of Tornado 4, on asyncio.

An `IOLoop` waits for descriptors, runs callbacks and timeouts, one thing at a time in one thread. Most
programs need the loop of their thread and nothing else::

    import tornado4.ioloop

    def tick():
        print("a second later")
        tornado4.ioloop.IOLoop.current().stop()

    tornado4.ioloop.IOLoop.current().call_later(1, tick)
    tornado4.ioloop.IOLoop.current().start()

Every IOLoop stands on one real asyncio loop (`IOLoop.asyncio_loop`), so whatever is written for asyncio
runs beside it. A `PollIOLoop`, the default, owns a selector loop of its own; the round it plays is in
``_core/loops.py``. The loops of `tornado4.platform.asyncio` stand on a loop of somebody else's, and inside
a running one `IOLoop.current` makes such an IOLoop by itself.

Every method belongs to the loop's own thread, except `IOLoop.add_callback` (any thread) and
`IOLoop.add_callback_from_signal` (signal handlers too).
"""

from __future__ import annotations

import asyncio
import collections
import datetime
import functools
import heapq
import itertools
import logging
import math
import numbers
import os
import select
import signal
import sys
import threading
import time
import traceback
import weakref
from _thread import get_ident
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, ClassVar, Literal, overload

from tornado4 import _handed_on, _hints, stack_context
from tornado4._core import current as _current_room
from tornado4._core import loops as _loops
from tornado4._core.private_asyncio import get_running_loop
from tornado4._core.tasks import release_tasks
from tornado4._core.yielded import BadYieldError, convert_yielded
from tornado4.concurrent import Future, TracebackFuture, is_future
from tornado4.log import app_log, gen_log
from tornado4.platform.auto import Waker, set_close_exec
from tornado4.util import PY3, Configurable, errno_from_exception, import_object, timedelta_to_seconds

__all__ = [
    "PY3",
    "Configurable",
    "IOLoop",
    "PeriodicCallback",
    "PollIOLoop",
    "TimeoutError",
    "TracebackFuture",
    "Waker",
    "app_log",
    "errno_from_exception",
    "gen_log",
    "is_future",
    "set_close_exec",
    "timedelta_to_seconds",
]

#: The longest single wait of a `PollIOLoop`, in seconds; longer timeouts take several.
_POLL_TIMEOUT = _loops.LONGEST_POLL


class TimeoutError(Exception):
    """What `IOLoop.run_sync` raises when the time is up (a class of its own, as in 4.5.3)."""


class IOLoop(Configurable):
    """An event loop: descriptors, callbacks and timeouts, level-triggered.

    ``IOLoop()`` makes an instance of the configured class (see `configure`), on Linux an ``EPollIOLoop``.
    It becomes the thread's current loop if that has none yet; ``make_current=True`` or ``False`` says so
    explicitly, and ``True`` raises `RuntimeError` where a current loop exists.
    """

    # The bits of epoll, as in 4.5.3: programs write them as numbers.
    #: No event at all.
    NONE = 0
    #: There is something to read, or the other side has closed.
    READ = _loops.READ
    #: There is room to write.
    WRITE = _loops.WRITE
    #: An error or a hang-up; reported whether it was asked for or not.
    ERROR = _loops.ERROR

    # The same by the kernel's names, which 4.5.3 had written out. Old pollers of other makers use them.
    _EPOLLIN, _EPOLLPRI, _EPOLLOUT = 0x1, 0x2, 0x4
    _EPOLLERR, _EPOLLHUP, _EPOLLRDHUP = 0x8, 0x10, 0x2000
    _EPOLLONESHOT, _EPOLLET = 1 << 30, 1 << 31

    #: Guards the creation of the singleton, which two threads may ask for at once.
    _instance_lock = threading.Lock()
    #: The thread-local behind `current`; its attribute is ``instance``.
    _current: ClassVar[Any] = _current_room.current

    #: Changes with each round of the loop. Not even equal to itself where rounds are not counted.
    _round: float = math.nan
    _instance: ClassVar[IOLoop]

    #: The asyncio loop that this IOLoop stands on.
    asyncio_loop: asyncio.AbstractEventLoop

    # -- which loop -----------------------------------------------------------------------------------------

    @staticmethod
    def instance() -> IOLoop:
        """Return the loop of the whole process, made when first asked for; the same from every thread.

        Asked for first inside somebody else's running asyncio loop, it is the IOLoop attached to that one.
        Code that wants the loop it runs on should ask for `current`.
        """
        existing = IOLoop.__dict__.get("_instance")
        if existing is not None and not existing._is_gone():
            return existing  # type: ignore[no-any-return]
        with IOLoop._instance_lock:
            existing = IOLoop.__dict__.get("_instance")
            if existing is None or existing._is_gone():
                running = get_running_loop()
                IOLoop._instance = IOLoop() if running is None else _attached(running)
        return IOLoop._instance

    @staticmethod
    def initialized() -> bool:
        """Whether the singleton of `instance` exists."""
        return "_instance" in IOLoop.__dict__

    def install(self) -> None:
        """Make this loop the singleton that `instance` returns. There must be none yet.

        4.5.3 needed it for subclasses; `configure` is the better way.
        """
        assert not IOLoop.initialized()
        IOLoop._instance = self

    @staticmethod
    def clear_instance() -> None:
        """Forget the singleton; the next `instance` makes a new one."""
        if IOLoop.initialized():
            del IOLoop._instance

    @overload
    @staticmethod
    def current(instance: Literal[True] = True) -> IOLoop: ...

    @overload
    @staticmethod
    def current(instance: bool) -> IOLoop | None: ...

    @staticmethod
    def current(instance: bool = True) -> IOLoop | None:
        """Return this thread's loop: the one that runs, or that `make_current` chose; else the singleton.

        Inside a running asyncio loop that is not ours, return the IOLoop attached to it, the same one each
        time. ``instance=False`` returns None instead of falling back to the singleton.
        """
        chosen = getattr(IOLoop._current, "instance", None)
        running = get_running_loop()
        if running is None:
            if chosen is None and instance:
                return IOLoop.instance()
            return chosen
        if chosen is not None and (chosen.asyncio_loop is running or _chosen_within(running)):
            return chosen  # type: ignore[no-any-return]
        return _attached(running)

    def make_current(self) -> None:
        """Make this the loop that `current` returns in this thread.

        Starting a loop does so by itself for as long as it runs.
        """
        running = get_running_loop()
        IOLoop._current.instance = self
        IOLoop._current.within = None if running is None else weakref.ref(running)

    @staticmethod
    def clear_current() -> None:
        """Leave this thread without a current loop."""
        IOLoop._current.instance = None
        IOLoop._current.within = None

    @classmethod
    def configurable_base(cls) -> type[IOLoop]:
        """`IOLoop` itself."""
        return IOLoop

    @classmethod
    def configurable_default(cls) -> type[IOLoop]:
        """The class over the best poller of this system: epoll, kqueue, or select."""
        for name, loop_class in (("epoll", "EPollIOLoop"), ("kqueue", "KQueueIOLoop")):
            if hasattr(select, name):
                return import_object(f"tornado4.platform.{name}.{loop_class}")  # type: ignore[no-any-return]
        return import_object("tornado4.platform.select.SelectIOLoop")  # type: ignore[no-any-return]

    def initialize(self, make_current: bool | None = None) -> None:
        """Set the loop up; subclasses extend this in place of ``__init__``.

        :arg make_current: True makes it the current loop of the thread, False does not, None (default) does if
            there is none.
        :raises RuntimeError: True, and there is a current one.
        """
        if make_current is not None and not make_current:
            return
        taken = IOLoop.current(instance=False) is not None
        if taken and make_current:
            raise RuntimeError("current IOLoop already exists")
        if not taken:
            self.make_current()

    def _is_gone(self) -> bool:
        """Whether this loop was attached to an asyncio loop that somebody has closed since."""
        return False

    # -- for implementations --------------------------------------------------------------------------------

    def close(self, all_fds: bool = False) -> None:
        """Give up the loop's resources. It must not be running, and cannot be started again.

        ``all_fds=True`` also closes every descriptor or file object registered with `add_handler`.
        """
        raise NotImplementedError()

    def stop(self) -> None:
        """Leave `start` after the present round; if it does not run, leave the next one at once.

        Callbacks added later stay queued for the next start.
        """
        raise NotImplementedError()

    def start(self) -> None:
        """Run until `stop`. Raises `RuntimeError` when this loop runs already; another one may."""
        raise NotImplementedError()

    def add_handler(self, fd: Any, handler: Callable[[Any, int], Any], events: int) -> None:
        """Call ``handler(fd, events)`` whenever one of ``events`` (`READ`, `WRITE`, `ERROR`, or'ed) is there.

        ``fd`` is a descriptor, or an object with ``fileno()``, which the handler then receives (and
        ``close(all_fds=True)`` closes).
        """
        raise NotImplementedError()

    def update_handler(self, fd: Any, events: int) -> None:
        """Change the events that are watched on ``fd``."""
        raise NotImplementedError()

    def remove_handler(self, fd: Any) -> None:
        """Stop watching ``fd``. One that is not watched is no error."""
        raise NotImplementedError()

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback(*args, **kwargs)`` in the next round. Any thread may; a closed loop ignores it."""
        raise NotImplementedError()

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """`add_callback` for signal handlers; the callback runs in no stack context."""
        raise NotImplementedError()

    # -- debugging ------------------------------------------------------------------------------------------

    def _setup_logging(self) -> None:
        """Configure the root logger unless the program has: errors in callbacks should be seen."""
        loggers = (None, "tornado", "tornado.application")
        if not any(logging.getLogger(name).handlers for name in loggers):
            logging.basicConfig()

    def set_blocking_signal_threshold(
        self, seconds: float | None, action: Callable[[int, Any], Any] | None
    ) -> None:
        """Call ``action(signal, frame)`` when one round blocks longer than ``seconds``; None switches it off.

        Uses ``SIGALRM`` and the real-time interval timer, so the main thread on Unix. With None for
        ``action`` the process dies of the signal. Only `PollIOLoop` can measure its rounds.
        """
        raise NotImplementedError()

    def set_blocking_log_threshold(self, seconds: float | None) -> None:
        """Log a stack trace (`log_stack`) when one round blocks longer than ``seconds``."""
        self.set_blocking_signal_threshold(seconds, self.log_stack)

    def log_stack(self, signal: int, frame: Any) -> None:
        """The ``action`` of `set_blocking_log_threshold`: log where the loop is held up."""
        gen_log.warning(
            "IOLoop blocked for %f seconds in\n%s",
            getattr(self, "_blocking_signal_threshold", None) or 0.0,
            "".join(traceback.format_stack(frame)),
        )

    # -- running a function to its end -----------------------------------------------------------------------

    def run_sync(self, func: Callable[[], Any], timeout: float | None = None) -> Any:
        """Start the loop, run ``func`` until its result is there, stop, and return the result or raise.

        ``func`` returns None or something that can be yielded in a coroutine. After ``timeout`` seconds, or
        when somebody stops the loop before, `TimeoutError`. `RuntimeError`, as from `start`, when the loop runs
        already; nothing was queued then that could stop it.
        """
        loop: asyncio.AbstractEventLoop | None = getattr(self, "asyncio_loop", None)
        if loop is not None and loop.is_running():
            raise RuntimeError("IOLoop is already running")
        outcome: list[Any] = []

        def run() -> None:
            try:
                result = func()
                if result is not None:
                    result = convert_yielded(result)
            except Exception as e:
                result = Future()
                result.set_exception(e)
            else:
                if not is_future(result):
                    value, result = result, Future()
                    result.set_result(value)
            outcome.append(result)
            self.add_future(result, lambda _: self.stop())

        self.add_callback(run)
        deadline = None if timeout is None else self.add_timeout(self.time() + timeout, self.stop)
        self.start()
        if deadline is not None:
            self.remove_timeout(deadline)
        if not outcome or not outcome[0].done():
            raise TimeoutError(f"Operation timed out after {timeout} seconds")
        return outcome[0].result()

    # -- time -----------------------------------------------------------------------------------------------

    def time(self) -> float:
        """The loop's clock: seconds since the epoch, ``time.time()`` as in 4.5.3, unless it has its own."""
        return time.time()

    def add_timeout(
        self, deadline: float | datetime.timedelta, callback: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run a callback at ``deadline``, a time of `time` or a `datetime.timedelta` from now; return a handle.

        The handle is for `remove_timeout`. Not thread-safe: other threads go through `add_callback`.

        :arg deadline: a number of seconds on the clock of `time`, or a `datetime.timedelta`.
        :raises TypeError: it is neither.
        """
        if type(deadline) is float or isinstance(deadline, numbers.Real):
            return self.call_at(deadline, callback, *args, **kwargs)
        if isinstance(deadline, datetime.timedelta):
            return self.call_at(self.time() + timedelta_to_seconds(deadline), callback, *args, **kwargs)
        raise TypeError(f"Unsupported deadline {deadline!r}")

    def call_later(self, delay: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a callback after ``delay`` seconds; return a handle for `remove_timeout`."""
        return self.call_at(self.time() + delay, callback, *args, **kwargs)

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run a callback at ``when``, a time of `time`; return a handle for `remove_timeout`."""
        # An implementation has this one or add_timeout.
        return self.add_timeout(when, callback, *args, **kwargs)

    def remove_timeout(self, timeout: Any) -> None:
        """Cancel a timeout by its handle; one that has run already is no error."""
        raise NotImplementedError()

    # -- callbacks ------------------------------------------------------------------------------------------

    def spawn_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """`add_callback` in no stack context: nobody but the loop sees the exceptions, and it logs them."""
        with stack_context.NullContext():
            self.add_callback(callback, *args, **kwargs)

    def add_future(self, future: Any, callback: Callable[[Any], Any]) -> None:
        """Run ``callback(future)`` on this loop when a Future is done (ours or of ``concurrent.futures``).

        The callback runs in the stack context and with the context variables of this call, whichever thread
        resolves the Future.
        """
        assert is_future(future)
        # Also where no stack context is active: the one in which the Future is resolved is not to be taken for it.
        callback = stack_context.wrap(callback)
        context = copy_context()
        future.add_done_callback(lambda done: context.run(self.add_callback, callback, done))

    def _run_callback(self, callback: Callable[[], Any]) -> None:
        """Run one callback of the loop; log what it raises, and what the Future it returns fails with."""
        try:
            result = callback()
            if result is not None:
                self._watch_result(result)
        except (Exception, asyncio.CancelledError):
            self.handle_callback_exception(callback)

    def _watch_result(self, result: Any) -> None:
        """See to it that the failure of an asynchronous callback is not lost; other results mean nothing."""
        try:
            result = convert_yielded(result)
        except BadYieldError:
            return
        self.add_future(result, self._discard_future_result)

    def _discard_future_result(self, future: Any) -> None:
        """Look at a result that nobody wants, for its exception."""
        future.result()

    def handle_callback_exception(self, callback: Any) -> None:
        """Called while an exception of a callback or an I/O handler is handled; logs it.

        Subclasses may do something else with it. ``sys.exc_info()`` has the exception; ``callback`` may be
        a wrapper of what was passed in.
        """
        app_log.error("Exception in callback %r", callback, exc_info=True)

    # -- descriptors ----------------------------------------------------------------------------------------

    def split_fd(self, fd: Any) -> tuple[int, Any]:
        """Return ``(descriptor, object)`` of what `add_handler` was given, a number or a file object."""
        try:
            return fd.fileno(), fd
        except AttributeError:
            return fd, fd

    def close_fd(self, fd: Any) -> None:
        """Close a descriptor or file object; one that is closed already is no error."""
        try:
            try:
                fd.close()
            except AttributeError:
                os.close(fd)
        except OSError:
            # close(all_fds=True) meets descriptors that their owners closed without a word.
            pass


def _chosen_within(running: asyncio.AbstractEventLoop) -> bool:
    """Whether the thread's current loop was chosen by code that runs on ``running``."""
    within = getattr(IOLoop._current, "within", None)
    return within is not None and within() is running


def _attached(running: asyncio.AbstractEventLoop) -> IOLoop:
    """Return the IOLoop that stands on a running asyncio loop; make one for a loop that has none."""
    owner = _loops.owner_of(running)
    if owner is None:
        # By name and at run time: that module stands on this one.
        owner = import_object("tornado4.platform.asyncio.AttachedIOLoop")(running)
    return owner  # type: ignore[no-any-return]


class _Timeout(tuple[float, int]):
    """A timeout of a `PollIOLoop`: ordered by deadline, and by age among equals.

    A tuple, so that the heap compares without calling Python. `callback` is None once it was cancelled.
    """

    callback: Callable[[], Any] | None

    def __new__(cls, deadline: float, callback: Callable[[], Any], io_loop: PollIOLoop) -> _Timeout:
        if not isinstance(deadline, numbers.Real):
            raise TypeError(f"Unsupported deadline {deadline!r}")
        made = super().__new__(cls, (deadline, next(io_loop._timeout_counter)))
        made.callback = callback
        return made

    #: The time at which the callback is to run, by the loop's clock.
    deadline = property(lambda self: self[0])
    #: What orders equal deadlines; 4.4's name.
    tiebreaker = property(lambda self: self[1])
    #: Deadline and age, the order of the heap; 4.5.3's name.
    tdeadline = property(tuple)

    # Two handles are the same only when they are one: 4.5.3's compared by identity.
    __hash__ = object.__hash__


_new_timeout = functools.partial(tuple.__new__, _Timeout)


class PollIOLoop(IOLoop):
    """An IOLoop over a poller: ``impl``, an object with the interface of ``select.epoll``.

    ``impl`` has ``register(fd, events)``, ``modify``, ``unregister``, ``poll(timeout in seconds)``
    returning pairs of descriptor and events, ``close`` and, maybe, ``fileno``. It also serves the asyncio
    loop. ``time_func`` replaces ``time.time`` as the clock; asyncio's timers then follow it too.
    """

    def initialize(  # type: ignore[override]
        self, impl: Any, time_func: Callable[[], float] | None = None, **kwargs: Any
    ) -> None:
        """Set the loop up around a poller; the rest of the arguments is `IOLoop.initialize`'s."""
        super().initialize(**kwargs)
        self._impl = impl
        if hasattr(impl, "fileno"):
            set_close_exec(impl.fileno())
        self.time_func: Callable[[], float] = time_func or time.time
        self._handlers: dict[int, tuple[Any, Callable[[Any, int], Any]]] = {}
        self._events: dict[int, int] = {}
        self._callbacks: collections.deque[Callable[[], Any]] = collections.deque()
        self._timeouts: list[_Timeout] = []
        self._due_at_once: list[_Timeout] = []
        self._round = 0
        self._cancellations = 0
        self._running = False
        self._stopped = False
        self._closing = False
        self._thread_ident: int | None = None
        self._blocking_signal_threshold: float | None = None
        self._timeout_counter = itertools.count()
        self._polling = False
        self._skip_poll = False
        own_clock = None if self.time_func is time.time else self.time_func
        selector = _loops.LoopSelector(impl, self)
        self.asyncio_loop: _loops.OwnedLoop = _loops.OwnedLoop(selector, own_clock)
        self._handlers.update(selector.waker_handler())
        _loops.set_owner(self.asyncio_loop, self)

    def close(self, all_fds: bool = False) -> None:
        """Close the loop, its poller and its asyncio loop; with ``all_fds``, what handlers watch as well.

        `RuntimeError` while it runs. A second call does nothing; callbacks that are added later are dropped.
        """
        if self._running:
            raise RuntimeError("Cannot close a running IOLoop")
        # From now on add_callback(), also that of another thread, does nothing.
        self._closing = True
        if all_fds:
            for file_object, handler in list(self._handlers.values()):
                if handler is not _loops.wake:  # closed below, by asyncio
                    self.close_fd(file_object)
        self._handlers.clear()
        self._events.clear()
        self.asyncio_loop.close()
        release_tasks(self.asyncio_loop)
        self._callbacks = None  # type: ignore[assignment]
        self._timeouts = None  # type: ignore[assignment]

    # -- descriptors ----------------------------------------------------------------------------------------

    def add_handler(self, fd: Any, handler: Callable[[Any, int], Any], events: int) -> None:
        """Call ``handler(fd, events)`` whenever ``fd`` (a number, or an object with ``fileno``) is ready.

        Errors are always reported. What the poller raises for a descriptor that is watched already comes
        through: `FileExistsError` of epoll.
        """
        number, file_object = self.split_fd(fd)
        try:
            self._impl.register(number, events | self.ERROR)
        except ValueError as error:
            if self._closing:
                _hints.add(error, "closed-loop", loop=self)
            raise
        # One context for the life of the registration, as asyncio's add_reader() has it.
        if stack_context._active():
            handler = stack_context.wrap(handler)
        run: Any = copy_context().run
        in_context = functools.partial(run, handler)
        self._handlers[number] = (file_object, in_context)

    def update_handler(self, fd: Any, events: int) -> None:
        """Watch ``fd`` for other events from now on; the poller raises for one that is not watched."""
        number, _ = self.split_fd(fd)
        self._impl.modify(number, events | self.ERROR)

    def remove_handler(self, fd: Any) -> None:
        """Watch ``fd`` no more; events that it has in this round are dropped. Unknown ones are ignored."""
        number, _ = self.split_fd(fd)
        self._handlers.pop(number, None)
        self._events.pop(number, None)
        try:
            self._impl.unregister(number)
        except Exception:
            # Pollers differ in what they raise for a descriptor that is closed or unknown; 4.5.3 forgave all.
            gen_log.debug("Error deleting fd from IOLoop", exc_info=True)

    # -- running --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run until `stop`. Returns at once when `stop` came first.

        `RuntimeError` when it runs already. What a callback raises that is no `Exception` (`KeyboardInterrupt`,
        `SystemExit`) comes out here, and the loop can be started again.
        """
        if self._running:
            raise RuntimeError("IOLoop is already running")
        if self._stopped:
            self._stopped = False
            return
        if self._closing:
            closed = RuntimeError("Event loop is closed")
            _hints.add(closed, "closed-loop", loop=self)
            raise closed
        self._setup_logging()
        previous = getattr(IOLoop._current, "instance", None)
        contexts = stack_context._state.contexts
        IOLoop._current.instance = self
        # What runs on the loop runs in no stack context but its own, wherever start() was called.
        stack_context._state.contexts = stack_context._EMPTY
        self._thread_ident = get_ident()
        self._running = self._skip_poll = True
        try:
            with _loops.no_running_loop(), self.asyncio_loop.waking_on_signals():
                self.asyncio_loop.run_forever()
        finally:
            self._running = self._stopped = False
            IOLoop._current.instance = previous
            stack_context._state.contexts = contexts
            if self._blocking_signal_threshold is not None and sys.platform != "win32":
                signal.setitimer(signal.ITIMER_REAL, 0, 0)

    def stop(self) -> None:
        """Leave `start` at the end of this round; when the loop does not run, the next `start` returns at once."""
        elsewhere = not self._running and self.asyncio_loop.is_running()  # then that call ends, and no later one
        if not elsewhere:
            self._stopped = True
        if elsewhere or self._running:
            self.asyncio_loop.stop()
            self._wake()

    def _wake(self) -> None:
        """Make the poll in progress, if there is one, return."""
        if self._polling:
            self._polling = False  # one wake-up is enough for all who come now
            self.asyncio_loop.wake()

    def set_blocking_signal_threshold(
        self, seconds: float | None, action: Callable[[int, Any], Any] | None
    ) -> None:
        """See `IOLoop.set_blocking_signal_threshold`. Where there is no ``setitimer``, one line in the log."""
        if sys.platform == "win32" or not hasattr(signal, "setitimer"):
            gen_log.error("set_blocking_signal_threshold requires a signal module with the setitimer method")
            return
        self._blocking_signal_threshold = seconds
        if seconds is not None:
            signal.signal(signal.SIGALRM, action if action is not None else signal.SIG_DFL)

    def _watch_blocking(self, armed: bool) -> None:
        """Start or stop the clock of `set_blocking_signal_threshold`, for the work between two polls."""
        if sys.platform == "win32":
            raise NotImplementedError(sys.platform)  # where there is no threshold
        signal.setitimer(signal.ITIMER_REAL, (self._blocking_signal_threshold or 0) if armed else 0, 0)

    # -- timeouts and callbacks -----------------------------------------------------------------------------

    def time(self) -> float:
        """The time in seconds since the epoch, or what ``time_func`` tells."""
        return self.time_func()

    # Its first argument has another name than in the base class, as in 4.5.3.
    def call_at(  # type: ignore[override]
        self, deadline: float, callback: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run ``callback`` when the clock of the loop (`time`) has reached ``deadline``, in seconds.

        Returns a handle for `remove_timeout`. `TypeError` for a deadline that is no number.
        """
        if type(deadline) is not float and not isinstance(deadline, numbers.Real):
            raise TypeError(f"Unsupported deadline {deadline!r}")
        if stack_context._active():
            callback = stack_context.wrap(callback)
        bound: Any = functools.partial(callback, *args, **kwargs)
        bound.context = copy_context()
        timeout = _new_timeout((deadline, next(self._timeout_counter)))
        timeout.callback = bound
        try:
            heapq.heappush(self._timeouts, timeout)
        except TypeError as error:  # None: the loop is closed
            _hints.add(error, "closed-loop", loop=self)
            raise
        if self._polling:
            self._wake()
        return timeout

    def _call_in_no_time(self, callback: Callable[..., Any], *args: Any) -> None:
        """What ``call_later(0, ...)`` does, for what knows no stack context and is not taken back.

        It is due already, so it needs no place in the heap: it runs in the next round, in its turn among the timeouts.
        """
        bound: Any = functools.partial(callback, *args)
        bound.context = copy_context()
        timeout = _new_timeout((self.time(), next(self._timeout_counter)))
        timeout.callback = bound
        self._due_at_once.append(timeout)
        if self._polling:
            self._wake()

    def remove_timeout(self, timeout: Any) -> None:
        """Take back what `call_at`, `call_later` or `add_timeout` returned. Harmless when it has run."""
        # It stays in the heap until it comes up, see loops.pop_due(): removing it now would be linear.
        timeout.callback = None
        self._cancellations += 1

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round. Safe from any thread; silently nothing once the loop is closed."""
        callbacks = self._callbacks
        if self._closing:
            return
        if stack_context._active():
            callback = stack_context.wrap(callback)
        bound: Any = functools.partial(callback, *args, **kwargs)
        bound.context = copy_context()
        callbacks.append(bound)
        if self._polling:
            # Another thread, or a signal handler: see LoopSelector._poll().
            self._wake()

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round, in no stack context. Meant for handlers of signals."""
        with stack_context.NullContext():
            self.add_callback(callback, *args, **kwargs)


class PeriodicCallback:
    """Run ``callback`` every ``callback_time`` *milliseconds*, once `start` was called.

    The first run is one period after `start`. A run that takes longer than the period skips those it missed
    and the schedule goes on at whole periods. Exceptions are logged and change nothing.

    :raises ValueError: ``callback_time`` is 0 or less.
    """

    def __init__(
        self, callback: Callable[[], Any], callback_time: float, io_loop: IOLoop | None = None
    ) -> None:
        self.callback = callback
        if callback_time <= 0:
            raise ValueError("Periodic callback must have a positive callback_time")
        self.callback_time = callback_time
        self.io_loop: Any = io_loop or IOLoop.current()
        self._running = False
        self._timeout: Any = None

    def stop(self) -> None:
        """Stop the timer; `start` starts it anew."""
        self._running = False
        timeout, self._timeout = self._timeout, None
        if timeout is not None:
            self.io_loop.remove_timeout(timeout)

    def is_running(self) -> bool:
        """Whether `start` was called, and `stop` was not since."""
        return self._running

    def start(self) -> None:
        """Start the timer; the first run comes one period from now."""
        self._next_timeout = self.io_loop.time()
        self._running = True
        self._schedule_next()

    def _run(self) -> Any:
        """One period is over."""
        if not self._running:
            return None
        try:
            # The loop watches what an asynchronous callback returns, but does not wait for it.
            return self.callback()
        except (Exception, asyncio.CancelledError):
            self.io_loop.handle_callback_exception(self.callback)
            return None
        finally:
            self._schedule_next()

    def _schedule_next(self) -> None:
        """Set the timer to the next whole period that is still to come."""
        if not self._running:
            return
        now = self.io_loop.time()
        if self._next_timeout <= now:
            period = self.callback_time / 1000.0
            self._next_timeout += (math.floor((now - self._next_timeout) / period) + 1) * period
        self._timeout = self.io_loop.add_timeout(self._next_timeout, self._run)


def _current_asyncio_loop() -> asyncio.AbstractEventLoop:
    """For ``_core``, which lies below this module: the asyncio loop of the current IOLoop."""
    loop: Any = IOLoop.current()
    return loop.asyncio_loop  # type: ignore[no-any-return]


_current_room.set_loop_finder(_current_asyncio_loop)

_handed_on.complete(globals())
