"""The standard library as it was on Python 3.9, the newest that runs Tornado 4 untouched.

Not imported by tornado4: the folder of this file is on the PYTHONPATH of an old side that runs on a current
Python, and ``site`` imports it before the first line of anything. So every program that the old side starts
in turn (a subprocess, a reload, multiprocessing's children) has it as well, as long as it hands its environment on.

Names that are gone come from the table of ``tornado4.migrate.backfill``, those rows that 3.9 still had. Values that
have changed since are put back here, in place; ``compat_tests/library`` looks for them and has the list of what was
left alone. Nothing of Tornado is touched.
"""
import os
import sys
from importlib.machinery import PathFinder

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.abspath(os.path.join(HERE, *[os.pardir] * 4))

REASONS = {
    413: "Request Entity Too Large",
    414: "Request-URI Too Long",
    416: "Requested Range Not Satisfiable",
    422: "Unprocessable Entity",
}

CIPHERS = "DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK"

MEDIA_TYPES = {".bmp": "image/x-ms-bmp", ".js": "application/javascript", ".mjs": "application/javascript"}

LATER_MEDIA_TYPES = (
    ".3g2 .3gp .3gpp .3gpp2 .aac .adts .ass .avif .h5 .heic .heif .loas .md .markdown .n3 .nq .nt .opus .rst .rtf "
    ".srt .trig .vtt .webp"
).split()

LATER_SCHEMES = ("itms-services", "rtsps")


class _Tornado4(object):
    """Finds tornado4 and nothing else, wherever it lies; behind all other finders."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        return PathFinder.find_spec(name, [TOP]) if name == "tornado4" else None


def put_back():
    put_back_names()
    put_back_reasons()
    put_back_media_types()
    put_back_urls()
    put_back_tls()
    # Since 3.13 this submodule is imported on use only; Tornado 4 looks it up as an attribute.
    import concurrent.futures.thread  # noqa: F401


def put_back_names():
    import ssl

    if not hasattr(ssl, "match_hostname"):
        ssl.match_hostname = match_hostname
    sys.meta_path.append(_Tornado4)
    from tornado4.migrate import backfill, backfill_table

    # What went before 3.10 was not there on 3.9.
    rows = [row for row in backfill_table.TABLE if tuple(map(int, row.gone.split("."))) >= (3, 10)]
    backfill_table.TABLE[:] = rows
    backfill.install()


def match_hostname(cert, hostname):
    from tornado4.netutil import ssl_match_hostname

    return ssl_match_hostname(cert, hostname)


def put_back_reasons():
    import http
    import http.client

    for code, reason in REASONS.items():
        http.HTTPStatus(code).phrase = http.client.responses[code] = reason


def put_back_media_types():
    import mimetypes

    # The very dictionary that each later init() starts from.
    for suffix in LATER_MEDIA_TYPES:
        mimetypes.types_map.pop(suffix, None)
    mimetypes.types_map.update(MEDIA_TYPES)
    mimetypes.common_types.pop(".webp", None)


def put_back_urls():
    import urllib.parse

    modern = urllib.parse.urlunsplit

    def urlunsplit(components):
        """An empty authority is written for the schemes that have one, and not for a path that begins with "//"."""
        scheme, authority, path, query, fragment = components
        if authority or isinstance(path, bytes):
            return modern(components)
        whole = modern(("", "", path.lstrip("/"), query, fragment))
        slashes = path[: len(path) - len(path.lstrip("/"))]
        if scheme in urllib.parse.uses_netloc and scheme and not slashes.startswith("//"):
            slashes = "///" if path else "//"
        return (scheme + ":" if scheme else "") + slashes + whole

    urllib.parse.urlunsplit = urlunsplit
    for schemes in (getattr(urllib.parse, "uses_" + what) for what in ("netloc", "params", "query", "relative")):
        schemes[:] = [scheme for scheme in schemes if scheme not in LATER_SCHEMES]
    if hasattr(urllib.parse, "_check_bracketed_netloc"):
        urllib.parse._check_bracketed_netloc = lambda netloc: None
    elif hasattr(urllib.parse, "_check_bracketed_host"):
        urllib.parse._check_bracketed_host = lambda hostname: None


def put_back_tls():
    """Protocols and ciphers are OpenSSL's own defaults, a peer may end without a goodbye, chains are not held to
    the letter of RFC 5280.
    """
    import ssl

    make, make_default = ssl.SSLContext.__new__, ssl.create_default_context

    def new_context(cls, protocol=ssl.PROTOCOL_TLS, *args, **kwargs):
        context = make(cls, protocol, *args, **kwargs)
        if protocol in (ssl.PROTOCOL_TLS, ssl.PROTOCOL_TLS_CLIENT, ssl.PROTOCOL_TLS_SERVER):
            context.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        context.set_ciphers(CIPHERS)
        context.options |= getattr(ssl, "OP_IGNORE_UNEXPECTED_EOF", 0)
        return context

    def create_default_context(*args, **kwargs):
        context = make_default(*args, **kwargs)
        context.verify_flags &= ~(ssl.VERIFY_X509_STRICT | getattr(ssl, "VERIFY_X509_PARTIAL_CHAIN", 0))
        return context

    ssl.SSLContext.__new__ = new_context
    ssl.create_default_context = ssl._create_default_https_context = create_default_context


def run_the_other():
    """The sitecustomize that this one stands in front of: Debian has one, say."""
    spec = PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        from importlib.util import module_from_spec

        module = sys.modules["sitecustomize"] = module_from_spec(spec)
        spec.loader.exec_module(module)


sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != HERE]
if sys.version_info >= (3, 10):
    put_back()
run_the_other()
