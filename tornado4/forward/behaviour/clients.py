"""HTTP clients as of 6.0 and 6.1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4 import httpclient, simple_httpclient, testing
from tornado4.concurrent import Future

_follow_redirect = simple_httpclient._HTTPConnection._follow_redirect
_fetch_of_tests = testing.AsyncHTTPTestCase.fetch
_NAME = "Tornado/6.6.1"


def _no_answer(response: Any) -> bool:
    """Whether a response stands for one that never came: its error is not made of its status."""
    return response.error is not None and getattr(response.error, "response", None) is not response


def raise_where_nothing_answered() -> None:
    """``raise_error=False`` is about statuses: where nothing has answered, `fetch` raises all the same."""

    def _resolve(future: Future, raise_error: bool, response: Any) -> None:
        if response.error and (raise_error or _no_answer(response)):
            future.set_exception(response.error)
        else:
            future.set_result(response)

    def fetch(self: Any, path: str, **kwargs: Any) -> Any:
        response: Any = _fetch_of_tests(self, path, **kwargs)
        if _no_answer(response):
            raise response.error
        return response

    httpclient._resolve = _resolve
    testing.AsyncHTTPTestCase.fetch = fetch  # type: ignore[method-assign]


def redirect_as_browsers_do() -> None:
    """POST becomes GET after 301 and 302; other methods than that stay what they are, but after 303."""

    def follow(self: Any) -> None:
        method, code = self.request.method, self.code
        to_get = (code == 303 and method != "HEAD") or (code in (301, 302) and method == "POST")
        room: Any = simple_httpclient
        before = room._REDIRECTS_TO_GET
        room._REDIRECTS_TO_GET = frozenset((code,)) if to_get else frozenset()
        try:
            _follow_redirect(self)
        finally:
            room._REDIRECTS_TO_GET = before

    simple_httpclient._HTTPConnection._follow_redirect = follow  # type: ignore[method-assign]


def name_the_agent() -> None:
    """A request without a User-Agent gets one; an empty one in its headers keeps it out."""
    complete: Callable[[Any], Any] = simple_httpclient._HTTPConnection._complete_headers

    def _complete_headers(self: Any) -> Any:
        if "User-Agent" not in self.request.headers and not self.request.user_agent:
            self.request.headers["User-Agent"] = _NAME
        return complete(self)

    simple_httpclient._HTTPConnection._complete_headers = _complete_headers  # type: ignore[method-assign]
