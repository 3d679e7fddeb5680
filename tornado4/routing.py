"""Routing: from a request's head to whoever answers it.

A `Router` looks at an `.HTTPServerRequest` whose headers are known (and whose body is not) and returns the
`.HTTPMessageDelegate` that takes the rest; `tornado4.web.Application` is one, and so is each of these::

    router = RuleRouter([
        Rule(HostMatches("api.example.com"), api_application),
        Rule(PathMatches("/static/.*"), static_delegate),
        (r"/.*", fallback_callable),
    ])
    HTTPServer(router).listen(8888)

A `Rule` binds a `Matcher` to a target. In a `RuleRouter`, a target is another router, any
`.HTTPServerConnectionDelegate`, or a callable taking the request in the manner of old (it writes the whole
response to the request). `ReversibleRouter` can also make a URL path from a rule's name.

Rules are tried in order: the first that matches counts. Which of them can match is looked up in an index
(`tornado4._route_index`), so that a thousand rules cost what ten do; those that it knows nothing of (matchers and
rules of other classes, patterns with flags) have their turn with each request. Rules may be added and changed at any
time.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextvars import copy_context
from functools import partial
from typing import Any, TypeAlias

from tornado4 import _handed_on, _hints, httputil
from tornado4._masking import shown_target
from tornado4._route_index import HostIndex, PathIndex
from tornado4.escape import url_escape, url_unescape, utf8
from tornado4.log import access_log, app_log
from tornado4.util import basestring_type, import_object, re_unescape, unicode_type

__all__ = [
    "AnyMatches",
    "DefaultHostMatches",
    "HostMatches",
    "Matcher",
    "PathMatches",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Router",
    "Rule",
    "RuleRouter",
    "URLSpec",
    "app_log",
    "basestring_type",
    "import_object",
    "re_unescape",
    "unicode_type",
    "url_escape",
    "url_unescape",
    "utf8",
]

#: A rule, or the tuple that makes one: (pattern or matcher, target[, target_kwargs[, name]]).
RuleLike: TypeAlias = "Rule | Sequence[Any]"


class Router(httputil.HTTPServerConnectionDelegate):
    """Abstract base of routers."""

    def start_request(
        self, server_conn: object, request_conn: httputil.HTTPConnection
    ) -> httputil.HTTPMessageDelegate:
        """A delegate that waits for the headers and then asks `find_handler`."""
        return _RoutingDelegate(self, server_conn, request_conn)

    def find_handler(
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate | None:
        """Return the delegate that answers ``request``, or None if there is none here.

        ``kwargs`` is what routers further up have found out (``path_args``, ``target_kwargs``, ...).
        """
        raise NotImplementedError()


class ReversibleRouter(Router):
    """Abstract base of routers that know their routes by name."""

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """The path of the route ``name``, its groups replaced by ``args``; None for an unknown name."""
        raise NotImplementedError()


class _RoutingDelegate(httputil.HTTPMessageDelegate):
    """Stands in until the headers have come; from then on everything goes to the delegate found."""

    delegate: httputil.HTTPMessageDelegate | None = None

    def __init__(self, router: Router, server_conn: object, request_conn: httputil.HTTPConnection) -> None:
        self.router = router
        self.server_conn = server_conn
        self.request_conn = request_conn

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> Any:
        request = httputil.HTTPServerRequest(
            start_line=start_line,
            headers=headers,
            connection=self.request_conn,
            server_connection=self.server_conn,
        )
        delegate = self.router.find_handler(request)
        if delegate is None:
            delegate = _NotFoundDelegate(request)
        self.delegate = delegate
        return delegate.headers_received(start_line, headers)

    def data_received(self, chunk: bytes) -> Any:
        assert self.delegate is not None
        return self.delegate.data_received(chunk)

    @property
    def _takes_any_size(self) -> bool:
        return getattr(self.delegate, "_takes_any_size", False)

    def finish(self) -> Any:
        assert self.delegate is not None
        return self.delegate.finish()

    def on_connection_close(self) -> None:
        if self.delegate is not None:
            self.delegate.on_connection_close()


class _NotFoundDelegate(httputil.HTTPMessageDelegate):
    """Answers 404 where a bare router knows no target. (4.5.3 had an AttributeError in the log and a dead
    connection.)
    """

    def __init__(self, request: httputil.HTTPServerRequest) -> None:
        self.request = request

    def finish(self) -> None:
        connection: Any = self.request.connection
        connection.write_headers(
            httputil.ResponseStartLine("HTTP/1.1", 404, "Not Found"),
            httputil.HTTPHeaders({"Content-Length": "0"}),
        )
        connection.finish()
        request = self.request
        access_log.warning("404 %s %s (%s)", request.method, shown_target(request.uri), request.remote_ip)


class _Changes:
    """How often something has been changed that an index was made of."""

    count = 0


_changes = _Changes()


def _noting(name: str) -> Any:
    method = getattr(list, name)

    def changed(self: _Rules, *args: Any, **kwargs: Any) -> Any:
        if self.indexed:
            self.indexed = False
            _changes.count += 1
        return method(self, *args, **kwargs)

    changed.__name__, changed.__qualname__ = name, f"_Rules.{name}"
    return changed


class _Rules(list[Any]):
    """A router's rules: a list that tells `_changes` when it is changed after an index has been made of it."""

    indexed = False

    append, extend, insert = _noting("append"), _noting("extend"), _noting("insert")
    remove, pop, clear = _noting("remove"), _noting("pop"), _noting("clear")
    sort, reverse = _noting("sort"), _noting("reverse")
    __setitem__, __delitem__ = _noting("__setitem__"), _noting("__delitem__")
    __iadd__, __imul__ = _noting("__iadd__"), _noting("__imul__")


