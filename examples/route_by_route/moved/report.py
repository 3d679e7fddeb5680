import asyncio

import notes
import tornado.web


class ReportHandler(tornado.web.RequestHandler):
    """Takes its time, a line at a time."""

    async def get(self):
        self.set_header("Content-Type", "text/plain; charset=UTF-8")
        for note in list(notes.notes):
            await asyncio.sleep(0.01)
            self.write("{number} {author}: {text}\n".format(**note))
            await self.flush()
        self.finish(f"{len(notes.notes)} notes\n")


routes = [(r"/report", ReportHandler)]
