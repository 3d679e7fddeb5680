"""Set-Cookie: building cookies in a jar, checked before they can reach the wire (RFC 6265, section 4.1)."""

from __future__ import annotations

import datetime
import re
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any

from tornado4 import httputil, switches

_UNSAFE_PAIR = re.compile(r"[\x00-\x20]")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_DELIMITERS = re.compile(r"[\x00-\x1f\x7f;]")


def utcnow() -> datetime.datetime:
    """The time in UTC as a naive datetime, the kind that 4.5.3 computes expiry dates with."""
    return datetime.datetime.now(datetime.UTC).replace(tzinfo=None)


def a_year_ago() -> datetime.datetime:
    """An expiry date that makes a browser drop a cookie."""
    return utcnow() - datetime.timedelta(days=365)


def check_attribute(name: str, key: str, value: Any, *, lenient: bool = False) -> None:
    """Refuse an attribute value that would end the attribute or the header line.

    With ``lenient``, semicolons pass (the setting ``lenient_cookie_attributes``): programs from before
    ``samesite`` was known wrote ``path="/; SameSite=Lax"``. Raises `http.cookies.CookieError`.
    """
    # Whatever it is, it is sent as `str` makes it.
    if value is not None and (_CONTROLS if lenient else _DELIMITERS).search(str(value)):
        text = f"Invalid cookie attribute {key}={value!r} for cookie {name!r}"
        only_semicolons = not _CONTROLS.search(str(value))  # control characters have no switch
        raise CookieError(f"{text} {switches.hint('cookie-attributes')}" if only_semicolons else text)


def put(
    jar: SimpleCookie,
    name: str,
    value: str,
    domain: str | None,
    expires: Any,
    path: str | None,
    expires_days: float | None,
    attributes: dict[str, Any],
    *,
    lenient: bool = False,
) -> None:
    """Put a cookie into ``jar``, in place of one of the same name (its attributes included).

    ``expires`` is whatever `httputil.format_timestamp` takes; ``expires_days`` counts days from now and
    yields to it. Raises `ValueError` for control characters or spaces in name or value,
    `http.cookies.CookieError` for a bad name or attribute.
    """
    if _UNSAFE_PAIR.search(name + value):
        # control characters, and blanks, would break the header line or change its meaning
        raise ValueError(f"Invalid cookie {name!r}: {value!r}")
    for key, given in (("domain", domain), ("path", path), *attributes.items()):
        check_attribute(name, key, given, lenient=lenient)
    jar.pop(name, None)
    jar[name] = value
    morsel: Morsel[str] = jar[name]
    if domain:
        morsel["domain"] = domain
    if not expires and expires_days is not None:
        expires = utcnow() + datetime.timedelta(days=expires_days)
    if expires:
        morsel["expires"] = httputil.format_timestamp(expires)
    if path:
        morsel["path"] = path
    for key, given in attributes.items():
        flag_off = not given and key in ("httponly", "secure")
        if not flag_off:
            # max_age can be written as a keyword argument, max-age cannot
            morsel["max-age" if key == "max_age" else key] = given
