"""IOLoops on an asyncio loop of somebody else's making, and conversions between the two kinds of Future.

Every IOLoop of ours stands on asyncio. Those of this module differ from the default in that they ask
nothing of the asyncio loop but its public methods, so it may be any: uvloop's, a GUI toolkit's, one that
runs already.

`AsyncIOLoop` makes a loop of its own, with ``loop_factory`` if it is to be a special one::

    IOLoop.configure("tornado.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)

`AsyncIOMainLoop` takes asyncio's current loop and leaves starting and closing it to its owner::

    async def main():
        AsyncIOMainLoop().install()
        make_app().listen(8888)
        await asyncio.Event().wait()

Neither is needed inside a running asyncio loop: `.IOLoop.current` attaches an IOLoop to it by itself.
"""

from __future__ import annotations

import asyncio
import errno
import functools
import math
import warnings
from collections.abc import Callable
from typing import Any

from tornado4 import _handed_on, _hints, stack_context
from tornado4._core import current as _current_room
from tornado4._core import loops as _loops
from tornado4._core.private_asyncio import get_running_loop
from tornado4._core.tasks import release_tasks
from tornado4._core.yielded import convert_yielded
from tornado4.concurrent import Future
from tornado4.ioloop import IOLoop
from tornado4.util import errno_from_exception, timedelta_to_seconds

__all__ = [
    "AsyncIOLoop",
    "AsyncIOMainLoop",
    "BaseAsyncIOLoop",
    "IOLoop",
    "convert_yielded",
    "timedelta_to_seconds",
    "to_asyncio_future",
    "to_tornado_future",
]


