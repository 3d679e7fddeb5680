"""The short way of a request: from its head to its handler, without delegates in between; those with a body, of which a
handler wants all at once, need one that collects it.

The long way leads through `Application.start_request`, `Application.find_handler`, the routers and
`Application.get_handler_delegate`: four objects made for each request, so that each of these may be replaced.
Where none is, nobody can tell whether they were made. `tornado4.httpserver.HTTPServer` asks once a connection
(`Application._find_shortcut`); `serve` then says for each request whether it took it, and what it does not take
goes the long way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tornado4 import httputil
from tornado4._route_index import PathIndex
from tornado4.concurrent import Future
from tornado4.httputil.headers import HTTPHeaders
from tornado4.routing import AnyMatches, PathMatches, Rule, URLSpec, _changes, _matchers_are_ours, _Rules
from tornado4.web.execution import see_to
from tornado4.web.handler import RequestHandler
from tornado4.web.static import StaticFileHandler

if TYPE_CHECKING:
    from tornado4.web.application import Application

#: What `Routes.find` returns: the rule, its handler class (None where it is something else, or takes its body in
#: pieces), and the method's arguments.
_Found = tuple[Rule, "type[RequestHandler] | None", Sequence[Any], Mapping[str, Any]]

_NO_ARGUMENTS: Mapping[str, Any] = {}


def _handler_class(target: Any) -> type[RequestHandler] | None:
    plain = isinstance(target, type) and issubclass(target, RequestHandler) and not target._stream_request_body
    return target if plain else None


class Routes:
    """The rules of an application by path, as far as they go by path alone. First match first, as ever.

    Rules without special characters are found by one look into a dictionary; it holds none that a rule before it
    would take. For the others an index says which may match.

    This is a snapshot. `current` tells whether the rules are still those that it was made of.
    """

    def __init__(self, application: Application) -> None:
        self._default = application.default_router
        self._wildcard = application.wildcard_router
        self._default_rules = self._default.rules
        self._rules = self._wildcard.rules
        self._changes = _changes.count
        self._literal: dict[str, _Found | None] = {}
        self._patterns = PathIndex()
        self._targets: list[tuple[PathMatches, Rule, type[RequestHandler] | None]] = []
        if self._by_path_alone():
            self._read(self._rules)

    def current(self, application: Application) -> bool:
        """Whether this is what the application's rules say now."""
        wildcard, default = application.wildcard_router, application.default_router
        return (
            self._changes == _changes.count
            and wildcard is self._wildcard
            and default is self._default
            and wildcard.rules is self._rules
            and default.rules is self._default_rules
        )

    def _by_path_alone(self) -> bool:
        """Whether there are no virtual hosts, and no routers of other kinds than the application makes."""
        default_rules, rules = self._default_rules, self._rules
        if type(self._default) is not type(self._wildcard) or len(default_rules) != 1 or not _matchers_are_ours():
            return False
        if type(rules) is not _Rules or type(default_rules) is not _Rules:
            return False  # nobody would tell when they are changed
        rules.indexed = default_rules.indexed = True
        only = default_rules[0]
        return (
            type(only) is Rule
            and type(only.matcher) is AnyMatches
            and "match" not in vars(only.matcher)
            and only.target is self._wildcard
            and not only.target_kwargs
        )

    def _read(self, rules: Sequence[Any]) -> None:
        targets = self._targets
        for rule in rules:
            if type(rule) not in (Rule, URLSpec) or type(rule.matcher) is not PathMatches:
                return  # it may take anything, so for what comes behind it the long way is the only one
            matcher, handler_class = rule.matcher, _handler_class(rule.target)
            if "match" in vars(matcher):
                return
            path = matcher.literal
            if path is None:
                self._patterns.add(len(targets), matcher.regex)
                targets.append((matcher, rule, handler_class))
            elif path not in self._literal:
                before = self._patterns.candidates(path)
                taken = any(targets[number][0].match_path(path) is not None for number in before)
                self._literal[path] = None if taken else (rule, handler_class, (), _NO_ARGUMENTS)

    def find(self, path: str) -> _Found | None:
        """The first rule that matches, if it is one of those known here."""
        found = self._literal.get(path)
        if found is not None:
            return found
        for number in self._patterns.candidates(path):
            matcher, rule, handler_class = self._targets[number]
            arguments = matcher.match_path(path)
            if arguments is not None:
                args, kwargs = arguments.get("path_args", ()), arguments.get("path_kwargs", _NO_ARGUMENTS)
                return rule, handler_class, args, kwargs
        return None


