"""`HTTPServerRequest`: one request, as handlers see it."""

from __future__ import annotations

import re
import ssl
import time
from collections.abc import Callable
from http.cookies import CookieError, Morsel, SimpleCookie
from typing import Any, Generic, TypeVar, overload

from tornado4 import switches
from tornado4._masking import mask_headers, mask_url
from tornado4.escape import parse_qs_bytes
from tornado4.httputil.body import HTTPFile, parse_body_arguments
from tornado4.httputil.cookies import parse_cookie
from tornado4.httputil.errors import refuse
from tornado4.httputil.headers import HTTPHeaders
from tornado4.httputil.limits import limits
from tornado4.httputil.start_lines import RequestStartLine
from tornado4.httputil.uris import split_absolute, split_host_and_port

_T = TypeVar("_T")


class _OnDemand(Generic[_T]):
    """An attribute that is worked out at the first look and is a plain attribute from then on.

    `functools.cached_property` without its checks; assigning to the attribute simply wins.
    """

    def __init__(self, make: Callable[[Any], _T]) -> None:
        self.make = make
        self.name = make.__name__
        self.__doc__ = make.__doc__

    @overload
    def __get__(self, request: None, owner: type) -> _OnDemand[_T]: ...
    @overload
    def __get__(self, request: object, owner: type) -> _T: ...
    def __get__(self, request: object | None, owner: type) -> Any:
        if request is None:
            return self
        made = request.__dict__[self.name] = self.make(request)
        return made


#: Without one of these, a body is not looked into.
_BODY_HEADERS = frozenset(("Content-Type", "Content-Encoding"))


