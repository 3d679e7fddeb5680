"""Functions that rewritten code needs: where a callee takes a callback and nothing is known of it, or where it is not
known what a coroutine yielded, or `gen.maybe_future` was given; or what `stack_context.wrap` did.

They are written into a module of the project's own (``--helpers FILE``), each once, and only when something needs it.
They need nothing but Tornado, of either release.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tornado4.migrate.check.files import module_name, shown
from tornado4.migrate.check.project import Module
from tornado4.migrate.check.scopes import FUNCTIONS
from tornado4.migrate.fix.program import Import, free, visible
from tornado4.migrate.fix.steps import Plan, Refused, Step

AS_FUTURE = "as_future"
WAIT = "wait"
MAYBE_FUTURE = "maybe_future"
IN_CONTEXT = "in_context"

HEAD = '"""What code needs that was written for Tornado 4."""\n'

#: What each function imports, and its text.
HELPERS: dict[str, tuple[tuple[str, ...], str]] = {
    AS_FUTURE: (
        ("from tornado.concurrent import Future",),
        '''\
def as_future(function, *args, **kwargs):
    """Call a function that takes a callback; what the callback is called with is the Future's result."""
    future = Future()

    def callback(*values):
        future.set_result(values[0] if len(values) == 1 else values or None)

    function(*args, callback=callback, **kwargs)
    return future
''',
    ),
    WAIT: (
        ("from tornado import gen",),
        '''\
@gen.coroutine
def wait(yielded):
    """Wait for what yield takes and await does not: None, a list, a dictionary, a Future of a thread."""
    return (yield yielded)
''',
    ),
    MAYBE_FUTURE: (
        ("import asyncio", "import concurrent.futures", "import inspect", "from tornado.concurrent import is_future"),
        '''\
async def maybe_future(value):
    """Wait for a Future or a coroutine; anything else is the result as it is."""
    if isinstance(value, concurrent.futures.Future):
        return await asyncio.wrap_future(value)
    if is_future(value) or inspect.iscoroutine(value):
        return await value
    return value
''',
    ),
    IN_CONTEXT: (
        ("import contextvars", "import functools"),
        '''\
def in_context(function):
    """A function that is called, whenever that is, with the context variables as they are now."""
    if function is None:
        return None
    context = contextvars.copy_context()

    @functools.wraps(function)
    def wrapped(*args, **kwargs):
        return context.copy().run(function, *args, **kwargs)

    return wrapped
''',
    ),
}


def module(path: Path) -> str:
    """The dotted name by which the program imports the file. ValueError for one that is no module."""
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise ValueError(f"--helpers {path}: a file is wanted that can be imported, such as package/compat.py")
    return module_name(path)


def spelled(plan: Plan, step: Step, at: Module, node: ast.AST, name: str) -> str:
    """How a place calls a helper; its import is entered into the step."""
    path = plan.options.helpers
    assert path is not None
    if shown(path) == at.path:
        raise Refused("it stands in the module of the helpers: by hand")
    home = module(path)
    _ensure_ours(plan, path, name)
    for bound, bindings in at.scope.bindings.items():
        if all(getattr(each, "dotted", "") == f"{home}.{name}" for each in bindings):
            if visible(bound, plan.index(at).scopes[node]) is at.scope:
                step.helpers.append(name)
                return bound
    bound = free(name, plan.index(at).scopes[node], at.scope, prefix="our")
    step.imports.append((at, Import(home, name, bound)))
    step.helpers.append(name)
    return bound


def _ensure_ours(plan: Plan, path: Path, name: str) -> None:
    """Refuse where the file has something of a helper's name that is no such helper."""
    found = plan.program.files.get(shown(path))
    if found is None and not path.exists():
        return
    tree = found.tree if found is not None else ast.parse(path.read_bytes())
    nodes = [each for each in ast.walk(tree) if name in _bound(each)]
    if nodes and not (len(nodes) == 1 and nodes[0] in tree.body and _is_helper(nodes[0], name)):
        raise Refused(f"{shown(path)} has another {name} already: --helpers wants a file without one")


def _bound(node: ast.AST) -> set[str]:
    """The names that a node binds, in whatever scope."""
    if isinstance(node, (*FUNCTIONS, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.alias):
        return {node.asname or node.name.partition(".")[0]}
    return {node.id} if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load) else set()


def _is_helper(node: ast.AST, name: str) -> bool:
    return ast.dump(node) == ast.dump(ast.parse(HELPERS[name][1]).body[0])


def with_helpers(before: str, names: Iterable[str]) -> str:
    """The text of the module with the functions in it; as it was, when it has them."""
    text = before
    for name in names:
        needed, function = HELPERS[name]
        if f"def {name}(" in text:
            continue
        text = text if text.strip() else HEAD
        for each in reversed(needed):
            if each not in text:
                text = _importing(text, each)
        text = f"{text.rstrip()}\n\n\n{function}"
    return text


def _importing(text: str, needed: str) -> str:
    """The text with an import more: by the others at its top, or behind its docstring."""
    tree = ast.parse(text)
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    lines = text.split("\n")
    if imports:
        standard = needed.startswith("import ")
        at = imports[0].lineno - 1 if standard else imports[-1].end_lineno or imports[-1].lineno
        if not standard or isinstance(imports[0], ast.Import):
            lines.insert(at, needed)
        else:
            lines[at:at] = [needed, ""]
        return "\n".join(lines)
    at = tree.body[0].end_lineno or 0 if ast.get_docstring(tree) is not None else 0
    lines[at:at] = ["", needed, ""] if at else [needed, "", ""]
    return "\n".join(lines)
