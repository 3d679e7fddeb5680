"""``urllib.request.URLopener`` and ``FancyURLopener``, which Python 3.14 dropped, on `urllib.request.build_opener`.

What programs did with them: set ``version`` (the ``User-Agent``) in a subclass, add headers, ``open`` and ``retrieve``,
override ``http_error_404`` or ``http_error_default``. A password is not asked for on the terminal: 401 is an error.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import urllib.error
import urllib.request
import urllib.response
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["FancyURLopener", "URLopener"]


class _KeepRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        """None: answer 30x is an error to a `URLopener`."""


class URLopener:
    """Opens URLs. ``proxies`` by scheme; ``key_file`` and ``cert_file`` for TLS."""

    version: str = urllib.request.OpenerDirector().addheaders[0][1]
    _handlers: tuple[type, ...] = (_KeepRedirects,)

    def __init__(self, proxies: Mapping[str, str] | None = None, **x509: str) -> None:
        self.addheaders = [("User-Agent", self.version), ("Accept", "*/*")]
        self.key_file, self.cert_file = x509.get("key_file"), x509.get("cert_file")
        self._proxies = None if proxies is None else dict(proxies)
        self._temporary: list[str] = []

    def addheader(self, *args: str) -> None:
        """Send one more header, ``(name, value)``, with each request."""
        self.addheaders.append(args)  # type: ignore[arg-type]

    def open(self, fullurl: str, data: bytes | None = None) -> Any:
        """The answer to a request, as `urllib.request.urlopen` has it; ``data`` is posted. `OSError` without one."""
        try:
            return self._opener().open(fullurl, data)
        except urllib.error.HTTPError as error:
            by_code: Callable[..., Any] | None = getattr(self, f"http_error_{error.code}", None)
            parts = (fullurl, error, error.code, error.msg, error.headers)  # an error of this kind is its answer, too
            answer = None if by_code is None else by_code(*parts, *(() if data is None else (data,)))
            return answer or self.http_error_default(*parts)

    def http_error_default(self, url: str, fp: Any, errcode: int, errmsg: str, headers: Any) -> Any:
        """What an answer with a status of failure comes to: here, `urllib.error.HTTPError`."""
        raise urllib.error.HTTPError(url, errcode, errmsg, headers, fp)

    def retrieve(
        self,
        url: str,
        filename: str | None = None,
        reporthook: Callable[[int, int, int], Any] | None = None,
        data: bytes | None = None,
    ) -> tuple[str, Any]:
        """The file into which an answer was copied, and its headers. Without ``filename``, `cleanup` removes it.

        ``reporthook(blocks, block size, size or -1)`` is called before the first block and after each.
        """
        with self.open(url, data) as answer:
            if filename is None:
                handle, filename = tempfile.mkstemp()
                os.close(handle)
                self._temporary.append(filename)
            with open(filename, "wb") as file:
                if reporthook is None:
                    shutil.copyfileobj(answer, file)
                else:
                    _copy(answer, file, reporthook)
            return filename, answer.headers

    def close(self) -> None:
        """As `cleanup`."""
        self.cleanup()

    def cleanup(self) -> None:
        """Remove the files that `retrieve` has made up a name for."""
        while self._temporary:
            os.unlink(self._temporary.pop())

    def _opener(self) -> urllib.request.OpenerDirector:
        handlers: list[Any] = [*self._handlers, urllib.request.ProxyHandler(self._proxies)]
        if self.cert_file:
            import ssl

            context = ssl.create_default_context()
            context.load_cert_chain(self.cert_file, self.key_file)
            handlers.append(urllib.request.HTTPSHandler(context=context))
        opener = urllib.request.build_opener(*handlers)
        opener.addheaders = list(self.addheaders)
        return opener


class FancyURLopener(URLopener):
    """Follows redirects, and gives the answer of a failure to the caller, with its status in ``code``."""

    _handlers = ()

    def http_error_default(self, url: str, fp: Any, errcode: int, errmsg: str, headers: Any) -> Any:
        """The answer as it came."""
        return urllib.response.addinfourl(fp, headers, "http:" + url if url.startswith("//") else url, errcode)


def _copy(answer: Any, file: Any, reporthook: Callable[[int, int, int], Any]) -> None:
    block, blocks = 8192, 0
    size = int(answer.headers.get("Content-Length", -1))
    reporthook(blocks, block, size)
    while piece := answer.read(block):
        file.write(piece)
        blocks += 1
        reporthook(blocks, block, size)
