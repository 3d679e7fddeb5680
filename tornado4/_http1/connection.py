"""`HTTP1Connection`: an exchange with its reading half.

Who is to read is decided here: ``client_pump`` for clients, ``pulling`` where one of its methods is replaced, and where
a server calls `HTTP1Connection.read_response`. What a server is pushed is read by ``pump``.
"""

from __future__ import annotations

from operator import attrgetter

from tornado4 import httputil
from tornado4._http1.client_pump import ResponsePump
from tornado4._http1.decompress import _GzipMessageDelegate
from tornado4._http1.pulling import PullingExchange
from tornado4.concurrent import Future


class HTTP1Connection(PullingExchange):
    """One exchange of a request and its response, seen from either side.

    ``stream`` is an `.IOStream`, ``context`` an opaque object that the request object looks at
    (``remote_ip``, ``protocol``) and that names the peer in the log.

    :arg is_client: whether it sends the request.
    :arg params: an `HTTP1ConnectionParameters`; default: one of its own.
    """

    def read_response(self, delegate: httputil.HTTPMessageDelegate) -> Future:
        """Read one message and tell ``delegate``.

        The `.Future` resolves when the exchange is over, which takes a `finish` on the writing side too: to
        True if a message was read. A malformed message or a time-out closes the connection and gives False,
        as does a `detach`.
        (As in 4.5.3 servers call this method as well, for requests.)
        """
        if self.params.decompress:
            delegate = _GzipMessageDelegate(delegate, self.params.chunk_size)
            delegate._max_size = self._get_max_body_size
        if self.is_client and _pulls_as_we_do(self) and hasattr(self._stream, "_start_push"):
            return ResponsePump(self, delegate).start()
        return self._read_message(delegate)

    def _get_max_body_size(self) -> int:
        return self._max_body_size


#: Methods that only the pulling driver calls; where one is replaced, it is that driver's turn.
_PULLED = ("_read_body", "_read_body_until_close", "_read_chunked_body", "_read_fixed_body", "_read_message")
_PULLING = (*_PULLED, "read_response")
_pulled_methods, _pulling_methods = attrgetter(*_PULLED), attrgetter(*_PULLING)
_own_pulled, _own_pulling = _pulled_methods(HTTP1Connection), _pulling_methods(HTTP1Connection)


def _pulls_as_we_do(conn: HTTP1Connection) -> bool:
    return bool(_pulled_methods(type(conn)) == _own_pulled) and conn.__dict__.keys().isdisjoint(_PULLED)


def reading_is_overridden() -> bool:
    """Whether somebody put a method of their own on `HTTP1Connection` itself."""
    return bool(_pulling_methods(HTTP1Connection) != _own_pulling)