def look_up(
    application: Application, uri: str
) -> tuple[Rule, type[RequestHandler], Sequence[Any], Mapping[str, Any]] | None:
    """The rule and the handler for ``uri``; None where the long way has to be gone to find them."""
    routes = application._shortcut_routes
    if routes is None or not routes.current(application):
        routes = application._shortcut_routes = Routes(application)
    if uri[0] != "/":
        return None  # its path is not where a path mostly is
    found = routes.find(uri if "?" not in uri else uri.partition("?")[0])
    if found is None or found[1] is None or found[0].target is not found[1]:
        return None
    return found  # type: ignore[return-value]  # just asked


def serve(
    application: Application, server_conn: object, connection: Any, start_line: Any, headers: HTTPHeaders
) -> bool:
    """Run the handler of a request that has no body. False if it has to go the long way."""
    # `look_up` once more: what costs each small request a call is worth these lines.
    routes = application._shortcut_routes
    if routes is None or not routes.current(application):
        routes = application._shortcut_routes = Routes(application)
    method, uri, version = start_line
    if uri[0] != "/":
        return False  # its path is not where a path mostly is
    found = routes.find(uri if "?" not in uri else uri.partition("?")[0])
    if found is None:
        return False
    rule, handler_class, args, kwargs = found
    if handler_class is None or rule.target is not handler_class or "Expect" in headers._values:
        return False
    # All arguments by position, which is what Python calls fastest.
    request = httputil.HTTPServerRequest(
        method, uri, version, headers, None, None, None, connection, None, server_conn
    )
    if "Content-Type" in headers._values or "Content-Encoding" in headers._values:
        request._parse_body()  # there is no body, but there may be something to say about that
    run(application, request, handler_class, rule.target_kwargs, args, kwargs)
    return True


def run(
    application: Application,
    request: httputil.HTTPServerRequest,
    handler_class: type[RequestHandler],
    handler_kwargs: Mapping[str, Any],
    path_args: Sequence[Any],
    path_kwargs: Mapping[str, Any],
) -> RequestHandler:
    """Make a handler for a request that is there as a whole, and run it."""
    settings = application.settings
    if not settings.get("compiled_template_cache", True) or not settings.get("static_hash_cache", True):
        forget_cached(settings)
    # Python calls faster where no arguments have to be unpacked; mostly there are none.
    if handler_kwargs:
        handler = handler_class(application, request, **handler_kwargs)
    else:
        handler = handler_class(application, request)
    transforms = [transform(request) for transform in application.transforms] if application.transforms else []
    # No exception escapes _execute, and nobody waits for it: the connection waits for the response's end.
    if path_args or path_kwargs:
        over = handler._execute(transforms, *path_args, **path_kwargs)
    else:
        over = handler._execute(transforms)
    if type(over) is not Future:
        see_to(handler, over)
    return handler


def forget_cached(settings: Mapping[str, Any]) -> None:
    """Drop what a program under development wants to be read anew with each request."""
    if not settings.get("compiled_template_cache", True):
        with RequestHandler._template_loader_lock:
            for loader in RequestHandler._template_loaders.values():
                loader.reset()
    if not settings.get("static_hash_cache", True):
        StaticFileHandler.reset()
