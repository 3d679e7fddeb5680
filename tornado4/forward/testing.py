"""For `tornado4.testing`: errors of fetches that are raised, log messages of a level."""

from __future__ import annotations

import logging
import socket
import unittest
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from tornado4 import netutil, testing

_T = TypeVar("_T")

_bind = testing.bind_unused_port
_fetch = testing.AsyncHTTPTestCase.fetch
_init = testing.ExpectLog.__init__
_filter = testing.ExpectLog.filter


def bind_unused_port(reuse_port: bool = False, *, address: str = "127.0.0.1") -> tuple[socket.socket, int]:
    """A listening socket on a port of the system's choice, at ``address``; with its port."""
    if address == "127.0.0.1":
        return _bind(reuse_port)
    bound = netutil.bind_sockets(0, address, family=socket.AF_INET, reuse_port=reuse_port)[0]
    return bound, bound.getsockname()[1]


def setup_with_context_manager(testcase: unittest.TestCase, cm: AbstractContextManager[_T]) -> _T:
    """Enter a context manager in ``setUp``, to be left when the test is over."""
    entered = cm.__enter__()
    testcase.addCleanup(cm.__exit__, None, None, None)
    return entered


class AsyncHTTPTestCase(testing.AsyncHTTPTestCase):
    """Members for AsyncHTTPTestCase."""

    def fetch(self, path: str, raise_error: bool = False, **kwargs: Any) -> Any:
        """Fetch ``path`` of the server, or a whole URL, and wait for the response; ``raise_error`` raises errors."""
        if path.lower().startswith(("http://", "https://")):
            self.http_client.fetch(path, self.stop, **kwargs)
            response = self.wait()
        else:
            response = _fetch(self, path, **kwargs)
        if raise_error:
            response.rethrow()
        return response


class ExpectLog(testing.ExpectLog):
    """Members for ExpectLog."""

    #: The level that a message must have to match; None: any.
    level: int | None = None

    def __init__(
        self, logger: logging.Logger | str, regex: str, required: bool = True, level: int | None = None
    ) -> None:
        """``level`` is what the messages must have; a lower one of the logger is not a matter of this class."""
        _init(self, logger, regex, required)
        self.level = level

    def filter(self, record: logging.LogRecord) -> bool:
        """Hide a matching record, and remember it; one of another level is a failure.

        :raises AssertionError: a matching record has another level.
        """
        if (
            self.level is not None
            and self.level != record.levelno
            and self.regex.match(record.getMessage()) is not None
        ):
            raise AssertionError(
                f"expected log level {logging.getLevelName(self.level)}, got {record.levelname}"
            )
        return _filter(self, record)
