"""The server: python -m shop.server PORT."""

import sys

import tornado.web
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop, PeriodicCallback

from shop.handlers import News, Price, Welcome


def application(**settings):
    pages = [(r"/", Welcome), (r"/price/(\w+)", Price), (r"/news", News)]
    return tornado.web.Application(pages, cookie_secret="secret", **settings)


def main():
    loop = IOLoop.instance()
    server = HTTPServer(application(news="http://127.0.0.1:1/"), io_loop=loop)
    server.listen(int(sys.argv[1]), "127.0.0.1")
    PeriodicCallback(sys.stdout.flush, 60000, io_loop=loop).start()
    loop.start()


if __name__ == "__main__":
    main()
