"""python -m unittest shop.tests"""

import json

from tornado.testing import AsyncHTTPTestCase, ExpectLog, bind_unused_port

from shop.server import application


class ShopTest(AsyncHTTPTestCase):
    def get_app(self):
        sock, port = bind_unused_port()
        sock.close()
        return application(news="http://127.0.0.1:%d/" % port)

    def test_welcome(self):
        self.assertEqual(self.fetch("/").body, b"Welcome")

    def test_price(self):
        self.http_client.fetch(self.get_url("/price/tea"), self.stop)
        response = self.wait()
        self.assertEqual(json.loads(response.body.decode()), {"name": "tea", "price": 3})

    def test_price_of_nothing(self):
        with ExpectLog("tornado.access", "404"):
            self.http_client.fetch(self.get_url("/price/nothing"), self.stop)
            response = self.wait()
        self.assertEqual(response.code, 404)

    def test_no_news(self):
        with ExpectLog("tornado.access", "502"):
            self.assertEqual(self.fetch("/news").code, 502)
