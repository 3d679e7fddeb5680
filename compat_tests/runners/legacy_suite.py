"""A test suite of the Tornado 4 days, in every style that `tornado.testing` knows. Run by ``__main__.py`` beside it.

``import tornado`` is tornado4 here: through ``pytest --tornado4-alias``, ``tornado4 run -m unittest`` or
``tornado4 run legacy_suite.py``, which calls `tornado.testing.main` as such files did.
"""

import logging
import unittest

import tornado.testing
from tornado import gen, web
from tornado.httpclient import HTTPError
from tornado.testing import (
    AsyncHTTPSTestCase,
    AsyncHTTPTestCase,
    AsyncTestCase,
    ExpectLog,
    LogTrapTestCase,
    gen_test,
)


class EchoHandler(web.RequestHandler):
    @web.asynchronous
    @gen.engine
    def get(self):
        yield gen.Task(tornado.ioloop.IOLoop.current().add_callback)
        self.finish({"path": self.request.path, "protocol": self.request.protocol})

    async def post(self):
        await gen.moment
        self.write(self.request.body)


class BrokenHandler(web.RequestHandler):
    def get(self):
        raise ZeroDivisionError("on purpose")


def make_app():
    return web.Application([("/broken", BrokenHandler), ("/.*", EchoHandler)])


class LoopTest(AsyncTestCase):
    def setUp(self):
        super(LoopTest, self).setUp()
        self.steps = []

    def test_stop_and_wait(self):
        self.io_loop.add_timeout(self.io_loop.time() + 0.01, lambda: self.stop("there"))
        self.assertEqual(self.wait(), "there")

    @gen_test
    def test_generator(self):
        yield gen.sleep(0.001)
        value = yield {"a": gen.maybe_future(1), "b": gen.maybe_future(2)}
        self.assertEqual(value, {"a": 1, "b": 2})

    @gen_test(timeout=20)
    async def test_native(self):
        self.steps.append(await gen.maybe_future(3))
        self.assertEqual(self.steps, [3])

    def test_a_failing_callback_fails_the_wait(self):
        self.io_loop.add_callback(lambda: 1 / 0)
        with self.assertRaises(ZeroDivisionError):
            self.wait()

    @unittest.skip("as old suites skip")
    def test_skipped(self):
        self.fail()

    @unittest.expectedFailure
    @gen_test
    def test_expected_failure(self):
        yield gen.moment
        self.fail("as announced")


class HelperCase(AsyncHTTPTestCase):
    """A base class of a suite's own, without a test."""

    def get_app(self):
        return make_app()


class HTTPTest(HelperCase):
    def test_fetch(self):
        response = self.fetch("/x", method="POST", body="body")
        self.assertEqual((response.code, response.body), (200, b"body"))

    @gen_test
    def test_fetch_in_a_coroutine(self):
        response = yield self.http_client.fetch(self.get_url("/a"))
        self.assertIn(b'"/a"', response.body)
        with ExpectLog("tornado.application", "Uncaught exception GET /broken"):
            with ExpectLog("tornado.access", "500 GET /broken"):
                with self.assertRaises(HTTPError):
                    yield self.http_client.fetch(self.get_url("/broken"))


class HTTPSTest(AsyncHTTPSTestCase):
    def get_app(self):
        return make_app()

    def test_fetch(self):
        self.assertIn(b'"https"', self.fetch("/").body)


class TrapTest(LogTrapTestCase):
    def test_log(self):
        logging.getLogger("tornado.application").error("hidden when the test passes")


class ExpectTest(unittest.TestCase):
    def test_nothing_logged(self):
        with self.assertRaisesRegex(Exception, "did not get expected log message"):
            with ExpectLog("tornado.general", "never"):
                pass


def all():
    return unittest.defaultTestLoader.loadTestsFromModule(__import__("__main__"))


if __name__ == "__main__":
    tornado.testing.main()
