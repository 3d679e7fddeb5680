"""The reason phrases: what stands behind the status code in a response's first line."""

from __future__ import annotations

import sys
from http import HTTPStatus
from typing import Any

__all__ = ["responses"]

# Python 3.13 renamed these after RFC 9110. Programs and tests match on the words that Tornado 4 sent.
_OF_ITS_TIME = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}


def _of_the_library() -> dict[int, str]:
    """``http.client.responses``; empty as long as nobody has imported it, and so nobody has added to it."""
    client: Any = sys.modules.get("http.client")
    return getattr(client, "responses", {})


class _Reasons(dict[int, str]):
    """Status code to reason phrase; codes that it lacks are looked up in ``http.client.responses``.

    As in 4.5.3, where this name was that very dictionary: a program may add a code of its own to either.
    """

    def __missing__(self, code: int) -> str:
        return _of_the_library()[code]

    def __contains__(self, code: object) -> bool:
        return super().__contains__(code) or code in _of_the_library()

    def get(self, code: int, default: Any = None) -> Any:
        return self[code] if code in self else default


# Not by way of `http.client`, which takes as long to import as a sixth of all else.
_standard: dict[int, str] = {status: status.phrase for status in HTTPStatus}
responses: dict[int, str] = _Reasons({**_standard, **_of_the_library(), **_OF_ITS_TIME})
