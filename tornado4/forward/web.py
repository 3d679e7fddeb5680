"""For `tornado4.web`: signed cookies by their later name, `detach`, arguments of cookies and of `listen`."""

from __future__ import annotations

import socket
from typing import Any

from tornado4 import web
from tornado4.netutil import _DEFAULT_BACKLOG, bind_sockets

_clear_cookie = web.RequestHandler.clear_cookie
_set_cookie = web.RequestHandler.set_cookie


class RequestHandler(web.RequestHandler):
    """Members for RequestHandler."""

    # One method under two names: what overrides the old one is not asked under the new.
    get_signed_cookie = web.RequestHandler.get_secure_cookie
    set_signed_cookie = web.RequestHandler.set_secure_cookie
    get_signed_cookie_key_version = web.RequestHandler.get_secure_cookie_key_version

    def detach(self) -> Any:
        """Take the connection's stream over; the handler writes nothing more by itself. HTTP/1 only."""
        self._finished = True
        return self.request.connection.detach()

    def clear_cookie(self, name: str, path: str = "/", domain: str | None = None, **kwargs: Any) -> None:
        """Have the client drop a cookie; path, domain and the other attributes must be those it was set with.

        :raises TypeError: ``expires`` or ``max_age`` is given.
        """
        for refused in ("expires", "max_age"):
            if refused in kwargs:
                raise TypeError(f"clear_cookie() got an unexpected keyword argument {refused!r}")
        if not kwargs:
            _clear_cookie(self, name, path, domain)
        else:
            expires = web.cookies.a_year_ago()
            self.set_cookie(name, value="", path=path, expires=expires, domain=domain, **kwargs)

    def clear_all_cookies(self, path: str = "/", domain: str | None = None, **kwargs: Any) -> None:
        """Have the client drop all cookies that it sent with this request."""
        for name in self.request.cookies:
            self.clear_cookie(name, path=path, domain=domain, **kwargs)


class Application(web.Application):
    """Members for Application."""

    def listen(
        self,
        port: int,
        address: str | None = None,
        *,
        family: int = socket.AF_UNSPEC,
        backlog: int = _DEFAULT_BACKLOG,
        flags: int | None = None,
        reuse_port: bool = False,
        **kwargs: Any,
    ) -> Any:
        """Start an HTTP server for this application on ``port``; returns it."""
        from tornado4.httpserver import HTTPServer  # late, as in `tornado4.web`

        server = HTTPServer(self, **kwargs)
        server.add_sockets(bind_sockets(port, address, family, backlog, flags, reuse_port))
        return server


class HTTPError(web.HTTPError):
    """Members for HTTPError."""

    def get_message(self) -> str | None:
        """The message for the log, with its arguments put in; None when there is none."""
        if self.log_message and self.args:
            return self.log_message % self.args
        return self.log_message
