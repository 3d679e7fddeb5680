"""HTTP clients: what is asked, what comes back, and the two front doors.

* `AsyncHTTPClient` fetches on an `.IOLoop`; its ``fetch`` returns a `.Future`.
* `HTTPClient` is the blocking one, for scripts and for code that may not wait any other way.
* `HTTPRequest`, `HTTPResponse`, `HTTPError` describe one exchange.

The work on the wire is left to an implementation: `tornado4.simple_httpclient` unless
``AsyncHTTPClient.configure("tornado4.curl_httpclient.CurlAsyncHTTPClient")`` says otherwise::

    async def title_of(url):
        response = await AsyncHTTPClient().fetch(url)
        return response.headers.get("X-Title")

``python -m tornado4.httpclient URL`` prints a page from the command line.
"""

from __future__ import annotations

import functools
import operator
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast

from tornado4 import _handed_on, httputil, stack_context
from tornado4._masking import mask_url
from tornado4.concurrent import Future, TracebackFuture
from tornado4.escape import native_str, utf8
from tornado4.ioloop import IOLoop
from tornado4.util import Configurable, import_object

if TYPE_CHECKING:
    import ssl

__all__ = ["AsyncHTTPClient", "HTTPClient", "HTTPError", "HTTPRequest", "HTTPResponse", "main"]


class HTTPClient:
    """A client whose `fetch` blocks until the response is there.

    It owns an `.IOLoop` that never becomes the current one, so it may be used in a thread, in a script
    without any loop, and also inside a callback of a running loop (which then stands still meanwhile).

    ``async_client_class`` and the other keyword arguments choose and configure the `AsyncHTTPClient`
    underneath.
    """

    # Present even when __init__ fails, so that __del__ has something to look at.
    _closed = True

    def __init__(
        self, async_client_class: Callable[..., AsyncHTTPClient] | None = None, **kwargs: Any
    ) -> None:
        factory = AsyncHTTPClient if async_client_class is None else async_client_class
        self._io_loop = IOLoop(make_current=False)
        try:
            self._async_client = factory(self._io_loop, **kwargs)
        except BaseException:
            self._io_loop.close()
            raise
        self._closed = False

    def __del__(self) -> None:
        self.close()

    def close(self) -> None:
        """Free the connections and the loop. Calling it again does nothing."""
        if self._closed:
            return
        self._closed = True
        self._async_client.close()
        self._io_loop.close()

    def fetch(self, request: HTTPRequest | str, **kwargs: Any) -> HTTPResponse:
        """Fetch ``request`` (a URL or an `HTTPRequest`) and return its `HTTPResponse`.

        Keyword arguments go to `HTTPRequest` when a URL is given. Raises `HTTPError` for a status other
        than 2xx, and whatever went wrong underneath, unless ``raise_error=False``.
        """
        job = functools.partial(self._async_client.fetch, request, **kwargs)
        return cast("HTTPResponse", self._io_loop.run_sync(job))