class BaseAsyncIOLoop(IOLoop):
    """An IOLoop on a given asyncio loop. ``close_loop`` says whether `close` closes that one too."""

    def initialize(  # type: ignore[override]
        self, asyncio_loop: asyncio.AbstractEventLoop, close_loop: bool = False, **kwargs: Any
    ) -> None:
        """Set the loop up; the rest of the arguments is `.IOLoop.initialize`'s."""
        self.asyncio_loop = asyncio_loop
        self.close_loop = close_loop
        #: Who watches descriptors: the loop, or a thread where it cannot.
        self._watching: Any = asyncio_loop
        #: By descriptor: what the user passed in, and the handler.
        self.handlers: dict[int, tuple[Any, Callable[[Any, int], Any]]] = {}
        #: The descriptors that asyncio watches for us.
        self.readers: set[int] = set()
        self.writers: set[int] = set()
        self.closing = False
        existing = _loops.owner_of(asyncio_loop)
        if existing is None or existing._is_gone():
            _loops.set_owner(asyncio_loop, self)
        super().initialize(**kwargs)

    def _is_gone(self) -> bool:
        return self.closing or (not self.close_loop and self.asyncio_loop.is_closed())

    def close(self, all_fds: bool = False) -> None:
        """Let go of all descriptors, and close the asyncio loop if it is ours.

        With ``all_fds``, what handlers watch is closed too. Callbacks that are added later are a `RuntimeError`.
        """
        self.closing = True
        for fd in list(self.handlers):
            file_object, _ = self.handlers[fd]
            self.remove_handler(fd)
            if all_fds:
                self.close_fd(file_object)
        if self.close_loop:
            self.asyncio_loop.close()
            release_tasks(self.asyncio_loop)
        elif _loops.owner_of(self.asyncio_loop) is self:
            _loops.set_owner(self.asyncio_loop, None)

    # -- descriptors ----------------------------------------------------------------------------------------

    def add_handler(self, fd: Any, handler: Callable[[Any, int], Any], events: int) -> None:
        """Call ``handler(fd, events)`` whenever ``fd`` (a number, or an object with ``fileno``) is ready.

        `ValueError` for one that has a handler; `NotImplementedError` when the asyncio loop watches no descriptors.
        """
        number, file_object = self.split_fd(fd)
        if number in self.handlers:
            raise ValueError(f"fd {fd} added twice")
        if stack_context._active():
            handler = stack_context.wrap(handler)
        self.handlers[number] = (file_object, handler)
        try:
            self._watch(number, events)
        except BaseException:
            self._unwatch(number)
            del self.handlers[number]
            raise

    def update_handler(self, fd: Any, events: int) -> None:
        """Watch ``fd`` for other events from now on."""
        number, _ = self.split_fd(fd)
        self._watch(number, events)

    def remove_handler(self, fd: Any) -> None:
        """Watch ``fd`` no more. Unknown ones are ignored."""
        number, _ = self.split_fd(fd)
        if number in self.handlers:
            self._unwatch(number)
            del self.handlers[number]

    def _watch(self, fd: int, events: int) -> None:
        """Make asyncio watch a descriptor for just these events. As in 4.5.3, errors show up as either."""
        self._toggle(fd, bool(events & self.READ), self.readers, "reader", self.READ)
        self._toggle(fd, bool(events & self.WRITE), self.writers, "writer", self.WRITE)

    def _toggle(self, fd: int, wanted: bool, watched: set[int], kind: str, event: int) -> None:
        if wanted and fd not in watched:
            try:
                getattr(self._watching, "add_" + kind)(fd, self._handle_events, fd, event)
            except NotImplementedError:
                self._watch_by_thread()
                getattr(self._watching, "add_" + kind)(fd, self._handle_events, fd, event)
            watched.add(fd)
        elif not wanted and fd in watched:
            getattr(self._watching, "remove_" + kind)(fd)
            watched.discard(fd)

    def _watch_by_thread(self) -> None:
        """The loop cannot watch descriptors, as that of Windows (proactor): a thread does it."""
        from tornado4.platform.selector_thread import SelectorThread

        if self._watching is not self.asyncio_loop:
            raise NotImplementedError(f"{self._watching!r} cannot watch descriptors")
        self._watching = SelectorThread(self.asyncio_loop)

    def _unwatch(self, fd: int) -> None:
        self._watch(fd, self.NONE)

    def _handle_events(self, fd: int, events: int) -> None:
        """A descriptor is ready."""
        entry = self.handlers.get(fd)
        if entry is None:
            return  # removed by a handler that ran in the same round
        try:
            entry[1](entry[0], events)
        except OSError as e:
            # As a PollIOLoop: the peer is gone, the handler's next read will say so.
            if errno_from_exception(e) != errno.EPIPE:
                self.handle_callback_exception(self.handlers.get(fd))
        except (Exception, asyncio.CancelledError):
            self.handle_callback_exception(self.handlers.get(fd))

    # -- running --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the asyncio loop until `stop`; `RuntimeError` when it runs already."""
        if self.asyncio_loop.is_running():
            raise RuntimeError("IOLoop is already running")
        self._setup_logging()
        previous = getattr(IOLoop._current, "instance", None)
        contexts = stack_context._state.contexts
        IOLoop._current.instance = self
        stack_context._state.contexts = stack_context._EMPTY
        try:
            with _loops.no_running_loop():
                self.asyncio_loop.run_forever()
        finally:
            IOLoop._current.instance = previous
            stack_context._state.contexts = contexts

    def stop(self) -> None:
        """Leave `start` at the end of this round."""
        # asyncio's own rule for a loop that does not run yet: the next start() plays one round.
        self.asyncio_loop.stop()

    # -- timeouts and callbacks -----------------------------------------------------------------------------

    def call_at(self, when: float, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run ``callback`` when `time` has reached ``when``, in seconds. Returns a handle for `remove_timeout`."""
        if stack_context._active():
            callback = stack_context.wrap(callback)
        # Its clock is another than ours, hence the difference.
        delay = max(0, when - self.time())
        if delay and not isinstance(self.asyncio_loop, asyncio.BaseEventLoop):
            # uvloop counts whole milliseconds, from the start of its round: it would call too early, and 4.5.3
            # never did.
            delay = math.ceil(delay * 1000 + 1) / 1000
        return self.asyncio_loop.call_later(
            delay, self._run_callback, functools.partial(callback, *args, **kwargs)
        )

    def remove_timeout(self, timeout: Any) -> None:
        """Take back what `call_at`, `call_later` or `add_timeout` returned. Harmless when it has run."""
        timeout.cancel()

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round. Safe from any thread; `RuntimeError` once the loop is closed."""
        if self.closing:
            raise self._closed_error()  # as in 4.5.3, where a PollIOLoop stays silent
        if stack_context._active():
            callback = stack_context.wrap(callback)
        loop = self.asyncio_loop
        schedule = loop.call_soon if get_running_loop() is loop else loop.call_soon_threadsafe
        schedule(self._run_callback, functools.partial(callback, *args, **kwargs))

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round, in no stack context. Meant for handlers of signals."""
        if self.closing:
            raise self._closed_error()
        # The handler may have interrupted the wait for events: only the thread-safe call ends that.
        bound = functools.partial(callback, *args, **kwargs)
        self.asyncio_loop.call_soon_threadsafe(self._run_callback, bound)

    def _closed_error(self) -> RuntimeError:
        error = RuntimeError("IOLoop is closing")
        _hints.add(error, "closed-loop", loop=self)
        return error


def _main_loop() -> asyncio.AbstractEventLoop:
    """asyncio's current loop, which from 3.14 on it no longer makes by itself; then make and set one here."""
    running = get_running_loop()
    if running is not None:
        return running
    try:
        with warnings.catch_warnings():
            # 3.12 and 3.13 warn when they are about to make one: take that for a no, too.
            warnings.simplefilter("error", DeprecationWarning)
            return asyncio.get_event_loop()
    except (RuntimeError, DeprecationWarning):
        loop = _new_selector_loop()
        asyncio.set_event_loop(loop)
        return loop


def _new_selector_loop() -> asyncio.AbstractEventLoop:
    """A loop that can watch descriptors, unlike the default one of Windows."""
    return asyncio.SelectorEventLoop()


class AsyncIOMainLoop(BaseAsyncIOLoop):
    """An IOLoop on asyncio's current loop: the one that runs, or else the one that ``set_event_loop`` chose.

    It does not become the current IOLoop by itself, and leaves the asyncio loop to its owner.
    """

    def initialize(self, **kwargs: Any) -> None:  # type: ignore[override]
        """Find the asyncio loop; the arguments are `.IOLoop.initialize`'s."""
        super().initialize(_main_loop(), close_loop=False, **{"make_current": False, **kwargs})


class AsyncIOLoop(BaseAsyncIOLoop):
    """An IOLoop on an asyncio loop that it makes, and closes, itself.

    ``loop_factory`` makes the asyncio loop; the default is asyncio's selector loop (on Windows too).
    """

    def initialize(  # type: ignore[override]
        self, loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None, **kwargs: Any
    ) -> None:
        """Make the asyncio loop; the rest of the arguments is `.IOLoop.initialize`'s."""
        loop = (loop_factory or _new_selector_loop)()
        try:
            super().initialize(loop, close_loop=True, **kwargs)
        except Exception:
            loop.close()
            raise


class AttachedIOLoop(BaseAsyncIOLoop):
    """What `.IOLoop.current` returns inside a running asyncio loop that no IOLoop has made."""

    def initialize(self, asyncio_loop: asyncio.AbstractEventLoop) -> None:  # type: ignore[override]
        """Attach to a loop; see `BaseAsyncIOLoop`."""
        super().initialize(asyncio_loop, close_loop=False, make_current=False)


def to_tornado_future(asyncio_future: Any) -> Any:
    """Return a `tornado4.concurrent.Future` with the outcome that an asyncio future will have.

    A cancelled future gives one that failed with `asyncio.CancelledError`. Coroutines of either kind may
    take asyncio's futures as they are; this is for code that wants callbacks run at once.
    """
    made: Any = Future()

    def copy(done: Any) -> None:
        try:
            made.set_result(done.result())
        except (Exception, asyncio.CancelledError) as e:
            made.set_exception(e)

    asyncio_future.add_done_callback(copy)
    return made


def to_asyncio_future(tornado_future: Any) -> asyncio.Future[Any]:
    """Return an asyncio future with the outcome of anything that a Tornado coroutine may yield.

    Not needed any more to ``await`` one of our Futures in an asyncio task; it is where an
    `asyncio.Future` is insisted on. It belongs to the loop that is current in this thread.
    """
    source = convert_yielded(tornado_future)
    if isinstance(source, asyncio.Future):
        return source
    made = _current_room.asyncio_loop().create_future()

    def copy(done: Any) -> None:
        if made.done():
            return  # cancelled meanwhile
        try:
            made.set_result(done.result())
        except (Exception, asyncio.CancelledError) as e:
            made.set_exception(e)

    source.add_done_callback(copy)
    return made

_handed_on.complete(globals())
