"""The three sides, each serving the application, and a browser that goes from one to the other."""

from __future__ import annotations

import contextlib
import http.client
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from compat_tests.oracle import oracle
from compat_tests.side import ServerSide

APP = str(Path(__file__).with_name("app.py"))
NAMES = ("4.5.3", "tornado4", "6.6.1")


@contextlib.contextmanager
def three() -> Iterator[dict[str, ServerSide]]:
    """By name, in the order of ``NAMES``."""
    with contextlib.ExitStack() as stack:
        sides = {}
        for name in NAMES:
            side = ServerSide(APP, None if name == "tornado4" else oracle(name))
            stack.callback(side.close)
            sides[name] = side
        yield sides


class Browser:
    """Keeps cookies, for whichever port it asks."""

    def __init__(self, address: str = "127.0.0.1", **cookies: str) -> None:
        self.cookies = cookies
        self.address = address

    def ask(
        self, port: int, path: str, body: str | None = None, **headers: str
    ) -> tuple[int, http.client.HTTPMessage, str]:
        """GET, or POST where there is a body."""
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        if self.cookies:
            sent["Cookie"] = self.cookie_header()
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(self.address, 0))
        try:
            connection.request("GET" if body is None else "POST", path, body, sent)
            response = connection.getresponse()
            answer = response.status, response.headers, response.read().decode("latin-1")
        finally:
            connection.close()
        for cookie in answer[1].get_all("Set-Cookie") or []:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        return answer

    def cookie_header(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def read(self, port: int, settings: str, query: str = "") -> dict[str, Any]:
        """What the application finds in the cookies."""
        status, _, text = self.ask(port, f"/{settings}/read{query}")
        return dict(json.loads(text)) if status == 200 else {"status": status}
