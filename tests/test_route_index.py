"""The index of rules: it names each rule that matches, and hardly any other."""

from __future__ import annotations

import re
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st
from test_routing import Named, request

from tornado4 import _route_index, routing
from tornado4._route_index import HostIndex, PathIndex
from tornado4.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    Matcher,
    PathMatches,
    ReversibleRuleRouter,
    Rule,
    RuleRouter,
)
from tornado4.web import Application, RequestHandler
from tornado4.web.shortcut import Routes

SHAPES = {
    "plain": ("/r{}", "/r{}"),
    "word": (r"/r{}/(\w+)", "/r{}/x"),
    "api": (r"/api/v1/(\w+)/r{}/(\d+)", "/api/v1/x/r{}/7"),
}


class Unread(Matcher):
    """A matcher that no index knows."""

    def __init__(self, inner: Matcher) -> None:
        self.inner = inner

    def match(self, request: Any) -> dict[str, Any] | None:
        return self.inner.match(request)


def whole(pattern: str) -> re.Pattern[str]:
    return PathMatches(pattern).regex


@pytest.mark.parametrize(
    ("pattern", "matching", "left_out"),
    [
        ("/a/b", ["/a/b"], ["/a", "/a/b/", "/a/bc", "/b/b", ""]),
        (r"^/a\.b$", ["/a.b"], ["/axb"]),
        (r"/a/(\w+)", ["/a/x"], ["/a", "/b/x", "/a/x/y"]),
        (r"/a/(?P<n>[^/]+)/edit", ["/a/7/edit"], ["/a/7/8/edit", "/a/7/view"]),
        (r"/(\d{4})-(?:\d\d|x(y)?)/(a|b)*/z", ["/2001-11/a/z", "/2001-xy//z"], ["/2001-11/z"]),
        (r"/user-(\d+)/x", ["/user-1/x"], ["/user/x", "/usr-1/x"]),
        ("/a/?", ["/a", "/a/"], ["/ab", "/a//", "/b/"]),
        ("/a(/.*)?", ["/a", "/a/b/c"], ["/b/a"]),
        ("/static/(.*)", ["/static/", "/static/a/b"], ["/static", "/statik/a"]),
        ("/colou?r/x", ["/color/x", "/colour/x"], ["/cola/x/y", "/a/x"]),
        ("/a{,2}b/c", ["/b/c", "/aab/c"], []),
        ("/x[/]y", ["/x/y"], ["/a"]),
        (r"/x\Wy", ["/x/y"], ["/a"]),
        (r"/x\x2fy", ["/x/y"], ["/a"]),
        ("/x/+y", ["/x/y", "/x//y"], ["/z"]),
        ("/a|/b", ["/a", "/b"], []),
        ("/a/.*|/b", ["/a/x", "/b"], []),
        (r"[\\]|/x]", ["/x]"], []),
        ("(?#(|)/a|/b", ["/b"], []),
        ("/(a(b(c))|d)", ["/abc", "/d"], ["/x/d"]),
        ("(?i)/x", ["/X"], []),
        (".*", ["/", "", "*"], []),
        (r"/a\$", ["/a$", "/a$b"], ["/b"]),
        (r"/é/\-", ["/é/-"], ["/e/-"]),
    ],
)
def test_what_a_pattern_says_of_paths(
    pattern: str, matching: list[str], left_out: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    few = PathIndex()
    few.add(0, whole(pattern))
    assert all(few.candidates(path) == [0] for path in matching)
    monkeypatch.setattr(_route_index, "_FEW", -1)
    index = PathIndex()
    index.add(0, whole(pattern))
    for path in matching:
        assert whole(pattern).match(path), path
        assert index.candidates(path) == [0], path
    for path in left_out:
        assert not index.candidates(path), path


def test_a_compiled_pattern_may_leave_the_end_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_route_index, "_FEW", -1)
    index = PathIndex()
    index.add(0, re.compile("/a/b"))
    index.add(1, re.compile("/a/b$"))
    index.add(2, re.compile("/a/b", re.IGNORECASE))
    assert index.candidates("/a/bc/d") == [0, 2]
    assert index.candidates("/a/b") == [0, 1, 2]
    assert index.candidates("/a/b\n") == [0, 1, 2]


