"""Hello world. The one line that differs from a Tornado 4 program is the import.

python examples/hello.py, then http://localhost:8888/
"""

import tornado4.ioloop
import tornado4.web


class MainHandler(tornado4.web.RequestHandler):
    def get(self):
        self.write("Hello, world")


def make_app():
    return tornado4.web.Application([(r"/", MainHandler)])


if __name__ == "__main__":
    make_app().listen(8888)
    tornado4.ioloop.IOLoop.current().start()
