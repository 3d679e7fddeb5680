"""Names that modules of 4.5.3 handed on without meaning to: what they had imported for themselves.

``from tornado.testing import *`` brought ``os``, ``unittest`` and ``logging``, and programs use them without an
import of their own. `complete` lets a module hand on the same names; what it does not need itself is imported
when somebody asks.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

#: By module, below ``tornado4``: the names, each with ``=`` and where it comes from, a module or ``module:attribute``,
#: unless that is a module of the same name.
NAMES = {
    "auth": (
        "base64 binascii escape=tornado4.escape functools gen=tornado4.gen hashlib hmac "
        "httpclient=tornado4.httpclient long=builtins:int time urllib_parse=urllib.parse urlparse=urllib.parse "
        "uuid"
    ),
    "autoreload": (
        "functools ioloop=tornado4.ioloop logging os pkgutil process=tornado4.process signal subprocess sys "
        "traceback types weakref"
    ),
    "concurrent": "is_finalizing=sys:is_finalizing platform textwrap traceback typing",
    "curl_httpclient": (
        "BytesIO=io:BytesIO collections functools httputil=tornado4.httputil ioloop=tornado4.ioloop logging "
        "pycurl stack_context=tornado4.stack_context threading time"
    ),
    "escape": "htmlentitydefs=html.entities json re typing",
    "gen": (
        "builtins collections functools itertools os stack_context=tornado4.stack_context sys textwrap "
        "tornado=tornado4 types weakref"
    ),
    "httpclient": (
        "Configurable=tornado4.util:Configurable IOLoop=tornado4.ioloop:IOLoop "
        "TracebackFuture=tornado4.concurrent:Future functools httputil=tornado4.httputil "
        "native_str=tornado4.escape:to_unicode stack_context=tornado4.stack_context time "
        "utf8=tornado4.escape:utf8 weakref"
    ),
    "httputil": "copy typing",
    "ioloop": (
        "collections datetime errno functools heapq itertools logging math numbers os select signal "
        "stack_context=tornado4.stack_context sys thread=_thread threading time traceback"
    ),
    "iostream": (
        "_client_ssl_defaults=tornado4.netutil:_client_ssl_defaults "
        "_server_ssl_defaults=tornado4.netutil:_server_ssl_defaults collections numbers re sys"
    ),
    "locale": "BytesIO=io:BytesIO codecs csv datetime gettext gen_log=tornado4.log:gen_log numbers os re",
    "log": "colorama curses logging sys",
    "netutil": "errno os socket ssl stat sys",
    "options": (
        "basestring_type=builtins:str datetime exec_in=tornado4.util:exec_in "
        "native_str=tornado4.escape:to_unicode numbers os re stack_context=tornado4.stack_context sys textwrap"
    ),
    "platform.asyncio": "asyncio functools stack_context=tornado4.stack_context tornado=tornado4",
    "platform.caresresolver": "gen=tornado4.gen pycares socket",
    "platform.twisted": (
        "Deferred=twisted.internet.defer:Deferred PosixReactorBase=twisted.internet.posixbase:PosixReactorBase "
        "datetime error=twisted.internet.error failure=twisted.python.failure functools gen=tornado4.gen "
        "implementer=zope.interface.declarations:implementer log=twisted.python.log numbers socket sys "
        "tornado=tornado4 twisted"
    ),
    "process": (
        "errno hexlify=binascii:hexlify ioloop=tornado4.ioloop long=builtins:int multiprocessing os signal "
        "stack_context=tornado4.stack_context subprocess sys time"
    ),
    "routing": "httputil=tornado4.httputil partial=functools:partial re typing",
    "simple_httpclient": (
        "BytesIO=io:BytesIO base64 certifi collections copy functools gen=tornado4.gen httputil=tornado4.httputil "
        "re socket ssl stack_context=tornado4.stack_context sys urlparse=urllib.parse"
    ),
    "tcpclient": "functools gen=tornado4.gen socket",
    "tcpserver": "errno gen=tornado4.gen os process=tornado4.process socket ssl",
    "template": "StringIO=io:StringIO datetime escape=tornado4.escape linecache os posixpath re threading",
    "testing": (
        "GeneratorType=collections.abc:Generator StringIO=io:StringIO functools gen=tornado4.gen inspect "
        "iscoroutine=inspect:iscoroutine iscoroutinefunction=inspect:iscoroutinefunction logging "
        "netutil=tornado4.netutil os re signal socket sys unittest"
    ),
    "util": (
        "Any=typing:Any AnyStr=typing:AnyStr Callable=typing:Callable Dict=typing:Dict Mapping=typing:Mapping "
        "Match=typing:Match Optional=typing:Optional Tuple=typing:Tuple Union=typing:Union array atexit "
        "cast=typing:cast datetime getargspec=inspect:getfullargspec os re sys types typing zlib"
    ),
    "web": "gzip mimetypes template=tornado4.template tornado=tornado4 typing",
    "websocket": (
        "base64 collections gen=tornado4.gen hashlib httpclient=tornado4.httpclient httputil=tornado4.httputil os "
        "simple_httpclient=tornado4.simple_httpclient struct tornado=tornado4 urlparse=urllib.parse:urlparse "
        "xrange=builtins:range zlib"
    ),
    "wsgi": (
        "BytesIO=io:BytesIO Future=tornado4.concurrent:Future access_log=tornado4.log:access_log "
        "escape=tornado4.escape httputil=tornado4.httputil native_str=tornado4.escape:to_unicode sys "
        "tornado=tornado4 unicode_type=builtins:str urllib_parse=urllib.parse web=tornado4.web"
    ),
    "platform.epoll": "select",
    "platform.select": "select",
    "platform.posix": "common=tornado4.platform.common fcntl interface=tornado4.platform.interface os",
    "platform.common": "errno interface=tornado4.platform.interface socket time",
}

#: Submodules that came along with an import in 4.5.3 and do not come by themselves here, each with the modules that
#: brought it: ``import tornado.web`` was enough for ``tornado.httpserver``.
ALONG = {
    "concurrent": "routing",
    "gen": "routing platform.asyncio",
    "http1connection": "routing web wsgi",
    "httpserver": "routing web websocket wsgi",
    "ioloop": "routing",
    "iostream": "routing",
    "netutil": "routing",
    "platform": "routing",
    "platform.asyncio": "auth gen http1connection httpserver locks platform.caresresolver platform.twisted queues "
    "routing simple_httpclient tcpclient tcpserver testing web websocket wsgi",
    "platform.auto": "routing",
    "platform.common": "routing",
    "platform.interface": "routing",
    "platform.posix": "routing",
    "process": "httpserver routing tcpserver web websocket wsgi",
    "stack_context": "routing",
    "tcpserver": "routing web websocket wsgi",
    "template": "web",
}

#: Modules that 4.5.3 could do without; the name was None then.
OPTIONAL = frozenset({"certifi", "colorama", "curses"})


def sources(module: str) -> dict[str, str]:
    """The names that a module (``tornado4.web``) hands on besides its own, each with where it comes from."""
    entries = NAMES.get(module.partition(".")[2], "").split()
    return {name: source or name for name, _, source in (entry.partition("=") for entry in entries)}


def submodule(package: str, name: str) -> Any:
    """``tornado4.httpserver``, asked for as an attribute: imported when what brought it along in 4.5.3 is there.

    AttributeError for all else, as for a submodule that nobody has imported.
    """
    dotted = f"{package}.{name}"
    bringers = ALONG.get(dotted.partition(".")[2], "").split()
    if any(f"tornado4.{bringer}" in sys.modules for bringer in bringers):
        return importlib.import_module(dotted)
    raise AttributeError(f"module {package!r} has no attribute {name!r}")


def complete(
    namespace: MutableMapping[str, Any], made: Mapping[str, Callable[[], Any]] | None = None
) -> None:
    """Enter the names in the ``__all__`` of a module, and let what it does not have be imported when it is asked for.

    To be called last in a module, with its ``globals()``. ``made`` are names of its own that take long to make: they
    are when somebody asks for them. The module's own code does by `own`.
    """
    wanted = sources(namespace["__name__"])
    if "__all__" not in namespace:
        namespace["__all__"] = [name for name in namespace if not name.startswith("_")]
    namespace["__all__"] = sorted({*namespace["__all__"], *wanted})
    missing: dict[str, Callable[[], Any]] = {
        name: partial(_load, source) for name, source in wanted.items() if name not in namespace
    }
    missing.update(made or {})
    if missing:
        namespace["__getattr__"] = _getter(namespace, missing)
        namespace["__dir__"] = lambda: sorted({*namespace, *missing})


def own(namespace: MutableMapping[str, Any], name: str) -> Any:
    """What ``name`` is in a module, given as its ``globals()``: one of those that are ``made`` when asked for."""
    return namespace[name] if name in namespace else namespace["__getattr__"](name)


def _getter(namespace: MutableMapping[str, Any], missing: dict[str, Callable[[], Any]]) -> Callable[[str], Any]:
    module = namespace["__name__"]

    def __getattr__(name: str) -> Any:
        make = missing.get(name)
        if make is None:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        value = namespace[name] = make()
        return value

    return __getattr__


def _load(source: str) -> Any:
    path, _, attribute = source.partition(":")
    try:
        importlib.import_module(path)
    except ImportError:
        if path in OPTIONAL:
            return None
        raise
    return getattr(sys.modules[path], attribute) if attribute else sys.modules[path]
