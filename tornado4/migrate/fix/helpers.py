"""A function that rewritten code needs where a callee takes a callback and nothing is known of it.

It is written into a module of the project's own (``--helpers FILE``), once, and only when something needs it. It needs
nothing but Tornado, of either release.
"""

from __future__ import annotations

from pathlib import Path

from tornado4.migrate.check.files import module_name

NAME = "as_future"

HEAD = '''"""What code needs that was written for Tornado 4."""

from tornado.concurrent import Future
'''

TEXT = '''

def as_future(function, *args, **kwargs):
    """Call a function that takes a callback; what the callback is called with is the Future's result."""
    future = Future()

    def callback(*values):
        future.set_result(values[0] if len(values) == 1 else values or None)

    function(*args, callback=callback, **kwargs)
    return future
'''


def module(path: Path) -> str:
    """The dotted name by which the program imports the file. ValueError for one that is no module."""
    if path.suffix != ".py" or not path.stem.isidentifier():
        raise ValueError(f"--helpers {path}: a file is wanted that can be imported, such as package/compat.py")
    return module_name(path)


def with_helper(before: str) -> str:
    """The text of the module with the function in it; as it was, when it has one."""
    if f"def {NAME}(" in before:
        return before
    if not before.strip():
        return HEAD + TEXT
    imported = "" if "import Future" in before else "\n\nfrom tornado.concurrent import Future  # noqa: E402\n"
    return before.rstrip("\n") + "\n" + imported + TEXT
