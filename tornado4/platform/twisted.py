"""Twisted and Tornado in one process, either one on top of the other.

*Twisted on Tornado*: `TornadoReactor` is a Twisted reactor that an IOLoop drives. `install` makes it the
global one, before anything imports ``twisted.internet.reactor``; then the application starts the IOLoop (or runs
the reactor, which starts it)::

    from tornado4.platform import twisted

    reactor = twisted.install()

*Tornado on Twisted*: `TwistedIOLoop` is an IOLoop that a reactor drives. When no reactor is installed yet, it
installs Twisted's asyncio reactor, on which native coroutines and asyncio libraries work as well::

    IOLoop.configure("tornado.platform.twisted.TwistedIOLoop")

*Deferreds*: once this module is imported, a coroutine may yield or await them. `TwistedResolver` looks names up
with ``twisted.names``.

Needs a current Twisted, the extra ``tornado4[twisted]``.
"""

from __future__ import annotations

import asyncio
import dataclasses
import datetime
import functools
import numbers
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator
from typing import Any

import twisted.internet.abstract
import twisted.names.cache
import twisted.names.client
import twisted.names.hosts
import twisted.names.resolve
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.interfaces import (
    IDelayedCall,
    IReactorFDSet,
    IReactorTime,
    IReadDescriptor,
    IWriteDescriptor,
)
from twisted.internet.posixbase import PosixReactorBase
from twisted.python import failure, log
from zope.interface import implementer

from tornado4 import _handed_on, gen
from tornado4._core import current as _current_room
from tornado4._core import loops as _loops
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.ioloop import IOLoop
from tornado4.log import app_log
from tornado4.netutil import Resolver
from tornado4.stack_context import NullContext, wrap
from tornado4.util import timedelta_to_seconds

__all__ = [
    "Future",
    "IDelayedCall",
    "IOLoop",
    "IReactorFDSet",
    "IReactorTime",
    "IReadDescriptor",
    "IWriteDescriptor",
    "NullContext",
    "Resolver",
    "TornadoDelayedCall",
    "TornadoReactor",
    "TwistedIOLoop",
    "TwistedResolver",
    "app_log",
    "install",
    "timedelta_to_seconds",
    "utf8",
    "wrap",
]

#: The signals that a reactor handles.
_SIGNALS = [signal.SIGINT, signal.SIGTERM, *([signal.SIGCHLD] if hasattr(signal, "SIGCHLD") else [])]


@implementer(IDelayedCall)
class TornadoDelayedCall:
    """A reactor's ``callLater`` as a timeout of the IOLoop. Times are seconds of ``reactor.seconds()``."""

    def __init__(
        self, reactor: TornadoReactor, seconds: float, f: Callable[..., Any], *args: Any, **kw: Any
    ) -> None:
        self._reactor = reactor
        self._func = functools.partial(f, *args, **kw)
        self._time = reactor.seconds() + seconds
        self._active = True
        self._schedule()

    def getTime(self) -> float:
        """When the function is to run."""
        return self._time

    def active(self) -> bool:
        """Whether the function is still to run."""
        return self._active

    def cancel(self) -> None:
        """Do not run it; a second time is no error, as in 4.5.3."""
        self._active = False
        self._reactor._io_loop.remove_timeout(self._timeout)
        self._reactor._delayed_calls.pop(self, None)

    def delay(self, seconds: float) -> None:
        """Run it ``seconds`` later than it was to."""
        self._move(self._time + seconds)

    def reset(self, seconds: float) -> None:
        """Run it ``seconds`` from now."""
        self._move(self._reactor.seconds() + seconds)

    def _move(self, when: float) -> None:
        self._reactor._io_loop.remove_timeout(self._timeout)
        self._time = when
        self._schedule()

    def _schedule(self) -> None:
        self._timeout = self._reactor._io_loop.add_timeout(self._time, self._run)

    def _run(self) -> None:
        if not self._active:
            return
        self._active = False
        self._reactor._delayed_calls.pop(self, None)
        try:
            self._func()
        except Exception:
            app_log.error("_called caught exception", exc_info=True)


