"""The reason phrases: what stands behind the status code in a response's first line."""

from __future__ import annotations

import http.client
from typing import Any

__all__ = ["responses"]

# Python 3.13 renamed these after RFC 9110. Programs and tests match on the words that Tornado 4 sent.
_OF_ITS_TIME = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}


class _Reasons(dict[int, str]):
    """Status code to reason phrase; codes that it lacks are looked up in ``http.client.responses``.

    As in 4.5.3, where this name was that very dictionary: a program may add a code of its own to either.
    """

    def __missing__(self, code: int) -> str:
        return http.client.responses[code]

    def __contains__(self, code: object) -> bool:
        return super().__contains__(code) or code in http.client.responses

    def get(self, code: int, default: Any = None) -> Any:
        return self[code] if code in self else default


responses: dict[int, str] = _Reasons({**http.client.responses, **_OF_ITS_TIME})
