"""For `tornado4.tcpclient`: a time limit of `TCPClient.connect`."""

from __future__ import annotations

import datetime
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from tornado4 import gen, tcpclient
from tornado4.concurrent import Future
from tornado4.iostream import StreamClosedError

_connect = tcpclient.TCPClient.connect


class TCPClient(tcpclient.TCPClient):
    """Members for TCPClient."""

    def connect(
        self,
        host: str,
        port: int,
        af: int = socket.AF_UNSPEC,
        ssl_options: ssl.SSLContext | Mapping[str, Any] | None = None,
        max_buffer_size: int | None = None,
        source_ip: str | None = None,
        source_port: int | None = None,
        *,
        timeout: float | datetime.timedelta | None = None,
        callback: Any = None,
    ) -> Future[Any]:
        """As ever; with ``timeout``, seconds or a `datetime.timedelta`, it fails with `.gen.TimeoutError` then."""
        named = {} if callback is None else {"callback": callback}
        future: Any = _connect(self, host, port, af, ssl_options, max_buffer_size, source_ip, source_port, **named)
        if timeout is None:
            return future  # type: ignore[no-any-return]
        span = timeout if isinstance(timeout, datetime.timedelta) else datetime.timedelta(seconds=timeout)
        limited: Future[Any] = gen.with_timeout(span, future, quiet_exceptions=(StreamClosedError, OSError))
        limited.add_done_callback(lambda _: None if future.done() else future._give_up())
        return limited