@implementer(IReactorTime, IReactorFDSet)
class TornadoReactor(PosixReactorBase):
    """A Twisted reactor on an IOLoop (default: the current one).

    The loop may be started by itself or through ``reactor.run()``; startup events fire either way.
    """

    def __init__(self, io_loop: IOLoop | None = None) -> None:
        loop = io_loop or IOLoop.current()
        assert loop is not None
        self._io_loop = loop
        # What is registered, and under which descriptor: a closed object cannot say any more.
        self._readers: dict[Any, int] = {}
        self._writers: dict[Any, int] = {}
        #: By descriptor: [reader or None, writer or None].
        self._fds: dict[int, list[Any]] = {}
        # A dict for its order and its cheap removal.
        self._delayed_calls: dict[TornadoDelayedCall, None] = {}
        super().__init__()
        self._io_loop.add_callback(self._fire_startup)

    # Twisted's own state, which it does not annotate.
    _started: bool
    _stopped: bool

    def _fire_startup(self) -> None:
        """The loop was started by itself: do what ``run()`` would have done first."""
        if not self._started:
            self._started = True
            self._stopped = False
            self.fireSystemEvent("startup")

    # -- IReactorTime ---------------------------------------------------------------------------------------

    def seconds(self) -> float:
        """The IOLoop's clock, in seconds."""
        return self._io_loop.time()

    def callLater(self, seconds: float, f: Callable[..., Any], *args: Any, **kw: Any) -> TornadoDelayedCall:
        """Run ``f(*args, **kw)`` after ``seconds``; return a handle."""
        call = TornadoDelayedCall(self, seconds, f, *args, **kw)
        self._delayed_calls[call] = None
        return call

    def getDelayedCalls(self) -> list[TornadoDelayedCall]:
        """The calls that are still to run."""
        return [call for call in self._delayed_calls if call._active]

    # -- IReactorThreads ------------------------------------------------------------------------------------

    def callFromThread(self, f: Callable[..., Any], *args: Any, **kw: Any) -> None:
        """Run ``f(*args, **kw)`` in the loop's thread, from any thread."""
        assert callable(f), f"{f} is not callable"
        with NullContext():
            self._io_loop.add_callback(f, *args, **kw)

    def installWaker(self) -> None:
        """The IOLoop wakes itself."""

    def wakeUp(self) -> None:
        """The IOLoop wakes itself."""

    # -- IReactorFDSet --------------------------------------------------------------------------------------

    def addReader(self, reader: Any) -> None:
        """Call ``reader.doRead()`` when there is something to read."""
        self._add(reader, self._readers, 0)

    def addWriter(self, writer: Any) -> None:
        """Call ``writer.doWrite()`` when it may write."""
        self._add(writer, self._writers, 1)

    def removeReader(self, reader: Any) -> None:
        """Stop reading; one that does not read is no error."""
        self._remove(reader, self._readers, 0)

    def removeWriter(self, writer: Any) -> None:
        """Stop writing; one that does not write is no error."""
        self._remove(writer, self._writers, 1)

    def removeAll(self) -> list[Any]:
        """Remove all but the reactor's own; return what was removed."""
        return self._removeAll(self._readers, self._writers)  # type: ignore[no-any-return]

    def getReaders(self) -> list[Any]:
        """What is registered for reading."""
        return list(self._readers)

    def getWriters(self) -> list[Any]:
        """What is registered for writing."""
        return list(self._writers)

    def _add(self, selectable: Any, registered: dict[Any, int], slot: int) -> None:
        if selectable in registered:
            return
        fd = selectable.fileno()
        pair = self._fds.get(fd)
        if pair is None:
            self._fds[fd] = pair = [None, None]
            pair[slot] = selectable
            with NullContext():
                self._io_loop.add_handler(fd, self._handle_events, self._events_of(pair))
        else:
            pair[slot] = selectable
            self._io_loop.update_handler(fd, self._events_of(pair))
        registered[selectable] = fd

    def _remove(self, selectable: Any, registered: dict[Any, int], slot: int) -> None:
        fd = registered.pop(selectable, None)
        if fd is None:
            return
        pair = self._fds[fd]
        pair[slot] = None
        if pair == [None, None]:
            del self._fds[fd]
            self._io_loop.remove_handler(fd)
        else:
            self._io_loop.update_handler(fd, self._events_of(pair))

    @staticmethod
    def _events_of(pair: list[Any]) -> int:
        return (IOLoop.READ if pair[0] else 0) | (IOLoop.WRITE if pair[1] else 0)

    def _handle_events(self, fd: int, events: int) -> None:
        reader, writer = self._fds.get(fd) or (None, None)
        if reader is not None and events & (IOLoop.READ | IOLoop.ERROR):
            log.callWithLogger(reader, self._do, reader, True)
        # Reading may have removed the writer, or closed it.
        still = fd in self._fds and self._fds[fd][1] is writer
        if writer is not None and still and events & (IOLoop.WRITE | IOLoop.ERROR):
            log.callWithLogger(writer, self._do, writer, False)

    def _do(self, selectable: Any, reading: bool) -> None:
        """One read or write; what it returns or raises is why the connection is lost."""
        why: Any
        if selectable.fileno() == -1:
            why = ConnectionDone("descriptor closed")
        else:
            try:
                why = selectable.doRead() if reading else selectable.doWrite()
            except Exception:
                why = sys.exc_info()[1]
                log.err()
        if why:
            self._disconnectSelectable(selectable, why, reading)

    # -- running --------------------------------------------------------------------------------------------

    def run(self, installSignalHandlers: bool = True) -> None:
        """Run the IOLoop with the reactor's signal handlers, and put the former handlers back after it.

        Twisted leaves its own in place (its issue 11761), which then hold on to a reactor that is gone.
        """
        in_main_thread = threading.current_thread() is threading.main_thread()
        former = {number: signal.getsignal(number) for number in _SIGNALS} if in_main_thread else {}
        try:
            super().run(installSignalHandlers=installSignalHandlers)
        finally:
            for number, handler in former.items():
                # None: installed from C, nothing that Python could put back.
                if handler is not None and signal.getsignal(number) is not handler:
                    signal.signal(number, handler)

    def doIteration(self, delay: float | None) -> None:
        """A single iteration cannot be had of an IOLoop, as in 4.5.3."""
        raise NotImplementedError("doIteration")

    def mainLoop(self) -> None:
        """Run the IOLoop until the reactor stops or crashes."""
        # A startup trigger may have crashed the reactor before its loop ever ran.
        if self._started:
            self._io_loop.start()
        self._justStopped = False

    def stop(self) -> None:
        """Fire the shutdown events and stop."""
        super().stop()
        self.callFromThread(self.fireSystemEvent, "shutdown")

    def crash(self) -> None:
        """Stop at once, without shutdown events."""
        super().crash()
        self._io_loop.stop()


