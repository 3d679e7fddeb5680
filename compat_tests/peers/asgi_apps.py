"""Programs written for Tornado 4, as ASGI applications: what ASGI servers serve in ``test_asgi_servers.py``.

    python -m compat_tests.peers.asgi_apps NAME PORT      # the same under our own server

The demos are those of 4.5.3's source distribution, in the folder that ``TORNADO4_DEMOS`` names.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import Any

from tornado4.asgi import ASGIAdapter
from tornado4.migrate import alias

alias.install()

EXAMPLES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "examples")
DEMOS = os.environ.get("TORNADO4_DEMOS", "")


def program(folder: str, name: str) -> Any:
    sys.path.insert(0, folder)
    return importlib.import_module(name)


def chat() -> Any:
    from tornado4.ioloop import IOLoop

    return program(os.path.join(EXAMPLES, "legacy", "chat"), "chat").ChatApplication(IOLoop.current())


def hello() -> Any:
    from tornado4 import web

    return web.Application([("/", program(os.path.join(DEMOS, "helloworld"), "helloworld").MainHandler)])


def polling() -> Any:
    """What ``main`` of the demo "chat" makes."""
    from tornado4 import web

    demo = program(os.path.join(DEMOS, "chat"), "chatdemo")
    return web.Application(
        [
            ("/", demo.MainHandler),
            ("/a/message/new", demo.MessageNewHandler),
            ("/a/message/updates", demo.MessageUpdatesHandler),
        ],
        cookie_secret="a secret",
        template_path=os.path.join(DEMOS, "chat", "templates"),
        static_path=os.path.join(DEMOS, "chat", "static"),
        xsrf_cookies=True,
    )


def sockets() -> Any:
    return program(os.path.join(DEMOS, "websocket"), "chatdemo").Application()


def upload() -> Any:
    return program(os.path.join(DEMOS, "file_upload"), "file_receiver").make_app()


def everything() -> Any:
    """``compat_tests/bridge/four.py``: of each thing that a handler can do with its connection, one handler."""
    from compat_tests.bridge import four

    return four.make_app()


MAKERS = {make.__name__: make for make in (chat, hello, polling, sockets, upload, everything)}
#: For servers, which want a name in a module: ``chat_asgi``.
globals().update({f"{name}_asgi": ASGIAdapter(factory=make) for name, make in MAKERS.items()})


def main() -> None:
    from tornado4.httpserver import HTTPServer
    from tornado4.ioloop import IOLoop

    HTTPServer(MAKERS[sys.argv[1]]()).listen(int(sys.argv[2]), "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