class _RuleIndex:
    """Which rules of a list may match a request."""

    def __init__(self, rules: list[Any]) -> None:
        self.rules = rules
        self.changes = _changes.count
        if isinstance(rules, _Rules):
            rules.indexed = True
        #: Whether there is an index at all; without one, each rule may match.
        self.complete = type(rules) is _Rules
        self._reversible: list[ReversibleRouter] | None = None
        self._unread: list[int] = []
        self._paths = PathIndex()
        self._hosts = HostIndex()
        self._default_hosts: dict[int, tuple[Any, HostIndex]] = {}
        if self.complete:
            for number, rule in enumerate(rules):
                self._add(number, rule)

    def current(self, rules: list[Any]) -> bool:
        """Whether this is what ``rules`` say now. (What a list of another class says, nobody tells.)"""
        return rules is self.rules and self.changes == _changes.count

    def _add(self, number: int, rule: Any) -> None:
        matcher = rule.matcher if type(rule) in (Rule, URLSpec) else None
        kind = type(matcher)
        if matcher is None or "match" in vars(matcher):
            self._unread.append(number)
        elif kind is PathMatches:
            self._paths.add(number, matcher.regex)
        elif kind is HostMatches:
            self._hosts.add(number, matcher.host_pattern)
        elif kind is DefaultHostMatches:
            application = matcher.application
            _, hosts = self._default_hosts.setdefault(id(application), (application, HostIndex()))
            hosts.add(number, matcher.host_pattern)
        else:
            self._unread.append(number)

    def reversible(self) -> Sequence[ReversibleRouter]:
        """The rules' targets that are routers with names of their own, in order."""
        found = self._reversible
        if found is None:
            found = [rule.target for rule in self.rules if isinstance(rule.target, ReversibleRouter)]
            if self.complete and all(type(rule) in (Rule, URLSpec) for rule in self.rules):
                self._reversible = found
        return found

    def candidates(self, request: httputil.HTTPServerRequest) -> Iterable[Any]:
        """The rules that may match, in order: all that do are among them."""
        if not self.complete or not _matchers_are_ours():
            return self.rules
        parts = [self._unread] if self._unread else []
        if self._paths:
            parts.append(self._paths.candidates(request.path))
        if self._hosts:
            parts.append(self._hosts.candidates(request.host_name))
        for application, hosts in self._default_hosts.values():
            parts.append(hosts.candidates(application.default_host))
        if len(parts) == 1:
            numbers = parts[0]
        else:
            numbers = sorted(number for part in parts for number in part)
        rules = self.rules
        return [rules[number] for number in numbers]


