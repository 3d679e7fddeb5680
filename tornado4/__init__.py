"""The Tornado 4.5.3 API on modern asyncio.

``version`` and ``version_info`` name the API's version, as applications test it; the
distribution's own version is ``4.5.3.N``.

The house, top to bottom; a floor imports only from the floors below it:

    migrate, testing, forward, asgi, serve, hooks    tools, names and servers that stand on the public faces
    httpserver, websocket                 HTTP servers and what upgrades from them
    tcpserver, simple_httpclient, wsgi, autoreload
    web, http1connection, tcpclient, process, queues
    iostream, platform, auth, locks       bytes and sockets
    gen, httpclient, netutil              coroutines
    ioloop, concurrent, routing, _wire    loops; protocols without I/O (no socket, no asyncio)
    _core, httputil, options, locale, template
    log, escape, stack_context, util, switches, _masking, _percent, _hints, _route_index    the ground

PYTEST_DONT_REWRITE: migrate/pytest_plugin.py says why.
"""

import os as _os

TYPE_CHECKING = False  # typing.TYPE_CHECKING, without importing typing

version = "4.5.3"
version_info = (4, 5, 3, 0)

if not TYPE_CHECKING:  # a checker is to find misspelled modules

    def __getattr__(name):
        """Submodules that came along with other imports in 4.5.3."""
        import tornado4._handed_on as handed_on  # late: most programs never come here

        return handed_on.submodule(__name__, name)

if _os.environ.get("TORNADO4_FUTURE"):
    import tornado4.flags  # noqa: F401 (for what it turns on)
