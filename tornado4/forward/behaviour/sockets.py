"""WebSockets as of 6.6: whose requests are trusted without asking."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from tornado4.websocket import WebSocketHandler

_refusal = WebSocketHandler._refusal


def trust_the_same_origin() -> None:
    """`WebSocketHandler.check_origin` is asked for requests of other origins alone.

    What a browser says of that by Sec-Fetch-Site counts; without it, whether Origin names the host of the request.
    """

    def _refused(self: Any) -> tuple[int, str] | None:
        headers = self.request.headers
        site, origin = headers.get("Sec-Fetch-Site"), headers.get("Origin")
        if site is not None:
            trusted = site in ("same-origin", "none")
        else:
            trusted = origin is None or urlsplit(origin).netloc.lower() == headers.get("Host", "").lower()
        if trusted:
            self.check_origin = lambda origin: True
        try:
            refusal = _refusal(self)
        finally:
            self.__dict__.pop("check_origin", None)
        if refusal is None and not trusted and origin is None:
            return 403, "Cross origin websockets not allowed"
        return refusal

    WebSocketHandler._refusal = _refused  # type: ignore[method-assign]
