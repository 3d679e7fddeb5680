"""The chat of examples/legacy, in as many processes as you like: what is said in one is heard in all.

    tornado4 serve everywhere:make_app --alias --xheaders --unix run/1.sock

The old program is taken as it is but for its wall of messages. That is a stream of Redis here, which numbers them, and
of which each process keeps the end. Who listens says which number was heard last: so nothing is missed when a
connection, or the process at its other end, is lost, whichever process answers the next time.

Beside the long poll there is a WebSocket, ``/feed?after=NUMBER``. Where Redis is: ``CHAT_REDIS`` in the environment,
an address as of redis-py (``redis://localhost:6379/0`` if it is not set).
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import redis.asyncio
import tornado.ioloop
import tornado.stack_context
import tornado.web
import tornado.websocket
from redis.exceptions import RedisError

from tornado4.serve import is_draining, when_draining

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "legacy" / "chat"))
import chat

Message = dict[str, Any]

#: The stream's name, messages that it and each process keep, and seconds for which a `say` is known by its key.
STREAM, KEEP, REMEMBERED = "chat", 5000, 3600
#: Seconds before Redis is asked again when it does not answer.
PAUSE = 0.5

# Who got no answer asks again, with the same key, and the message must not stand there twice. Redis runs this as one
# step, so there is no moment between the two in which a process could die.
SAY = """
local number = redis.call('GET', KEYS[2])
if not number then
    number = redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[1], '0-*', unpack(ARGV, 3)):sub(3)
    redis.call('SET', KEYS[2], number, 'EX', ARGV[2])
end
return tonumber(number)
"""


class Wall:
    """As the wall of the old program, with its messages in Redis."""

    def __init__(self, address: str) -> None:
        self.messages: list[Message] = []
        self.last_number = 0
        self.waiting: dict[Any, tuple[int, Callable[[list[Message]], None]]] = {}
        self.feeds: set[Feed] = set()
        # A blocked XREAD answers within 5 seconds, if only to say that nothing has come.
        self.redis = redis.asyncio.from_url(address, decode_responses=True, socket_timeout=10)
        self.script = self.redis.register_script(SAY)

    async def say(self, name: str, text: str, key: str) -> int:
        """The number of the message. OSError or RedisError when it is not known whether it was said."""
        said = ["name", name, "text", text, "at", time.strftime("%H:%M")]
        number: int = await self.script(keys=[STREAM, f"{STREAM}:{key}"], args=[KEEP, REMEMBERED, *said])
        return number

    async def follow(self) -> None:
        """Take what is said, anywhere, for as long as this process lives."""
        away = False
        while True:
            try:
                answer = await self.redis.xread({STREAM: f"0-{self.last_number}"}, block=5000)
            except (OSError, RedisError) as error:
                if not away:
                    logging.warning("chat: Redis does not answer, asking until it does: %s", error)
                away = True
                await asyncio.sleep(PAUSE)
                continue
            if away:
                logging.warning("chat: Redis answers again")
                away = False
            for _, entries in answer:
                self.take([{**fields, "number": int(entry[2:])} for entry, fields in entries])

    def take(self, news: list[Message]) -> None:
        self.messages = (self.messages + news)[-KEEP:]
        self.last_number = news[-1]["number"]
        for key, (after, callback) in list(self.waiting.items()):
            if after < self.last_number:
                self.forget(key)
                callback(self.since(after))
        for feed in list(self.feeds):
            feed.send()

    def since(self, after: int) -> list[Message]:
        """Messages behind a number. Most who ask are nearly up to date, so the end is looked at first."""
        first = len(self.messages)
        while first and self.messages[first - 1]["number"] > after:
            first -= 1
        return self.messages[first:]

    # What the old handlers call.

    def listen(self, key: Any, after: int, callback: Callable[[list[Message]], None]) -> None:
        news = self.since(after)
        if news or is_draining():
            callback(news)
        else:
            self.waiting[key] = (after, tornado.stack_context.wrap(callback))

    def forget(self, key: Any) -> None:
        self.waiting.pop(key, None)

    def let_go(self) -> None:
        """This process drains: who waits is answered, and asks again, elsewhere."""
        waiting, self.waiting = self.waiting, {}
        for _, callback in waiting.values():
            callback([])


class SayHandler(chat.BaseHandler):
    """``name``, ``text``, and ``key``: a client that got no answer says it again, with the same key."""

    async def post(self) -> None:
        text, key = self.get_argument("text").strip(), self.get_argument("key", uuid.uuid4().hex)
        if not text:
            raise tornado.web.HTTPError(400, "nothing was said")
        try:
            number = await self.wall.say(self.get_argument("name", "somebody"), text, key)
        except (OSError, RedisError) as error:
            raise tornado.web.HTTPError(503, "Redis does not answer: %s", error) from None
        self.set_status(201)
        self.write_json({"number": number})


class Feed(tornado.websocket.WebSocketHandler):
    """Sends what is behind ``after``, and then each message when it comes, as lists."""

    after: int

    def open(self) -> None:
        self.after = int(self.get_argument("after", "0"))
        self.application.wall.feeds.add(self)
        self.send()

    def on_message(self, message: str | bytes) -> None:
        """Nothing is to be said here."""

    def on_close(self) -> None:
        self.application.wall.feeds.discard(self)

    def send(self) -> None:
        news = self.application.wall.since(self.after)
        if news:
            self.after = news[-1]["number"]
            self.write_message(tornado.escape.json_encode(news))


def make_app() -> tornado.web.Application:
    """For `tornado4 serve`. The loop does not run yet, and Redis need not be there yet."""
    loop = tornado.ioloop.IOLoop.current()
    application = chat.ChatApplication(loop)
    application.wall = Wall(os.environ.get("CHAT_REDIS", "redis://localhost:6379/0"))
    application.add_handlers(".*", [(r"/say", SayHandler), (r"/feed", Feed)])
    loop.spawn_callback(application.wall.follow)
    when_draining(application.wall.let_go)
    return application
