"""`Application`: handlers, settings and UI modules put together into what an HTTP server serves."""

from __future__ import annotations

import logging
import re
from collections.abc import Mapping, Sequence
from inspect import isclass
from types import MappingProxyType, ModuleType
from typing import TYPE_CHECKING, Any

from tornado4 import httputil
from tornado4.concurrent import Future
from tornado4.log import access_log
from tornado4.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
    URLSpec,
)
from tornado4.web import access, shortcut
from tornado4.web.execution import call_back, see_to
from tornado4.web.handler import RequestHandler
from tornado4.web.handlers import ErrorHandler
from tornado4.web.static import StaticFileHandler
from tornado4.web.transforms import GZipContentEncoding, OutputTransform
from tornado4.web.uimodules import TemplateModule, UIModule, _linkify, _xsrf_form_html

if TYPE_CHECKING:
    from tornado4.httpserver import HTTPServer

_NOTHING: Mapping[str, Any] = MappingProxyType({})


def _has_stream_request_body(cls: type[RequestHandler]) -> bool:
    """Whether a handler class takes its body in pieces (`stream_request_body`)."""
    if not issubclass(cls, RequestHandler):
        raise TypeError("expected subclass of RequestHandler, got %r", cls)
    return cls._stream_request_body


class _ApplicationRouter(ReversibleRuleRouter):
    """A rule router whose targets may be handler classes, or lists of further rules."""

    def __init__(self, application: Application, rules: Sequence[Any] | None = None) -> None:
        if not isinstance(application, Application):
            raise AssertionError(f"not an Application: {application!r}")
        self.application = application
        super().__init__(rules)

    def get_target_delegate(
        self, target: Any, request: httputil.HTTPServerRequest, **target_params: Any
    ) -> httputil.HTTPMessageDelegate | None:
        is_handler = isinstance(target, type) and issubclass(target, RequestHandler)
        if not is_handler:
            return super().get_target_delegate(target, request, **target_params)
        return self.application.get_handler_delegate(request, target, **target_params)

    def process_rule(self, rule: Rule) -> Rule:
        rule = super().process_rule(rule)
        nested = rule.target
        if isinstance(nested, list | tuple):
            rule.target = _ApplicationRouter(self.application, nested)
        return rule


