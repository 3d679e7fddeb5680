"""How much work one message may ask of the parsers.

``tornado4.httputil.limits`` is the one instance that every parser looks at, at the time of the call::

    from tornado4 import httputil
    httputil.limits.multipart_parts = 500

``None`` switches a limit off. Each is checked *before* anything is split, so that what is
refused costs no more than one scan over its bytes.
"""

from __future__ import annotations

from tornado4 import switches


class ParseLimits:
    """Counts and sizes (bytes) that bound the parsing of queries, bodies and cookies. 4.5.3 had no such bounds."""

    __slots__ = ("cookies", "form_arguments", "multipart_header_size", "multipart_parts", "query_arguments")

    def __init__(
        self,
        multipart_parts: int | None = 100,
        multipart_header_size: int | None = 10 * 1024,
        form_arguments: int | None = 1000,
        query_arguments: int | None = 1000,
        cookies: int | None = 1000,
    ) -> None:
        #: Parts of one ``multipart/form-data`` body.
        self.multipart_parts = multipart_parts
        #: Bytes of one part's own header block.
        self.multipart_header_size = multipart_header_size
        #: Arguments of one ``application/x-www-form-urlencoded`` body.
        self.form_arguments = form_arguments
        #: Arguments of one query.
        self.query_arguments = query_arguments
        #: Cookies of one ``Cookie`` header; those behind it are left out.
        self.cookies = cookies

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__slots__)
        return f"{type(self).__name__}({shown})"

    def __eq__(self, other: object) -> bool:
        if type(other) is not type(self):
            return NotImplemented
        return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)


#: What holds for all requests of the process; its attributes may be set.
limits = ParseLimits()


def _lift() -> None:
    for name in ParseLimits.__slots__:
        setattr(limits, name, None)


switches.when_allowed("unbounded-forms", _lift)
