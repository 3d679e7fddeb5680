"""`RequestHandler`: the base of all handlers, and the API by which they see a request and answer it.

The class is large because its face is (Tornado 4.5's 84 methods, which subclasses override and call
freely), grouped here as the documentation groups them: entry points, input, output, cookies, pages, users
and languages, everything else. The work is done by the small modules beside this one, in plain functions.

A handler lives for one request. Its methods are to be called from the IOLoop's thread only.
"""

from __future__ import annotations

import functools
import os
import sys
import threading
import time
from collections.abc import Callable
from http.cookies import SimpleCookie
from types import MethodType, TracebackType
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tornado4 import escape, httputil, iostream, locale, template
from tornado4.concurrent import Future
from tornado4.escape import utf8
from tornado4.httputil.headers import HTTPHeaders
from tornado4.util import ObjectDict
from tornado4.web import (
    arguments,
    cookies,
    etag,
    execution,
    failures,
    negotiation,
    output,
    pages,
    signing,
    xsrf,
)
from tornado4.web.errors import HTTPError, MissingArgumentError
from tornado4.web.uimodules import _UIModuleNamespace

if TYPE_CHECKING:
    from tornado4.locale import Locale
    from tornado4.web.application import Application

_OK = httputil.responses[200]
# `HTTPHeaders` without its constructor, for names that are known to be normalised.
_make_headers = HTTPHeaders.__new__
_good_names = output.good_names
_invalid_value = output.INVALID_VALUE.search
_WEB_PACKAGE = __name__.rpartition(".")[0]
_D = TypeVar("_D")