class Application(ReversibleRouter):
    """Request handlers, settings and routes: one web application.

    It is served directly::

        application = web.Application([
            (r"/", MainPageHandler),
            (r"/user/(.*)", UserHandler, {"database": database}, "user"),
        ])
        http_server = httpserver.HTTPServer(application)
        http_server.listen(8080)

    ``handlers`` are rules (`URLSpec`, `routing.Rule`, or tuples), tried in order. ``default_host`` stands
    in for the Host of requests that no virtual host takes. ``transforms`` replaces the list of output
    transforms. All further keyword arguments are kept in the dict ``settings``.
    """

    def __init__(
        self,
        handlers: Sequence[Any] | None = None,
        default_host: str | None = None,
        transforms: list[type[OutputTransform]] | None = None,
        **settings: Any,
    ) -> None:
        if transforms is None:
            compress = settings.get("compress_response") or settings.get("gzip")
            transforms = [GZipContentEncoding] if compress else []
        self.transforms = transforms
        self.default_host = default_host
        self.settings = settings
        self.ui_modules: dict[str, Any] = {
            "linkify": _linkify,
            "xsrf_form_html": _xsrf_form_html,
            "Template": TemplateModule,
        }
        self.ui_methods: dict[str, Any] = {}
        self._load_ui_modules(settings.get("ui_modules", {}))
        self._load_ui_methods(settings.get("ui_methods", {}))
        if settings.get("static_path"):
            handlers = self._static_rules(settings) + list(handlers or [])
        if settings.get("debug"):
            _expand_debug(settings)
        self.wildcard_router = _ApplicationRouter(self, handlers)
        self.default_router = _ApplicationRouter(self, [Rule(AnyMatches(), self.wildcard_router)])
        if settings.get("autoreload"):
            # late: autoreload stands above web, and only programs under development need it
            from tornado4 import autoreload

            autoreload.start()

    @staticmethod
    def _static_rules(settings: dict[str, Any]) -> list[Any]:
        """Rules for the setting ``static_path``, put before all others (robots.txt first, as in 4.5.3)."""
        handler = settings.get("static_handler_class", StaticFileHandler)
        arguments = settings.get("static_handler_args", {})
        arguments["path"] = settings["static_path"]
        prefix = re.escape(settings.get("static_url_prefix", "/static/"))
        patterns = (r"/(robots\.txt)", r"/(favicon\.ico)", prefix + "(.*)")
        return [(pattern, handler, arguments) for pattern in patterns]

    def listen(self, port: int, address: str = "", **kwargs: Any) -> HTTPServer:
        """Start an HTTP server for this application on ``port``; returns it.

        ``kwargs`` go to `.HTTPServer`. The IOLoop still has to be started. For several processes, or several
        sockets, make the server yourself.

        :arg address: a name or address; ``""`` (default) is every interface. Further keyword arguments are
            those of `.HTTPServer`.
        :raises OSError: the port is taken, or cannot be had.
        """
        # late: the server stands above web, which also runs without one (WSGI)
        from tornado4.httpserver import HTTPServer

        server = HTTPServer(self, **kwargs)
        server.listen(port, address)
        return server

    def add_handlers(self, host_pattern: str, host_handlers: Sequence[Any]) -> None:
        """Add rules for hosts that match a regular expression; they come before those of the constructor.

        :arg host_pattern: a regular expression for the whole host, without its port.
        :arg host_handlers: rules, as in the constructor.
        """
        host_matcher = HostMatches(host_pattern)
        rule = Rule(host_matcher, _ApplicationRouter(self, host_handlers))
        self.default_router.rules.insert(-1, rule)
        if self.default_host is not None:
            default_matcher = DefaultHostMatches(self, host_matcher.host_pattern)
            self.wildcard_router.add_rules([(default_matcher, host_handlers)])

    def add_transform(self, transform_class: type[OutputTransform]) -> None:
        """Append an output transform.

        :arg transform_class: an `OutputTransform`, made anew for each request.
        """
        self.transforms.append(transform_class)

    def _load_ui_methods(self, methods: Any) -> None:
        if isinstance(methods, ModuleType):
            methods = {name: getattr(methods, name) for name in dir(methods)}
        if not isinstance(methods, dict):
            for one in methods:
                self._load_ui_methods(one)
            return
        for name, method in methods.items():
            # a module's classes, constants and private functions are not meant
            if not name.startswith("_") and callable(method) and name[0].lower() == name[0]:
                self.ui_methods[name] = method

    def _load_ui_modules(self, modules: Any) -> None:
        if isinstance(modules, ModuleType):
            modules = {name: getattr(modules, name) for name in dir(modules)}
        if not isinstance(modules, dict):
            assert isinstance(modules, list)
            for one in modules:
                self._load_ui_modules(one)
            return
        for name, module in modules.items():
            if isclass(module) and issubclass(module, UIModule):
                self.ui_modules[name] = module

    def __call__(self, request: httputil.HTTPServerRequest) -> Any:
        """Run a request whose body is there already (WSGI, `FallbackHandler`)."""
        dispatcher: Any = self.find_handler(request)
        return dispatcher.execute()

    def find_handler(
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate:
        """The delegate that runs the request's handler; ``default_handler_class``, else a 404, if no rule
        matches.
        """
        found = self.default_router.find_handler(request)
        if found is not None:
            return found
        default = self.settings.get("default_handler_class")
        if default:
            return self.get_handler_delegate(
                request, default, self.settings.get("default_handler_args", {})
            )
        not_found = {"status_code": 404}
        return self.get_handler_delegate(request, ErrorHandler, not_found)

    def _get_host_handlers(self, request: httputil.HTTPServerRequest) -> list[Any] | None:
        """The path rules of all hosts that a request's host belongs to, in order; up to 4.4 the first step of
        routing.
        """
        rules = self.default_router.rules
        found = _rules_of_hosts(rules, request, (HostMatches, AnyMatches))
        return found or _rules_of_hosts(rules, request, (DefaultHostMatches, AnyMatches)) or None

    def get_handler_delegate(
        self,
        request: httputil.HTTPServerRequest,
        target_class: type[RequestHandler],
        target_kwargs: Mapping[str, Any] | None = None,
        path_args: Sequence[bytes] | None = None,
        path_kwargs: Mapping[str, bytes] | None = None,
    ) -> _HandlerDelegate:
        """A delegate that runs ``target_class`` for the request; for custom routers.

        ``target_kwargs`` go to the handler's ``initialize``, path arguments to its method.

        :arg path_args: bytes for the method's positional arguments; ``path_kwargs`` for those by name.
        """
        return _HandlerDelegate(self, request, target_class, target_kwargs, path_args, path_kwargs)

    def reverse_url(self, name: str, *args: Any) -> str:
        """The path of the rule ``name``, its groups replaced by ``args``; `KeyError` for an unknown name."""
        path = self.default_router.reverse_url(name, *args)
        if path is None:
            raise KeyError(f"{name} not found in named urls")
        return path

    # What the short way knows of the rules, and the short way itself, as a method.
    _shortcut_routes: shortcut.Routes | None = None
    _shortcut_serve = shortcut.serve

    def _find_shortcut(self) -> Any:
        """`web.shortcut.serve`, bound, for this application; None if something that it passes by has been replaced."""
        cls: Any = type(self)
        own = self.__dict__.keys()
        if any(getattr(cls, name) is not method or name in own for name, method in _LONG_WAY.items()):
            return None
        if any(getattr(_ApplicationRouter, name) is not method for name, method in _ROUTER_METHODS.items()):
            return None
        return self._shortcut_serve

    def _shortcut_delegate(
        self, server_conn: object, connection: Any, start_line: Any, headers: httputil.HTTPHeaders
    ) -> _HandlerDelegate | None:
        """What `start_request` comes to for a request with a body, where `_find_shortcut` has found something. None if
        it has to go the long way.
        """
        found = shortcut.look_up(self, start_line[1])
        if found is None:
            return None
        method, uri, version = start_line
        request = httputil.HTTPServerRequest(
            method, uri, version, headers, None, None, None, connection, None, server_conn
        )
        rule, handler_class, args, kwargs = found
        return _HandlerDelegate(self, request, handler_class, rule.target_kwargs, args, kwargs)

    def log_request(self, handler: RequestHandler) -> None:
        """Log a finished request: info below 400, warning below 500, error from there on.

        The setting ``log_function``, called with the handler, takes its place.
        """
        if "log_function" in self.settings:
            self.settings["log_function"](handler)
            return
        status = handler.get_status()
        if status < 400:
            level = logging.INFO
            # Whoever defines _request_summary may count on being asked, as in 4.5.3.
            ours = type(handler)._request_summary is RequestHandler._request_summary
            if ours and not access_log.isEnabledFor(level):
                return
        else:
            level = logging.WARNING if status < 500 else logging.ERROR
        milliseconds = 1000.0 * handler.request.request_time()
        access.log(level, (status, handler._request_summary(), milliseconds), _LOG_REQUEST)


def _rules_of_hosts(
    rules: Sequence[Any], request: httputil.HTTPServerRequest, hosts: tuple[type[Matcher], ...]
) -> list[Any]:
    """The rules beneath those that match the request and are of the kinds ``hosts``."""
    found: list[Any] = []
    for rule in rules:
        if isinstance(rule.matcher, PathMatches) and not isinstance(rule, URLSpec):
            found.append(URLSpec(rule.matcher.regex, rule.target, rule.target_kwargs, rule.name))
        elif not isinstance(rule.target, _ApplicationRouter):
            found.append(rule)
        elif isinstance(rule.matcher, hosts) and rule.matcher.match(request) is not None:
            found += _rules_of_hosts(rule.target.rules, request, hosts)
    return found


def _expand_debug(settings: dict[str, Any]) -> None:
    """What ``debug=True`` switches, unless the settings say otherwise one by one."""
    for name, value in (
        ("autoreload", True),
        ("compiled_template_cache", False),
        ("static_hash_cache", False),
        ("serve_traceback", True),
    ):
        settings.setdefault(name, value)


#: The caller that access lines name.
_LOG_REQUEST = Application.log_request.__code__


class _HandlerDelegate(httputil.HTTPMessageDelegate):
    """Collects (or streams) the body, makes the handler and runs it."""

    handler: RequestHandler

    def __init__(
        self,
        application: Application,
        request: httputil.HTTPServerRequest,
        handler_class: Any,
        handler_kwargs: Mapping[str, Any] | None,
        path_args: Sequence[bytes] | None,
        path_kwargs: Mapping[str, bytes] | None,
    ) -> None:
        self.stream_request_body = _has_stream_request_body(handler_class)
        # what to run
        self.handler_class = handler_class
        self.handler_kwargs = handler_kwargs or _NOTHING
        self.path_kwargs = path_kwargs or _NOTHING
        self.path_args = path_args or ()
        # for whom
        self.application = application
        self.request = request
        self.connection = request.connection
        self.chunks: list[bytes] = []

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        if not self.stream_request_body:
            return None
        # resolved when the body has come; the handler's method waits for it
        self.request.body = Future()  # type: ignore[assignment]
        return self.execute()

    def data_received(self, data: bytes) -> Any:
        if self.stream_request_body:
            return call_back(self.handler, self.handler.data_received, data)
        self.chunks.append(data)
        return None

    @property
    def _takes_any_size(self) -> bool:
        """Whether pieces of the body are only joined: see ``_http1.pump``."""
        return not self.stream_request_body

    def finish(self) -> None:
        request = self.request
        if self.stream_request_body:
            body: Any = request.body
            body.set_result(None)
            return
        chunks = self.chunks
        request.body = b"".join(chunks) if chunks else b""
        request._parse_body()
        self.execute()

    def on_connection_close(self) -> None:
        if self.stream_request_body:
            call_back(self.handler, self.handler.on_connection_close)
        else:
            self.chunks = []

    def execute(self) -> Future | None:
        """Make the handler and run it. The Future, for streamed bodies only, tells when they may come."""
        if not self.stream_request_body:
            self.handler = shortcut.run(
                self.application,
                self.request,
                self.handler_class,
                self.handler_kwargs,
                self.path_args,
                self.path_kwargs,
            )
            return None
        application = self.application
        shortcut.forget_cached(application.settings)
        self.handler = handler = self.handler_class(application, self.request, **self.handler_kwargs)
        handler._prepared_future = Future()
        transforms = [transform(self.request) for transform in application.transforms]
        see_to(handler, handler._execute(transforms, *self.path_args, **self.path_kwargs))
        prepared: Future | None = handler._prepared_future
        return prepared


#: What the short way leaves out; see `Application._find_shortcut`.
_LONG_WAY: dict[str, Any] = {
    name: getattr(Application, name) for name in ("start_request", "find_handler", "get_handler_delegate")
}
_ROUTER_METHODS: dict[str, Any] = {
    name: getattr(_ApplicationRouter, name) for name in ("find_handler", "get_target_delegate")
}