class RuleRouter(Router):
    """Routes by a list of rules, first match first."""

    _index: _RuleIndex | None = None

    def __init__(self, rules: Sequence[RuleLike] | None = None) -> None:
        self.rules: list[Rule] = _Rules()
        if rules:
            self.add_rules(rules)

    def add_rules(self, rules: Sequence[RuleLike]) -> None:
        """Append rules: `Rule` objects, or tuples of their arguments where a string stands for
        `PathMatches`.
        """
        for given in rules:
            self.rules.append(self.process_rule(_as_rule(given)))

    def process_rule(self, rule: Rule) -> Rule:
        """Called with each rule that is added; what it returns is kept. For subclasses."""
        return rule

    def find_handler(
        self, request: httputil.HTTPServerRequest, **kwargs: Any
    ) -> httputil.HTTPMessageDelegate | None:
        """The delegate of the first rule that matches and whose target takes the request."""
        for rule in self._current_index().candidates(request):
            params: dict[str, Any] | None = rule.matcher.match(request)
            if params is None:
                continue
            if rule.target_kwargs:
                params["target_kwargs"] = rule.target_kwargs
            found = self.get_target_delegate(rule.target, request, **params)
            if found is not None:
                return found
        return None

    def _current_index(self) -> _RuleIndex:
        index = self._index
        if index is None or not index.current(self.rules):
            index = self._index = _RuleIndex(self.rules)
        return index

    def get_target_delegate(
        self, target: Any, request: httputil.HTTPServerRequest, **target_params: Any
    ) -> httputil.HTTPMessageDelegate | None:
        """The delegate of a rule's target, or None if it is of no kind known. For subclasses that know more
        kinds.

        :arg request: the head of the request.
        """
        nested = target if isinstance(target, Router) else None
        if nested is not None:
            # what the rule has found out goes along
            return nested.find_handler(request, **target_params)
        connection: Any = request.connection
        is_delegate = isinstance(target, httputil.HTTPServerConnectionDelegate)
        if not is_delegate and not callable(target):
            return None
        assert connection is not None
        if is_delegate:
            started: httputil.HTTPMessageDelegate
            started = target.start_request(request.server_connection, connection)
            return started
        return _CallableAdapter(partial(target, **target_params), connection)


class ReversibleRuleRouter(ReversibleRouter, RuleRouter):
    """A `RuleRouter` that finds its rules, and those of routers among its targets, by name."""

    def __init__(self, rules: Sequence[RuleLike] | None = None) -> None:
        self.named_rules: dict[str, Rule] = {}
        super().__init__(rules)

    def process_rule(self, rule: Rule) -> Rule:
        """Remembers the rule's name."""
        rule = super().process_rule(rule)
        if rule.name:
            if rule.name in self.named_rules:
                app_log.warning("Multiple handlers named %s; replacing previous value", rule.name)
            self.named_rules[rule.name] = rule
        return rule

    def reverse_url(self, name: str, *args: Any) -> str | None:
        """The path of the rule ``name``; None for an unknown name."""
        known = self.named_rules.get(name)
        if known is not None:
            return known.matcher.reverse(*args)
        for router in self._current_index().reversible():
            path = router.reverse_url(name, *args)
            if path is not None:
                return path
        return None


