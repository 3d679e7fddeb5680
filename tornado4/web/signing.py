"""Signed values: what `RequestHandler.set_secure_cookie` writes and `get_secure_cookie` reads.

Two formats live side by side. Both are *signed*, neither is encrypted.

Version 1 is ``base64(value)|timestamp|signature``: HMAC-SHA1 over name, encoded value and time.

Version 2 says its version first, carries each field with its length, and signs all of it with
HMAC-SHA256::

    2|1:<key version>|10:<timestamp>|<len>:<name>|<len>:<base64 value>|<signature in hex>

The key version names the secret used, where ``cookie_secret`` is a dict of secrets, so that keys
can be changed without logging everybody out. The formats are those of Tornado 3.2.1 to 6.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Callable
from typing import Any, TypeAlias

from tornado4 import switches
from tornado4.escape import utf8
from tornado4.log import gen_log

#: One secret, or several under the key versions that values carry.
Secret: TypeAlias = "str | bytes | dict[int, str | bytes]"
Clock: TypeAlias = "Callable[[], float]"

#: Oldest format that can be written or read.
MIN_SUPPORTED_SIGNED_VALUE_VERSION = 1
#: Newest format that can be written or read.
MAX_SUPPORTED_SIGNED_VALUE_VERSION = 2
#: Format written unless ``version=`` says otherwise.
DEFAULT_SIGNED_VALUE_VERSION = 2
#: Oldest format accepted unless ``min_version=`` says otherwise.
DEFAULT_SIGNED_VALUE_MIN_VERSION = 1

#: Seconds that a version 1 timestamp may lie ahead of our clock. Its fields are not delimited in the
#: signature, so digits could be moved from the payload into the time: such a cookie would come from the far
#: future.
_V1_MAX_FUTURE = 31 * 86400

_signed_value_version_re = re.compile(rb"^([1-9][0-9]*)\|(.*)$")

_time_independent_equals = hmac.compare_digest


def create_signed_value(
    secret: Secret,
    name: str,
    value: str | bytes,
    version: int | None = None,
    clock: Clock | None = None,
    key_version: int | None = None,
) -> bytes:
    """Sign ``value`` under ``name`` and the current time; returns the bytes for a cookie.

    ``clock`` gives seconds since the epoch. ``key_version`` is needed when ``secret`` is a dict.
    Raises `ValueError` for an unknown ``version``.
    """
    chosen = DEFAULT_SIGNED_VALUE_VERSION if version is None else version
    stamp = utf8(str(int((clock or time.time)())))
    payload = base64.b64encode(utf8(value))
    if chosen == 1:
        signature = _create_signature_v1(secret, name, payload, stamp)
        return payload + b"|" + stamp + b"|" + signature
    if chosen != 2:
        raise ValueError(f"Unsupported version {chosen}")
    signed = b"2|%b|%b|%b|%b|" % (
        _field(str(key_version or 0)),
        _field(stamp),
        _field(name),
        _field(payload),
    )
    if isinstance(secret, dict):
        assert key_version is not None, "Key version must be set when sign key dict is used"
        secret = secret[key_version]
    return signed + _create_signature_v2(secret, signed)


def decode_signed_value(
    secret: Secret,
    name: str,
    value: str | bytes | None,
    max_age_days: float = 31,
    clock: Clock | None = None,
    min_version: int | None = None,
) -> bytes | None:
    """Check a signed value and return its content, or None where anything about it is wrong.

    ``max_age_days`` bounds the age in days. Raises `ValueError` for a ``min_version`` that is
    newer than we know.

    :arg secret: the key, or a dict of keys by version.
    :arg name: under which it was signed.
    :arg clock: seconds since the epoch; for tests.
    """
    oldest = DEFAULT_SIGNED_VALUE_MIN_VERSION if min_version is None else min_version
    if oldest > MAX_SUPPORTED_SIGNED_VALUE_VERSION:
        raise ValueError(f"Unsupported min_version {oldest}")
    if not value:
        return None
    try:
        data = utf8(value)
    except UnicodeEncodeError:  # half a surrogate pair: nothing that was ever signed
        return None
    version = _get_version(data)
    if version < oldest:
        return None
    if version == 2:
        return _decode_signed_value_v2(secret, name, data, max_age_days, clock or time.time)
    if version == 1:
        return _decode_signed_value_v1(secret, name, data, max_age_days, clock or time.time)
    return None


def get_signature_key_version(value: str | bytes | None) -> int | None:
    """The key version that a version 2 value was signed with; None for any other value, and for none at all."""
    if not value:
        return None
    try:
        data = utf8(value)
        if _get_version(data) < 2:
            return None
        return _decode_fields_v2(data)[0]
    except ValueError:
        return None


def _get_version(value: bytes) -> int:
    """The format's version. Whatever does not start with a small number is version 1.

    A version 1 value may begin with digits and a bar as well (base64 of binary data): numbers
    beyond three digits are taken for such data, as in 4.5.3.
    """
    if value[:2] == b"2|" and b"\n" not in value:
        return 2  # as mostly
    match = _signed_value_version_re.match(value)
    if match is None or len(match.group(1)) > 3:
        return 1
    return int(match.group(1))


def _field(content: str | bytes) -> bytes:
    data = utf8(content)
    return b"%d:%b" % (len(data), data)


def _unsigned(digits: bytes) -> int:
    """ASCII digits as a number: no sign, space or underscore, and no more than 20 of them."""
    if not digits.isdigit() or len(digits) > 20:
        raise ValueError(f"invalid literal for int() with base 10: {digits[:40]!r}")
    return int(digits)


def _decode_fields_v2(value: bytes) -> tuple[int, bytes, bytes, bytes, bytes]:
    """Split a version 2 value: key version, timestamp, name, encoded value, signature.

    Raises `ValueError` where the lengths do not fit.
    """
    fields: list[bytes] = []
    place = 2
    for _ in range(4):
        colon = value.find(b":", place)
        length = value[place:colon] if colon >= 0 else value[place:]
        end = colon + 1 + (int(length) if length.isdigit() and len(length) < 10 else _unsigned(length))
        if colon < 0 or value[end : end + 1] != b"|":
            raise ValueError("malformed v2 signed value field")
        fields.append(value[colon + 1 : end])
        place = end + 1
    key_version, timestamp, name, payload = fields
    return _unsigned(key_version), timestamp, name, payload, value[place:]


def _decode_signed_value_v1(
    secret: Any, name: str, value: bytes, max_age_days: float, clock: Clock
) -> bytes | None:
    parts = value.split(b"|")
    if len(parts) != 3 or isinstance(secret, dict):
        return None  # version 1 says nothing about a key
    payload, stamp, signature = parts
    # A cookie that is too old, or signed with another secret, may be good elsewhere.
    shown = value if switches.is_allowed("log-credentials") else utf8(name)
    if not _time_independent_equals(signature, _create_signature_v1(secret, name, payload, stamp)):
        gen_log.warning("Invalid cookie signature %r", shown)
        return None
    now = clock()
    try:
        signed_at = _unsigned(stamp)
    except ValueError:
        # The signature covers the fields joined together, so characters can be moved from one to the other.
        gen_log.warning("Tampered cookie %r", shown)
        return None
    if signed_at < now - max_age_days * 86400:
        gen_log.warning("Expired cookie %r", shown)
        return None
    if signed_at > now + _V1_MAX_FUTURE:
        gen_log.warning("Cookie timestamp in future; possible tampering %r", shown)
        return None
    if stamp.startswith(b"0"):
        gen_log.warning("Tampered cookie %r", shown)
        return None
    return _b64decode(payload)


def _decode_signed_value_v2(
    secret: Any, name: str, value: bytes, max_age_days: float, clock: Clock
) -> bytes | None:
    try:
        key_version, stamp, signed_name, payload, signature = _decode_fields_v2(value)
    except ValueError:
        return None
    if isinstance(secret, dict):
        if key_version not in secret:
            return None
        secret = secret[key_version]
    signed = value[: len(value) - len(signature)]
    authentic = _time_independent_equals(signature, _create_signature_v2(secret, signed))
    if not authentic or signed_name != utf8(name) or int(stamp) < clock() - max_age_days * 86400:
        return None
    return _b64decode(payload)


def _b64decode(payload: bytes) -> bytes | None:
    try:
        return binascii.a2b_base64(payload)
    except binascii.Error:
        return None


def _create_signature_v1(secret: Any, *parts: str | bytes) -> bytes:
    mac = hmac.new(utf8(secret), digestmod=hashlib.sha1)
    for part in parts:
        mac.update(utf8(part))
    return mac.hexdigest().encode("ascii")


def _create_signature_v2(secret: Any, s: str | bytes) -> bytes:
    return hmac.new(utf8(secret), utf8(s), hashlib.sha256).hexdigest().encode("ascii")
