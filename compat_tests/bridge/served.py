"""Any of the two applications under any of the two servers: targets of the launcher, which starts Tornado 6's server.

``theirs_*`` is served by Tornado 6's HTTPServer, ``ours_*`` by tornado4's, on tornado4's IOLoop.
"""

from __future__ import annotations

import os
from typing import Any

import tornado.httpserver
import tornado.ioloop

import tornado4.httpserver
from compat_tests.bridge import four, six
from tornado4.ioloop import IOLoop
from tornado4.migrate.bridge import Tornado4, Tornado6, one_loop
from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter

SERVER = {"xheaders": True, "max_body_size": 300_000}


def _our_server() -> None:
    if os.environ.get("TORNADO4_TEST_LOOP") == "uvloop":
        import uvloop

        IOLoop.configure("tornado4.platform.asyncio.AsyncIOLoop", loop_factory=uvloop.new_event_loop)
    loop = one_loop()
    tornado.httpserver.HTTPServer = tornado4.httpserver.HTTPServer
    tornado.ioloop.IOLoop.current().start = loop.start


def theirs_six() -> Any:
    return six.make_app()


def ours_six() -> Any:
    """As a program has it that moves route by route: a rule's target, in front of old handlers."""
    _our_server()
    return RuleRouter([Rule(PathMatches("/old/.*"), four.make_app()), Rule(AnyMatches(), Tornado6(six.make_app()))])


def ours_four() -> Any:
    _our_server()
    return four.make_app()


def theirs_four() -> Any:
    import tornado.routing

    return tornado.routing.RuleRouter([(r".*", Tornado4(four.make_app()))])
