"""Streams: callbacks by position, writes that fail unseen, reads to an end that was none, TLS that verifies nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import iostream, netutil
from tornado4.concurrent import Future
from tornado4.iostream import StreamClosedError, tls
from tornado4.migrate.live import places
from tornado4.migrate.live.ledger import Ledger
from tornado4.migrate.live.patches import Patches

#: The methods whose callback Tornado 6 has no more, with the number of arguments ahead of it.
_READS = {"read_until": 1, "read_until_regex": 1, "read_bytes": 1, "read_until_close": 0, "write": 1}
#: Those that tell of what becomes of their Future.
_FAIL_LATER = ("write", "read_until_close")
_SILENT = ("read_until", "read_until_regex", "read_bytes")


def install(patches: Patches, ledger: Ledger) -> None:
    """TND204, TND205, TND450, TND451, TND452."""
    for name, position in _READS.items():
        owner = _owner(iostream.IOStream, name)
        patches.put(owner, name, _maker(ledger, name, position))
    patches.put(iostream.IOStream, "connect", _connect_maker(ledger))
    patches.put(iostream.SSLIOStream, "connect", _connect_maker(ledger))
    patches.put(iostream.SSLIOStream, "wait_for_handshake", _maker(ledger, "wait_for_handshake", 0))

    def make_verifies(original: Callable[..., bool]) -> Any:
        def verifies_by_default(ssl_options: Any) -> bool:
            verifies = original(ssl_options)
            if not verifies and ssl_options.get("cert_reqs") is None:
                ledger.tell("TND452", places.here())
            return verifies

        return verifies_by_default

    patches.put(netutil, "verifies_by_default", make_verifies)
    patches.put(tls, "verifies_by_default", make_verifies)


def _owner(cls: type, name: str) -> type:
    return next(each for each in cls.__mro__ if name in vars(each))


def _maker(ledger: Ledger, name: str, position: int) -> Callable[[Callable[..., Any]], Any]:
    def make(original: Callable[..., Any]) -> Any:
        def method(self: Any, *args: Any, **kwargs: Any) -> Any:
            by_position = len(args) > position and callable(args[position])
            if not by_position and name not in _FAIL_LATER:
                return original(self, *args, **kwargs)
            place = places.caller()
            if place is None:
                return original(self, *args, **kwargs)
            if by_position:
                ledger.tell("TND205", place, None if name in _SILENT else lambda: _too_many(method, len(args) + 1))
            result = original(self, *args, **kwargs)
            if name == "write" and isinstance(result, Future) and not result.done():
                _watch_write(ledger, result, place, "TND450")
            elif name == "read_until_close" and isinstance(result, Future):
                _watch_end(ledger, self, result, place)
            return result

        return method

    return make


def _too_many(method: Any, given: int) -> TypeError:
    wanted = 2 if method.__name__ == "write" else 1
    plural = "s" if wanted > 1 else ""
    name = f"{'SSLIOStream' if method.__name__ == 'wait_for_handshake' else 'BaseIOStream'}.{method.__name__}"
    return TypeError(f"{name}() takes {wanted} positional argument{plural} but {given} were given")


def _connect_maker(ledger: Ledger) -> Callable[[Callable[..., Any]], Any]:
    def make(original: Callable[..., Any]) -> Any:
        def connect(self: Any, address: Any, *args: Any, **kwargs: Any) -> Any:
            if args and callable(args[0]):
                place = places.caller()
                if place is not None:
                    ledger.tell("TND204", place)
            return original(self, address, *args, **kwargs)

        return connect

    return make


def _watch_write(ledger: Ledger, future: Future, place: places.Place, rule: str) -> None:
    """Tell where a Future of a write fails, and nobody waits for it then."""
    callbacks: list[Any] = future._callbacks or []
    ours = len(callbacks) + 1

    def failed(done: Future) -> None:
        exc_info = done._exc_info
        if exc_info is not None and isinstance(exc_info[1], StreamClosedError) and len(callbacks) <= ours:
            ledger.tell(rule, place)

    future.add_done_callback(failed)


def _watch_end(ledger: Ledger, stream: Any, future: Future, place: places.Place) -> None:
    def ended(done: Future) -> None:
        if done._exc_info is None and stream.error is not None:
            error = StreamClosedError(real_error=stream.error)
            ledger.tell("TND451", place, lambda: error)

    future.add_done_callback(ended)
