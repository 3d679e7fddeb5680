"""What a session remembers on one side: its cookies, and the XSRF token, put into each request anew.

A recorded request carries the cookies and tokens of the server that was recorded. Each side sets its own; from then on
those are sent in their place, to that side only.
"""

from __future__ import annotations

import re
import time
from email.utils import parsedate_to_datetime
from urllib.parse import quote

from tornado4.migrate.diff.message import Response

_TOKEN_FIELDS = ("x-xsrftoken", "x-csrftoken")
_IN_QUERY = re.compile(r"((?:^|[?&])_xsrf=)[^&\s]*")
_IN_PART = re.compile(rb'(name="_xsrf"(?:\r\n[^\r\n]+)*\r\n\r\n)[^\r\n]*')


class CookieJar:
    """The cookies of one side. One host only, hence no domains; paths are kept (RFC 6265, 5.1.4)."""

    def __init__(self) -> None:
        self._values: dict[str, tuple[str, str]] = {}  # name -> value, path
        self._deleted: set[str] = set()

    def learn(self, response: Response) -> None:
        """Take the cookies that a response sets, and forget those that it clears."""
        for field in response.all("set-cookie"):
            pair, *attributes = field.split(";")
            name, _, value = (part.strip() for part in pair.partition("="))
            given = {key.strip().lower(): val.strip() for key, _, val in (a.partition("=") for a in attributes)}
            if _expired(given):
                self._values.pop(name, None)
                self._deleted.add(name)
            else:
                self._values[name] = (value, given.get("path") or "/")
                self._deleted.discard(name)

    def personalise(self, data: bytes) -> bytes:
        """A request with this side's cookies and token in the place of those that were recorded."""
        if not self._values and not self._deleted:
            return data
        head, blank, body = data.partition(b"\r\n\r\n")
        lines = head.decode("utf-8", "surrogateescape").split("\r\n")
        token = self._values.get("_xsrf", ("", ""))[0].strip('"')
        if token:
            lines[0] = _IN_QUERY.sub(lambda match: match[1] + quote(token), lines[0])
            lines = [_with_token(line, token) for line in lines]
            body = _body_with_token(body, token, head.lower())
        lines = self._with_cookies(lines)
        if body:
            lines = [f"Content-Length: {len(body)}" if _name(line) == "content-length" else line for line in lines]
        return "\r\n".join(lines).encode("utf-8", "surrogateescape") + blank + body

    def _with_cookies(self, lines: list[str]) -> list[str]:
        words = lines[0].split(" ")
        path = words[1].partition("?")[0] if len(words) > 1 else "/"
        cookies: dict[str, str] = {}
        for line in lines[1:]:
            if _name(line) == "cookie":
                pairs = (pair.partition("=") for pair in line.partition(":")[2].split(";"))
                cookies.update({key.strip(): value.strip() for key, _, value in pairs if key.strip()})
        for name in self._deleted:
            cookies.pop(name, None)
        cookies.update({name: value for name, (value, where) in self._values.items() if path.startswith(where)})
        kept = [line for line in lines if _name(line) != "cookie"]
        if cookies:
            kept.append("Cookie: " + "; ".join(f"{name}={value}" for name, value in cookies.items()))
        return kept


def _name(line: str) -> str:
    return line.partition(":")[0].lower()


def _with_token(line: str, token: str) -> str:
    name, colon, _ = line.partition(":")
    return f"{name}: {token}" if colon and name.lower() in _TOKEN_FIELDS else line


def _body_with_token(body: bytes, token: str, head: bytes) -> bytes:
    if b"application/x-www-form-urlencoded" in head:
        text = body.decode("latin1")
        return _IN_QUERY.sub(lambda m: m[1] + quote(token), text).encode("latin1")
    if b"multipart/form-data" in head:
        return _IN_PART.sub(lambda m: m[1] + token.encode("latin1"), body)
    return body


def _expired(attributes: dict[str, str]) -> bool:
    if attributes.get("max-age", "").lstrip("-").isdecimal():
        return int(attributes["max-age"]) <= 0
    try:
        return parsedate_to_datetime(attributes.get("expires", "")).timestamp() < time.time()
    except (TypeError, ValueError):
        return False