class _TestReactor(TornadoReactor):
    """A reactor on a loop of its own, for Twisted's test suite, which makes one a test."""

    def __init__(self) -> None:
        super().__init__(IOLoop(make_current=False))

    def listenTCP(
        self, port: int, factory: Any, backlog: int = 50, interface: str = ""
    ) -> Any:
        # The loopback, or the machine's firewall asks somebody.
        return super().listenTCP(port, factory, backlog=backlog, interface=interface or "127.0.0.1")

    def listenUDP(self, port: int, protocol: Any, interface: str = "", maxPacketSize: int = 8192) -> Any:
        interface = interface or "127.0.0.1"
        return super().listenUDP(port, protocol, interface=interface, maxPacketSize=maxPacketSize)


def install(io_loop: IOLoop | None = None) -> TornadoReactor:
    """Make a `TornadoReactor` on the current loop Twisted's global reactor, and return it.

    Before anything imports ``twisted.internet.reactor``: Twisted raises ``ReactorAlreadyInstalledError``
    otherwise.
    """
    from twisted.internet.main import installReactor

    reactor = TornadoReactor(io_loop or IOLoop.current())
    installReactor(reactor)
    return reactor


@implementer(IReadDescriptor, IWriteDescriptor)
@dataclasses.dataclass(eq=False)
class _FD:
    """A descriptor of `TwistedIOLoop.add_handler` as Twisted wants it."""

    fd: int
    fileobj: Any
    handler: Callable[[Any, int], Any]
    reading: bool = False
    writing: bool = False
    lost: bool = False  # by the reactor, or by remove_handler()

    def fileno(self) -> int:
        return self.fd

    def doRead(self) -> None:
        if not self.lost:
            self.handler(self.fileobj, IOLoop.READ)

    def doWrite(self) -> None:
        if not self.lost:
            self.handler(self.fileobj, IOLoop.WRITE)

    def connectionLost(self, reason: Any) -> None:
        if not self.lost:
            self.handler(self.fileobj, IOLoop.ERROR)
            self.lost = True

    def logPrefix(self) -> str:
        return ""


