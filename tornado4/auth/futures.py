"""How the methods of this package answer: by a Future, and by a callback for those who pass one."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tornado4.concurrent import Future, TracebackFuture
from tornado4.log import gen_log
from tornado4.stack_context import ExceptionStackContext
from tornado4.util import ArgReplacer

if TYPE_CHECKING:

    class Handler:
        """What the mixins need of the `.RequestHandler` they are mixed into."""

        request: Any
        redirect: Callable[..., None]
        finish: Callable[..., None]
        get_argument: Callable[..., Any]
        get_cookie: Callable[..., Any]
        set_cookie: Callable[..., None]
        clear_cookie: Callable[..., None]
        require_setting: Callable[..., None]

        @property
        def settings(self) -> dict[str, Any]: ...

else:
    Handler = object  # this package lies below `tornado4.web`, and must not import it


class AuthError(Exception):
    """A login failed: the provider refused, or what came back does not fit what was sent."""


def _auth_future_to_callback(callback: Callable[[Any], Any], future: Future) -> None:
    """Give a callback the result, or ``None`` where the login failed, which is then logged."""
    try:
        user = future.result()
    except AuthError as error:
        gen_log.warning(str(error))
        user = None
    callback(user)


def _auth_return_future(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorate a function whose ``callback`` argument shall be a Future to resolve.

    Callers get that Future, and may pass a callback of their own: it gets ``None`` in place of an
    `AuthError`, as in the days before Futures. Exceptions go into the Future too, those of callbacks
    that ``f`` starts included.
    """
    arguments = ArgReplacer(f, "callback")

    @functools.wraps(f)
    def wrapper(*args: Any, **kwargs: Any) -> Future:
        future = TracebackFuture()
        callback, args_, kwargs = arguments.replace(future, args, kwargs)
        if callback is not None:
            future.add_done_callback(functools.partial(_auth_future_to_callback, callback))

        def keep_exception(typ: Any, value: Any, tb: Any) -> bool:
            if future.done():
                return False  # somebody else's, raised after the answer was known
            future.set_exc_info((typ, value, tb))
            return True

        with ExceptionStackContext(keep_exception):
            f(*args_, **kwargs)
        return future

    return wrapper
