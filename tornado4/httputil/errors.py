"""The two ways in which an HTTP message can be wrong.

::

    Exception
      +-- HTTPInputError     the peer sent what HTTP does not allow
      +-- HTTPOutputError    the application tried to send what HTTP does not allow
"""

from __future__ import annotations


class HTTPInputError(Exception):
    """The peer's message is malformed, or larger than what was agreed to.

    Raised while reading; ``str(error)`` says what is wrong and is what the log line shows.

    .. versionadded:: 4.0
    """

    #: Status with which a server answers the refused message, where it still can.
    status_code: int = 400


class HTTPOutputError(Exception):
    """The application's own output does not add up, such as a body longer than its Content-Length.

    .. versionadded:: 4.0
    """


def refuse(message: str, status_code: int = 400) -> HTTPInputError:
    """Make (not raise) the error for a message that is to be answered with ``status_code``."""
    error = HTTPInputError(message)
    error.status_code = status_code
    return error
