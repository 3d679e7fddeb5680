"""The last exchange on a connection, of a server that is about to stop."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tornado4._http1.connection import HTTP1Connection
from tornado4.concurrent import Future

if TYPE_CHECKING:
    from tornado4.httputil import HTTPHeaders
    from tornado4.httputil.delegates import StartLine


class LastExchange(HTTP1Connection):
    """Answers with ``Connection: close``, and closes then (RFC 9112, section 9.6).

    Being a class of its own, it costs the exchanges of a server that is not about to stop nothing.
    """

    def write_headers(
        self,
        start_line: StartLine,
        headers: HTTPHeaders,
        chunk: bytes | None = None,
        callback: Callable[[], Any] | None = None,
    ) -> Future | None:
        """Send a head that says that the connection ends here, unless it is to become another protocol's."""
        if not 100 <= start_line[1] < 200:  # type: ignore[operator]  # a server's has a status there
            headers["Connection"] = "close"
            self._disconnect_on_finish = True
        return super().write_headers(start_line, headers, chunk, callback)
