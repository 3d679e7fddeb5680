"""The server as it always was: on Tornado 4, or with "tornado4 run server.py"."""

import tornado.ioloop
from tornado.options import define, options, parse_command_line

import board
from settings import settings

define("port", default=8888, type=int)

if __name__ == "__main__":
    parse_command_line()
    board.make_app(settings).listen(options.port)
    tornado.ioloop.IOLoop.current().start()
