import tornado.websocket

import notes


class FeedHandler(tornado.websocket.WebSocketHandler):
    def open(self):
        notes.listeners.add(self.send)

    def send(self, note):
        self.write_message(note)

    def on_message(self, message):
        if message == "count":
            self.write_message("%d" % len(notes.notes))
        else:
            notes.add("feed", message)

    def on_close(self):
        notes.listeners.discard(self.send)


routes = [(r"/feed", FeedHandler)]
