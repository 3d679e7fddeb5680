"""``MODULE:APP``: found, and made into what an `.HTTPServer` serves."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import os
import sys
import threading
from collections.abc import Iterator
from typing import Any

from tornado4 import httputil
from tornado4.ioloop import IOLoop


class TargetError(Exception):
    """There is no such application, or it is none; the text names it, and the way out."""


def load(name: str) -> Any:
    """The application that ``MODULE:APP`` names: what an `.HTTPServer` takes.

    APP may have dots. It is a tornado4 Application (or another server delegate), a callable without arguments that
    makes an application, a WSGI or an ASGI application, or a callable that takes an `.HTTPServerRequest`.

    :raises TargetError: the module or the name is not there, the object is none of these, or what should make an
        application runs a loop instead. What the module itself raises passes.
    """
    with _no_loop_of_its_own(name):
        return _load(name)


@contextlib.contextmanager
def _no_loop_of_its_own(name: str) -> Iterator[None]:
    """Refuse a loop that the program starts in this thread: nothing would be served, and nothing said.

    A program's ``main`` is easily taken for a factory, for it needs no arguments. `.IOLoop.run_sync` is no such thing.
    """
    here = threading.get_ident()
    depth = 0
    set_up, run_sync = IOLoop._setup_logging, IOLoop.run_sync

    def start(self: IOLoop) -> None:
        if depth == 0 and threading.get_ident() == here:
            raise TargetError(
                f"{name!r}: it starts an IOLoop, and would serve by itself. An application is wanted, or a function "
                "that returns one: docs/serve.md, 'When main() makes the application'"
            )
        set_up(self)

    def counted(self: IOLoop, *args: Any, **kwargs: Any) -> Any:
        nonlocal depth
        if threading.get_ident() != here:
            return run_sync(self, *args, **kwargs)
        depth += 1
        try:
            return run_sync(self, *args, **kwargs)
        finally:
            depth -= 1

    IOLoop._setup_logging, IOLoop.run_sync = start, counted  # type: ignore[method-assign]
    try:
        yield
    finally:
        IOLoop._setup_logging, IOLoop.run_sync = set_up, run_sync  # type: ignore[method-assign]


def _load(name: str) -> Any:
    module_name, path = split(name)
    here = os.getcwd()
    if here not in sys.path and not sys.flags.safe_path:
        sys.path.insert(0, here)  # as with python -m; a console script does not see to it
    sys.argv = [module_name]  # ours are not the program's
    found: Any = _import(module_name)
    for part in path.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            raise TargetError(f"{name!r}: {module_name} has no {path!r}; {_candidates(module_name)}") from None
    return adapt(found, name)


def split(name: str) -> tuple[str, str]:
    """Module and object. TargetError for a text that does not name both."""
    module_name, _, path = name.partition(":")
    if not module_name or not path:
        raise TargetError(f"{name!r}: MODULE:APP is wanted, as in 'myapp.main:application'")
    return module_name, path


def _import(name: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(error.name + ".")):
            raise TargetError(f"there is no module {error.name!r} in {os.getcwd()} or on sys.path") from None
        if error.name and error.name.partition(".")[0] == "tornado":
            error.add_note("tornado4: --alias has 'import tornado' get tornado4")
        raise


def _candidates(module_name: str) -> str:
    """What in the module could have been meant."""
    names = [
        name
        for name, value in vars(sys.modules[module_name]).items()
        if isinstance(value, httputil.HTTPServerConnectionDelegate)
        or (_may_make(value) and value.__module__ == module_name and not name.startswith("_"))
    ]
    return f"it has: {', '.join(names)}" if names else "nothing in it looks like an application"


def _may_make(value: Any) -> bool:
    if inspect.isclass(value):
        return issubclass(value, httputil.HTTPServerConnectionDelegate) and _required(value) == 0
    return inspect.isfunction(value)


def adapt(found: Any, name: str) -> Any:
    """What an `.HTTPServer` takes, for the object that was found.

    :raises TargetError: it is no application.
    """
    from tornado4.wsgi import WSGIApplication, WSGIContainer

    if isinstance(found, WSGIApplication):
        return WSGIContainer(found)  # which knows that nothing can be waited for in it
    if isinstance(found, httputil.HTTPServerConnectionDelegate):
        return found
    if any(cls.__module__.partition(".")[0] == "tornado" for cls in type(found).__mro__):
        raise TargetError(
            f"{name!r}: it is an application of the Tornado that is installed, not of tornado4; "
            "--alias has 'import tornado' get tornado4"
        )
    if not callable(found):
        raise TargetError(f"{name!r}: {found!r} is no application")
    arguments = _required(found)
    if arguments == 0:
        return _adapt_made(found, name)
    if arguments == 1:
        return found  # takes an HTTPServerRequest
    if arguments == 2:
        return WSGIContainer(found)
    if arguments == 3:
        from tornado4.asgi import ASGIContainer

        return ASGIContainer(found)
    raise TargetError(
        f"{name!r}: how is {found!r} to be called? Without arguments (a factory), with a request, "
        "with environ and start_response (WSGI), or with scope, receive and send (ASGI)"
    )


def _adapt_made(factory: Any, name: str) -> Any:
    made = factory()
    if inspect.isawaitable(made):
        if inspect.iscoroutine(made):
            made.close()
        raise TargetError(f"{name!r}: a factory returns an application, and this one has to be awaited")
    if callable(made) and not isinstance(made, httputil.HTTPServerConnectionDelegate) and _required(made) == 0:
        raise TargetError(f"{name!r}: it returns {made!r}, which is no application")
    return adapt(made, f"{name}()")


def _required(called: Any) -> int | None:
    """How many arguments a call needs; None if nobody can tell."""
    try:
        parameters = inspect.signature(called).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(each.kind is each.KEYWORD_ONLY and each.default is each.empty for each in parameters):
        return None
    return sum(
        each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)
        for each in parameters
    )
