"""What the checker knows of Tornado 4.5.3: facts of its names, not of its code.

``tornado_names.json`` beside this file was made by looking at both releases from within: which names a module
has and where they are at home, which classes have which members with which parameters, what Tornado 6.6.1 has no more.
"""

from __future__ import annotations

import functools
import json
from importlib import resources
from typing import Any

#: What a call gives, by the callee: an instance of a class of Tornado's.
RESULTS = {
    "tornado.ioloop.IOLoop.current": "tornado.ioloop.IOLoop",
    "tornado.ioloop.IOLoop.instance": "tornado.ioloop.IOLoop",
    "tornado.testing.AsyncTestCase.get_new_ioloop": "tornado.ioloop.IOLoop",
}

#: Classes of the standard library that matter to Tornado.
STANDARD = frozenset(
    f"concurrent.futures.{name}"
    for name in (
        "ThreadPoolExecutor",
        "ProcessPoolExecutor",
        "thread.ThreadPoolExecutor",
        "process.ProcessPoolExecutor",
    )
)

#: What waiting for a call's result gives.
AWAITED = {
    "tornado.tcpclient.TCPClient.connect": "tornado.iostream.IOStream",
    "tornado.iostream.IOStream.connect": "tornado.iostream.IOStream",
    "tornado.iostream.IOStream.start_tls": "tornado.iostream.SSLIOStream",
    "tornado.httpclient.AsyncHTTPClient.fetch": "tornado.httpclient.HTTPResponse",
    "tornado.websocket.websocket_connect": "tornado.websocket.WebSocketClientConnection",
}

#: What attributes of Tornado's classes hold.
ATTRIBUTES = {
    ("tornado.web.RequestHandler", "request"): "tornado.httputil.HTTPServerRequest",
    ("tornado.web.RequestHandler", "application"): "tornado.web.Application",
    ("tornado.httputil.HTTPServerRequest", "connection"): "tornado.http1connection.HTTP1Connection",
    ("tornado.websocket.WebSocketHandler", "stream"): "tornado.iostream.IOStream",
    ("tornado.testing.AsyncTestCase", "io_loop"): "tornado.ioloop.IOLoop",
    ("tornado.testing.AsyncHTTPTestCase", "http_client"): "tornado.httpclient.AsyncHTTPClient",
    ("tornado.testing.AsyncHTTPTestCase", "http_server"): "tornado.httpserver.HTTPServer",
    ("tornado.tcpserver.TCPServer", "io_loop"): "tornado.ioloop.IOLoop",
    ("tornado.iostream.BaseIOStream", "io_loop"): "tornado.ioloop.IOLoop",
}

#: Parameters that Tornado passes to methods that programs override: (class, method, position after self).
PARAMETERS = {
    ("tornado.tcpserver.TCPServer", "handle_stream", 0): "tornado.iostream.IOStream",
    ("tornado.httpclient.AsyncHTTPClient", "fetch_impl", 0): "tornado.httpclient.HTTPRequest",
}

#: Names of variables and attributes that say what they most likely hold.
LIKELY_NAMES = {
    "io_loop": "tornado.ioloop.IOLoop",
    "ioloop": "tornado.ioloop.IOLoop",
    "stream": "tornado.iostream.IOStream",
    "iostream": "tornado.iostream.IOStream",
    "http_client": "tornado.httpclient.AsyncHTTPClient",
    "async_http_client": "tornado.httpclient.AsyncHTTPClient",
}


@functools.cache
def _data() -> dict[str, Any]:
    text = resources.files(__package__).joinpath("tornado_names.json").read_text("utf-8")
    data: dict[str, Any] = json.loads(text)
    data["gone"] = frozenset(data["gone"])
    return data


def is_module(dotted: str) -> bool:
    """Whether this is a module of Tornado 4.5.3."""
    return dotted in _data()["homes"]


def names_of(module: str) -> dict[str, str]:
    """The names in a module of Tornado's, each with the dotted name of its home ("" where it has none)."""
    names: dict[str, str] = _data()["homes"].get(module, {})
    return names


def home(module: str, name: str) -> str:
    """The dotted name under which ``module.name`` is at home: ``tornado.web.gen`` is ``tornado.gen``."""
    submodule = f"{module}.{name}"
    if is_module(submodule):
        return submodule
    return names_of(module).get(name) or submodule


def is_class(dotted: str) -> bool:
    return dotted in _data()["classes"] or dotted in STANDARD


def mro(dotted: str) -> list[str]:
    """A class of Tornado's and what it inherits from, first to last."""
    known = _data()["classes"].get(dotted)
    return [dotted, *known["mro"]] if known else [dotted]


def member_home(cls: str, name: str) -> str | None:
    """``tornado.iostream.BaseIOStream.write`` for the class IOStream and ``write``; None for no member of it."""
    for each in mro(cls):
        known = _data()["classes"].get(each)
        if known and name in known["members"]:
            return f"{each}.{name}"
    return None


def parameters(dotted: str) -> list[str] | None:
    """The parameters of a function or method of 4.5.3, ``self`` left out; None where nothing is known.

    A class stands for its ``__init__`` (``initialize`` for what is Configurable).
    """
    data = _data()
    if dotted in data["functions"]:
        return list(data["functions"][dotted])
    if dotted in data["classes"]:
        for maker in ("initialize", "__init__"):
            at = member_home(dotted, maker)
            if at is not None and at.startswith("tornado"):
                return parameters(at)
        return None
    cls, _, name = dotted.rpartition(".")
    known = data["classes"].get(cls)
    if known is None or known["members"].get(name) is None:
        return None
    names: list[str] = known["members"][name]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def is_gone(dotted: str) -> bool:
    """Whether Tornado 6.6.1 has no such name (a module, a name in it, a member of a class) where 4.5.3 had one."""
    return dotted in _data()["gone"]


@functools.cache
def lost(dotted: str) -> tuple[str, ...]:
    """The parameters that a function, method or class of 4.5.3 has no more in 6.6.1."""
    data = _data()
    if dotted in data["lost"]:
        return tuple(data["lost"][dotted])
    if dotted in data["classes"]:
        for maker in ("initialize", "__init__", "__new__"):
            at = member_home(dotted, maker)
            if at is not None and at in data["lost"]:
                return tuple(data["lost"][at])
    return ()
