"""A TCP client: a host name and a port in, a connected stream out."""

from __future__ import annotations

import functools
import socket
import ssl
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from typing import Any, TypeVar

from tornado4 import _handed_on, gen
from tornado4.concurrent import Future
from tornado4.gen.coroutines import _run_callback_later
from tornado4.ioloop import IOLoop
from tornado4.iostream import IOStream, StreamClosedError
from tornado4.netutil import Resolver
from tornado4.platform.auto import set_close_exec

__all__ = ["Future", "IOLoop", "IOStream", "Resolver", "TCPClient", "set_close_exec"]

#: Seconds that the first family's address has before the other family is tried beside it.
_INITIAL_CONNECT_TIMEOUT = 0.3

_AddrInfo = tuple[int, Any]


class _Connector:
    """Finds the first of several addresses that answers: RFC 6555, "happy eyeballs", without its cache.

    The addresses of the family that the resolver put first are tried one after the other. When the first of
    them has not succeeded in ``timeout`` seconds, or has failed, those of the other family are tried beside
    them, one after the other too. The first connection wins; one that comes later is closed.
    """

    def __init__(
        self,
        addrinfo: list[_AddrInfo],
        io_loop: IOLoop,
        connect: Callable[[int, Any], Any],
    ) -> None:
        self.io_loop = io_loop
        self.connect = connect
        self.future: Future = Future()
        self.timeout: Any = None
        self.last_error: BaseException | None = None
        self.remaining = len(addrinfo)
        self.primary_addrs, self.secondary_addrs = self.split(addrinfo)

    @staticmethod
    def split(addrinfo: Iterable[_AddrInfo]) -> tuple[list[_AddrInfo], list[_AddrInfo]]:
        """Part the addresses by family: those of the first one's family, and all others; each in the given
        order.
        """
        addresses = list(addrinfo)
        first = addresses[0][0]
        same = [each for each in addresses if each[0] == first]
        other = [each for each in addresses if each[0] != first]
        return same, other

    def start(self, timeout: float = _INITIAL_CONNECT_TIMEOUT) -> Future:
        """Begin. The Future's result is ``(family, address, stream)``; it fails with the last attempt's
        error.
        """
        self.try_connect(iter(self.primary_addrs))
        if not self.future.done():
            self.set_timout(timeout)
        return self.future

    def try_connect(self, addrs: Iterator[_AddrInfo]) -> None:
        """Try the next of ``addrs``. After the last one's failure, and when no other attempt is under way,
        fail.
        """
        for af, addr in addrs:
            attempt = self.connect(af, addr)
            attempt.add_done_callback(functools.partial(self.on_connect_done, addrs, af, addr))
            return
        if not self.remaining and not self.future.done():
            self.future.set_exception(self.last_error or OSError("connection failed"))

    def on_connect_done(self, addrs: Iterator[_AddrInfo], af: int, addr: Any, future: Any) -> None:
        """One attempt has ended."""
        self.remaining -= 1
        try:
            stream = future.result()
        except Exception as e:
            if not self.future.done():
                self.last_error = e
                self._after_failure(addrs)
            return
        self.clear_timeout()
        if self.future.done():
            stream.close()  # another address was faster
        else:
            self.future.set_result((af, addr, stream))

    def _after_failure(self, addrs: Iterator[_AddrInfo]) -> None:
        """Go on with the family's next address; there is no point in keeping the other family waiting now."""
        try:
            self.try_connect(addrs)
            if self.timeout is not None:
                self.clear_timeout()
                self.on_timeout()
        except Exception as e:
            # Nobody is above us to catch what making a socket may raise (a source address of the other
            # family).
            self.clear_timeout()
            if not self.future.done():
                self.future.set_exception(e)

    def set_timout(self, timeout: float) -> None:  # spelled as in 4.5.3
        """Give the first family a head start of ``timeout`` seconds."""
        self.timeout = self.io_loop.add_timeout(self.io_loop.time() + timeout, self.on_timeout)

    def on_timeout(self) -> None:
        """The first family has had its head start."""
        self.timeout = None
        self.try_connect(iter(self.secondary_addrs))

    def clear_timeout(self) -> None:
        """Forget the timer."""
        if self.timeout is not None:
            self.io_loop.remove_timeout(self.timeout)
            self.timeout = None