class AsyncHTTPClient(Configurable):
    """A non-blocking client; one object a loop.

    Calling the class gives the client that already serves the loop, or makes it. Arguments:

    * ``io_loop``: the loop to work on, the current one by default;
    * ``force_instance=True``: a client of one's own, which may then take arguments of the implementation
      (``max_clients=...``) and wants to be closed by whoever made it;
    * ``defaults``: a dict of `HTTPRequest` attributes for requests that leave them unset.

    `configure` sets implementation and arguments for the whole process.
    """

    _instance_cache: weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient] | None

    @classmethod
    def configurable_default(cls) -> type[Configurable]:
        """`.SimpleAsyncHTTPClient`, found by its name: it stands a floor above this module."""
        return import_object("tornado4.simple_httpclient.SimpleAsyncHTTPClient")  # type: ignore[no-any-return]

    @classmethod
    def configurable_base(cls) -> type[Configurable]:
        """The class that `configure` acts on."""
        return AsyncHTTPClient

    @classmethod
    def _async_clients(cls) -> weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient]:
        """The clients of this very class by loop; a subclass keeps its own."""
        name = "_async_client_dict_" + cls.__name__
        clients = vars(cls).get(name)
        if clients is None:
            clients = weakref.WeakKeyDictionary()
            setattr(cls, name, clients)
        return cast("weakref.WeakKeyDictionary[IOLoop, AsyncHTTPClient]", clients)

    def __new__(
        cls, io_loop: IOLoop | None = None, force_instance: bool = False, **kwargs: Any
    ) -> AsyncHTTPClient:
        loop = IOLoop.current() if io_loop is None else io_loop
        cache = None if force_instance else cls._async_clients()
        client = None if cache is None else cache.get(loop)
        if client is not None:
            return client
        client = super().__new__(cls, io_loop=loop, **kwargs)
        # The client remembers which cache knows it, so that close() can take it out again.
        client._instance_cache = cache
        if cache is not None:
            cache[loop] = client
        return client

    def initialize(self, io_loop: IOLoop, defaults: Mapping[str, Any] | None = None) -> None:  # type: ignore[override]
        """Set up a new client; subclasses extend it and pass both arguments on."""
        self.io_loop = io_loop
        self.defaults: dict[str, Any] = {**HTTPRequest._DEFAULTS, **(defaults or {})}
        self._closed = False

    def close(self) -> None:
        """Let go of the client's resources.

        Seldom needed: a loop and its client are collected together. Needed for a client made with
        ``force_instance=True``. No `fetch` may follow.

        :raises RuntimeError: another client has taken its place for this loop.
        """
        if self._closed:
            return
        self._closed = True
        cache = self._instance_cache
        if cache is not None:
            if cache.get(self.io_loop) is not self:
                raise RuntimeError("inconsistent AsyncHTTPClient cache")
            del cache[self.io_loop]

    def fetch(
        self,
        request: HTTPRequest | str,
        callback: Callable[[HTTPResponse], Any] | None = None,
        raise_error: bool = True,
        **kwargs: Any,
    ) -> Future[HTTPResponse]:
        """Start a request; the returned `.Future` resolves to its `HTTPResponse`.

        :arg request: a URL, then ``kwargs`` are `HTTPRequest`'s arguments; or an `HTTPRequest`, then there
            are none.
        :arg callback: called on the loop with a response in every case: errors arrive as a response of code
            599 or with ``response.error`` set, never as exceptions.
        :arg raise_error: False makes the Future, too, resolve to a response whatever its code.

        Raises `RuntimeError` on a closed client and `ValueError` for an `HTTPRequest` with keyword arguments.
        """
        if self._closed:
            raise RuntimeError("fetch() called on closed AsyncHTTPClient")
        given = "headers" in kwargs
        if not isinstance(request, HTTPRequest):
            request = HTTPRequest(url=request, **kwargs)
        elif kwargs:
            raise ValueError("kwargs can't be used if request is an HTTPRequest object")
        else:
            given = True
        # The implementation adds headers of its own: to a copy, never to the mapping that the caller passed
        # in.
        if given:
            request.headers = httputil.HTTPHeaders(request.headers)
        future: Future = TracebackFuture()
        if callback is not None:
            future.add_done_callback(functools.partial(self._deliver, request, stack_context.wrap(callback)))
        self.fetch_impl(
            cast("HTTPRequest", _RequestProxy(request, self.defaults)),
            functools.partial(_resolve, future, raise_error),
        )
        return future

    def _deliver(
        self, request: HTTPRequest, callback: Callable[[HTTPResponse], Any], future: Future
    ) -> None:
        """Turn the outcome of ``future`` into a response for a callback-style caller, one loop iteration
        later.
        """
        failure = future.exception()
        if failure is None:
            response = future.result()
        elif isinstance(failure, HTTPError) and failure.response is not None:
            response = failure.response
        else:
            elapsed = time.time() - request.start_time
            response = HTTPResponse(request, 599, error=failure, request_time=elapsed)
        self.io_loop.add_callback(callback, response)

    def fetch_impl(self, request: HTTPRequest, callback: Callable[[HTTPResponse], None]) -> None:
        """What an implementation provides: perform ``request``, call ``callback`` once with the response."""
        raise NotImplementedError()

    @classmethod
    def configure(cls, impl: type[Configurable] | str | None, **kwargs: Any) -> None:
        """Choose the implementation, by class or dotted name, and its arguments, for all clients made from
        now on::

            AsyncHTTPClient.configure(None, max_clients=100, defaults=dict(user_agent="MyCrawler/1.0"))

        :arg impl: None leaves the class as it is.
        """
        super().configure(impl, **kwargs)


