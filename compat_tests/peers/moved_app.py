"""A program that moves route by route, for ASGI servers: an application of the real Tornado 6 beside old handlers.

    python -m compat_tests.peers.moved_app moved PORT      # the same under our own server
"""

from __future__ import annotations

import sys
from typing import Any

from compat_tests.bridge import four, six
from tornado4.asgi import ASGIAdapter
from tornado4.migrate.bridge import Tornado6
from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter


def moved() -> Any:
    new = Tornado6(six.make_app())
    return RuleRouter([Rule(PathMatches("/old/.*"), four.make_app()), Rule(AnyMatches(), new)])


moved_asgi = ASGIAdapter(factory=moved)


def main() -> None:
    from tornado4.httpserver import HTTPServer
    from tornado4.ioloop import IOLoop

    HTTPServer(moved()).listen(int(sys.argv[2]), "127.0.0.1")
    IOLoop.current().start()


if __name__ == "__main__":
    main()