class RequestHandler:
    """Base class for HTTP request handlers.

    Subclasses define at least one of the HTTP methods (`get`, `post`, ...). What a handler writes is
    buffered, and sent when it finishes: for plain methods when they return, for coroutines when they are
    done.
    """

    #: The methods that are looked for on the handler; a tuple, to be extended in subclasses.
    SUPPORTED_METHODS: tuple[str, ...] = ("GET", "HEAD", "POST", "DELETE", "PATCH", "PUT", "OPTIONS")

    #: Loaders by template directory, shared by all handlers, and the lock that guards them.
    _template_loaders: dict[str | None, template.BaseLoader] = {}
    _template_loader_lock = threading.Lock()
    _remove_control_chars_regex = arguments.CONTROL_CHARS
    _INVALID_HEADER_CHAR_RE = output.INVALID_VALUE
    _ARG_DEFAULT: Any = object()
    _stream_request_body = False

    # How far the response has come. Most handlers leave these as they are but for `_finished`.
    _auto_finish = True
    _finished = False
    _headers_written = False
    _prepared_future: Future | None = None
    _transforms: list[Any] | None = None
    _headers: httputil.HTTPHeaders  # `clear` makes them

    def __init__(self, application: Application, request: httputil.HTTPServerRequest, **kwargs: Any) -> None:
        self.application = application
        self.request = request
        self.path_args: list[Any] = None  # type: ignore[assignment]  # known from _execute on
        self.path_kwargs: dict[str, Any] = None  # type: ignore[assignment]
        self.clear()
        if self._stream_request_body or type(self).on_connection_close is not _ON_CONNECTION_CLOSE:
            # where it would do nothing, nobody needs to be told
            connection: Any = request.connection
            if connection is not None:
                connection.set_close_callback(self.on_connection_close)
        self.initialize(**kwargs)

    @functools.cached_property
    def ui(self) -> Any:
        """UI methods and modules for templates, made when first looked at."""
        application = self.application
        ui = ObjectDict((name, self._ui_method(method)) for name, method in application.ui_methods.items())
        # "modules" could be a UI method's name too; templates compile {% module %} to the other one
        ui["_tt_modules"] = ui["modules"] = _UIModuleNamespace(self, application.ui_modules)
        return ui

    # -- entry points

    def initialize(self) -> None:
        """Takes the keyword arguments of the URL rule (its third item); called first. Override it."""

    def prepare(self) -> Any:
        """Called before the HTTP method, whichever it is. Override it; it may be a coroutine.

        If it finishes the response (or redirects, or sends an error), the method is not called.
        """

    def on_finish(self) -> None:
        """Called after the response has been handed over. Override it for cleaning up or logging."""

    def on_connection_close(self) -> None:
        """Called in asynchronous handlers when the client has closed the connection.

        Override it to free resources of long requests. A proxy may hide the client's leaving for long.
        """
        if not self._stream_request_body:
            return
        body: Any = self.request.body
        if not body.done():
            body.set_exception(iostream.StreamClosedError())
            body.exception()  # looked at: nobody may be waiting for it

    def head(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP HEAD. Override it; 405 otherwise, and so for the other methods."""
        raise HTTPError(405)

    def get(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP GET."""
        raise HTTPError(405)

    def post(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP POST."""
        raise HTTPError(405)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP DELETE."""
        raise HTTPError(405)

    def patch(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP PATCH."""
        raise HTTPError(405)

    def put(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP PUT."""
        raise HTTPError(405)

    def options(self, *args: Any, **kwargs: Any) -> Any:
        """HTTP OPTIONS."""
        raise HTTPError(405)

    # -- input

    @overload
    def get_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """The last value of an argument in query or body; `MissingArgumentError` (400) without a default.

        Values are text, white space around them stripped unless ``strip`` is false.
        """
        return self._get_argument(name, default, self.request.arguments, strip)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """All values of an argument, query before body; an empty list if there is none."""
        # the second parameter is easily taken for a default
        assert type(strip) is bool
        return self._get_arguments(name, self.request.arguments, strip)

    @overload
    def get_body_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_body_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_body_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """As `get_argument`, from the body alone."""
        return self._get_argument(name, default, self.request.body_arguments, strip)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the body alone."""
        return self._get_arguments(name, self.request.body_arguments, strip)

    @overload
    def get_query_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_query_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_query_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """As `get_argument`, from the query alone."""
        return self._get_argument(name, default, self.request.query_arguments, strip)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the query alone."""
        return self._get_arguments(name, self.request.query_arguments, strip)

    def _get_argument(self, name: str, default: Any, source: Any, strip: bool = True) -> Any:
        values = self._get_arguments(name, source, strip=strip)
        if values:
            return values[-1]
        if default is self._ARG_DEFAULT:
            raise MissingArgumentError(name)
        return default

    def _get_arguments(self, name: str, source: Any, strip: bool = True) -> list[str]:
        return arguments.collect(source, name, strip, self.decode_argument)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Turn an argument's bytes into text: UTF-8, or 400. Override it for another encoding.

        Used for `get_argument` and, with ``name`` None for positional ones, for the path's groups.
        """
        return arguments.decode(value, name)

    def data_received(self, chunk: bytes) -> Any:
        """Takes pieces of a streamed body (`stream_request_body`); a Future returned holds the next one
        back.
        """
        raise NotImplementedError()

    # -- output

    def clear(self) -> None:
        """Start the response anew: default headers, no body, status 200."""
        headers = self._headers = _make_headers(HTTPHeaders)
        headers._values = output.default_values()
        self.set_default_headers()
        self._write_buffer: list[bytes] = []
        self._status_code = 200
        self._reason = _OK

    def set_default_headers(self) -> None:
        """Called by `clear`, before a response and again before an error page. Override it to set headers."""

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """Set the status, and its reason phrase if it is not to be the standard one.

        `ValueError` for an unknown status without a phrase, and for a phrase with control characters.
        """
        self._status_code = status_code
        if reason is None:
            reason = httputil.responses.get(status_code)
            if reason is None:
                raise ValueError(f"unknown status code {status_code}")
        else:
            reason = escape.native_str(reason)
            if not output.is_safe_reason(reason):
                raise ValueError(f"Unsafe reason phrase {reason!r}")
        self._reason = reason

    def get_status(self) -> int:
        """The status as it stands."""
        return self._status_code

    def set_header(self, name: str, value: Any) -> None:
        """Set a header, in place of any of that name. Takes str, bytes, int and datetime (naive ones are
        UTC).
        """
        if name not in _good_names:
            output.check_header_name(name)
        # most values are plain text or numbers: those two without further calls
        kind = type(value)
        if kind is int:
            self._headers[name] = str(value)
        elif kind is str and not _invalid_value(value):
            self._headers[name] = value
        else:
            self._headers[name] = self._convert_header_value(value)

    def add_header(self, name: str, value: Any) -> None:
        """Add a header, besides any of that name."""
        output.check_header_name(name)
        self._headers.add(name, self._convert_header_value(value))

    def clear_header(self, name: str) -> None:
        """Take out all headers of that name, set before; cookies are kept elsewhere."""
        if name in self._headers:
            del self._headers[name]

    def _convert_header_value(self, value: Any) -> str:
        return output.header_value(value)

    def write(self, chunk: str | bytes | dict[str, Any]) -> None:
        """Append to the response's body: bytes, text (as UTF-8), or a dict (as JSON, with its Content-Type).

        Set another Content-Type after writing a dict, not before.
        """
        if self._finished:
            raise RuntimeError("Cannot write() after finish()")
        kind = type(chunk)
        if kind is str:
            chunk = chunk.encode()  # type: ignore[union-attr]  # just asked
        elif kind is not bytes:
            chunk = output.body_piece(self, chunk)
        self._write_buffer.append(chunk)  # type: ignore[arg-type]

    def flush(
        self, include_footers: bool = False, callback: Callable[[], Any] | None = None
    ) -> Future:
        """Send headers and what has been written so far.

        The Future resolves (or ``callback`` runs) when the bytes have gone to the socket: wait for it, to
        go at the speed of a slow reader.
        """
        return output.flush(self, include_footers, callback)

    def finish(self, chunk: str | bytes | dict[str, Any] | None = None) -> None:
        """Complete the response, with ``chunk`` as its last piece. `RuntimeError` if it is complete
        already.
        """
        if self._finished:
            raise RuntimeError("finish() called twice")
        if chunk is not None:
            self.write(chunk)
        request = self.request
        if not self._headers_written:
            kind = type(self)
            output.complete_headers(
                self,
                plainly=kind.set_header is _SET_HEADER
                and kind.compute_etag is _COMPUTE_ETAG
                and kind.set_etag_header is _SET_ETAG_HEADER
                and kind.check_etag_header is _CHECK_ETAG_HEADER,
            )
        flush = self.flush
        if type(flush) is MethodType and flush.__func__ is _FLUSH:
            output.send_last(self)
        else:
            output.let_go(request.connection)
            flush(include_footers=True)
        request.finish()
        self._log()
        self._finished = True
        self.on_finish()
        self._break_cycles()

    def _break_cycles(self) -> None:
        # what the handler holds that holds the handler; freed by reference count then
        self.ui = None

    def send_error(self, status_code: int = 500, **kwargs: Any) -> None:
        """Answer with an error page, made by `write_error`, which gets the keyword arguments.

        If headers are out already, the response just ends. ``reason`` sets the reason phrase.
        """
        failures.send(self, status_code, kwargs)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Write the error page. Override it for pages of your own.

        ``exc_info`` is in ``kwargs`` if an exception (an `HTTPError` included) caused it; it need not be
        the one being handled at the moment.
        """
        failures.write_page(self, status_code, kwargs)

    def log_exception(
        self, typ: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        """Log an exception that ended the request. Override it to report errors elsewhere."""
        failures.log(self, value, (typ, value, tb))

    def _handle_request_exception(self, e: BaseException) -> None:
        failures.handle(self, e)

    def _stack_context_handle_exception(self, type: Any, value: Any, traceback: Any) -> bool:
        try:
            # handling needs the exception to be the current one
            raise value.with_traceback(traceback)
        except Exception as e:
            self._handle_request_exception(e)
        return True

    def redirect(self, url: str, permanent: bool = False, status: int | None = None) -> None:
        """Send the client to ``url`` (a relative one is resolved by the client) and finish.

        302, or 301 if ``permanent``, or ``status`` (300 to 399).
        """
        if self._headers_written:
            raise Exception("Cannot redirect after headers have been written")
        code = (301 if permanent else 302) if status is None else status
        assert isinstance(code, int) and code // 100 == 3
        self.set_status(code)
        self.set_header("Location", utf8(url))
        self.finish()

    # -- ETag

    def compute_etag(self) -> str | bytes | None:
        """The ETag for what has been written. Override it; None for no ETag."""
        return etag.body_etag(self._write_buffer)

    def set_etag_header(self) -> None:
        """Set the ETag header from `compute_etag`. Called when a response to GET or HEAD finishes."""
        tag = self.compute_etag()
        if tag is not None:
            self.set_header("Etag", tag)

    def check_etag_header(self) -> bool:
        """Whether the ETag header set is among the request's If-None-Match: then 304 is the answer."""
        asked = self.request.headers.get("If-None-Match", "")
        return bool(asked) and etag.matches(self._headers.get("Etag", ""), asked)

    def _clear_headers_for_304(self) -> None:
        for name in output.ENTITY_HEADERS:
            self.clear_header(name)

    # -- cookies

    @property
    def cookies(self) -> SimpleCookie:
        """The request's cookies."""
        return self.request.cookies

    @overload
    def get_cookie(self, name: str) -> str | None: ...

    @overload
    def get_cookie(self, name: str, default: _D) -> str | _D: ...

    def get_cookie(self, name: str, default: Any = None) -> Any:
        """A request cookie's value, or ``default``."""
        look_up = getattr(self.request, "_cookie_value", None)
        if look_up is None:  # a request of another kind
            jar = self.request.cookies
            return jar[name].value if jar is not None and name in jar else default
        value = look_up(name)
        return default if value is None else value

    def set_cookie(
        self,
        name: str,
        value: Any,
        domain: str | None = None,
        expires: Any = None,
        path: Any = "/",
        expires_days: Any = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie in the response, in place of one set before under the name.

        ``expires`` is seconds since the epoch, a time tuple or a datetime; ``expires_days`` counts from
        now. Further keyword arguments are attributes: ``httponly``, ``secure``, ``samesite``, ``max_age``
        (seconds), ...
        """
        if not hasattr(self, "_new_cookie"):
            self._new_cookie: SimpleCookie = SimpleCookie()
        lenient = "lenient_cookie_attributes" in self.settings and self.settings["lenient_cookie_attributes"]
        cookies.put(
            self._new_cookie,
            escape.native_str(name),
            escape.native_str(value),
            domain,
            expires,
            path,
            expires_days,
            kwargs,
            lenient=bool(lenient),
        )

    def clear_cookie(self, name: str, path: str = "/", domain: str | None = None) -> None:
        """Have the client drop a cookie; path and domain must be those that it was set with."""
        self.set_cookie(name, value="", path=path, expires=cookies.a_year_ago(), domain=domain)

    def clear_all_cookies(self, path: str = "/", domain: str | None = None) -> None:
        """Have the client drop all cookies that it sent with this request."""
        for name in self.request.cookies:
            self.clear_cookie(name, path=path, domain=domain)

    def set_secure_cookie(
        self, name: str, value: str | bytes, expires_days: Any = 30, version: int | None = None, **kwargs: Any
    ) -> None:
        """Set a signed, dated cookie (needs the setting ``cookie_secret``); readable by the client, not
        forgeable.

        ``expires_days`` is for the client; `get_secure_cookie` has its own limit.
        """
        signed: Any = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    def create_signed_value(self, name: str, value: str | bytes, version: int | None = None) -> bytes:
        """Sign a value so that `get_secure_cookie` takes it, for use elsewhere than in a cookie."""
        self.require_setting("cookie_secret", "secure cookies")
        secret = self.application.settings["cookie_secret"]
        key_version = None
        if isinstance(secret, dict):
            key_version = self.application.settings.get("key_version")
            if key_version is None:
                raise Exception("key_version setting must be used for secret_key dicts")
        return signing.create_signed_value(secret, name, value, version=version, key_version=key_version)

    def get_secure_cookie(
        self, name: str, value: Any = None, max_age_days: float = 31, min_version: int | None = None
    ) -> bytes | None:
        """A signed cookie's content as bytes, or None if it is absent, forged or too old.

        ``value`` is checked in the cookie's place if given.
        """
        self.require_setting("cookie_secret", "secure cookies")
        signed = self.get_cookie(name) if value is None else value
        secret = self.application.settings["cookie_secret"]
        return signing.decode_signed_value(secret, name, signed, max_age_days, min_version=min_version)

    def get_secure_cookie_key_version(self, name: str, value: str | bytes | None = None) -> int | None:
        """The key version that a signed cookie (or ``value``) was signed with; version 2 only."""
        self.require_setting("cookie_secret", "secure cookies")
        if value is None:
            value = self.get_cookie(name)
        # without a cookie, a TypeError, as in 4.5.3
        return signing.get_signature_key_version(value)  # type: ignore[arg-type]

    # -- XSRF

    @property
    def xsrf_token(self) -> bytes:
        """The token for this user's forms; reading it sets the ``_xsrf`` cookie if there is none yet."""
        if not hasattr(self, "_xsrf_token"):
            version, token, timestamp = self._get_raw_xsrf_token()
            settings = self.settings
            output_version = settings.get("xsrf_cookie_version", 2)
            cookie_kwargs = settings.get("xsrf_cookie_kwargs", {})
            self._xsrf_token = xsrf.encode(token, timestamp, output_version)
            if version is None:
                days = 30 if self.current_user else None
                self.set_cookie("_xsrf", self._xsrf_token, expires_days=days, **cookie_kwargs)
        return self._xsrf_token

    def _get_raw_xsrf_token(self) -> tuple[int | None, bytes, float]:
        """Version, token, time: from the cookie, else a fresh token whose version is None."""
        if not hasattr(self, "_raw_xsrf_token"):
            cookie = self.get_cookie("_xsrf")
            version, token, timestamp = self._decode_xsrf_token(cookie) if cookie else (None, None, None)
            if token is None or timestamp is None:
                version, token, timestamp = None, os.urandom(16), time.time()
            self._raw_xsrf_token: tuple[int | None, bytes, float] = (version, token, timestamp)
        return self._raw_xsrf_token

    def _decode_xsrf_token(self, cookie: str | bytes) -> xsrf.Decoded:
        return xsrf.decode(cookie)

    def check_xsrf_cookie(self) -> None:
        """403 unless the token in argument ``_xsrf`` or header X-XSRFToken (X-CSRFToken) is the cookie's.

        Called before `prepare` for all but GET, HEAD and OPTIONS if the setting ``xsrf_cookies`` is on.
        """
        headers = self.request.headers
        given = self.get_argument("_xsrf", None) or headers.get("X-Xsrftoken") or headers.get("X-Csrftoken")
        if not given:
            raise HTTPError(403, "'_xsrf' argument missing from POST")
        _, token, _ = self._decode_xsrf_token(given)
        _, expected, _ = self._get_raw_xsrf_token()
        if not token:
            raise HTTPError(403, "'_xsrf' argument has invalid format")
        if not signing._time_independent_equals(utf8(token), utf8(expected)):
            raise HTTPError(403, "XSRF cookie does not match POST argument")

    def xsrf_form_html(self) -> str:
        """A hidden form field with the token, for use in every ``<form method="post">``."""
        return f'<input type="hidden" name="_xsrf" value="{escape.xhtml_escape(self.xsrf_token)}"/>'

    # -- pages

    def render(self, template_name: str, **kwargs: Any) -> None:
        """Render a template as the response and finish, with what its UI modules need put in place."""
        if self._finished:
            raise RuntimeError("Cannot render() after finish()")
        page = self.render_string(template_name, **kwargs)
        wanted = pages.Resources(getattr(self, "_active_modules", {}).values())
        if wanted.js_files:
            page = pages.insert(page, utf8(self.render_linked_js(wanted.js_files)), b"</body>", last=True)
        if wanted.js_embed:
            page = pages.insert(page, utf8(self.render_embed_js(wanted.js_embed)), b"</body>", last=True)
        if wanted.css_files:
            page = pages.insert(page, utf8(self.render_linked_css(wanted.css_files)), b"</head>", last=False)
        if wanted.css_embed:
            page = pages.insert(page, utf8(self.render_embed_css(wanted.css_embed)), b"</head>", last=False)
        if wanted.heads:
            page = pages.insert(page, b"".join(wanted.heads), b"</head>", last=False)
        if wanted.bodies:
            page = pages.insert(page, b"".join(wanted.bodies), b"</body>", last=False)
        self.finish(page)

    def render_linked_js(self, js_files: Any) -> str:
        """Script tags for the files that UI modules ask for. Override it to serve a bundle."""
        return pages.linked('<script src="%s" type="text/javascript"></script>', js_files, self.static_url)

    def render_embed_js(self, js_embed: Any) -> bytes:
        """The script tag for inline JavaScript of UI modules."""
        code = b"\n".join(js_embed)
        return b'<script type="text/javascript">\n//<![CDATA[\n' + code + b"\n//]]>\n</script>"

    def render_linked_css(self, css_files: Any) -> str:
        """Link tags for the style sheets that UI modules ask for."""
        tag = '<link href="%s" type="text/css" rel="stylesheet"/>'
        return pages.linked(tag, css_files, self.static_url)

    def render_embed_css(self, css_embed: Any) -> bytes:
        """The style tag for inline CSS of UI modules."""
        return b'<style type="text/css">\n' + b"\n".join(css_embed) + b"\n</style>"

    def render_string(self, template_name: str, **kwargs: Any) -> bytes:
        """Render a template to bytes; without the setting ``template_path`` it lies beside the caller's
        file.
        """
        path = self.get_template_path()
        if not path:
            frame: Any = sys._getframe(0)
            while frame.f_globals.get("__name__", "").startswith(_WEB_PACKAGE):
                frame = frame.f_back
            path = os.path.dirname(frame.f_code.co_filename)
        with RequestHandler._template_loader_lock:
            loader = RequestHandler._template_loaders.get(path)
            if loader is None:
                loader = RequestHandler._template_loaders[path] = self.create_template_loader(path)
        namespace = self.get_template_namespace()
        namespace.update(kwargs)
        return loader.load(template_name).generate(**namespace)

    def get_template_namespace(self) -> dict[str, Any]:
        """The names that every template knows. Override it to add some."""
        language = self.locale
        namespace: dict[str, Any] = {
            "_": language.translate,
            "current_user": self.current_user,
            "handler": self,
            "locale": language,
            "pgettext": language.pgettext,
            "request": self.request,
        }
        for name in ("reverse_url", "static_url", "xsrf_form_html"):
            namespace[name] = getattr(self, name)
        namespace |= self.ui
        return namespace

    def create_template_loader(self, template_path: str) -> template.BaseLoader:
        """A loader for a directory: the setting ``template_loader``, or a `template.Loader` of it."""
        settings = self.application.settings
        options = {}
        if "template_loader" in settings:
            ready: template.BaseLoader = settings["template_loader"]
            return ready
        if "autoescape" in settings:
            # None turns escaping off: it must reach the loader
            options["autoescape"] = settings["autoescape"]
        if "template_whitespace" in settings:
            options["whitespace"] = settings["template_whitespace"]
        return template.Loader(template_path, **options)

    def get_template_path(self) -> str | None:
        """The directory of templates: the setting ``template_path``. None for the caller's directory."""
        return self.application.settings.get("template_path")

    def _ui_module(self, name: str, module: Any) -> Callable[..., Any]:
        def render(*args: Any, **kwargs: Any) -> Any:
            if not hasattr(self, "_active_modules"):
                self._active_modules: dict[str, Any] = {}
            if name not in self._active_modules:
                self._active_modules[name] = module(self)
            return self._active_modules[name].render(*args, **kwargs)

        return render

    def _ui_method(self, method: Callable[..., Any]) -> Callable[..., Any]:
        return lambda *args, **kwargs: method(self, *args, **kwargs)

    # -- users and languages

    @property
    def current_user(self) -> Any:
        """The user of this request, from `get_current_user` at first use. May be set, in `prepare` say."""
        if hasattr(self, "_current_user"):
            return self._current_user
        user: Any = self.get_current_user()
        self._current_user: Any = user
        return user

    @current_user.setter
    def current_user(self, user: Any) -> None:
        self._current_user = user

    def get_login_url(self) -> str:
        """Where `authenticated` sends strangers: the setting ``login_url``. Override it to decide by
        request.
        """
        self.require_setting("login_url", "@tornado.web.authenticated")
        return self.application.settings["login_url"]  # type: ignore[no-any-return]

    def get_current_user(self) -> Any:
        """Find out the user, from a cookie say. Override it. It cannot wait: set `current_user` in
        `prepare` then.
        """
        return None

    @property
    def locale(self) -> Locale:
        """The language of this request: the user's, else the browser's. May be set, in `prepare` say."""
        chosen: Locale | None = getattr(self, "_locale", None)
        if chosen is None:
            chosen = self._locale = self.get_user_locale() or self.get_browser_locale()
            assert chosen
        return chosen

    @locale.setter
    def locale(self, chosen: Locale) -> None:
        self._locale = chosen

    def get_user_locale(self) -> Any:
        """The language that the user has chosen. Override it; None goes on to the browser's."""
        return None

    def get_browser_locale(self, default: str = "en_US") -> Any:
        """The language from Accept-Language, the closest one that is loaded; ``default`` without the
        header.
        """
        header = self.request.headers.get("Accept-Language")
        if header is None:
            return locale.get(default)
        return locale.get(*negotiation.preferred_languages(header))

    # -- everything else

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        return self.application.settings

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Raise an exception that says what to do if the setting is absent or empty."""
        if not self.application.settings.get(name):
            raise Exception(
                f"You must define the '{name}' setting in your application to use {feature}"
            )

    def reverse_url(self, name: str, *args: Any) -> str:
        """The path of a named rule: `Application.reverse_url`."""
        return self.application.reverse_url(name, *args)

    def static_url(self, path: str, include_host: bool | None = None, **kwargs: Any) -> str:
        """The URL of a file below the setting ``static_path``, versioned by its content so that it can be
        cached for ever.

        ``include_host`` makes it absolute; the default is the handler's attribute of that name, else false.
        Further keyword arguments go to the static handler's ``make_static_url``
        (``include_version=False``).
        """
        self.require_setting("static_path", "static_url")
        # late: static.py subclasses RequestHandler
        from tornado4.web.static import StaticFileHandler

        make = self.settings.get("static_handler_class", StaticFileHandler).make_static_url
        if include_host is None:
            include_host = getattr(self, "include_host", False)
        base = f"{self.request.protocol}://{self.request.host}" if include_host else ""
        return base + make(self.settings, path, **kwargs)  # type: ignore[no-any-return]

    def _execute(self, transforms: list[Any], *args: Any, **kwargs: Any) -> Future:
        return execution.execute(self, transforms, args, kwargs)

    def _log(self) -> None:
        self.application.log_request(self)

    def _request_summary(self) -> str:
        request = self.request
        return f"{request.method} {request.uri} ({request.remote_ip})"


#: Our own methods, to tell whether a handler brings others.
_FLUSH = RequestHandler.flush
_SET_HEADER = RequestHandler.set_header
_COMPUTE_ETAG = RequestHandler.compute_etag
_SET_ETAG_HEADER = RequestHandler.set_etag_header
_CHECK_ETAG_HEADER = RequestHandler.check_etag_header
_ON_CONNECTION_CLOSE = RequestHandler.on_connection_close
