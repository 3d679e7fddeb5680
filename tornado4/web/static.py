"""`StaticFileHandler`: files from a directory, with versions, conditional requests and ranges."""

from __future__ import annotations

import datetime
import functools
import hashlib
import os
import stat
import threading
from collections.abc import Callable, Generator, Iterable
from typing import TYPE_CHECKING, Any

from tornado4 import gen, httputil, iostream, switches
from tornado4.httputil.dates import parse_date
from tornado4.log import gen_log
from tornado4.web import file_sending, static_paths
from tornado4.web.cookies import utcnow
from tornado4.web.errors import HTTPError
from tornado4.web.handler import RequestHandler
from tornado4.web.redirects import is_local_path

_CHUNK = 64 * 1024


def _guess_type(path: str) -> tuple[str | None, str | None]:
    """What `mimetypes.guess_type` says; what it has in its tables for a plain path, without looking for a URL first."""
    import mimetypes  # late: not every server has files, and it reads the system's tables

    guess = mimetypes.guess_type
    if path[:1] == "/" and mimetypes.inited and getattr(guess, "__globals__", None) is vars(mimetypes):
        extension = os.path.splitext(path)[1]
        if extension.islower() and extension not in mimetypes.suffix_map:
            kind = mimetypes.types_map.get(extension)
            if kind is not None and extension not in mimetypes.encodings_map:
                return kind, None
    return guess(path)


