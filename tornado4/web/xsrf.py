"""Cross-site request forgery tokens: their two spellings, as plain functions.

Version 1 is the token in hex. Version 2 is ``2|mask|masked token|time``, all in hex but the time: a
fresh mask each time it is shown makes the compressed size of a page tell nothing about it (BREACH).
"""

from __future__ import annotations

import binascii
import os
import re
import time

from tornado4.escape import utf8
from tornado4.log import gen_log
from tornado4.util import _websocket_mask

#: Version, token and time (seconds since the epoch); None each when there is none.
Decoded = tuple[int | None, bytes | None, float | None]

_VERSION = re.compile(rb"^([1-9][0-9]*)\|(.*)$")


def encode(token: bytes, timestamp: float, version: int) -> bytes:
    """Spell a token in ``version`` (1 or 2); `ValueError` for any other."""
    if version == 1:
        return binascii.b2a_hex(token)
    if version == 2:
        mask = os.urandom(4)
        masked = _websocket_mask(mask, token)
        return b"2|%b|%b|%d" % (binascii.b2a_hex(mask), binascii.b2a_hex(masked), int(timestamp))
    raise ValueError(f"unknown xsrf cookie version {version}")


def decode(cookie: str | bytes) -> Decoded:
    """Read a token of any version. What cannot be read gives three None and a debug line."""
    try:
        data = utf8(cookie)
        match = _VERSION.match(data)
        if match is None:
            return 1, _hex_or_plain(data), time.time()
        if int(match.group(1)) != 2:
            raise Exception("Unknown xsrf cookie version")
        _, mask, masked, stamp = data.split(b"|")
        token = _websocket_mask(binascii.a2b_hex(mask), binascii.a2b_hex(masked))
        return 2, token, int(stamp.decode("latin1"))
    except Exception:
        gen_log.debug("Uncaught exception in _decode_xsrf_token", exc_info=True)
        return None, None, None


def _hex_or_plain(data: bytes) -> bytes:
    """Version 1 is hex; tokens that other programs set may be anything."""
    try:
        return binascii.a2b_hex(data)
    except (binascii.Error, TypeError):
        return data
