"""Step 4: the server is Tornado 6's. What has not moved, the report, hangs below it.

tornado4 run --alias-for board step4.py
"""

import asyncio

import board
import moved.api
import moved.feed
import moved.pages
import tornado.web
from settings import settings
from tornado.options import define, options, parse_command_line

from tornado4.migrate.bridge import Tornado4

define("port", default=8888, type=int)


async def main():
    old = [(r"/report", Tornado4(board.make_app(settings)))]
    new = tornado.web.Application(moved.api.routes + moved.pages.routes + moved.feed.routes + old, **settings)
    new.listen(options.port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parse_command_line()
    asyncio.run(main())
