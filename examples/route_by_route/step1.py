"""Step 1: the API has moved; the rest is served as it was. One process, one port, one loop.

tornado4 run --alias-for board step1.py
"""

import board
import moved.api
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
    new = tornado.web.Application(moved.api.routes, **settings)
    old = board.make_app(settings)
    router = RuleRouter([Rule(PathMatches(r"/api/.*"), Tornado6(new)), Rule(AnyMatches(), old)])
    HTTPServer(router).listen(options.port)
    IOLoop.current().start()
