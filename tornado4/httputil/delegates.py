"""The interfaces between those who speak HTTP and those who answer.

::

    HTTPServer --start_request--> HTTPServerConnectionDelegate          one per server
                                     | returns
    connection --headers_received--> HTTPMessageDelegate                one per message
               --data_received*---->
               --finish------------>        (or on_connection_close)
    application --write_headers----> HTTPConnection                     one per message
                --write*----------->
                --finish----------->

They are plain classes rather than abstract ones, as in 4.5.3: what a delegate does not care about it leaves
out.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tornado4.httputil.headers import HTTPHeaders
from tornado4.httputil.start_lines import RequestStartLine, ResponseStartLine

#: The first line of either kind of message.
StartLine: TypeAlias = RequestStartLine | ResponseStartLine
#: A callback that is only told that something is done.
Notify: TypeAlias = Callable[[], Any]


class HTTPServerConnectionDelegate:
    """What a server asks for each connection and each request; `.Application` is one.

    .. versionadded:: 4.0
    """

    def start_request(self, server_conn: Any, request_conn: HTTPConnection) -> HTTPMessageDelegate:
        """Return the delegate of the request that is about to be read.

        ``server_conn`` stands for the long-lived connection, ``request_conn`` for this one exchange:
        the answer is written to it. As in 4.5.3, the call comes before the first byte of the request.
        """
        raise NotImplementedError()

    def on_close(self, server_conn: Any) -> None:
        """Called once when a connection is no longer served: closed, or detached."""


class HTTPMessageDelegate:
    """What happens to one message, request or response, while it is read.

    .. versionadded:: 4.0
    """

    def headers_received(self, start_line: RequestStartLine | ResponseStartLine, headers: HTTPHeaders) -> Any:
        """The start line and all headers are there.

        May return a `.Future` (or another awaitable): the body is not read before it resolves.
        """

    def data_received(self, chunk: bytes) -> Any:
        """A piece of the body, of any size up to the connection's ``chunk_size`` in bytes.

        May return a `.Future` (or another awaitable), which holds back further reading.
        """

    def finish(self) -> Any:
        """The message has been read to its end."""

    def on_connection_close(self) -> Any:
        """The connection went away before the message was complete.

        Either this is called for a message, or `finish`, never both.
        """


class HTTPConnection:
    """The writing half of one exchange.

    .. versionadded:: 4.0
    """

    def write_headers(
        self, start_line: StartLine, headers: HTTPHeaders, chunk: bytes | None = None, callback: Notify | None = None
    ) -> Any:
        """Send the start line, the headers and, if given, the first piece of the body.

        Returns a `.Future` that resolves when all of it has been handed to the kernel, unless ``callback``
        asks to be called instead. The ``version`` of ``start_line`` is left out of account.
        """
        raise NotImplementedError()

    def write(self, chunk: bytes, callback: Callable[[], Any] | None = None) -> Any:
        """Send a piece of the body; the result is that of `write_headers`."""
        raise NotImplementedError()

    def finish(self) -> Any:
        """Say that the last piece of the body has been written."""
        raise NotImplementedError()
