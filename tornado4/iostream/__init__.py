"""Non-blocking streams over sockets, TLS and pipes: ``tornado.iostream``.

The floors, from the ground up; each knows only those before it:

    errors          what is raised, and what the system's errors mean
    read_buffer     bytes in, and what a read looks for in them (no socket)
    write_buffer    bytes out (no socket)
    lifecycle       registration with the loop, user callbacks, the end
    writing         write, its Futures; _send for protocol engines
    reading         read_until and its kin
    push            chunks handed to a protocol engine as they come
    base            BaseIOStream: all of these
    plain           IOStream
    tls, pipe       SSLIOStream, PipeIOStream
"""

from __future__ import annotations

import errno
import os
import socket
import ssl

from tornado4 import _handed_on, ioloop, stack_context
from tornado4.concurrent import TracebackFuture
from tornado4.iostream.base import BaseIOStream, doctests
from tornado4.iostream.errors import (
    _ERRNO_CONNRESET,
    _ERRNO_INPROGRESS,
    _ERRNO_WOULDBLOCK,
    _WINDOWS,
    StreamBufferFullError,
    StreamClosedError,
    UnsatisfiableReadError,
)
from tornado4.iostream.pipe import PipeIOStream
from tornado4.iostream.plain import IOStream
from tornado4.iostream.prefixes import _double_prefix, _merge_prefix
from tornado4.iostream.tls import SSLIOStream
from tornado4.log import app_log, gen_log
from tornado4.netutil import (
    SSLCertificateError,
    ssl_match_hostname,
    ssl_wrap_socket,
)
from tornado4.util import bytes_type, errno_from_exception, set_public_module, u

try:
    from tornado4.platform.posix import _set_nonblocking
except ImportError:  # no fcntl: as in 4.5.3, where the name is None then
    _set_nonblocking = None  # type: ignore[assignment]

__all__ = [
    "_ERRNO_CONNRESET",
    "_ERRNO_INPROGRESS",
    "_ERRNO_WOULDBLOCK",
    "_WINDOWS",
    "BaseIOStream",
    "IOStream",
    "PipeIOStream",
    "SSLCertificateError",
    "SSLIOStream",
    "StreamBufferFullError",
    "StreamClosedError",
    "TracebackFuture",
    "UnsatisfiableReadError",
    "_double_prefix",
    "_merge_prefix",
    "_set_nonblocking",
    "app_log",
    "bytes_type",
    "doctests",
    "errno",
    "errno_from_exception",
    "gen_log",
    "ioloop",
    "os",
    "socket",
    "ssl",
    "ssl_match_hostname",
    "ssl_wrap_socket",
    "stack_context",
    "u",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
