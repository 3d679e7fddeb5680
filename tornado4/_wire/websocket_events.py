"""What a WebSocket reader reports: small values, and the errors that end a connection.

    ProtocolError           the peer broke RFC 6455 or 7692
      InvalidData           ... with text that is not UTF-8, or data that does not decompress
      MessageTooBig         ... or sent more than we accept
"""

from __future__ import annotations

import enum
from typing import Final, Literal, NamedTuple

CONTINUATION: Final = 0x0
TEXT: Final = 0x1
BINARY: Final = 0x2
CLOSE: Final = 0x8
PING: Final = 0x9
PONG: Final = 0xA


class NeedData(enum.Enum):
    """The type of `NEED_DATA`, so that a checker can tell it from an event."""

    NEED_DATA = "NEED_DATA"


#: "No event before more bytes come in." Not None, which a forgotten case could produce as well.
NEED_DATA: Final = NeedData.NEED_DATA


class Message(NamedTuple):
    """A complete message: str for a text message, bytes for a binary one."""

    opcode: int
    data: str | bytes


class Ping(NamedTuple):
    """A ping, to be answered with a pong of the same data (RFC 6455, section 5.5.2)."""

    opcode: Literal[0x9]
    data: bytes


class Pong(NamedTuple):
    """An answer to one of our pings, or a sign of life (section 5.5.3)."""

    opcode: Literal[0xA]
    data: bytes


class Close(NamedTuple):
    """The peer's close frame, unparsed: see `parse_close`. Nothing that follows it is read (section 5.5.1).
    """

    opcode: Literal[0x8]
    data: bytes


Event = Message | Ping | Pong | Close


class ProtocolError(Exception):
    """The connection must be failed. ``close_code`` is what section 7.4.1 calls it."""

    close_code = 1002


class InvalidData(ProtocolError):
    """The payload is not what its kind requires."""

    close_code = 1007


class MessageTooBig(ProtocolError):
    """A message beyond the limit, by the length it announces or the size it unfolds to."""

    close_code = 1009
