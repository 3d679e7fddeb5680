"""The chat's messages in a SQLite file, so that several processes have the same, and a restart keeps them."""

import sqlite3
import time

import tornado.ioloop
from chat import Wall

from tornado4.serve import is_draining


class SharedWall(Wall):
    """`chat.Wall`, and what other processes write into the file.

    :arg path: the file; made when it is not there.
    :arg look_every: milliseconds between two looks for news of other processes.
    """

    def __init__(self, path, io_loop, look_every=100):
        Wall.__init__(self)
        # With many who write the file is hard to get hold of: a process that starts has time, one that serves less.
        self.file = sqlite3.connect(path, timeout=60, isolation_level=None)
        self.file.execute(
            "CREATE TABLE IF NOT EXISTS messages (number INTEGER PRIMARY KEY, name TEXT, text TEXT, at TEXT)"
        )
        self.followers = set()
        self.look()
        self.file.execute("PRAGMA busy_timeout = 10000")
        if io_loop is not None:
            tornado.ioloop.PeriodicCallback(self.look, look_every, io_loop=io_loop).start()

    def say(self, name, text):
        values = (name, text, time.strftime("%H:%M"))
        self.file.execute("INSERT INTO messages (name, text, at) VALUES (?, ?, ?)", values)
        self.look()
        return self.messages[-1]

    def listen(self, key, after, callback):
        self.look()  # else what the client has already, from another process, would be news
        if is_draining():  # it has come on a connection that was kept, and asks again, elsewhere
            callback([])
        else:
            Wall.listen(self, key, after, callback)

    def look(self):
        """Take what is new in the file to those who wait."""
        rows = self.file.execute(
            "SELECT number, name, text, at FROM messages WHERE number > ? ORDER BY number", (self.last_number,)
        ).fetchall()
        if not rows:
            return
        news = [dict(zip(("number", "name", "text", "at"), row, strict=True)) for row in rows]
        self.messages += news
        self.last_number = news[-1]["number"]
        waiting, self.waiting = self.waiting, {}
        for callback in [*waiting.values(), *self.followers]:
            callback(news)

    def let_go(self):
        """This process drains: answer those who wait with nothing. Their clients ask again, and come to another."""
        for callback in list(self.waiting.values()):
            callback([])
