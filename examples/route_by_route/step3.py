"""Step 3: the WebSocket has moved. From here on it is simpler to say what has not.

tornado4 run --alias-for board step3.py
"""

import board
import moved.api
import moved.feed
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
    new = tornado.web.Application(moved.api.routes + moved.pages.routes + moved.feed.routes, **settings)
    old = board.make_app(settings)
    router = RuleRouter([Rule(PathMatches(r"/report"), old), Rule(AnyMatches(), Tornado6(new))])
    HTTPServer(router).listen(options.port)
    IOLoop.current().start()
