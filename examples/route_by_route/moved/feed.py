import notes
import tornado.websocket


class FeedHandler(tornado.websocket.WebSocketHandler):
    async def open(self):
        notes.listeners.add(self.send)

    def send(self, note):
        self.write_message(note)

    async def on_message(self, message):
        if message == "count":
            await self.write_message(f"{len(notes.notes)}")
        else:
            notes.add("feed", message)

    def on_close(self):
        notes.listeners.discard(self.send)


routes = [(r"/feed", FeedHandler)]
