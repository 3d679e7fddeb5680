"""What Python itself has dropped on the way to the versions that Tornado 6 runs on."""

from __future__ import annotations

import ast

from tornado4.migrate.backfill_table import TEST_CASE
from tornado4.migrate.check.project import Ref
from tornado4.migrate.check.walk import Place, detects
from tornado4.migrate.rules import rules

_ABCS = frozenset(
    "Awaitable Coroutine AsyncIterable AsyncIterator AsyncGenerator Hashable Iterable Iterator Generator Reversible "
    "Sized Container Callable Collection Set MutableSet Mapping MutableMapping MappingView KeysView ItemsView "
    "ValuesView Sequence MutableSequence ByteString".split()
)

#: Names that are gone, or going, by the rule that says so.
_NAMES = {
    **{f"collections.{name}": "TND901" for name in _ABCS},
    "asyncio.coroutine": "TND902",
    "asyncio.get_event_loop": "TND903",
    "inspect.getargspec": "TND905",
    "inspect.formatargspec": "TND905",
    "imp": "TND905",
    "asyncore": "TND905",
    "asynchat": "TND905",
    "distutils": "TND905",
    "ssl.match_hostname": "TND905",
    "ssl.wrap_socket": "TND453",
    "unittest.makeSuite": "TND906",
    "datetime.datetime.utcnow": "TND907",
    "datetime.datetime.utcfromtimestamp": "TND907",
    "asyncio.set_event_loop_policy": "TND908",
    "asyncio.DefaultEventLoopPolicy": "TND908",
    "tornado.platform.asyncio.AnyThreadEventLoopPolicy": "TND908",
}
#: What to write instead, where the rule is about many things.
_INSTEAD = {
    "inspect.getargspec": "inspect.getfullargspec, or inspect.signature",
    "inspect.formatargspec": "inspect.signature",
    "imp": "importlib",
    "asyncore": "asyncio",
    "asynchat": "asyncio",
    "distutils": "gone from Python 3.12: setuptools, packaging.version, shutil, sysconfig",
    "ssl.match_hostname": "SSLContext.check_hostname",
    "unittest.makeSuite": "unittest.TestLoader.loadTestsFromTestCase",
}
_LAST = frozenset(name.rpartition(".")[2] for name in _NAMES)

_ASSERTS = frozenset({*TEST_CASE, "assertDictContainsSubset"})

_LOOP_ARGUMENT = frozenset(
    "sleep wait wait_for gather shield as_completed Queue Lock Event Condition Semaphore open_connection "
    "start_server".split()
)


def _report(place: Place, node: ast.AST, name: str, rule_id: str) -> None:
    rule = rules()[rule_id]
    instead = _INSTEAD.get(name) or _INSTEAD.get(name.partition(".")[0])
    if name in TEST_CASE:
        instead = f"self.{TEST_CASE[name]}"
    message = f"{name}: {instead or rule.advice or rule.title}"
    if name.partition(".")[0] == "distutils" and place.module.path.rpartition("/")[2] == "setup.py":
        place.report_optional(node, rule_id, "certain", message)  # setuptools brings one along
    elif rule_id == "TND903":
        _loop_asked_for(place, node, message)
    else:
        place.report(node, rule_id, "certain", message)


def _loop_asked_for(place: Place, node: ast.AST, message: str) -> None:
    """``asyncio.get_event_loop()``: fine where a loop runs, gone at the top of a module; between, who can tell."""
    if not place.contexts.on_loop(place.scope):
        place.report(node, "TND903", "note" if place.scope.enclosing_function() else "likely", message)


@detects(ast.Attribute)
def attribute(place: Place, node: ast.AST) -> None:
    assert isinstance(node, ast.Attribute)
    if node.attr in _ASSERTS and isinstance(node.value, ast.Name) and node.value.id == "self":
        if node.attr != "assert_" or place.scope.enclosing_class() is not None:
            _report(place, node, node.attr, "TND906")
    elif node.attr in _LAST:
        for value in place.resolve(node):
            if isinstance(value, Ref) and value.dotted in _NAMES:
                _report(place, node, value.dotted, _NAMES[value.dotted])


@detects(ast.Import, ast.ImportFrom)
def imported(place: Place, node: ast.AST) -> None:
    if isinstance(node, ast.Import):
        for alias in node.names:
            top = alias.name.partition(".")[0]
            if top in _NAMES:
                _report(place, alias, alias.name, _NAMES[top])
    elif isinstance(node, ast.ImportFrom) and not node.level:
        source = node.module or ""
        top = source.partition(".")[0]
        if top in _NAMES:
            _report(place, node, source, _NAMES[top])
            return
        for alias in node.names:
            dotted = f"{source}.{alias.name}"
            if dotted in _NAMES:
                _report(place, alias, dotted, _NAMES[dotted])


@detects(ast.Call)
def loop_argument(place: Place, node: ast.AST) -> None:
    """``asyncio.sleep(1, loop=loop)``."""
    assert isinstance(node, ast.Call)
    if not any(keyword.arg == "loop" for keyword in node.keywords):
        return
    for value in place.resolve(node.func):
        if isinstance(value, Ref):
            module, _, name = value.dotted.rpartition(".")
            if module == "asyncio" and name in _LOOP_ARGUMENT:
                _report(place, node, f"{value.dotted}(loop=...)", "TND904")
