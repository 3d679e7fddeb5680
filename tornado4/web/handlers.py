"""Ready-made handlers: errors, redirects, and whatever is not a handler at all."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tornado4.web.errors import HTTPError
from tornado4.web.handler import RequestHandler
from tornado4.web.redirects import LeadsAway, fill_in


class ErrorHandler(RequestHandler):
    """Answers every request with an error of ``status_code``."""

    def initialize(self, status_code: int) -> None:
        """Takes the status of all responses.

        :arg status_code: an int.
        """
        self.set_status(status_code)

    def check_xsrf_cookie(self) -> None:
        """Checks nothing: there is no action here that somebody could be tricked into."""

    def prepare(self) -> None:
        """Raises the error.

        :raises HTTPError: with ``status_code``, always.
        """
        raise HTTPError(self.get_status())


class RedirectHandler(RequestHandler):
    """Redirects GET to ``url``, where ``{0}``, ``{1}``, ... stand for the groups of the rule's pattern.

    ``Rule("/old/(.*)", RedirectHandler, {"url": "/new/{0}"})``; permanently (301) unless ``permanent`` is
    false. Groups fill in paths and queries; what would choose another host or scheme gets 400.
    """

    def initialize(self, url: str, permanent: bool = True) -> None:
        """Takes the target and the kind of redirect.

        :arg url: where to; ``permanent`` is 301 (default), else 302.
        """
        self._url = url
        self._permanent = permanent

    def get(self, *args: Any) -> None:
        """Redirects.

        :raises HTTPError: 400, if what the groups hold would lead to another host.
        """
        try:
            url = fill_in(self._url, args)
        except LeadsAway as error:
            raise HTTPError(400, "cannot redirect: %s", error) from None
        self.redirect(url, permanent=self._permanent)


class FallbackHandler(RequestHandler):
    """Hands the request to ``fallback``, a callable that takes it whole (a `WSGIContainer`, another
    `Application`).
    """

    def initialize(self, fallback: Callable[[Any], Any]) -> None:
        """Takes the callable.

        :arg fallback: called with the `.HTTPServerRequest`.
        """
        self.fallback = fallback

    def prepare(self) -> None:
        """Hands over. The fallback answers; for this handler the request is over."""
        self.fallback(self.request)
        self._finished = True
