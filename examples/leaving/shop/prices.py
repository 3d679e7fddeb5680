"""What things cost; asking takes a moment."""

from tornado import gen
from tornado.ioloop import IOLoop


class Prices(object):
    known = {"tea": 3, "milk": 1}

    @gen.engine
    def of(self, name, callback):
        loop = IOLoop.current()
        yield gen.Task(loop.add_timeout, loop.time() + 0.01)
        callback(self.known.get(name))


prices = Prices()
