"""What log lines and representations leave out: credentials, and control characters of a peer's.

A log is read by more people, and kept for longer, than a request is; and a terminal obeys what it is shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from tornado4 import switches

#: What stands for a credential.
MASK = "***"

#: Header fields whose values let their holder in, or parts of their names, by which the many of the kind are found
#: (``X-Api-Key``, ``X-Auth-Token``, ``X-Xsrftoken``).
_SECRET_NAME = re.compile(r"authorization|cookie|token|secret|passw|api-?key|credential|session|signature", re.I)
_USER_INFO = re.compile(r"(?<=//)[^/?#\s]*@")


# Two that take long to compile, and that hardly any program needs.


@cache
def _secret_argument() -> re.Pattern[str]:
    return re.compile(rf"(?<=[?&])([^=&#]*(?:{_SECRET_NAME.pattern})[^=&#]*=)[^&#]+", re.I)


@cache
def _unprintable() -> re.Pattern[str]:
    return re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def printable(text: str) -> str:
    """``text`` with control characters, line ends among them, as escapes: ``\\n``, ``\\x1b``."""
    if text.isascii() and text.isprintable():
        return text
    return _unprintable().sub(lambda found: ascii(found[0])[1:-1], text)


def mask_url(url: str) -> str:
    """``url`` without user name, password, and arguments that are credentials (``access_token``)."""
    if switches.is_allowed("log-credentials"):
        return url
    return _secret_argument().sub(rf"\1{MASK}", _USER_INFO.sub(f"{MASK}@", url))


def shown_target(target: str) -> str:
    """A request target for a log line. Mostly itself: what is ASCII has no control characters, or it is refused."""
    if target[:1] == "/" and target.isascii():
        return target
    return printable(_USER_INFO.sub(f"{MASK}@", target))


def is_secret(name: str) -> bool:
    """Whether a header field of this name holds credentials."""
    return _SECRET_NAME.search(name) is not None and not switches.is_allowed("log-credentials")


def mask_headers(headers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Header fields to be shown: values that are credentials are left out."""
    return {name: MASK if is_secret(name) else value for name, value in headers}


def mask_line(line: str) -> str:
    """A header line (``Name: value``) to be shown."""
    name, colon, _ = line.partition(":")
    return f"{name}: {MASK}" if colon and is_secret(name) else mask_url(line)
