"""What a type checker must refuse. Each line is wrong, and says so: under ``--strict`` an unneeded ignore is an error.

So this fails to check when a type gets lost on the way, and everything becomes `Any`.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

from tornado4 import gen, ioloop, queues, web
from tornado4.concurrent import Future


@gen.coroutine
def number() -> Generator[Any, Any, int]:
    yield gen.moment
    return 1


async def results() -> None:
    text: str = await number()  # type: ignore[assignment]
    future: Future[str] = number()  # type: ignore[assignment]
    queue: queues.Queue[int] = queues.Queue()
    await queue.put("x")  # type: ignore[arg-type]
    item: str = await queue.get()  # type: ignore[assignment]
    print(text, future, item)


class Handler(web.RequestHandler):
    def get(self) -> None:
        self.set_status("200")  # type: ignore[arg-type]
        self.nothing_of_the_kind()  # type: ignore[attr-defined]
        maybe = self.get_argument("x", None)
        maybe.strip()  # type: ignore[union-attr]
        cookie: str = self.get_secure_cookie("x")  # type: ignore[assignment]
        print(maybe, cookie)


def loop() -> None:
    ioloop.IOLoop.current().add_callback(1)  # type: ignore[arg-type]
    ioloop.PeriodicCallback(print, "1000")  # type: ignore[arg-type]