PIECES = [
    *(
        "/",
        "/",
        "/",
        "a",
        "b",
        "ab",
        r"\.",
        ".",
        r"\d",
        r"\w+",
        "[^/]+",
        "[ab/]",
        r"\W",
        "(a)",
        "(a|b)",
        "(/)",
        "(/a)?",
        "a?",
    ),
    *(
        "/?",
        "b*",
        "(?:a|/b)",
        "(?!a)",
        "(?=/)",
        "|",
        "(.*)",
        r"\/",
        "[|]",
        "(a(b)?)",
        "a{2}",
        "b{,2}",
        "{",
        "$",
        "^",
        r"(\d+)",
    ),
]
patterns = st.lists(st.sampled_from(PIECES), max_size=7).map("".join)
paths = st.lists(st.sampled_from(["/", "/", "a", "b", "ab", ".", "1", "-", "|", "{", "\n", "$"]), max_size=7).map(
    "".join
)


def valid(pattern: str) -> bool:
    try:
        re.compile(pattern)
    except re.error:
        return False
    return True


def linear(rules: list[Any], asked: Any) -> Any:
    return next((rule.target.find_handler(asked) for rule in rules if rule.matcher.match(asked) is not None), None)


matchers = st.one_of(
    patterns.filter(valid).map(PathMatches),
    st.tuples(patterns.filter(valid), st.sampled_from([0, re.IGNORECASE])).map(lambda p: PathMatches(re.compile(*p))),
    st.sampled_from(["a.b", r"a\.b", "a.*", r"(\w)\.b", "x.b", ".....", r"a\.b|x", ""]).map(HostMatches),
    st.just(AnyMatches()),
    patterns.filter(valid).map(lambda pattern: Unread(PathMatches(pattern))),
)


@given(st.lists(matchers, max_size=8), st.lists(paths, max_size=5), st.sampled_from(["a.b", "axb", "x.b", "c"]))
def test_the_first_match_is_that_of_a_look_at_each_rule(given_: list[Matcher], asked: list[str], host: str) -> None:
    for few in (-1, 8):  # down the tree, and one by one
        with mock.patch.object(_route_index, "_FEW", few):
            router = RuleRouter([Rule(matcher, Named(str(number))) for number, matcher in enumerate(given_)])
            for path in ["/a", *asked]:
                head = request("/", host=host)
                head.path = path
                found: Any = router.find_handler(head)
                expected = linear(list(router.rules), head)
                assert (found and found[0]) == (expected and expected[0])


@given(st.lists(patterns.filter(valid), max_size=8), paths.map(lambda path: path.replace("\n", "")))
def test_the_short_way_finds_the_same(given_: list[str], path: str) -> None:
    handlers = [type(f"H{number}", (RequestHandler,), {}) for number in range(len(given_))]
    app = Application(list(zip(given_, handlers, strict=True)))
    expected = next((rule for rule in app.wildcard_router.rules if rule.matcher.match_path(path) is not None), None)
    for few in (-1, 8):
        with mock.patch.object(_route_index, "_FEW", few):
            found = Routes(app).find(path)
            assert found is None or found[0] is expected
            assert (found is None) == (expected is None)


@pytest.mark.parametrize("shape", SHAPES)
def test_a_thousand_rules_leave_one_to_try(shape: str) -> None:
    pattern, path = SHAPES[shape]
    index = PathIndex()
    for number in range(1000):
        index.add(number, whole(pattern.format(number)))
    assert index.candidates(path.format(999)) == [999]
    assert index.candidates("/nowhere") == []


@pytest.mark.parametrize("pattern", [r"www{}\.example\.com", "www{}.example.com"])
def test_a_thousand_hosts_leave_one_to_try(pattern: str) -> None:
    index = HostIndex()
    for number in range(1000):
        index.add(number, HostMatches(pattern.format(number)).host_pattern)
    index.add(1000, HostMatches(r".*\.org").host_pattern)
    assert index.candidates("www999.example.com") == [999, 1000]


def test_no_request_compares_rules_or_asks_those_that_cannot_match(monkeypatch: pytest.MonkeyPatch) -> None:
    app = Application([(pattern.format(n), RequestHandler) for pattern, _ in SHAPES.values() for n in range(100)])
    app.add_handlers(r"host\.test", [(f"/h{number}", RequestHandler) for number in range(100)])
    heads = [request(path.format(99)) for _, path in SHAPES.values()]
    heads.append(request("/h99", host="host.test"))
    Routes(app).find("/r99")
    app.find_handler(heads[0])  # makes the index
    asked: list[Any] = []

    def no_comparison(self: object, other: object) -> bool:
        raise AssertionError("rules are compared")

    monkeypatch.setattr(Rule, "__eq__", no_comparison)
    ours = PathMatches.match

    def match(self: PathMatches, head: Any) -> Any:
        asked.append(self)
        return ours(self, head)

    monkeypatch.setattr(routing, "_PATH_MATCH", match)
    monkeypatch.setattr(PathMatches, "match", match)
    for head in heads:
        asked.clear()
        found: Any = app.find_handler(head)
        assert found.handler_class is RequestHandler
        assert len(asked) == 1
        assert Routes(app).current(app)


