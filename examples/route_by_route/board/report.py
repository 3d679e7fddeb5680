import tornado.gen
import tornado.ioloop
import tornado.web

import notes


class ReportHandler(tornado.web.RequestHandler):
    """Takes its time, a line at a time."""

    @tornado.web.asynchronous
    @tornado.gen.engine
    def get(self):
        loop = tornado.ioloop.IOLoop.current()
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        for note in list(notes.notes):
            yield tornado.gen.Task(loop.add_timeout, loop.time() + 0.01)
            self.write("%(number)d %(author)s: %(text)s\n" % note)
            yield tornado.gen.Task(self.flush)
        self.finish("%d notes\n" % len(notes.notes))


routes = [(r"/report", ReportHandler)]