class HTTPServerRequest:
    """One HTTP request.

    All values are `str` unless said otherwise, and all attributes may be set.

    * ``method``, ``uri`` (the request target as sent), ``path``, ``query``, ``version`` (``HTTP/1.1``)
    * ``headers``: `HTTPHeaders`
    * ``body``: bytes, ``b""`` if none
    * ``remote_ip``: the client's address; with ``xheaders`` what a load balancer says it is
    * ``protocol``: ``http`` or ``https``, with ``xheaders`` likewise
    * ``host``: the Host header, ``127.0.0.1`` without one; ``host_name``: the same in small letters, without
      port
    * ``arguments``: names to lists of *bytes*, from the query and then the body; ``query_arguments`` and
      ``body_arguments`` have them apart
    * ``files``: names to lists of `HTTPFile`
    * ``cookies``: `http.cookies.SimpleCookie`
    * ``connection``: the `HTTPConnection` to answer on; ``server_connection``: the one that outlives the
      request

    What is cheap is worked out at once; the query, the host name and the cookies when first asked for.
    A query of more arguments than `limits` allows is refused: `HTTPInputError`, which a server answers with 400.
    """

    path: str
    query: str
    _start_time: float
    _finish_time: float | None = None
    _cookies: SimpleCookie

    def __init__(
        self, method: str | None = None, uri: str | None = None, version: str = "HTTP/1.0",
        headers: HTTPHeaders | None = None, body: bytes | None = None, host: str | None = None,
        files: dict[str, list[HTTPFile]] | None = None, connection: Any = None,
        start_line: RequestStartLine | None = None, server_connection: Any = None,
    ) -> None:
        if start_line is not None:
            method, uri, version = start_line
        self.method: str | None = method
        self.uri: str = uri  # type: ignore[assignment]  # 4.5.3 fails without one, two lines on
        self.version: str = version
        if uri is not None and "?" not in uri:
            self.path, self.query = uri, ""
        else:
            self.path, _, self.query = uri.partition("?")  # type: ignore[union-attr]
            most = limits.query_arguments
            if most is not None and len(self.query) >= most and self.query.count("&") >= most:
                raise refuse(f"too many query arguments {switches.hint('unbounded-forms')}")
        if headers is None:
            headers = HTTPHeaders()
        self.headers: HTTPHeaders = headers
        self.body: bytes = body or b""
        try:
            context = connection.context
            self.remote_ip: str | None = context.remote_ip
            self.protocol: str = context.protocol
        except AttributeError:  # no connection, or not one of ours
            context = getattr(connection, "context", None)
            self.remote_ip = getattr(context, "remote_ip", None)
            self.protocol = getattr(context, "protocol", "http")
        if not host:
            named = headers._values.get("Host") if type(headers) is HTTPHeaders else None
            # what `get` returns, without asking where there is one string
            host = named if type(named) is str else headers.get("Host")
        self.host: str = host or "127.0.0.1"
        if files:
            self.files = files
        if self.path[:1] != "/":
            self._read_target()
        self.connection: Any = connection
        self.server_connection: Any = server_connection
        self._start_time = time.time()

    @_OnDemand
    def host_name(self) -> str:
        """``host`` in small letters and without its port."""
        return split_host_and_port(self.host.lower())[0]

    @_OnDemand
    def arguments(self) -> dict[str, list[bytes]]:
        """Arguments of the query and, once the body is parsed, of the body."""
        return _parse_query(self.query)

    @_OnDemand
    def query_arguments(self) -> dict[str, list[bytes]]:
        """Arguments of the query alone."""
        return _parse_query(self.query)

    @_OnDemand
    def body_arguments(self) -> dict[str, list[bytes]]:
        """Arguments of a form body alone."""
        return {}

    @_OnDemand
    def files(self) -> dict[str, list[HTTPFile]]:
        """Uploaded files by field name."""
        return {}

    @_OnDemand
    def _sent_cookies(self) -> dict[str, str]:
        """Names and values of the Cookie header, as sent."""
        return parse_cookie(self.headers["Cookie"]) if "Cookie" in self.headers else {}

    @property
    def cookies(self) -> SimpleCookie:
        """The request's cookies; those that ``http.cookies`` does not take are left out."""
        jar = self.__dict__.get("_cookies")
        if jar is None:
            jar = self._cookies = SimpleCookie()
            for name, value in self._sent_cookies.items():
                try:
                    jar[name] = value
                except CookieError:
                    pass  # not ours to judge: another script of the site may have set it
        return jar

    def _cookie_value(self, name: str) -> str | None:
        """``cookies[name].value``, None if there is no such cookie.

        As long as nobody has asked for ``cookies``, this makes none of its objects, which costs more than all
        else about a cookie. What ``http.cookies`` might not take, or change, is left to it.
        """
        if "_cookies" not in self.__dict__ and type(self).cookies is _COOKIES:
            value = self._sent_cookies.get(name)
            if value is None:
                return None
            if _PLAIN_NAME.fullmatch(name) and not _MORSEL.isReservedKey(name):
                if value.isascii() and value.isprintable():
                    return value
        jar = self.cookies
        return jar[name].value if jar is not None and name in jar else None

    def supports_http_1_1(self) -> bool:
        """Whether the request came as HTTP/1.1.

        .. deprecated:: 4.0
           Look at ``version``.
        """
        return self.version == "HTTP/1.1"

    def write(self, chunk: bytes, callback: Callable[[], Any] | None = None) -> None:
        """Write raw bytes of an answer, start line and headers included.

        .. deprecated:: 4.0
           Write on ``request.connection``.
        """
        assert isinstance(chunk, bytes)
        assert self.version.startswith("HTTP/1."), "deprecated interface only supported in HTTP/1.x"
        self.connection.write(chunk, callback=callback)

    def finish(self) -> None:
        """End the answer.

        .. deprecated:: 4.0
           Finish ``request.connection``.
        """
        self.connection.finish()
        self._finish_time = time.time()

    def _read_target(self) -> None:
        """Of an absolute-form target, authority and path are those of the request (RFC 9112 section 3.2.2)."""
        absolute = None if self.uri is None else split_absolute(self.uri)
        if absolute is not None and not switches.is_allowed("request-targets"):
            self.host, self.path, self.query = absolute

    def full_url(self) -> str:
        """The URL that the client asked for, put together from protocol, host and ``uri``."""
        if self.uri[:1] != "/" and self.path[:1] == "/":  # all of it was said in the request line
            return f"{self.protocol}://{self.host}{self.path}" + (f"?{self.query}" if self.query else "")
        return f"{self.protocol}://{self.host}{self.uri}"

    def request_time(self) -> float:
        """Seconds that the request took, or has taken until now if it is not `finish`-ed."""
        end = time.time() if self._finish_time is None else self._finish_time
        return end - self._start_time

    def get_ssl_certificate(self, binary_form: bool = False) -> Any:
        """The client's certificate, as ``SSLSocket.getpeercert(binary_form)`` gives it; None without TLS.

        There is one only if the server's ``ssl_options`` ask for it (``cert_reqs=ssl.CERT_REQUIRED``).
        """
        try:
            return self.connection.stream.socket.getpeercert(binary_form=binary_form)
        except ssl.SSLError:
            return None

    def _parse_body(self) -> None:
        """Take a form body apart; whoever sets ``body`` calls this next."""
        headers = self.headers
        if type(headers) is HTTPHeaders and headers._values.keys().isdisjoint(_BODY_HEADERS):
            return  # as most requests are; what follows would find that out at greater length
        content_type = headers.get("Content-Type", "")
        parse_body_arguments(content_type, self.body, self.body_arguments, self.files, headers)
        if not self.body_arguments:
            return
        arguments = self.arguments
        for name, values in self.body_arguments.items():
            arguments.setdefault(name, []).extend(values)

    def __repr__(self) -> str:
        shown = ("protocol", "host", "method", "uri", "version", "remote_ip")
        values = {name: getattr(self, name) for name in shown}
        values["uri"] = mask_url(self.uri)
        words = ", ".join([f"{name}={value!r}" for name, value in values.items()])
        return f"{type(self).__name__}({words}, headers={mask_headers(self.headers.items())})"


_COOKIES = HTTPServerRequest.cookies
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_\-]+")
_MORSEL: Morsel[str] = Morsel()


def _parse_query(query: str) -> dict[str, list[bytes]]:
    if not query:
        return {}
    found: dict[str, list[bytes]] = parse_qs_bytes(query, keep_blank_values=True)
    return found