def test_each_way_to_change_a_list_is_noticed() -> None:
    class Reversed:
        """Sorts rules backwards."""

        def __init__(self, rule: Rule) -> None:
            self.name = rule.name or ""

        def __lt__(self, other: Reversed) -> bool:
            return self.name > other.name

    def rule(name: str) -> Rule:
        return Rule(PathMatches("/.*"), Named(name), name=name)

    router = RuleRouter([rule("m")])
    rules = router.rules
    changes: list[tuple[Any, str | None]] = [
        (lambda: rules.append(rule("z")), "m"),
        (lambda: rules.insert(0, rule("a")), "a"),
        (lambda: rules.reverse(), "z"),
        (lambda: rules.sort(key=lambda one: one.name), "a"),
        (lambda: rules.sort(key=Reversed), "z"),
        (lambda: rules.remove(rules[0]), "m"),
        (lambda: rules.pop(0), "a"),
        (lambda: rules.__setitem__(0, rule("b")), "b"),
        (lambda: rules.__setitem__(slice(0, 1), [rule("c")]), "c"),
        (lambda: rules.clear(), None),
        (lambda: rules.extend([rule("d"), rule("e")]), "d"),
        (lambda: rules.__delitem__(0), "e"),
        (lambda: rules.__delitem__(slice(None)), None),
        (lambda: rules.__iadd__([rule("f")]), "f"),
        (lambda: rules.__imul__(0), None),
        (lambda: router.add_rules([rule("g")]), "g"),
        (lambda: setattr(rules[0], "matcher", PathMatches("/none")), None),
        (lambda: setattr(rules[0].matcher, "regex", re.compile("/x")), "g"),
        (lambda: setattr(rules[0], "target", Named("h")), "h"),
        (lambda: setattr(rules[0], "matcher", HostMatches("none")), None),
        (lambda: setattr(rules[0].matcher, "host_pattern", re.compile("exam")), "h"),
        (lambda: setattr(rules[0].matcher, "match", lambda head: None), None),
        (lambda: delattr(rules[0].matcher, "match"), "h"),
        (lambda: setattr(router, "rules", [rule("i")]), "i"),
        (lambda: router.rules.insert(0, rule("j")), "j"),  # of a plain list nobody tells
    ]
    for change, expected in changes:
        change()
        found: Any = router.find_handler(request("/x"))
        assert (found and found[0]) == expected


def test_default_hosts_are_found_by_the_applications() -> None:
    class App:
        default_host = "b.test"

    app = App()
    router = RuleRouter()
    for name in ("a.test", "b.test", r"\w\.test"):
        router.add_rules([(DefaultHostMatches(app, HostMatches(name).host_pattern), Named(name))])
    found: Any = router.find_handler(request())
    assert found[0] == "b.test"
    app.default_host = "c.test"
    found = router.find_handler(request())
    assert found[0] == r"\w\.test"
    router.rules[0].matcher.application = type("Other", (), {"default_host": "a.test"})
    found = router.find_handler(request())
    assert found[0] == "a.test"


def test_names_are_looked_for_in_the_routers_that_there_are_now() -> None:
    inner = ReversibleRuleRouter([Rule(PathMatches("/in"), Named("i"), name="inner")])
    router = ReversibleRuleRouter([Rule(PathMatches(f"/{n}"), Named("x"), name=f"n{n}") for n in range(100)])
    assert router.reverse_url("inner") is None
    router.add_rules([Rule(AnyMatches(), inner)])
    assert router.reverse_url("inner") == "/in"
    inner.add_rules([Rule(PathMatches("/late"), Named("l"), name="late")])
    assert (router.reverse_url("late"), router.reverse_url("n99")) == ("/late", "/99")
    other = ReversibleRuleRouter([Rule(PathMatches("/other"), Named("o"), name="inner")])
    router.rules[0].target = other
    assert router.reverse_url("inner") == "/other"
    router.rules[0].target = Named("x")
    assert router.reverse_url("inner") == "/in"
    router.rules = [*router.rules[:-1], Rule(AnyMatches(), other)]
    assert router.reverse_url("inner") == "/other"
    router.rules[-1] = Rule(AnyMatches(), inner)  # of a plain list nobody tells
    assert router.reverse_url("inner") == "/in"
