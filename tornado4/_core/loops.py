"""The asyncio side of an IOLoop: how one event loop serves two sets of callers.

A `PollIOLoop` owns an asyncio selector loop, and *is* that loop's selector, so to say. `LoopSelector` wraps
the poller (an ``epoll`` object, `_Select`, or whatever a subclass passes as ``impl``); each time asyncio
asks it for events it plays one round in 4.5.3's order:

    poll -> I/O handlers -> callbacks that were queued before the round -> timeouts that were due with them

and then hands the events of descriptors that belong to asyncio (its wake-up socket, transports,
``add_reader``) back to asyncio, which runs their handlers and its own timers. A callback of the IOLoop
therefore costs no asyncio handle, and an I/O event reaches its handler through a single frame.

What asyncio's ``call_soon`` is given stands in the same queue as the IOLoop's callbacks. So a native coroutine,
which is an asyncio task, takes its turn among callbacks and generator coroutines where it did in 4.5.3.

This room knows no `IOLoop` class; it sees the loop it serves as a `RoundOwner`.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import heapq
import selectors
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from tornado4._core.private_asyncio import (
    CALL_SOON,
    HANDLE,
    LOOP_QUEUE,
    WAKE_UP,
    enter_task,
    get_running_loop,
    handle_maker,
    has_all,
    has_signal_handlers,
    leave_task,
    read_wake_up,
    set_running_loop,
    wakeup_end,
    write_wake_up,
)
from tornado4.util import errno_from_exception

#: 4.5.3's event bits (`IOLoop.READ`, ...), which are those of epoll.
READ = 0x001
WRITE = 0x004
ERROR = 0x018

#: ``select`` of Windows tells of a connection that fails as an error alone.
_WRITING = WRITE | ERROR if sys.platform == "win32" else WRITE

#: The longest wait handed to a poller, in seconds: some pollers take a C int of milliseconds.
LONGEST_POLL = 3600.0

#: So many cancelled timeouts may stay in the heap until they come up, and any number that is less than half of it.
_MANY_CANCELLED = 512

_Handle = asyncio.Handle

#: Where an asyncio loop remembers the IOLoop that stands on it.
_OWNER_ATTRIBUTE = "_tornado4_ioloop"


class Poller(Protocol):
    """What `PollIOLoop` asks of ``impl``: the interface of ``select.epoll``; time-outs in seconds."""

    def register(self, fd: int, events: int, /) -> Any: ...

    def modify(self, fd: int, events: int, /) -> Any: ...

    def unregister(self, fd: int, /) -> Any: ...

    def poll(self, timeout: float, /) -> Any: ...

    def close(self) -> Any: ...


class RoundOwner(Protocol):
    """The parts of a `PollIOLoop` that a round works on."""

    asyncio_loop: OwnedLoop
    _callbacks: deque[Any]
    _timeouts: list[Any]
    _due_at_once: list[Any]
    _handlers: dict[int, tuple[Any, Callable[[Any, int], Any]]]
    _events: dict[int, int]
    _cancellations: int
    _polling: bool
    _skip_poll: bool
    _round: float
    _stopped: bool
    _blocking_signal_threshold: float | None

    def time(self) -> float: ...

    def _run_callback(self, callback: Callable[[], Any]) -> None: ...

    def _watch_blocking(self, armed: bool) -> None: ...

    def handle_callback_exception(self, callback: Any) -> None: ...


def wake(fd: Any, events: int) -> None:
    """The handler of asyncio's self-pipe, in name: `LoopSelector` knows what to do with it."""