def _resolve(future: Future, raise_error: bool, response: HTTPResponse) -> None:
    """What `AsyncHTTPClient.fetch` hands to the implementation as its callback."""
    if raise_error and response.error:
        future.set_exception(response.error)
    else:
        future.set_result(response)


def _wrapped_callback(attribute: str, doc: str) -> property:
    """A property that captures the stack context in which it is set, as in 4.5.3."""

    def getter(self: HTTPRequest) -> Any:
        return self.__dict__.get(attribute)

    def setter(self: HTTPRequest, value: Callable[..., Any] | None) -> None:
        self.__dict__[attribute] = stack_context.wrap(value)

    return property(getter, setter, doc=doc)


class HTTPRequest:
    """One request, as a client will send it. ``None`` means: use the client's default.

    :arg str url: what to fetch.
    :arg str method: ``GET``, ``POST``, ...
    :arg headers: an `.HTTPHeaders` or any mapping.
    :arg body: bytes, or str to be encoded as UTF-8.
    :arg body_producer: instead of ``body``: called with a ``write`` function whose Futures it should wait
        for; a coroutine, as a rule. Sent chunked unless the headers name a ``Content-Length``. Simple
        client only.
    :arg str auth_username: and ``auth_password``: for HTTP authentication.
    :arg str auth_mode: ``"basic"`` (default); with curl ``"digest"`` too.
    :arg float connect_timeout: seconds to connect, 20 by default; 0 is no limit.
    :arg float request_timeout: seconds for the whole request, 20 by default; 0 is no limit.
    :arg if_modified_since: datetime, timestamp or time tuple for that header.
    :arg bool follow_redirects: default True; at most ``max_redirects`` (5) times.
    :arg str user_agent: the header's value.
    :arg bool decompress_response: ask for gzip and unpack it (default True). ``use_gzip`` is the older name.
    :arg str network_interface: interface or address to connect from. curl only.
    :arg streaming_callback: receives the body piece by piece; ``response.body`` is then empty.
    :arg header_callback: receives each header line with its line end, start line and final empty line
        included.
    :arg prepare_curl_callback: receives the ``pycurl.Curl`` handle before it starts.
    :arg str proxy_host: with ``proxy_port``, and possibly ``proxy_username``, ``proxy_password`` and
        ``proxy_auth_mode`` (``"basic"``, ``"digest"``): HTTP proxy. curl only.
    :arg bool allow_nonstandard_methods: any method, and a body (or none) with any method.
    :arg bool validate_cert: check the server's certificate (default True).
    :arg str ca_certs: file of trusted CA certificates.
    :arg str client_key: and ``client_cert``: file names of our own.
    :arg ssl_options: an `ssl.SSLContext` or dict; replaces the four above. Simple client only.
    :arg bool allow_ipv6: default True.
    :arg bool expect_100_continue: announce the body and send it only when the server asks for it.

    Each argument is an attribute as well; besides there is ``start_time``, seconds since the epoch.
    """

    # Not applied here but by _RequestProxy: a client's own defaults stand in between.
    _DEFAULTS: dict[str, Any] = {
        "connect_timeout": 20.0,
        "request_timeout": 20.0,
        "follow_redirects": True,
        "max_redirects": 5,
        "decompress_response": True,
        "proxy_password": "",
        "allow_nonstandard_methods": False,
        "validate_cert": True,
    }

    def __init__(
        self,
        url: str, method: str = "GET", headers: Mapping[str, Any] | None = None,
        body: str | bytes | None = None, auth_username: str | None = None, auth_password: str | None = None,
        auth_mode: str | None = None, connect_timeout: float | None = None,
        request_timeout: float | None = None,
        if_modified_since: float | datetime | time.struct_time | None = None,
        follow_redirects: bool | None = None, max_redirects: int | None = None,
        user_agent: str | None = None, use_gzip: bool | None = None, network_interface: str | None = None,
        streaming_callback: Callable[[bytes], Any] | None = None,
        header_callback: Callable[[str], Any] | None = None,
        prepare_curl_callback: Callable[[Any], Any] | None = None, proxy_host: str | None = None,
        proxy_port: int | None = None, proxy_username: str | None = None, proxy_password: str | None = None,
        proxy_auth_mode: str | None = None, allow_nonstandard_methods: bool | None = None,
        validate_cert: bool | None = None, ca_certs: str | None = None, allow_ipv6: bool | None = None,
        client_key: str | None = None, client_cert: str | None = None,
        body_producer: Callable[[Callable[[bytes], Any]], Any] | None = None,
        expect_100_continue: bool = False, decompress_response: bool | None = None,
        ssl_options: dict[str, Any] | ssl.SSLContext | None = None,
    ) -> None:
        self.url = url
        self.method = method
        self.headers = headers
        self.body = body
        self.body_producer = body_producer
        self.auth_username, self.auth_password, self.auth_mode = auth_username, auth_password, auth_mode
        self.connect_timeout, self.request_timeout = connect_timeout, request_timeout
        self.follow_redirects, self.max_redirects = follow_redirects, max_redirects
        self.user_agent = user_agent
        self.decompress_response = use_gzip if decompress_response is None else decompress_response
        self.network_interface = network_interface
        self.streaming_callback = streaming_callback
        self.header_callback = header_callback
        self.prepare_curl_callback = prepare_curl_callback
        self.proxy_host, self.proxy_port = proxy_host, proxy_port
        self.proxy_username, self.proxy_password = proxy_username, proxy_password
        self.proxy_auth_mode = proxy_auth_mode
        self.allow_nonstandard_methods = allow_nonstandard_methods
        self.validate_cert, self.ca_certs = validate_cert, ca_certs
        self.client_key, self.client_cert = client_key, client_cert
        self.ssl_options = ssl_options
        self.allow_ipv6 = allow_ipv6
        self.expect_100_continue = expect_100_continue
        self.start_time = time.time()
        if if_modified_since:
            self._headers["If-Modified-Since"] = httputil.format_timestamp(if_modified_since)

    @property
    def headers(self) -> Any:
        """The header mapping; setting None gives an empty `.HTTPHeaders`."""
        return self._headers

    @headers.setter
    def headers(self, value: Mapping[str, Any] | None) -> None:
        self._headers: Any = httputil.HTTPHeaders() if value is None else value

    @property
    def body(self) -> Any:
        """The body as bytes, or None; a str is encoded when set."""
        return self._body

    @body.setter
    def body(self, value: str | bytes | None) -> None:
        self._body = utf8(value)

    body_producer = _wrapped_callback("_body_producer", "Function that writes the body, or None.")
    streaming_callback = _wrapped_callback("_streaming_callback", "Receiver of body pieces, or None.")
    header_callback = _wrapped_callback("_header_callback", "Receiver of header lines, or None.")
    prepare_curl_callback = _wrapped_callback("_prepare_curl_callback", "Gets the curl handle, or None.")


