"""What the flag ``names`` gives to each module, and what it does not give, with the reason."""

from __future__ import annotations

NAMES: dict[str, tuple[str, ...]] = {
    "concurrent": (
        "future_add_done_callback",
        "future_set_exc_info",
        "future_set_exception_unless_cancelled",
        "future_set_result_unless_cancelled",
    ),
    "httpclient": ("HTTPClientError",),
    "httputil": ("ParseBodyConfig", "ParseMultipartConfig", "ParseUrlEncodedConfig", "set_parse_body_config"),
    "ioloop": (
        "IOLoop.run_in_executor",
        "IOLoop.set_default_executor",
        "PeriodicCallback.__init__",
        "PeriodicCallback._schedule_next",
        "PeriodicCallback.jitter",
    ),
    "iostream": ("BaseIOStream.read_into",),
    "netutil": ("DefaultExecutorResolver", "DefaultLoopResolver"),
    "simple_httpclient": ("HTTPStreamClosedError", "HTTPTimeoutError"),
    "tcpclient": ("TCPClient.connect",),
    "tcpserver": ("TCPServer.bind", "TCPServer.listen", "TCPServer.start"),
    "testing": (
        "AsyncHTTPTestCase.fetch",
        "ExpectLog.__init__",
        "ExpectLog.filter",
        "ExpectLog.level",
        "bind_unused_port",
        "setup_with_context_manager",
    ),
    "web": (
        "Application.listen",
        "HTTPError.get_message",
        "RequestHandler.clear_all_cookies",
        "RequestHandler.clear_cookie",
        "RequestHandler.detach",
        "RequestHandler.get_signed_cookie",
        "RequestHandler.get_signed_cookie_key_version",
        "RequestHandler.set_signed_cookie",
    ),
    "websocket": (
        "WebSocketClientConnection.ping",
        "WebSocketClientConnection.selected_subprotocol",
        "WebSocketHandler.ping",
        "WebSocketHandler.selected_subprotocol",
        "websocket_connect",
    ),
}

#: What Tornado 6.6.1 has besides, and is not given: names, and arguments as the last part. A class stands for its
#: members.
LEFT_OUT: dict[str, str] = {
    "auth.GoogleOAuth2Mixin.get_authenticated_user": "its arguments are in settings['google_oauth'] on both",
    "auth.GoogleOAuth2Mixin.get_google_oauth_settings": "override settings['google_oauth'], which both sides read",
    "concurrent.DummyExecutor.shutdown.cancel_futures": "that executor has no futures that could be cancelled",
    "gen.Runner": "how coroutines are run inside; rule TND228",
    "gen.with_timeout.message": "the text of an error, new in 6.6; no fix needs it",
    "http1connection.is_transfer_encoding_chunked": "how framing is read inside; here it is `_wire.http1_grammar`",
    "http1connection.parse_hex_int": "how framing is read inside; here it is `_wire.http1_grammar`",
    "http1connection.parse_int": "how framing is read inside; here it is `_wire.http1_grammar`",
    "httpclient.HTTPResponse": "start_time is data, which no fix needs; error is an attribute of each response here",
    "httputil.parse_body_arguments.config": "set_parse_body_config sets it for all",
    "httputil.parse_multipart_form_data.config": "set_parse_body_config sets it for all",
    "iostream.BaseIOStream.read_from_fd": "overridden, not called: its two signatures exclude each other; rule TND219",
    "iostream.IOStream.read_from_fd": "as of BaseIOStream",
    "iostream.PipeIOStream.read_from_fd": "as of BaseIOStream",
    "iostream.SSLIOStream.read_from_fd": "as of BaseIOStream",
    "netutil.OverrideResolver.resolve": "takes the same arguments, as *args and **kwargs",
    "netutil.ssl_options_to_context.server_side": "which side it is has not mattered in 4.5.3; ssl_version says it",
    "netutil.ssl_wrap_socket.server_side": "taken already, among **kwargs",
    "platform.asyncio.AddThreadSelectorEventLoop": "for Windows' Proactor loop: `IOLoop.current()` gives it a thread",
    "platform.asyncio.SelectorThread": "for Windows' Proactor loop: `IOLoop.current()` gives it a thread",
    "testing.AsyncHTTPSTestCase.default_ssl_options": "override get_ssl_options, which both sides ask",
    "web.HTTPError.log_message": "an attribute of each error in 4.5.3",
    "web.MissingArgumentError.log_message": "an attribute of each error in 4.5.3",
    "web.StaticFileHandler": "limits and a setting; the rows of docs/deviations.md have them",
    "websocket.WebSocketClientConnection": "made by websocket_connect alone, which has the arguments",
    "websocket.WebSocketHandler.on_ws_connection_close": "called by Tornado 6's own protocol classes",
    "websocket.WebSocketHandler.send_error.status_code": "taken already, among *args",
    "websocket.WebSocketProtocol": "the two sides' protocol classes have nothing in common; rule TND225",
    "websocket.WebSocketProtocol13": "the two sides' protocol classes have nothing in common; rule TND225",
    "websocket.websocket_connect.resolver": "`Resolver.configure` chooses one for all on both sides",
    "wsgi.WSGIContainer": "an executor runs the application in threads: another behaviour, not a name",
}
for _handler in ("ErrorHandler", "FallbackHandler", "RedirectHandler", "RequestHandler"):
    LEFT_OUT[f"web.{_handler}.check_trusted_origin"] = "belongs to cross_origin_protection, which 4.5.3 does not have"
LEFT_OUT["websocket.WebSocketHandler.check_trusted_origin"] = LEFT_OUT["web.RequestHandler.check_trusted_origin"]
