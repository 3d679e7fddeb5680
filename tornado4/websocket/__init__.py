"""WebSockets (RFC 6455), for servers and clients.

* `WebSocketHandler` is a request handler that talks both ways;
* `websocket_connect` opens a connection to somebody else's.

Rooms: ``handler`` and ``client`` are the two sides, ``protocol`` moves frames between a stream and either
of them, ``errors`` says what may go wrong; framing and compression lie in ``tornado4._wire``.
"""

from __future__ import annotations

from tornado4 import _handed_on
from tornado4._wire.websocket_deflate import _PerMessageDeflateCompressor, _PerMessageDeflateDecompressor
from tornado4.concurrent import TracebackFuture
from tornado4.escape import native_str, to_unicode, utf8
from tornado4.ioloop import IOLoop, PeriodicCallback
from tornado4.iostream import StreamClosedError
from tornado4.log import app_log, gen_log
from tornado4.tcpclient import TCPClient
from tornado4.util import PY3, _websocket_mask, bytes_type, set_public_module, u
from tornado4.websocket.client import WebSocketClientConnection, websocket_connect
from tornado4.websocket.errors import WebSocketClosedError, WebSocketError
from tornado4.websocket.former import _wrap_method, method
from tornado4.websocket.handler import WebSocketHandler, _raise_not_supported_for_websockets
from tornado4.websocket.protocol import WebSocketProtocol, WebSocketProtocol13

__all__ = [
    "PY3",
    "IOLoop",
    "PeriodicCallback",
    "StreamClosedError",
    "TCPClient",
    "TracebackFuture",
    "WebSocketClientConnection",
    "WebSocketClosedError",
    "WebSocketError",
    "WebSocketHandler",
    "WebSocketProtocol",
    "WebSocketProtocol13",
    "_PerMessageDeflateCompressor",
    "_PerMessageDeflateDecompressor",
    "_raise_not_supported_for_websockets",
    "_websocket_mask",
    "_wrap_method",
    "app_log",
    "bytes_type",
    "gen_log",
    "method",
    "native_str",
    "to_unicode",
    "u",
    "utf8",
    "websocket_connect",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
