"""Functions that rewritten code needs: where a callee takes a callback and nothing is known of it, or where it is not
known what a coroutine yielded.

They are written into a module of the project's own (``--helpers FILE``), each once, and only when something needs it.
They need nothing but Tornado, of either release.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path

from tornado4.migrate.check.files import module_name, shown
from tornado4.migrate.check.project import Module
from tornado4.migrate.fix.program import Import, free, visible
from tornado4.migrate.fix.steps import Plan, Refused, Step

AS_FUTURE = "as_future"
WAIT = "wait"

HEAD = '"""What code needs that was written for Tornado 4."""\n'

#: What each function imports, and its text.
HELPERS = {
    AS_FUTURE: (
        "from tornado.concurrent import Future",
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
        "from tornado import gen",
        '''\
@gen.coroutine
def wait(yielded):
    """Wait for what yield takes and await does not: None, a list, a dictionary, a Future of a thread."""
    return (yield yielded)
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
    for bound, bindings in at.scope.bindings.items():
        if all(getattr(each, "dotted", "") == f"{home}.{name}" for each in bindings):
            if visible(bound, plan.index(at).scopes[node]) is at.scope:
                step.helpers.append(name)
                return bound
    bound = free(name, plan.index(at).scopes[node], at.scope)
    step.imports.append((at, Import(home, name, bound)))
    step.helpers.append(name)
    return bound


def with_helpers(before: str, names: Iterable[str]) -> str:
    """The text of the module with the functions in it; as it was, when it has them."""
    text = before
    for name in names:
        needed, function = HELPERS[name]
        if f"def {name}(" in text:
            continue
        if not text.strip():
            text = f"{HEAD}\n{needed}\n"
        elif needed not in text:
            text = _importing(text, needed)
        text = f"{text.rstrip()}\n\n\n{function}"
    return text


def _importing(text: str, needed: str) -> str:
    """The text with an import more: by the others at its top, or behind its docstring."""
    tree = ast.parse(text)
    imports = [each for each in tree.body if isinstance(each, ast.Import | ast.ImportFrom)]
    lines = text.split("\n")
    if imports:
        lines.insert(imports[-1].end_lineno or imports[-1].lineno, needed)
        return "\n".join(lines)
    at = tree.body[0].end_lineno or 0 if ast.get_docstring(tree) is not None else 0
    lines[at:at] = ["", needed, ""] if at else [needed, "", ""]
    return "\n".join(lines)
