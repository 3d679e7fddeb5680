"""OAuth 1: what is signed, and how (RFC 5849; "1.0" is the first, unrevised protocol)."""

from __future__ import annotations

import binascii
import hashlib
import hmac
import time
import urllib.parse as urllib_parse
import uuid
from collections.abc import Mapping
from typing import Any

from tornado4 import escape

_Token = Mapping[str, Any]


def standard_arguments(consumer_key: str | bytes, token_key: str | bytes | None = None) -> dict[str, str]:
    """Return the protocol parameters of a request (RFC 5849 section 3.1), still without signature."""
    arguments = {"oauth_consumer_key": escape.to_basestring(consumer_key)}
    if token_key is not None:
        arguments["oauth_token"] = escape.to_basestring(token_key)
    return arguments | {
        "oauth_signature_method": "HMAC-SHA1",
        "oauth_timestamp": str(int(time.time())),
        "oauth_nonce": binascii.b2a_hex(uuid.uuid4().bytes).decode(),
        "oauth_version": "1.0",
    }


def _oauth_escape(val: str | bytes) -> str:
    """Percent-encode as RFC 5849 section 3.6 wants it."""
    return urllib_parse.quote(escape.utf8(val), safe="~")


def _base_string(method: str, url: str, parameters: Mapping[str, Any]) -> bytes:
    """Return what is signed (RFC 5849 section 3.4.1)."""
    scheme, netloc, path = urllib_parse.urlparse(url)[:3]
    pairs = "&".join(f"{name}={_oauth_escape(str(value))}" for name, value in sorted(parameters.items()))
    parts = (method.upper(), f"{scheme.lower()}://{netloc.lower()}{path}", pairs)
    return "&".join(map(_oauth_escape, parts)).encode()


def _sign(key: bytes, text: bytes) -> bytes:
    return binascii.b2a_base64(hmac.new(key, text, hashlib.sha1).digest(), newline=False)


def _oauth_signature(
    consumer_token: _Token,
    method: str,
    url: str,
    parameters: Mapping[str, Any] = {},
    token: _Token | None = None,
) -> bytes:
    """Return the HMAC-SHA1 signature of a request under OAuth 1.0, which takes secrets as they are."""
    secrets = (consumer_token["secret"], token["secret"] if token else "")
    return _sign(b"&".join(map(escape.utf8, secrets)), _base_string(method, url, parameters))


def _oauth10a_signature(
    consumer_token: _Token,
    method: str,
    url: str,
    parameters: Mapping[str, Any] = {},
    token: _Token | None = None,
) -> bytes:
    """Return the HMAC-SHA1 signature of a request under OAuth 1.0a (RFC 5849 section 3.4.2)."""
    secrets = (consumer_token["secret"], token["secret"] if token else "")
    return _sign("&".join(map(_oauth_escape, secrets)).encode(), _base_string(method, url, parameters))


def _oauth_parse_response(body: str | bytes) -> dict[str, str]:
    """Return a token from a provider's answer: ``key``, ``secret``, and what else came with them.

    :raises KeyError: one of both is not there.
    """
    fields = urllib_parse.parse_qs(escape.native_str(body), keep_blank_values=False)
    first = {name: values[0] for name, values in fields.items()}
    token = {"key": first.pop("oauth_token"), "secret": first.pop("oauth_token_secret")}
    return token | first
