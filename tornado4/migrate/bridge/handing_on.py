"""What both directions of the bridge do: hand a message, and a connection's calls, on to the other Tornado's."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


class Message:
    """What one Tornado's server tells of a request goes on to the other's delegate.

    :arg delegate: the other's ``HTTPMessageDelegate``.
    :arg to_line: makes the other's start line of the parts of one.
    :arg to_headers: makes the other's headers.
    """

    def __init__(self, delegate: Any, to_line: Callable[..., Any], to_headers: Callable[[Any], Any]) -> None:
        self._delegate = delegate
        self._to_line = to_line
        self._to_headers = to_headers

    def headers_received(self, start_line: Any, headers: Any) -> Any:
        """The head is there."""
        return self._tell(self._delegate.headers_received, self._to_line(*start_line), self._to_headers(headers))

    def data_received(self, chunk: bytes) -> Any:
        """A piece of the body is there."""
        return self._tell(self._delegate.data_received, chunk)

    def finish(self) -> None:
        """The request is complete."""
        self._tell(self._delegate.finish)

    def on_connection_close(self) -> None:
        """The client has gone before."""
        self._delegate.on_connection_close()

    def _tell(self, method: Callable[..., Any], *args: Any) -> Any:
        """Call it; what it refuses is the server's own ``HTTPInputError``."""
        raise NotImplementedError


class Connection:
    """A connection of one Tornado, as handlers of the other see it; what is not here is the connection's own.

    Derived classes have the connection's ``HTTPOutputError`` as ``_output_error``, and make the handlers' errors, the
    results of what is sent, and their streams.
    """

    _output_error: type[Exception]
    _to_error: Callable[[BaseException], BaseException]
    _to_stream: Callable[[Any], Any]

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self.context = connection.context

    def finish(self) -> None:
        """The response is complete."""
        self._ask(self._connection.finish)

    def detach(self) -> Any:
        """The connection's stream, as the handlers' ``IOStream``: HTTP is over."""
        return self._to_stream(self._connection.detach())

    def _ask(self, method: Callable[..., Any], *args: Any) -> Any:
        """Call a method of the connection; what it raises is the handlers' own ``HTTPOutputError``."""
        try:
            return method(*args)
        except self._output_error as error:
            raise self._to_error(error) from error

    def __getattr__(self, name: str) -> Any:
        """``set_body_timeout``, ``close``, ``params``, ``stream`` and the rest are the connection's."""
        if name == "_connection":  # one that `copy` makes, and has not filled yet
            raise AttributeError(name)
        return getattr(self._connection, name)