class HTTPResponse:
    """What a request led to.

    * ``request``: the `HTTPRequest`, the original one after redirects;
    * ``code``, ``reason``: the status; 599 when no response was received;
    * ``headers``: `.HTTPHeaders`;
    * ``effective_url``: the final place after redirects;
    * ``buffer``: file-like object with the body, or None; ``body``: the same as bytes;
    * ``error``: an exception for a status outside of 200 to 299, else None; see `rethrow`;
    * ``request_time``: seconds from start to finish; ``time_info``: finer timings, from curl only.
    """

    def __init__(
        self,
        request: HTTPRequest, code: int, headers: httputil.HTTPHeaders | None = None,
        buffer: BytesIO | None = None, effective_url: str | None = None, error: BaseException | None = None,
        request_time: float | None = None, time_info: dict[str, float] | None = None,
        reason: str | None = None,
    ) -> None:
        self.request: HTTPRequest = request.request if isinstance(request, _RequestProxy) else request
        self.code = code
        self.reason: str = reason or httputil.responses.get(code, "Unknown")
        self.headers = httputil.HTTPHeaders() if headers is None else headers
        self.buffer = buffer
        self._body: bytes | None = None
        self.effective_url: str = request.url if effective_url is None else effective_url
        if error is None and not 200 <= code < 300:
            error = HTTPError(code, message=self.reason, response=self)
        self.error = error
        self.request_time = request_time
        self.time_info = time_info or {}

    def rethrow(self) -> None:
        """Raise ``error`` if there is one."""
        if self.error:
            raise self.error

    @property
    def body(self) -> Any:
        """The whole body as bytes; None when there is no buffer."""
        buffer = self.buffer
        if buffer is not None and self._body is None:
            self._body = buffer.getvalue()
        return self._body

    def _get_body(self) -> Any:
        """`body`; the name of its getter in 4.0 to 4.2."""
        return self.body

    def __repr__(self) -> str:
        values = vars(self) | {"effective_url": mask_url(self.effective_url)}
        fields = ",".join(f"{name}={value!r}" for name, value in sorted(values.items()))
        return f"{type(self).__name__}({fields})"


