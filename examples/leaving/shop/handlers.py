"""The pages."""

import tornado.gen
import tornado.web
from tornado.httpclient import AsyncHTTPClient, HTTPError

from shop.prices import prices


class Welcome(tornado.web.RequestHandler):
    def get(self):
        seen = self.get_secure_cookie("seen")
        self.set_secure_cookie("seen", "yes")
        self.write("Welcome back" if seen else "Welcome")


class Price(tornado.web.RequestHandler):
    @tornado.web.asynchronous
    @tornado.gen.engine
    def get(self, name):
        price = yield tornado.gen.Task(prices.of, name)
        if price is None:
            raise tornado.web.HTTPError(404)
        self.finish({"name": name, "price": price})


class News(tornado.web.RequestHandler):
    """What another server says."""

    @tornado.web.asynchronous
    def get(self):
        client = AsyncHTTPClient()
        client.fetch(self.settings["news"], self.on_news)

    def on_news(self, response):
        if response.error:
            self.send_error(502)
        else:
            self.finish(response.body)
