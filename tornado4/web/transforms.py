"""Output transforms: what rewrites a response's status, headers and body on its way out."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, TypeAlias

from tornado4 import httputil

if TYPE_CHECKING:
    from tornado4.httputil import HTTPServerRequest

_FirstPiece: TypeAlias = "tuple[int, httputil.HTTPHeaders, bytes]"


class OutputTransform:
    """Changes nothing; the base of transforms (`Application.add_transform`, the setting ``transforms``).

    One instance is made for each request. The first chunk comes with status and headers, the later ones
    alone; ``finishing`` marks the last.
    """

    def __init__(self, request: HTTPServerRequest) -> None:
        pass

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Return a further piece of the body.

        :arg finishing: whether it is the last.
        """
        return chunk

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> _FirstPiece:
        """Return status, headers and first piece of the body, changed as desired.

        :arg finishing: whether it is the last, too.
        """
        return status_code, headers, chunk


class GZipContentEncoding(OutputTransform):
    """Compresses text for clients that accept gzip (the setting ``compress_response``).

    A response that ends with its first chunk is compressed only from `MIN_LENGTH` bytes on. Everything else
    of a compressible type is, where the handler set no Content-Encoding itself.
    """

    #: Compressed besides ``text/*``.
    CONTENT_TYPES = {
        "application/atom+xml",
        "application/javascript",
        "application/json",
        "application/x-javascript",
        "application/xhtml+xml",
        "application/xml",
        "image/svg+xml",
    }
    #: zlib level, 1 to 9.
    GZIP_LEVEL = 6
    #: In bytes; below it gzip's own overhead eats the gain.
    MIN_LENGTH = 1024

    def _compressible_type(self, ctype: str) -> bool:
        return ctype in self.CONTENT_TYPES or ctype.startswith("text/")

    def __init__(self, request: HTTPServerRequest) -> None:
        accepted = request.headers.get("Accept-Encoding", "")
        self._gzipping = "gzip" in accepted

    def transform_first_chunk(
        self, status_code: int, headers: httputil.HTTPHeaders, chunk: bytes, finishing: bool
    ) -> _FirstPiece:
        """Decide, and compress the first piece; a Content-Length not known any more is taken out.

        :arg finishing: whether it is the last, too.
        """
        # the answer depends on Accept-Encoding even where it is not compressed (RFC 9110, 12.5.5)
        headers["Vary"] = headers["Vary"] + ", Accept-Encoding" if "Vary" in headers else "Accept-Encoding"
        if self._gzipping:
            ctype = headers.get("Content-Type", "").partition(";")[0]
            self._gzipping = (
                self._compressible_type(ctype)
                and (not finishing or len(chunk) >= self.MIN_LENGTH)
                and "Content-Encoding" not in headers
                # the gzip of nothing is more than nothing (4.5.3 sent it, to be read as the next answer)
                and status_code >= 200
                and status_code not in (204, 304)
            )
        if not self._gzipping:
            return status_code, headers, chunk
        headers["Content-Encoding"] = "gzip"
        import gzip  # late: only who compresses needs it

        self._gzip_value = BytesIO()
        self._gzip_file = gzip.GzipFile("", "wb", self.GZIP_LEVEL, self._gzip_value)
        compressed = self.transform_chunk(chunk, finishing)
        if finishing and "Content-Length" in headers:
            headers["Content-Length"] = str(len(compressed))
        elif "Content-Length" in headers:
            # the whole body's size is not known yet: it goes out in chunks
            del headers["Content-Length"]
        return status_code, headers, compressed

    def transform_chunk(self, chunk: bytes, finishing: bool) -> bytes:
        """Compress a piece, flushed so that the client can read all of it at once.

        :arg finishing: whether it is the last.
        """
        if not self._gzipping:
            return chunk
        file, buffer = self._gzip_file, self._gzip_value
        file.write(chunk)
        (file.close if finishing else file.flush)()
        compressed = buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()
        return compressed