class StaticFileHandler(RequestHandler):
    """Serves the files below a directory.

    The setting ``static_path`` installs it; so does a rule with the directory as ``path``::

        (r"/content/(.*)", web.StaticFileHandler, {"path": "/var/www", "default_filename": "index.html"})

    The rule's one group is the file's path. With ``?v=`` in the URL (`static_url` puts a hash of the
    content there), the response may be cached for ten years.

    Symbolic links are followed as long as they stay below the directory; further directories that they may lead to
    are ``allowed_symlink_directory``, a path or a list of paths.

    To serve something else than files, override the class methods `get_absolute_path`, `get_content` and
    `get_content_version`, and the methods `get_content_size` and `get_modified_time`. `get_content` must be
    a class method: versions are also made where there is no request.
    """

    #: Seconds; what versioned URLs may be cached for (ten years).
    CACHE_MAX_AGE = 86400 * 365 * 10

    _static_hashes: dict[str, str | None] = {}
    #: Files that are remembered; what a page asks `static_url` about may come from outside.
    _MOST_HASHES = 10_000
    #: Guards ``_static_hashes``: ``static_url`` may be called from threads.
    _lock = threading.Lock()

    #: The folder that is served.
    root: str
    default_filename: str | None
    path: str
    allowed_symlink_directory: str | Iterable[str] | None = None
    #: The last path that `validate_absolute_path` found good, and what the system says of it.
    _checked: tuple[str, os.stat_result] | None = None

    if TYPE_CHECKING:
        # As RequestHandler's: programs override it with parameters of their own.
        def initialize(self, *args: Any, **kwargs: Any) -> Any:
            """Takes the directory, the name of the file that stands for a directory, and where links may lead to."""

    else:

        def initialize(
            self,
            path: str,
            default_filename: str | None = None,
            *,
            allowed_symlink_directory: str | Iterable[str] | None = None,
        ) -> None:
            """Takes the directory, the name of the file that stands for a directory, and where links may lead to.

            :arg path: the directory; ``default_filename`` and ``allowed_symlink_directory`` are None by
                default.
            """
            self.allowed_symlink_directory = allowed_symlink_directory
            self.root, self.default_filename = path, default_filename

    @classmethod
    def reset(cls) -> None:
        """Forget the hashes of all files (the setting ``static_hash_cache`` off does it for each request)."""
        with cls._lock:
            cls._static_hashes = {}

    def head(self, path: str) -> Any:
        """The headers that `get` would send.

        :arg path: as in the URL.
        """
        return self.get(path, include_body=False)

    @gen.coroutine
    def get(self, path: str, include_body: bool = True) -> Generator[Any, Any, None]:
        """Send the file, or the part of it that is asked for, at the reader's speed.

        :arg path: as in the URL.
        :arg include_body: False for HEAD.
        """
        self.path = self.parse_url_path(path)
        wanted = self.get_absolute_path(self.root, self.path)
        absolute = self.validate_absolute_path(self.root, wanted)
        if absolute is None:
            # the redirect to a directory's own address has been sent
            return
        self.absolute_path = absolute
        self.modified = self.get_modified_time()
        self.set_headers()
        if self.should_return_304():
            self.set_status(304)
            return
        part = self._select_part(self.get_content_size())
        if part is None:
            return
        start, end = part
        if not include_body:
            assert self.request.method == "HEAD"
            return
        if file_sending.is_plain(self, _OWN_METHODS):
            first = start or 0
            count = (self.get_content_size() if end is None else end) - first
            if (yield from file_sending.send(self, absolute, first, count)):
                return
        content = self.get_content(self.absolute_path, start, end)
        for chunk in (content,) if isinstance(content, bytes) else content:
            try:
                self.write(chunk)
                yield self.flush()
            except iostream.StreamClosedError:
                return

    def _select_part(self, size: int) -> tuple[int | None, int | None] | None:
        """Answer the Range header: status, Content-Range and Content-Length; the part's bounds, None for
        none.
        """
        asked = httputil._parse_request_range(self.request.headers.get("Range", "")) if (
            "Range" in self.request.headers
        ) else None
        start, end = asked or (None, None)
        if start is not None and start < 0:
            # the last so many bytes; all of them if there are not as many (RFC 9110, 14.1.2)
            start = max(size + start, 0)
        elif start is not None and end is not None and end <= start and end != 0:
            # no valid range, so none was asked for (RFC 9110, 14.1.1)
            start, end = None, None
        if (start is not None and start >= size) or end == 0:
            self.set_status(416)
            self.set_header("Content-Type", "text/plain")
            self.set_header("Content-Range", f"bytes */{size}")
            return None
        end = size if end is not None and end > size else end
        first = start or 0
        beyond = size if end is None else end
        if asked and (first, beyond) != (0, size):
            # Chrome wants a 200 where the range is the whole file (as in 4.5.3)
            self.set_status(206)
            self.set_header("Content-Range", httputil._get_content_range(start, end, size))
        self.set_header("Content-Length", beyond - first)
        return start, end

    def compute_etag(self) -> str | None:
        """The content's version in quotes: known without reading the file again."""
        version = self._get_cached_version(self.absolute_path)
        return f'"{version}"' if version else None

    def set_headers(self) -> None:
        """Set type, caching and validators of the file."""
        modified = self.modified
        self.set_header("Accept-Ranges", "bytes")
        self.set_etag_header()
        if modified is not None:
            self.set_header("Last-Modified", modified)
        content_type = self.get_content_type()
        if content_type:
            self.set_header("Content-Type", content_type)
        lifetime = self.get_cache_time(self.path, modified, content_type)
        if lifetime > 0:
            self.set_header("Expires", utcnow() + datetime.timedelta(seconds=lifetime))
            self.set_header("Cache-Control", f"max-age={lifetime}")
        self.set_extra_headers(self.path)

    def should_return_304(self) -> bool:
        """Whether the client's copy is current, by ETag or by date."""
        return self.check_etag_header() or self._unmodified_since()

    def _unmodified_since(self) -> bool:
        """If-Modified-Since, in GMT whatever zone it says (as in 4.5.3); one that is no date is not there."""
        since = parse_date(self.request.headers.get("If-Modified-Since") or "")
        if since is None or self.modified is None:
            return False
        # a time that knows its zone is what Tornado 6 has
        return since.replace(tzinfo=self.modified.tzinfo and datetime.UTC) >= self.modified

    @classmethod
    def get_absolute_path(cls, root: str, path: str) -> str:
        """Where ``path`` lies in the file system (or whatever else a subclass takes for it); not checked
        yet.

        :arg root: the handler's directory.
        """
        return os.path.abspath(os.path.join(root, path))

    def validate_absolute_path(self, root: str, absolute_path: str) -> str | None:
        """The path to be served, or None after a redirect; `HTTPError` for what is not to be seen.

        Override it to allow more or less; the path that it returns is the one that is opened.

        :arg root: the handler's directory.
        :arg absolute_path: what `get_absolute_path` has made.
        :raises HTTPError: 403 for what lies outside or is no file, 404 for what is not there.
        """
        if "\0" in absolute_path:
            raise HTTPError(404)
        root = os.path.abspath(root)
        if not static_paths.is_below(absolute_path, root):
            raise HTTPError(403, "%s is not in root static directory", self.path)
        if static_paths._ON_WINDOWS and static_paths.is_windows_trap(absolute_path[len(root) :]):
            raise HTTPError(404)
        if self.default_filename is not None and os.path.isdir(absolute_path):
            if not self.request.path.endswith("/"):
                self._redirect_to_directory()
                return None
            absolute_path = os.path.join(absolute_path, self.default_filename)
        try:
            status = os.stat(absolute_path)
        except (OSError, ValueError):
            raise HTTPError(404) from None
        if not stat.S_ISREG(status.st_mode):
            raise HTTPError(403, "%s is not a file", self.path)
        if static_paths.leads_out(absolute_path, status, root, self.allowed_symlink_directory):
            hint = switches.hint("static-symlinks")
            raise HTTPError(403, "%s is a link out of the root static directory %s", self.path, hint)
        self._checked = absolute_path, status
        return absolute_path

    def _redirect_to_directory(self) -> None:
        path = self.request.path
        if not is_local_path(path):
            # a browser would read //host/ as an address on another host: an open redirect
            raise HTTPError(403, "cannot redirect path with two initial slashes")
        self.redirect(path + "/", permanent=True)

    @classmethod
    def get_content(
        cls, abspath: str, start: int | None = None, end: int | None = None
    ) -> Any:
        """The content from ``start`` to before ``end``: bytes, or an iterator of them (64 KiB each here).

        :arg abspath: what `get_absolute_path` has made; ``start`` and ``end`` count bytes, None is the whole.
        """
        with open(abspath, "rb", buffering=0) as file:  # it is read in large pieces, which no buffer makes faster
            if start:
                file.seek(start)
            remaining = None if end is None else end - (start or 0)
            while remaining is None or remaining > 0:
                chunk = file.read(_CHUNK if remaining is None else min(_CHUNK, remaining))
                if not chunk:
                    return
                if remaining is not None:
                    remaining -= len(chunk)
                yield chunk

    @classmethod
    def get_content_version(cls, abspath: str) -> str:
        """A hash of the content (MD5 in hex): the version in URLs and the ETag.

        :arg abspath: what `get_absolute_path` has made.
        """
        digest = hashlib.md5(usedforsecurity=False)
        data = cls.get_content(abspath)
        for chunk in (data,) if isinstance(data, bytes) else data:
            digest.update(chunk)
        return digest.hexdigest()

    def _stat(self) -> os.stat_result:
        if not hasattr(self, "_stat_result"):
            path, status = self._checked or ("", None)
            self._stat_result = status if status and path == self.absolute_path else os.stat(self.absolute_path)
        return self._stat_result

    def get_content_size(self) -> int:
        """The whole content's size in bytes."""
        return self._stat()[stat.ST_SIZE]

    def get_modified_time(self) -> datetime.datetime | None:
        """When the content changed last: UTC, naive, whole seconds."""
        seconds = self._stat()[stat.ST_MTIME]
        return datetime.datetime.fromtimestamp(seconds, datetime.UTC).replace(tzinfo=None)

    def get_content_type(self) -> str:
        """The Content-Type: by the file's extension, for compressed files the compression's."""
        mime_type, encoding = _guess_type(self.absolute_path)
        if encoding == "gzip":
            return "application/gzip"
        # what we cannot name is bytes, other compressions included
        return mime_type if mime_type is not None and encoding is None else "application/octet-stream"

    def set_extra_headers(self, path: str) -> None:
        """Override it to set more headers.

        :arg path: as in the URL.
        """

    def get_cache_time(self, path: str, modified: datetime.datetime | None, mime_type: str) -> int:
        """For how many seconds the response may be cached; 0 to say nothing. Versioned URLs:
        `CACHE_MAX_AGE`.

        :arg path: as in the URL; ``modified`` is its time of change, ``mime_type`` its type.
        """
        return self.CACHE_MAX_AGE if "v" in self.request.arguments else 0

    @classmethod
    def make_static_url(cls, settings: dict[str, Any], path: str, include_version: bool = True) -> str:
        """The URL of a file below ``static_path``, with its version if it has one.

        :arg settings: the application's.
        :arg path: below ``static_path``.
        :arg include_version: append ``?v=``; default True.
        """
        url: str = settings.get("static_url_prefix", "/static/") + path
        version = cls.get_version(settings, path) if include_version else None
        return f"{url}?v={version}" if version else url

    def parse_url_path(self, url_path: str) -> str:
        """A URL's path as one of the file system: slashes become the system's separator."""
        return url_path if os.path.sep == "/" else url_path.replace("/", os.path.sep)

    @classmethod
    def get_version(cls, settings: dict[str, Any], path: str) -> str | None:
        """The version for `make_static_url`; None if the file cannot be read, or is not to be.

        Where `get_absolute_path` or `get_content` are overridden, it is theirs to say what may be read.

        :arg settings: the application's.
        :arg path: below ``static_path``.
        """
        root = settings["static_path"]
        absolute = cls.get_absolute_path(root, path)
        if (cls.get_absolute_path.__func__, cls.get_content.__func__) != _OWN_FILES:  # type: ignore[attr-defined]
            return cls._get_cached_version(absolute)
        allowed = settings.get("static_handler_args", {}).get("allowed_symlink_directory")
        check = functools.partial(static_paths.check_readable, absolute, root, allowed)
        return cls._get_cached_version(absolute, check)

    @classmethod
    def _get_cached_version(cls, abs_path: str, check: Callable[[], None] | None = None) -> str | None:
        with cls._lock:
            known = cls._static_hashes
            if abs_path in known:
                return known[abs_path] or None
            version = None
            try:
                if check is not None:
                    check()
                version = cls.get_content_version(abs_path)
            except static_paths.LeadsOut as error:
                gen_log.error("Could not open static file %r: %s", abs_path, error)
            except Exception:
                # remembered, too: a missing file is to be reported once, not on every page
                gen_log.error("Could not open static file %r", abs_path)
            if len(known) >= cls._MOST_HASHES:
                known.pop(next(iter(known)))
            known[abs_path] = version
            return version or None


#: What `file_sending` may pass by.
_OWN_METHODS = file_sending.methods_of(StaticFileHandler)

#: Our own ways to a file and its content, to tell whether a subclass brings others.
_OWN_FILES = (
    StaticFileHandler.get_absolute_path.__func__,  # type: ignore[attr-defined]
    StaticFileHandler.get_content.__func__,  # type: ignore[attr-defined]
)