class TwistedIOLoop(IOLoop):
    """An IOLoop on a Twisted reactor: the given one, or the global one.

    When there is no global reactor yet, Twisted's asyncio reactor becomes it. Native coroutines need an
    asyncio loop below the reactor: that one's, or a `TornadoReactor`'s.
    """

    def initialize(self, reactor: Any = None, **kwargs: Any) -> None:  # type: ignore[override]
        """Set the loop up on ``reactor``; the rest of the arguments is `.IOLoop.initialize`'s."""
        self.reactor = reactor if reactor is not None else _global_reactor()
        self.fds: dict[int, _FD] = {}
        beneath = _asyncio_loop_of(self.reactor)
        if beneath is not None and _loops.owner_of(beneath) is None:
            _loops.set_owner(beneath, self)
        super().initialize(**kwargs)

    @property
    def asyncio_loop(self) -> asyncio.AbstractEventLoop:  # type: ignore[override]
        """The asyncio loop below the reactor. `RuntimeError` if there is none."""
        loop = _asyncio_loop_of(self.reactor)
        if loop is None:
            raise RuntimeError(
                f"{type(self.reactor).__name__} does not run on asyncio, so native coroutines cannot run on it: "
                "install twisted.internet.asyncioreactor first, or let TwistedIOLoop do so"
            )
        return loop

    def close(self, all_fds: bool = False) -> None:
        """Take all readers, writers and delayed calls off the reactor, which lives on.

        With ``all_fds``, what handlers watch is closed too.
        """
        registered = list(self.fds.values())
        self.reactor.removeAll()
        for call in self.reactor.getDelayedCalls():
            call.cancel()
        self.fds.clear()
        beneath = _asyncio_loop_of(self.reactor)
        if beneath is not None and _loops.owner_of(beneath) is self:
            _loops.set_owner(beneath, None)
        if all_fds:
            for fd in registered:
                self.close_fd(fd.fileobj)

    # -- descriptors ----------------------------------------------------------------------------------------

    def add_handler(self, fd: Any, handler: Callable[[Any, int], Any], events: int) -> None:
        """Call ``handler(fd, events)`` whenever ``fd`` (a number, or an object with ``fileno``) is ready.

        `ValueError` for one that has a handler already.
        """
        number, file_object = self.split_fd(fd)
        if number in self.fds:
            raise ValueError(f"fd {fd} added twice")
        self.fds[number] = _FD(number, file_object, wrap(handler))
        self._watch(self.fds[number], events)

    def update_handler(self, fd: Any, events: int) -> None:
        """Watch ``fd`` for other events from now on; `KeyError` for an unknown one."""
        number, _ = self.split_fd(fd)
        self._watch(self.fds[number], events)

    def remove_handler(self, fd: Any) -> None:
        """Watch ``fd`` no more. Unknown ones are ignored."""
        number, _ = self.split_fd(fd)
        entry = self.fds.pop(number, None)
        if entry is not None:
            entry.lost = True
            self._watch(entry, IOLoop.NONE)

    def _watch(self, entry: _FD, events: int) -> None:
        reading, writing = bool(events & IOLoop.READ), bool(events & IOLoop.WRITE)
        if reading != entry.reading:
            (self.reactor.addReader if reading else self.reactor.removeReader)(entry)
            entry.reading = reading
        if writing != entry.writing:
            (self.reactor.addWriter if writing else self.reactor.removeWriter)(entry)
            entry.writing = writing

    # -- running --------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Run the reactor until `stop`."""
        self._setup_logging()
        previous = _current_room.current.instance
        self.make_current()
        try:
            with _loops.no_running_loop():
                self.reactor.run()
        finally:
            _current_room.current.instance = previous

    def stop(self) -> None:
        """Leave `start`, as ``reactor.crash`` does: the reactor can be run again."""
        self.reactor.crash()

    def add_timeout(
        self, deadline: float | datetime.timedelta, callback: Callable[..., Any], *args: Any, **kwargs: Any
    ) -> Any:
        """Run ``callback`` at a time (`time`, in seconds) or after a `datetime.timedelta`.

        Returns a handle for `remove_timeout`. `TypeError` for any other deadline.
        """
        if isinstance(deadline, numbers.Real):
            delay = max(float(deadline) - self.time(), 0)
        elif isinstance(deadline, datetime.timedelta):
            delay = timedelta_to_seconds(deadline)
        else:
            raise TypeError(f"Unsupported deadline {deadline!r}")
        return self.reactor.callLater(
            delay, self._run_callback, functools.partial(wrap(callback), *args, **kwargs)
        )

    def remove_timeout(self, timeout: Any) -> None:
        """Take back what `add_timeout` returned. Harmless when it has run."""
        if timeout.active():
            timeout.cancel()

    def add_callback(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round of the reactor. Safe from any thread."""
        self.reactor.callFromThread(self._run_callback, functools.partial(wrap(callback), *args, **kwargs))

    def add_callback_from_signal(self, callback: Callable[..., Any], *args: Any, **kwargs: Any) -> None:
        """Run ``callback`` in the next round, in no stack context. Meant for handlers of signals."""
        with NullContext():
            self.add_callback(callback, *args, **kwargs)


def _global_reactor() -> Any:
    """Twisted's global reactor; its asyncio reactor becomes that when there is none yet."""
    if "twisted.internet.reactor" not in sys.modules:
        from twisted.internet import asyncioreactor

        asyncioreactor.install(asyncio.SelectorEventLoop())
    from twisted.internet import reactor

    return reactor


def _asyncio_loop_of(reactor: Any) -> asyncio.AbstractEventLoop | None:
    if isinstance(reactor, TornadoReactor):
        return reactor._io_loop.asyncio_loop
    return getattr(reactor, "_asyncioEventloop", None)


class TwistedResolver(Resolver):
    """Looks names up with ``twisted.names``: the hosts file first, then DNS. IPv4, as in 4.5.3."""

    def initialize(self, io_loop: IOLoop | None = None) -> None:
        """``io_loop`` defaults to the current loop."""
        loop = io_loop or IOLoop.current()
        assert loop is not None
        self.io_loop = loop
        # Only for its timeouts and its sockets: it is never run.
        self.reactor = TornadoReactor(loop)
        self.resolver = twisted.names.resolve.ResolverChain(
            [
                twisted.names.hosts.Resolver("/etc/hosts"),
                twisted.names.cache.CacheResolver(reactor=self.reactor),
                twisted.names.client.Resolver("/etc/resolv.conf", reactor=self.reactor),
            ]
        )

    @gen.coroutine
    def resolve(self, host: str, port: int, family: int = 0) -> Generator[Any, Any, list[tuple[int, Any]]]:
        """Return a Future of ``[(family, address)]``. Raises `OSError` for a name that is not found.

        :raises Exception: the address found is of another ``family``.
        """
        # Numbers are no names: getHostByName would not take IPv6 ones.
        if twisted.internet.abstract.isIPAddress(host):
            resolved = host
            found = socket.AF_INET
        elif twisted.internet.abstract.isIPv6Address(host):
            resolved = host
            found = socket.AF_INET6
        else:
            try:
                resolved = yield self.resolver.getHostByName(utf8(host))
            except Exception as e:
                raise OSError(e) from e
            found = socket.AF_INET6 if ":" in resolved else socket.AF_INET
        if family not in (socket.AF_UNSPEC, found):
            raise Exception(f"Requested socket family {family} but got {found}")
        return [(found, (resolved, port))]


@gen.convert_yielded.register(Deferred)
def _deferred_to_future(deferred: Any) -> Future:
    """A Future with a Deferred's outcome, for `gen.convert_yielded`."""
    future = Future()

    def succeed(value: Any) -> None:
        future.set_result(value)

    def fail(reason: failure.Failure) -> None:
        assert reason.value is not None
        tb = reason.getTracebackObject()
        future.set_exc_info((type(reason.value), reason.value, tb))

    deferred.addCallbacks(succeed, fail)
    return future

_handed_on.complete(globals())
