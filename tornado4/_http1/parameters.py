"""What connections are told, and what they raise among themselves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

from tornado4 import httputil, switches

if TYPE_CHECKING:
    import logging

#: Units, for signatures.
Bytes: TypeAlias = int
Seconds: TypeAlias = float


class _QuietException(Exception):
    """Ends the reading of a message after an error that is in the log already."""

    def __init__(self) -> None:
        super().__init__()


class _ExceptionLoggingContext:
    """Logs what a delegate raises, with its traceback, and raises `_QuietException` in its place."""

    def __init__(self, logger: logging.Logger) -> None:
        self.logger = logger

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(self, typ: Any, value: BaseException | None, tb: Any) -> None:
        # An `HTTPInputError` says that the peer is at fault, not the delegate: it goes on as it is.
        if value is None or isinstance(value, httputil.HTTPInputError):
            return
        self.logger.error("Uncaught exception", exc_info=value)
        raise _QuietException from value


class HTTP1ConnectionParameters:
    """How a connection is to behave; shared by all connections of a server.

    * ``no_keep_alive``: close after each exchange
    * ``chunk_size``: the most bytes that ``data_received`` is given at once (default 65536)
    * ``max_header_size``: bytes of a start line with its headers (default 65536)
    * ``header_timeout``: seconds to wait for a complete head, idle time included (default None: for ever)
    * ``max_body_size``: bytes of a body, *after* decompression; default None, which stands for the stream's
      ``max_buffer_size``
    * ``body_timeout``: seconds to wait for a complete body (default None: for ever)
    * ``decompress``: undo ``Content-Encoding: gzip``

    Four switches, to be set on the class or on an instance, say how strict a server is. 4.5.3 behaved as
    their other values do.
    """

    #: Refuse HTTP/1.1 without a Host header (RFC 9112 section 3.2).
    require_host: bool = True
    #: Take ``Transfer-Encoding: chunked`` in HTTP/1.0, which has no such thing (RFC 9112 section 6.1).
    chunked_http10: bool = False
    #: Answer a refused message with its 4xx or 5xx status, rather than by closing without a word.
    answer_errors: bool = True
    #: Seconds from a request head's first byte to its last; None: as many as ``header_timeout`` has. Time without a
    #: byte, between requests or before the first, does not count.
    slow_head_timeout: Seconds | None = 60

    def __init__(
        self,
        no_keep_alive: bool = False,
        chunk_size: Bytes | None = None,
        max_header_size: Bytes | None = None,
        header_timeout: Seconds | None = None,
        max_body_size: Bytes | None = None,
        body_timeout: Seconds | None = None,
        decompress: bool = False,
    ) -> None:
        self.no_keep_alive = no_keep_alive
        self.decompress = decompress
        # sizes
        self.chunk_size = chunk_size or 65536
        self.max_header_size = max_header_size or 65536
        self.max_body_size = max_body_size
        # time
        self.header_timeout = header_timeout
        self.body_timeout = body_timeout


def _switch(attribute: str, value: bool | None) -> None:
    setattr(HTTP1ConnectionParameters, attribute, value)


switches.when_allowed("missing-host", lambda: _switch("require_host", False))
switches.when_allowed("chunked-http10", lambda: _switch("chunked_http10", True))
switches.when_allowed("silent-refusals", lambda: _switch("answer_errors", False))
switches.when_allowed("slow-heads", lambda: _switch("slow_head_timeout", None))
