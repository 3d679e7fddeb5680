"""Exceptions with which a handler ends a request.

    Exception
     ├── HTTPError                  answer with this status
     │    └── MissingArgumentError  400: a required argument is absent
     └── Finish                     answer with what has been set so far

(`tornado4.httpclient.HTTPError` is another class, for responses that a *client* got.)
"""

from __future__ import annotations

from typing import Any

from tornado4 import httputil


class HTTPError(Exception):
    """An exception that becomes an HTTP error response.

    ``status_code`` is the response's status. ``log_message`` goes to the log and never to the
    client; further positional ``args`` are substituted into it with ``%``. A message without
    ``args`` is taken literally, percent signs included. The keyword ``reason`` replaces the
    standard reason phrase, and makes status codes possible that the standard does not list.
    """

    def __init__(
        self, status_code: int = 500, log_message: str | None = None, *args: Any, **kwargs: Any
    ) -> None:
        self.reason: str | None = kwargs.get("reason")
        self.status_code = status_code
        literal = bool(log_message) and not args
        self.log_message = log_message.replace("%", "%%") if log_message and literal else log_message
        self.args = args

    def __str__(self) -> str:
        phrase = self.reason or httputil.responses.get(self.status_code, "Unknown")
        text = f"HTTP {self.status_code:d}: {phrase}"
        return f"{text} ({self.log_message % self.args})" if self.log_message else text


class Finish(Exception):
    """Ends the request without an error: what has been written so far is the response.

    A handler raises it from anywhere in its call tree; status and headers stay as they were set.
    An argument, if any, is passed to `RequestHandler.finish` as the last piece of the body.
    """


class MissingArgumentError(HTTPError):
    """400, raised by `RequestHandler.get_argument` for an absent argument without a default.

    ``arg_name`` holds the argument's name.
    """

    def __init__(self, arg_name: str) -> None:
        super().__init__(400, f"Missing argument {arg_name}")
        if "%" in arg_name:
            self.log_message = "Missing argument " + arg_name.replace("%", "%%")
        self.arg_name = arg_name
