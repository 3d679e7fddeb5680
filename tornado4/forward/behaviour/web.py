"""Handlers as of 5.0 and 6.4."""

from __future__ import annotations

import datetime
from typing import Any

from tornado4 import escape, httputil, template
from tornado4 import web as _web
from tornado4.httputil.dates import parse_date
from tornado4.web import handlers, pages, static

_get_modified_time = static.StaticFileHandler.get_modified_time
_xhtml_escape = escape.xhtml_escape


def keep_queries() -> None:
    """RedirectHandler appends the query of the request to where it redirects."""
    plain = handlers.RedirectHandler.get

    def get(self: Any, *args: Any) -> None:
        url = self._url
        if self.request.query_arguments:
            pairs = httputil.qs_to_qsl(self.request.query_arguments)
            query = httputil.url_concat("", list(pairs))
            joined = ("&" + query[1:] if "?" in url else query).replace("{", "{{").replace("}", "}}")
            self._url = url + joined
        plain(self, *args)

    handlers.RedirectHandler.get = get  # type: ignore[method-assign]


def have_aware_times() -> None:
    """`StaticFileHandler.get_modified_time` says that it is UTC."""

    def get_modified_time(self: Any) -> datetime.datetime | None:
        modified = _get_modified_time(self)
        return None if modified is None else modified.replace(tzinfo=datetime.UTC)

    def _unmodified_since(self: Any) -> bool:
        since = parse_date(self.request.headers.get("If-Modified-Since") or "")
        if since is None or self.modified is None:
            return False
        unchanged: bool = since.replace(tzinfo=datetime.UTC) >= self.modified
        return unchanged

    static.StaticFileHandler.get_modified_time = get_modified_time  # type: ignore[method-assign]
    static.StaticFileHandler._unmodified_since = _unmodified_since  # type: ignore[method-assign]


def escape_in_hex() -> None:
    """``'`` is written ``&#x27;``, in templates as well."""

    def xhtml_escape(value: str | bytes) -> str:
        return _xhtml_escape(value).replace("&#39;", "&#x27;")

    xhtml_escape.__module__ = "tornado4.escape"
    for module in (escape, pages, template, _web):
        if getattr(module, "xhtml_escape", None) is _xhtml_escape:
            module.xhtml_escape = xhtml_escape  # type: ignore[attr-defined]
