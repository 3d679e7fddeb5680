"""Headers and bodies as of 6.5: what is malformed is refused."""

from __future__ import annotations

import re
from typing import Any

from tornado4 import httputil
from tornado4.escape import to_unicode
from tornado4.httputil import HTTPHeaders, HTTPInputError, body, request
from tornado4.log import gen_log
from tornado4.web import HTTPError, application, shortcut

_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")
_add = HTTPHeaders.add
_parse_line = HTTPHeaders.parse_line
_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")

#: What Tornado 6 says in other words.
_TEXTS = {"Invalid multipart/form-data: no final boundary": "Invalid multipart/form-data: no final boundary found"}


def refuse_headers() -> None:
    """`HTTPHeaders.add` and `parse` raise HTTPInputError for names and values that no header has."""

    def add(self: HTTPHeaders, name: str, value: str) -> None:
        if not _NAME.fullmatch(name):
            raise HTTPInputError(f"Invalid header name {name!r}")
        if _CONTROLS.search(to_unicode(value)):
            raise HTTPInputError(f"Invalid header value {value!r}")
        _add(self, name, value)

    def parse_line(self: HTTPHeaders, line: str) -> None:
        if line[:1] in (" ", "\t"):
            raise HTTPInputError("header line cannot start with whitespace, folding not supported")
        if ":" not in line:
            raise HTTPInputError("no colon in header line")
        _parse_line(self, line)

    HTTPHeaders.add = add  # type: ignore[method-assign]
    HTTPHeaders.parse_line = parse_line  # type: ignore[method-assign]


class _Refusing:
    """In the place of the log: what was a line there is an error."""

    def warning(self, text: str, *args: Any) -> None:
        complaint = text % args if args else text
        if complaint.startswith("Invalid x-www-form"):
            gen_log.warning(text, *args)
            return
        raise HTTPInputError(_TEXTS.get(complaint, complaint))


def refuse_forms() -> None:
    """A multipart body that is malformed is a 400 before the handler runs, and HTTPInputError for who parses it."""
    assert httputil.parse_body_arguments is body.parse_body_arguments
    room: Any = body
    room.gen_log = _Refusing()

    def parse_body_arguments(content_type: str, body: bytes, arguments: Any, files: Any, headers: Any = None) -> None:
        if content_type.startswith(_FORMS):  # of other bodies nothing is said, whatever their coding
            _parse(content_type, body, arguments, files, headers)

    _parse = body.parse_body_arguments
    for asked_there in (httputil, request, body):
        vars(asked_there)["parse_body_arguments"] = parse_body_arguments

    def finish(self: Any) -> None:
        if not self.stream_request_body:
            asked = self.request
            asked.body = b"".join(self.chunks)
            try:
                asked._parse_body()
            except HTTPInputError as error:
                self.chunks, self.handler_class = [], _refused(self.handler_class, error)
                self.execute()
                return
            # What is in the arguments now would come twice.
            asked._parse_body = _nothing
        _finish(self)

    def serve(application: Any, server_conn: Any, connection: Any, start_line: Any, headers: Any) -> bool:
        # The short way parses the body before there is a handler.
        if "Content-Type" in headers or "Content-Encoding" in headers:
            return False
        return _serve(application, server_conn, connection, start_line, headers)

    _finish, _serve = application._HandlerDelegate.finish, shortcut.serve
    shortcut.serve = serve
    application.Application._shortcut_serve = serve
    application._HandlerDelegate.finish = finish  # type: ignore[method-assign]


def _nothing() -> None:
    """In the place of what was done already."""


def _refused(handler_class: Any, error: HTTPInputError) -> Any:
    """A handler of that class which answers 400: its error pages are the program's."""

    def prepare(self: Any) -> None:
        raise HTTPError(400, "Invalid body: %s", error)

    return type(handler_class.__name__, (handler_class,), {"prepare": prepare, "__module__": handler_class.__module__})
