"""Tests that forgot ``@gen_test``: each must be reported, by every runner."""

from tornado import gen
from tornado.testing import AsyncTestCase


class ForgetfulTest(AsyncTestCase):
    def test_generator(self):
        yield gen.moment
        self.fail("never reached, and never noticed without the check")

    async def test_native(self):
        await gen.moment
        self.fail("never reached, and never noticed without the check")

    @gen.coroutine
    def test_coroutine(self):
        yield gen.moment