class LoopSelector(selectors.BaseSelector):
    """The selector of an owned asyncio loop; one `select` is one round of the IOLoop (see above)."""

    def __init__(self, poller: Poller, owner: RoundOwner) -> None:
        self._poller: Poller | None = poller
        self._poll = poller.poll
        self._owner = owner
        # The descriptors that asyncio registered. Those of add_handler are in owner._handlers.
        self._keys: dict[int, selectors.SelectorKey] = {}

    # -- asyncio's own descriptors ------------------------------------------------------------------------

    def register(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Watch a descriptor for asyncio. Raises what the poller raises for one that is watched already."""
        key = selectors.SelectorKey(fileobj, _fileno(fileobj), events, data)
        if key.fd in self._keys:
            raise KeyError(f"{fileobj!r} (FD {key.fd}) is already registered")
        self._open_poller().register(key.fd, _to_poller(events))
        self._keys[key.fd] = key
        return key

    def waker_handler(self) -> dict[int, tuple[Any, Callable[[Any, int], Any]]]:
        """An entry for ``_handlers``, where 4.5.3 had one for what wakes the loop: programs count them.

        To be asked for when the asyncio loop was just made, and has registered nothing but its self-pipe.
        """
        return {fd: (key.fileobj, wake) for fd, key in self._keys.items()}

    def unregister(self, fileobj: Any) -> selectors.SelectorKey:
        """Forget a descriptor of asyncio's."""
        fd = self._lookup(fileobj)
        key = self._keys.pop(fd)
        try:
            self._open_poller().unregister(fd)
        except OSError:
            # Closed already: the kernel has forgotten it too. The selectors of the standard library agree.
            pass
        return key

    def modify(self, fileobj: Any, events: int, data: Any = None) -> selectors.SelectorKey:
        """Change the events, the data or both of a descriptor of asyncio's."""
        old = self._keys[self._lookup(fileobj)]
        if events != old.events:
            self._open_poller().modify(old.fd, _to_poller(events))
        key = old._replace(events=events, data=data)
        self._keys[key.fd] = key
        return key

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        """The keys of asyncio's descriptors, by descriptor."""
        return self._keys

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        """The key of one of asyncio's descriptors; `KeyError` when there is none."""
        return self._keys[self._lookup(fileobj)]

    def close(self) -> None:
        """Close the poller. The IOLoop's tables are its own to clear."""
        poller, self._poller = self._poller, None
        self._keys.clear()
        if poller is not None:
            poller.close()

    def _open_poller(self) -> Poller:
        if self._poller is None:
            raise ValueError("I/O operation on closed selector")
        return self._poller

    def _lookup(self, fileobj: Any) -> int:
        """The descriptor under which a file object is known, even when it has been closed since."""
        try:
            return _fileno(fileobj)
        except ValueError:
            for key in self._keys.values():
                if key.fileobj is fileobj:
                    return key.fd
            raise KeyError(f"{fileobj!r} is not registered") from None

    # -- one round ----------------------------------------------------------------------------------------

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """Play a round; return the events of asyncio's descriptors. ``timeout`` in seconds, None: no limit.

        While asyncio has nothing to do, and callbacks wait, one round follows the other: the way through asyncio
        would take longer than most callbacks.
        """
        owner = self._owner
        loop: Any = owner.asyncio_loop
        ready: list[tuple[selectors.SelectorKey, int]] = []
        self._play_round(timeout, ready)
        while owner._callbacks or owner._due_at_once:
            if ready or loop._ready or loop._scheduled or loop._stopping:
                break
            self._play_round(0, ready)
        return ready

    def play_one_round_a_turn(self) -> None:
        """Go back to asyncio after each round: it does not say any more whether it has something to do."""
        self.select = self._select_once  # type: ignore[method-assign]

    def _select_once(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready: list[tuple[selectors.SelectorKey, int]] = []
        self._play_round(timeout, ready)
        return ready

    def _play_round(self, timeout: float | None, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Add the events of asyncio's descriptors to ``ready``.

        This runs for every event and every callback of a program, hence the long method.
        """
        owner = self._owner
        owner._round += 1
        callbacks = owner._callbacks
        timeouts = owner._timeouts
        if owner._skip_poll:
            # The first round after start(): as in 4.5.3, what was queued runs before anything is polled.
            owner._skip_poll = False
        else:
            if timeout is None or timeout > LONGEST_POLL:
                timeout = LONGEST_POLL
            # From here on whoever adds a callback (another thread, a signal handler) must wake the poller.
            # Setting the flag *before* looking at the queue is what makes a lost wake-up impossible.
            owner._polling = True
            if callbacks or owner._due_at_once or owner._stopped or timeout <= 0:
                timeout = 0
            elif timeouts:
                timeout = max(0, min(timeout, timeouts[0][0] - owner.time()))
            if owner._blocking_signal_threshold is not None:
                owner._watch_blocking(False)
            try:
                pairs = self._poll(timeout)
            except Exception as e:
                # Pollers of the standard library retry by themselves (PEP 475); others, like ZeroMQ's, may
                # not.
                if errno_from_exception(e) != errno.EINTR:
                    raise
                pairs = ()
            finally:
                owner._polling = False
            if owner._blocking_signal_threshold is not None:
                owner._watch_blocking(True)
            if pairs:
                self._dispatch(pairs, ready)
        count = len(callbacks)
        due = None
        if timeouts:
            # Whether there is anything for `pop_due` to do: mostly there is not, and a call is dear here.
            first = timeouts[0]
            now = owner.time()
            if first.callback is None or first[0] <= now or owner._cancellations > _MANY_CANCELLED:
                due = pop_due(owner, now)
        if owner._due_at_once:
            due = sorted([*due, *owner._due_at_once]) if due else owner._due_at_once
            owner._due_at_once = []
        run = owner._run_callback
        for _ in range(count):
            callback = callbacks.popleft()
            if type(callback) is _Handle:
                if not callback._cancelled:
                    callback._run()
                continue
            try:
                context = callback.context
            except AttributeError:
                run(callback)  # put there by hand
            else:
                context.run(run, callback)
        for item in due or ():
            # A callback before it, or another due timeout, may have cancelled it.
            callback = item.callback
            if callback is not None:
                callback.context.run(run, callback)

    def _dispatch(self, pairs: Any, ready: list[tuple[selectors.SelectorKey, int]]) -> None:
        """Call the handlers of the descriptors that are ready; add asyncio's events to ``ready``.

        ``_events`` is a dict, emptied from its end, as in 4.5.3: remove_handler() drops what is pending for
        a descriptor, and nothing is lost when a handler raises `KeyboardInterrupt`.
        """
        owner = self._owner
        handlers = owner._handlers
        pending = owner._events
        pending.update(pairs)
        while pending:
            fd, events = pending.popitem()
            entry = handlers.get(fd)
            if entry is None or entry[1] is wake:
                if entry is not None and owner.asyncio_loop.wakes_directly:
                    read_wake_up(owner.asyncio_loop)
                    continue
                key = self._keys.get(fd)
                if key is not None:
                    mask = _from_poller(events) & key.events
                    if mask:
                        ready.append((key, mask))
                continue
            try:
                entry[1](entry[0], events)
            except OSError as e:
                # EPIPE: the peer is gone; the handler's next read will say so.
                if errno_from_exception(e) != errno.EPIPE:
                    owner.handle_callback_exception(handlers.get(fd))
            except (Exception, asyncio.CancelledError):
                owner.handle_callback_exception(handlers.get(fd))


def pop_due(owner: RoundOwner, now: float) -> list[Any] | None:
    """Take the timeouts that are due at ``now``, and the cancelled ones among the earliest, off the heap.

    Cancelled timeouts stay in the heap until they come up; when more than 512 and more than half of the
    heap are such, it is rebuilt without them.
    """
    timeouts = owner._timeouts
    due: list[Any] = []
    while timeouts:
        first = timeouts[0]
        if first.callback is None:
            heapq.heappop(timeouts)
            owner._cancellations -= 1
        elif first[0] <= now:
            due.append(heapq.heappop(timeouts))
        else:
            break
    if owner._cancellations > _MANY_CANCELLED and owner._cancellations > len(timeouts) >> 1:
        owner._cancellations = 0
        timeouts[:] = [item for item in timeouts if item.callback is not None]
        heapq.heapify(timeouts)
    return due


def _fileno(fileobj: Any) -> int:
    fd = fileobj if isinstance(fileobj, int) else int(fileobj.fileno())
    if fd < 0:
        raise ValueError(f"Invalid file descriptor: {fd}")
    return fd


def _to_poller(mask: int) -> int:
    return (READ if mask & selectors.EVENT_READ else 0) | (_WRITING if mask & selectors.EVENT_WRITE else 0)


def _from_poller(events: int) -> int:
    """asyncio knows no error event: an error makes a descriptor readable and writable."""
    return (selectors.EVENT_READ if events & ~WRITE else 0) | (selectors.EVENT_WRITE if events & ~READ else 0)


class OwnedLoop(asyncio.SelectorEventLoop):
    """The asyncio loop of a `PollIOLoop`.

    It closes without a word when it is forgotten: nobody closed an IOLoop in 4.5.3, whose applications
    ran until the process ended. ``clock`` replaces the monotonic clock where the IOLoop has one of its own.
    """

    def __init__(self, selector: LoopSelector, clock: Callable[[], float] | None = None) -> None:
        self._clock = clock
        self._owner = selector._owner
        self._make_handle = handle_maker()
        super().__init__(selector)
        if not has_all(asyncio.Handle, HANDLE) or not has_all(self, CALL_SOON):
            # Tasks wait in asyncio's own queue, then, and take their turns after the callbacks.
            self.call_soon = super().call_soon  # type: ignore[method-assign]
            self._call_soon = getattr(super(), "_call_soon", None)  # type: ignore[method-assign,assignment]
        #: Whether `wake` and the round that it ends can do without a callback and a turn of asyncio's.
        self.wakes_directly = has_all(self, WAKE_UP)
        if not has_all(self, LOOP_QUEUE):
            selector.play_one_round_a_turn()

    def call_soon(  # type: ignore[override]
        self, callback: Any, *args: Any, context: Any = None
    ) -> asyncio.Handle:
        """Have ``callback(*args)`` called in the next round, in its turn among the IOLoop's callbacks."""
        if self._debug or self._closed:  # type: ignore[attr-defined]
            return super().call_soon(callback, *args, context=context)
        handle = self._make_handle(callback, args, self, context)
        self._owner._callbacks.append(handle)
        return handle

    def _call_soon(self, callback: Any, args: Any, context: Any) -> asyncio.Handle:
        # asyncio's call_soon_threadsafe leads here, and its call_soon when it has something to check.
        if self.get_debug():
            # There, asyncio runs the handles itself, and tells which are slow.
            return super()._call_soon(callback, args, context)  # type: ignore[misc,no-any-return]
        handle = asyncio.Handle(callback, args, self, context)
        self._owner._callbacks.append(handle)
        return handle

    def time(self) -> float:
        """asyncio's clock, in seconds: monotonic, or a ``time_func`` that is not the wall clock."""
        return super().time() if self._clock is None else self._clock()

    def wake(self) -> None:
        """Make the poll in progress return. From any thread, or from a signal handler."""
        if self.wakes_directly:
            write_wake_up(self)
            return
        # RuntimeError: closed between the caller's look at it and now; then there is nothing to wake.
        with contextlib.suppress(RuntimeError):
            self.call_soon_threadsafe(_nothing)

    @contextlib.contextmanager
    def waking_on_signals(self) -> Iterator[None]:
        """Let a signal end the wait for events while the loop runs, as in 4.5.3.

        Python runs a handler between two bytecodes. A signal that arrives after the last one before the
        poll would wait, with its handler, for the next event. asyncio does this once it has a signal handler
        of its own, and its wake-up socket ignores the signals that it has no handler for.
        """
        end = wakeup_end(self)
        if end is None or not is_main_thread():
            yield
            return
        previous = signal.set_wakeup_fd(end.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            # Handlers of asyncio's, added meanwhile, need it further on.
            if not has_signal_handlers(self):
                signal.set_wakeup_fd(previous)

    def __del__(self) -> None:
        if not self.is_closed() and not self.is_running():
            # The interpreter may be half gone: a failing close has nobody left to tell.
            with contextlib.suppress(Exception):
                self.close()


def _nothing() -> None:
    """The callback of a wake-up."""


# -- which IOLoop stands on an asyncio loop -----------------------------------------------------------------


def owner_of(loop: asyncio.AbstractEventLoop) -> Any:
    """The IOLoop that stands on an asyncio loop, or None."""
    return getattr(loop, _OWNER_ATTRIBUTE, None)


def set_owner(loop: asyncio.AbstractEventLoop, owner: Any) -> None:
    """Make ``owner`` the IOLoop of an asyncio loop; it lives as long as that loop does.

    The note is kept on the loop itself: the pair is one cycle for the garbage collector, and needs no
    registry.
    """
    setattr(loop, _OWNER_ATTRIBUTE, owner)


# -- a loop inside a callback of another ---------------------------------------------------------------------


@contextlib.contextmanager
def no_running_loop() -> Iterator[None]:
    """Hide the asyncio loop that runs in this thread, so that a different one may run inside its callback.

    Uses the setter that asyncio documents for authors of event loops. Before 3.14 asyncio keeps the current
    task per loop, which nesting does not disturb; from 3.14 on it is kept per thread and is set aside here.
    """
    outer = get_running_loop()
    if outer is None:
        yield
        return
    task = leave_task(outer) if sys.version_info >= (3, 14) else None
    set_running_loop(None)
    try:
        yield
    finally:
        set_running_loop(outer)
        if task is not None:
            enter_task(outer, task)


def is_main_thread() -> bool:
    """Whether this is the thread in which Python runs signal handlers."""
    return threading.current_thread() is threading.main_thread()
