"""Step 2: the pages have moved, too. Who was logged in still is: both sides read each other's cookies.

tornado4 run --alias-for board step2.py
"""

import board
import moved.api
import moved.pages
import tornado.web
from settings import settings
from tornado.options import define, options, parse_command_line

from tornado4.httpserver import HTTPServer
from tornado4.ioloop import IOLoop
from tornado4.migrate.bridge import Tornado6
from tornado4.routing import AnyMatches, PathMatches, Rule, RuleRouter

define("port", default=8888, type=int)

if __name__ == "__main__":
    parse_command_line()
    new = tornado.web.Application(moved.api.routes + moved.pages.routes, **settings)
    old = board.make_app(settings)
    # Static files went with the pages.
    router = RuleRouter([Rule(PathMatches(r"/(api/.*|login|static/.*)?"), Tornado6(new)), Rule(AnyMatches(), old)])
    HTTPServer(router).listen(options.port)
    IOLoop.current().start()