class HTTPError(Exception):
    """A request that failed, or ended in a status outside of 2xx.

    ``code`` is the status, 599 when there was no response (time-outs, a lost connection); ``message`` the
    reason; ``response`` the `HTTPResponse`, or None. A redirect that was not followed is an error too.

    Not to be mixed up with `tornado4.web.HTTPError`, which a *server's* handlers raise.
    """

    def __init__(self, code: int, message: str | None = None, response: HTTPResponse | None = None) -> None:
        # All three become ``args``, with the values given: that is what copies and pickles are rebuilt from.
        super().__init__(code, message, response)
        self.code = code
        self.message: str = message or httputil.responses.get(code, "Unknown")
        self.response = response

    def __str__(self) -> str:
        return f"HTTP {self.code}: {self.message}"

    # error -> response -> error is a cycle: the inherited repr would never come back from it.
    __repr__ = __str__


class _RequestProxy:
    """A request seen through a client's defaults: they answer for every attribute that the request leaves
    None.
    """

    def __init__(self, request: HTTPRequest, defaults: Mapping[str, Any] | None) -> None:
        self.request = request
        self.defaults = defaults

    def __getattr__(self, name: str) -> Any:
        own = getattr(self.request, name)
        if own is None and self.defaults is not None:
            return self.defaults.get(name)
        return own


def _several(*names: str) -> Callable[[Any], Sequence[Any]]:
    """What gets the attributes ``names`` of a request, with or without a proxy before it, faster than one by one."""
    own_values = operator.attrgetter(*names)

    def values(request: Any) -> Sequence[Any]:
        if type(request) is not _RequestProxy:
            return cast("Sequence[Any]", own_values(request))
        own, defaults = own_values(request.request), request.defaults
        if defaults is None:
            return cast("Sequence[Any]", own)
        return [defaults.get(name) if value is None else value for name, value in zip(names, own, strict=True)]

    return values


def main() -> None:
    """The command line: fetch each URL named and print headers, body, or both."""
    # Defining options is a matter of the program that runs, hence not done on import.
    from tornado4.options import define, options, parse_command_line

    wishes = ("follow_redirects", "validate_cert")
    for name in ("print_headers", "print_body", *wishes):
        define(name, type=bool, default=name != "print_headers")
    client = HTTPClient()
    try:
        for url in parse_command_line():
            wanted_so = {name: getattr(options, name) for name in wishes}
            response = client.fetch(url, raise_error=False, **wanted_so)
            if response.code == 599:
                response.rethrow()
            for wanted, part in (
                (options.print_headers, str(response.headers)),
                (options.print_body, native_str(response.body)),
            ):
                if wanted:
                    print(part)
    finally:
        client.close()

_handed_on.complete(globals())


if __name__ == "__main__":
    # Under ``python -m`` this file is a second module, whose HTTPError no client raises: use the real one's
    # main.
    from tornado4.httpclient import main as _main

    _main()
