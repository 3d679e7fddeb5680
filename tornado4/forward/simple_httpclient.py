"""For `tornado4.simple_httpclient`: errors that tell a time-out and a closed connection from other 599s."""

from __future__ import annotations

from tornado4 import simple_httpclient
from tornado4.httpclient import HTTPError


class HTTPTimeoutError(HTTPError):
    """A fetch took too long: `.HTTPError` with code 599, as in 4.5.3."""

    def __init__(self, message: str) -> None:
        super().__init__(599, message=message)


class HTTPStreamClosedError(HTTPError):
    """The connection was closed before the response had come: `.HTTPError` with code 599, as in 4.5.3."""

    def __init__(self, message: str) -> None:
        super().__init__(599, message=message)


simple_httpclient._timed_out = HTTPTimeoutError
simple_httpclient._stream_closed = HTTPStreamClosedError
