"""What may go wrong with a WebSocket.

    WebSocketError              a handshake that failed
      WebSocketClosedError      writing to a connection that is closed
"""

from __future__ import annotations


class WebSocketError(Exception):
    """Base of this module's errors; raised by `.websocket_connect` for an answer that opens no WebSocket."""


class WebSocketClosedError(WebSocketError):
    """Raised when a message or ping is to be sent after the connection was closed, by either side."""
