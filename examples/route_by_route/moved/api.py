import notes
import tornado.web


class NotesHandler(tornado.web.RequestHandler):
    async def get(self):
        self.set_header("Cache-Control", "no-cache")
        self.write({"notes": notes.notes})


class NoteHandler(tornado.web.RequestHandler):
    async def get(self, number):
        found = [note for note in notes.notes if note["number"] == int(number)]
        if not found:
            raise tornado.web.HTTPError(404)
        self.write(found[0])


routes = [(r"/api/notes", NotesHandler), (r"/api/notes/([0-9]+)", NoteHandler)]