class Rule:
    """A matcher, the target for what it matches, arguments for the target, and a name for `reverse_url`.

    :arg target_kwargs: a dict.
    """

    def __init__(
        self,
        matcher: Matcher,
        target: Any,
        target_kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        # a target given by its name is imported here and now: mistakes show at start-up
        self.target = import_object(target) if isinstance(target, str) else target
        self.matcher = matcher
        self.target_kwargs = target_kwargs or {}
        self.name = name

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("matcher", "target") and name in self.__dict__:
            _changes.count += 1
        super().__setattr__(name, value)

    def reverse(self, *args: Any) -> str | None:
        """The path that the matcher would match, with ``args`` for its groups."""
        return self.matcher.reverse(*args)

    def __repr__(self) -> str:
        what = f"{self.matcher!r}, {self.target}, kwargs={self.target_kwargs!r}, name={self.name!r}"
        return f"{type(self).__name__}({what})"


def _as_rule(given: RuleLike) -> Rule:
    if isinstance(given, Rule):
        return given
    if not isinstance(given, tuple | list):
        return given  # type: ignore[return-value]  # whatever has a Rule's attributes will do
    assert len(given) in (2, 3, 4)
    first, *others = given
    return Rule(PathMatches(first) if isinstance(first, str) else first, *others)


class Matcher:
    """Abstract base of what a `Rule` asks about a request."""

    def reverse(self, *args: Any) -> str | None:
        """A path that would match, with ``args`` for its groups; None where that cannot be told."""
        return None

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """None for no match; else a dict of arguments for the target (``path_args``, ``path_kwargs``),
        often empty.
        """
        raise NotImplementedError()


class _IndexedMatcher(Matcher):
    """Common base of the matchers that an index can read."""

    def __setattr__(self, name: str, value: Any) -> None:
        # not the first time, in the constructor: there cannot be an index yet
        if name in self.__dict__ or name == "match":
            _changes.count += 1
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        _changes.count += 1
        super().__delattr__(name)


class HostMatches(_IndexedMatcher):
    """Matches by the request's host name (without port), against a whole regular expression.

    :arg host_pattern: text or compiled; ``$`` is added to text that lacks it.
    """

    def __init__(self, host_pattern: str | re.Pattern[str]) -> None:
        self.host_pattern = _whole(host_pattern)

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """An empty dict if the host fits."""
        return {} if self.host_pattern.match(request.host_name) else None


class DefaultHostMatches(_IndexedMatcher):
    """Matches requests under no virtual host of their own, by the application's ``default_host``.

    Requests with X-Real-Ip never match: behind a proxy the client's Host header is what counts.

    :arg host_pattern: a compiled regular expression.
    """

    def __init__(self, application: Any, host_pattern: re.Pattern[str]) -> None:
        self.application = application
        self.host_pattern = host_pattern

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """An empty dict if the default host fits."""
        if "X-Real-Ip" in request.headers:
            return None
        return {} if self.host_pattern.match(self.application.default_host) else None


class AnyMatches(Matcher):
    """Matches every request."""

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """An empty dict."""
        return {}


class PathMatches(_IndexedMatcher):
    """Matches by the request's path (without query), against a whole regular expression.

    Its groups, either all named or none, become ``path_kwargs`` or ``path_args``, percent-decoded to bytes.

    :arg path_pattern: a regular expression, as text or compiled; ``$`` is added if it is missing.
    """

    def __init__(self, path_pattern: str | re.Pattern[str]) -> None:
        self.regex = _whole(path_pattern)
        assert len(self.regex.groupindex) in (0, self.regex.groups), (
            f"groups in url regexes must either be all named or all positional: {self.regex.pattern!r}"
        )
        self._path, self._group_count = self._find_groups()

    @property
    def regex(self) -> re.Pattern[str]:
        """The pattern. May be replaced."""
        return self._regex

    @regex.setter
    def regex(self, regex: re.Pattern[str]) -> None:
        self._regex = regex
        #: The one path that the pattern matches; None if it may match several.
        self.literal = _literal_path(regex)

    def match(self, request: httputil.HTTPServerRequest) -> dict[str, Any] | None:
        """The groups' contents, if the path fits."""
        return self.match_path(request.path)

    def match_path(self, path: str) -> dict[str, Any] | None:
        """`match` by the path alone."""
        found = self._regex.match(path)
        if found is None:
            return None
        if not self._regex.groups:
            return {}
        named = {name: _unquote_or_none(text) for name, text in found.groupdict().items()}
        unnamed = [] if named else [_unquote_or_none(text) for text in found.groups()]
        return {"path_args": unnamed, "path_kwargs": named}

    def reverse(self, *args: Any) -> str | None:
        """The path with ``args`` (text, bytes, or anything with a str) escaped in place of the groups.

        :raises ValueError: the pattern has parentheses that are no groups: ``(?:...)``, say.
        :raises AssertionError: there are fewer or more arguments than groups.
        """
        if self._path is None:
            raise ValueError("Cannot reverse url regex " + self.regex.pattern)
        assert len(args) == self._group_count, "required number of arguments not found"
        if not args:
            return self._path
        texts = [arg if isinstance(arg, str | bytes) else str(arg) for arg in args]
        return self._path % tuple(url_escape(utf8(text), plus=False) for text in texts)

    def _find_groups(self) -> tuple[str | None, int | None]:
        """The pattern as a format string, and how many groups it has: ``^/x/(a+)/y$`` gives ``/x/%s/y``, 1.

        (None, None) if it cannot be turned around: nested groups, or special characters before the first group.
        """
        pattern = self.regex.pattern.removeprefix("^").removesuffix("$")
        if pattern.count("(") != self.regex.groups:
            # nested or non-capturing groups, or literal parentheses
            return None, None
        texts = []
        try:
            for fragment in pattern.split("("):
                _group, closing, after = fragment.partition(")")
                # as in 4.5.3, what follows a group stays as it is, backslashes included, and so does "%s"
                texts.append("%s" + after if closing else re_unescape(fragment))
            return "".join(texts), self.regex.groups
        except ValueError:
            # a class like \d before the groups stands for more than one text
            return None, None


class URLSpec(Rule):
    """A rule of an application by path: pattern, handler class, its ``initialize`` arguments, and a name."""

    def __init__(
        self,
        pattern: str | re.Pattern[str],
        handler: Any,
        kwargs: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        path = PathMatches(pattern)
        super().__init__(path, handler, kwargs, name)
        self.kwargs = kwargs
        self.regex, self.handler_class = path.regex, self.target

    def _find_groups(self) -> tuple[str | None, int | None]:
        """The path with ``%s`` for its groups, and their number, of the pattern as it is now; 4.4's name."""
        return self.matcher._find_groups()  # type: ignore[no-any-return, attr-defined]

    def __repr__(self) -> str:
        what = f"{self.regex.pattern!r}, {self.handler_class}, kwargs={self.kwargs!r}, name={self.name!r}"
        return f"{type(self).__name__}({what})"


class _CallableAdapter(httputil.HTTPMessageDelegate):
    """Collects the body, then calls a function with the whole request."""

    _takes_any_size = True  # see ``_http1.pump``

    def __init__(self, request_callable: Callable[..., Any], request_conn: httputil.HTTPConnection) -> None:
        self.connection = request_conn
        self.request_callable = request_callable
        self.request: httputil.HTTPServerRequest | None = None
        self._chunks: list[bytes] = []

    def headers_received(self, start_line: Any, headers: httputil.HTTPHeaders) -> None:
        self.request = httputil.HTTPServerRequest(
            connection=self.connection, start_line=start_line, headers=headers
        )

    def data_received(self, chunk: bytes) -> None:
        self._chunks.append(chunk)

    def finish(self) -> None:
        request = self.request
        assert request is not None
        request.body = b"".join(self._chunks)
        request._parse_body()
        # As a RequestHandler has it: context variables set here are gone with the request.
        copy_context().run(self.request_callable, request)

    def on_connection_close(self) -> None:
        self._chunks = []


def _whole(pattern: str | re.Pattern[str]) -> re.Pattern[str]:
    """Compile a pattern given as text so that it must match to the end."""
    if not isinstance(pattern, str):
        return pattern
    try:
        return re.compile(pattern if pattern.endswith("$") else pattern + "$")
    except re.error as error:
        _hints.add(error, "url-pattern", pattern=pattern)
        raise


_SPECIAL = re.compile(r"[.^$*+?{}\[\]|()\\]")
_ESCAPED = re.compile(r"\\[^a-zA-Z0-9]")


def _literal_path(regex: re.Pattern[str]) -> str | None:
    """The one text that ``regex`` matches, where that can be seen easily."""
    pattern = regex.pattern
    if not isinstance(pattern, str) or regex.flags != re.UNICODE or not pattern.endswith("$"):
        return None
    inner = pattern.removeprefix("^")[:-1]
    if _SPECIAL.search(_ESCAPED.sub("", inner)):
        return None
    return _ESCAPED.sub(lambda escape: escape.group()[1:], inner)


def _unquote_or_none(s: str | None) -> bytes | None:
    """Percent-decode to bytes, decoded further by the handler; a group that took no part stays None.

    A plus sign stays one: in a path it does not mean a space.
    """
    return None if s is None else url_unescape(s, encoding=None, plus=False)

# Our own ways of matching, which an index is about.
_PATH_MATCH, _PATH_MATCH_PATH = PathMatches.match, PathMatches.match_path
_HOST_MATCH, _DEFAULT_HOST_MATCH = HostMatches.match, DefaultHostMatches.match


def _matchers_are_ours() -> bool:
    """Whether nobody has replaced what an index answers for."""
    return (
        PathMatches.match is _PATH_MATCH
        and PathMatches.match_path is _PATH_MATCH_PATH
        and HostMatches.match is _HOST_MATCH
        and DefaultHostMatches.match is _DEFAULT_HOST_MATCH
    )


_handed_on.complete(globals())
