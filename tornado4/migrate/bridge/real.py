"""The real Tornado 6, imported when it is first needed; and what both sides' things are on the other."""

from __future__ import annotations

import asyncio
import functools
import importlib
import sys
from collections.abc import Callable
from typing import Any

from tornado4 import httputil, iostream
from tornado4.concurrent import Future

_LIMIT_THE_ALIAS = (
    "'tornado' means tornado4 in this process, so there is no Tornado 6 to bridge to: limit the alias to the packages "
    "that need it (tornado4 run --alias-for PACKAGE, or alias.install(for_=[...]))"
)


@functools.cache
def module(name: str) -> Any:
    """The real ``tornado.`` ``name``.

    :raises ImportError: Tornado 6 is not installed, or an older one is.
    :raises RuntimeError: the alias has the name ``tornado``.
    """
    try:
        package = importlib.import_module("tornado")
    except ModuleNotFoundError as error:
        raise ImportError(
            "the bridge leads to the real Tornado 6, which is not installed: pip install tornado"
        ) from error
    if package is sys.modules.get("tornado4"):
        raise RuntimeError(_LIMIT_THE_ALIAS)
    if package.version_info[0] < 6:
        raise ImportError(
            f"the bridge leads to Tornado 6; what is installed is {package.version}: pip install -U tornado"
        )
    return importlib.import_module(f"tornado.{name}")


@functools.cache
def derived(ours: Any, name: str, base: str) -> Any:
    """``ours`` as a subclass of the real ``tornado.name.base``, which ``isinstance`` there asks for."""
    return type(ours.__name__, (ours, getattr(module(name), base)), {"__module__": ours.__module__})


# -- values, from one side to the other ------------------------------------------------------------------------------


def to_real_headers(headers: httputil.HTTPHeaders) -> Any:
    """The same headers, in Tornado 6's class."""
    made = module("httputil").HTTPHeaders()
    for name, value in headers.get_all():
        made.add(name, value)
    return made


def to_our_headers(headers: Any) -> httputil.HTTPHeaders:
    """The same headers, in our class."""
    made = httputil.HTTPHeaders()
    for name, value in headers.get_all():
        made.add(name, value)
    return made


def to_real_error(error: BaseException) -> BaseException:
    """What Tornado 6 would have raised; other errors as they are."""
    if isinstance(error, iostream.StreamClosedError):
        return module("iostream").StreamClosedError(real_error=error.real_error)  # type: ignore[no-any-return]
    if isinstance(error, httputil.HTTPOutputError):
        return module("httputil").HTTPOutputError(*error.args)  # type: ignore[no-any-return]
    if isinstance(error, httputil.HTTPInputError):
        return module("httputil").HTTPInputError(*error.args)  # type: ignore[no-any-return]
    return error


def to_our_error(error: BaseException) -> BaseException:
    """What tornado4 would have raised; other errors as they are."""
    if isinstance(error, module("iostream").StreamClosedError):
        return iostream.StreamClosedError(real_error=error.real_error)
    if isinstance(error, module("httputil").HTTPOutputError):
        return httputil.HTTPOutputError(*error.args)
    if isinstance(error, module("httputil").HTTPInputError):
        return httputil.HTTPInputError(*error.args)
    return error


def to_real_future(future: Future | None) -> asyncio.Future[Any]:
    """An asyncio future with the outcome that ours has or will have. A failure that nobody asks for is not logged."""
    made = asyncio.get_running_loop().create_future()

    def settle(done: Future) -> None:
        if made.done():
            return  # cancelled
        error = done.exception()
        if error is None:
            made.set_result(done.result())
        else:
            made.set_exception(to_real_error(error))
            made.exception()

    if future is None:
        made.set_result(None)
    elif future.done():
        settle(future)
    else:
        future.add_done_callback(settle)
    return made


def to_our_future(future: asyncio.Future[Any], callback: Callable[[], Any] | None = None) -> Future:
    """A Future of ours with the outcome that an asyncio future will have; ``callback()`` is called when it has."""
    made = Future()

    def settle(done: asyncio.Future[Any]) -> None:
        error = None if done.cancelled() else done.exception()
        if error is None:
            made.set_result(None)
        else:
            made.set_exception(to_our_error(error))
            made.exception()  # who does not look does not care
        if callback is not None:
            callback()

    future.add_done_callback(settle)
    return made
