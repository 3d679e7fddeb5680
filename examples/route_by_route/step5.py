"""Step 5: Tornado 6 alone. The folder "board" can go, and so can tornado4.

python step5.py
"""

import asyncio

import moved.api
import moved.feed
import moved.pages
import moved.report
import tornado.web
from settings import settings
from tornado.options import define, options, parse_command_line

define("port", default=8888, type=int)


async def main():
    routes = moved.api.routes + moved.pages.routes + moved.feed.routes + moved.report.routes
    tornado.web.Application(routes, **settings).listen(options.port)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parse_command_line()
    asyncio.run(main())