class _Attempt:
    """The streams of one `TCPClient.connect`, for whoever loses patience with it.

    A peer that accepts and then says nothing would otherwise keep a descriptor for as long as it likes.
    """

    def __init__(self) -> None:
        self.given_up = False
        self._streams: list[Any] = []

    def watch(self, future: Any) -> Any:
        """Take note of the stream that ``future``, of a stream's ``connect`` or ``start_tls``, is about."""
        stream = getattr(future, "_stream", None)
        if stream is not None:
            self._streams.append(stream)
        return future

    def settle(self, stream: Any) -> None:
        """One has connected; the others, whose addresses are slower, need not go on."""
        others, self._streams = self._streams, []
        for other in others:
            if other is not stream:
                other.close()

    def give_up(self) -> None:
        """Close all; the Future of `TCPClient.connect` fails with `StreamClosedError`."""
        self.given_up = True
        streams, self._streams = self._streams, []
        for stream in streams:
            stream.close()


_T = TypeVar("_T")


def _as_coroutine(function: Callable[..., Future[_T]]) -> Callable[..., Future[_T]]:
    """Let a function that returns a Future be called as those of `.gen.coroutine` are: with a ``callback``, too."""

    @functools.wraps(function)
    def wrapper(*args: Any, **kwargs: Any) -> Future[_T]:
        callback = kwargs.pop("callback", None)
        future = function(*args, **kwargs)
        if callback is not None:
            _run_callback_later(future, callback)
        return future

    wrapper.__tornado_coroutine__ = True  # type: ignore[attr-defined]
    return wrapper


class TCPClient:
    """Makes connections. ``resolver`` looks the names up; by default one is made, and closed with the client.
    """

    def __init__(self, resolver: Resolver | None = None, io_loop: IOLoop | None = None) -> None:
        self.io_loop: IOLoop = io_loop or IOLoop.current()
        self._own_resolver = resolver is None
        self.resolver: Any = Resolver(io_loop=self.io_loop) if resolver is None else resolver

    def close(self) -> None:
        """Close the resolver, if it is the client's own. Connections stay open."""
        if self._own_resolver:
            self.resolver.close()

    @_as_coroutine
    def connect(
        self,
        host: str,
        port: int,
        af: int = socket.AF_UNSPEC,
        ssl_options: ssl.SSLContext | Mapping[str, Any] | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
    ) -> Future[IOStream]:
        """Connect to ``host``. The Future's result is an `IOStream`, or with ``ssl_options`` an
        `SSLIOStream`.

        ``af`` narrows the addresses to one family. ``ssl_options`` are an `ssl.SSLContext` or a dictionary
        for `tornado4.netutil.ssl_options_to_context`; the name to be verified is ``host``.
        ``max_buffer_size`` is the stream's, in bytes. ``source_ip`` and ``source_port`` are what to connect
        from; a port alone means the loopback interface, as in 4.5.3. Errors are those of the resolver,
        `OSError` for a source that cannot be bound, `StreamClosedError` (look at ``real_error``) when no
        address answers, and `ssl.SSLError`.
        """
        attempt = _Attempt()
        make = functools.partial(
            self._create_stream, max_buffer_size, source_ip=source_ip, source_port=source_port
        )
        future: Future = self._connect(attempt, make, host, port, af, ssl_options)
        future._give_up = attempt.give_up  # type: ignore[attr-defined]  # for our HTTP client's time-outs
        return future

    @gen.coroutine
    def _connect(
        self,
        attempt: _Attempt,
        make: Callable[[int, Any], Any],
        host: str,
        port: int,
        af: int,
        ssl_options: ssl.SSLContext | Mapping[str, Any] | None,
    ) -> Generator[Any, Any, Any]:
        def begin(family: int, address: Any) -> Any:
            if attempt.given_up:
                raise StreamClosedError()
            return attempt.watch(make(family, address))

        addrinfo = yield self.resolver.resolve(host, port, af)
        _, _, stream = yield _Connector(addrinfo, self.io_loop, begin).start()
        attempt.settle(stream)
        if ssl_options is not None:
            starting = stream.start_tls(False, ssl_options=ssl_options, server_hostname=host)
            stream = yield attempt.watch(starting)
        return stream

    def _create_stream(
        self,
        max_buffer_size: int | None,
        af: int,
        addr: Any,
        source_ip: str | None = None,
        source_port: int | None = None,
    ) -> Any:
        """Begin one attempt: the Future of `IOStream.connect`."""
        port = source_port if isinstance(source_port, int) else 0
        if port and not source_ip:
            source_ip = "::1" if af == socket.AF_INET6 else "127.0.0.1"
        sock = socket.socket(af)
        try:
            if port or source_ip:
                sock.bind((source_ip, port))
            stream = IOStream(sock, io_loop=self.io_loop, max_buffer_size=max_buffer_size)
        except BaseException:
            sock.close()
            raise
        return stream.connect(addr)

_handed_on.complete(globals())
