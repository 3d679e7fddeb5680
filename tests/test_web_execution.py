"""Handlers that wait: every kind of coroutine, callbacks, streamed bodies, over real sockets."""

from __future__ import annotations

import asyncio
import contextvars
from typing import Any

import pytest

from tornado4 import gen
from tornado4.ioloop import IOLoop
from tornado4.testing import AsyncHTTPTestCase, ExpectLog
from tornado4.web import Application, HTTPError, RequestHandler, asynchronous, stream_request_body

request_id: contextvars.ContextVar[str] = contextvars.ContextVar("request_id", default="none")


class Sync(RequestHandler):
    def get(self) -> None:
        self.write("sync")


class Coroutine(RequestHandler):
    @gen.coroutine
    def prepare(self) -> Any:
        yield gen.moment
        self.write("prepared,")

    @gen.coroutine
    def get(self) -> Any:
        yield gen.moment
        self.write("coroutine")

    @gen.coroutine
    def post(self) -> Any:
        yield gen.moment
        raise HTTPError(409)


class Native(RequestHandler):
    async def prepare(self) -> None:
        self.write("prepared,")

    async def get(self) -> None:
        async with asyncio.timeout(5):
            await asyncio.sleep(0)
        assert asyncio.current_task() is not None
        self.write("native")

    async def post(self) -> None:
        await asyncio.sleep(0)
        raise HTTPError(409)

    async def put(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)


class Callback(RequestHandler):
    @asynchronous
    def get(self) -> None:
        IOLoop.current().add_callback(lambda: self.finish("callback"))

    @asynchronous
    def post(self) -> None:
        IOLoop.current().add_callback(lambda: 1 / 0)

    @asynchronous
    @gen.coroutine
    def put(self) -> Any:
        yield gen.moment
        self.write("asynchronous coroutine")

    @gen.coroutine
    @asynchronous
    def delete(self) -> Any:
        IOLoop.current().add_callback(lambda: self.finish("coroutine asynchronous"))

    @asynchronous
    @gen.engine
    def patch(self) -> Any:
        yield gen.Task(IOLoop.current().add_callback)
        self.finish("engine")


class Lists(RequestHandler):
    def get(self) -> Any:
        return [gen.maybe_future(1), gen.moment]

    def post(self) -> Any:
        return 5


class Context(RequestHandler):
    def prepare(self) -> None:
        request_id.set(self.get_argument("id"))

    @gen.coroutine
    def get(self) -> Any:
        yield gen.moment
        self.write(request_id.get())
        request_id.set("changed")

    async def post(self) -> None:
        await asyncio.sleep(0)
        self.write(request_id.get())
        request_id.set("changed")

    def on_finish(self) -> None:
        self.application.settings["seen"].append(request_id.get())


@stream_request_body
class Streamed(RequestHandler):
    def prepare(self) -> None:
        self.size = 0
        if self.get_argument("refuse", ""):
            raise HTTPError(403)

    @gen.coroutine
    def data_received(self, chunk: bytes) -> Any:
        yield gen.moment
        self.size += len(chunk)

    def post(self) -> None:
        self.write(str(self.size))


class ExecutionTest(AsyncHTTPTestCase):
    def get_app(self) -> Application:
        self.seen: list[str] = []
        return Application(
            [
                ("/sync", Sync),
                ("/coroutine", Coroutine),
                ("/native", Native),
                ("/callback", Callback),
                ("/lists", Lists),
                ("/context", Context),
                ("/streamed", Streamed),
            ],
            seen=self.seen,
        )

    def get_text(self, path: str, method: str = "GET", body: Any = None) -> str:
        response = self.fetch(path, method=method, body=body)
        response.rethrow()
        return response.body.decode()

    def test_each_kind_of_handler_answers(self) -> None:
        assert self.get_text("/sync") == "sync"
        assert self.get_text("/coroutine") == "prepared,coroutine"
        assert self.get_text("/native") == "prepared,native"
        assert self.get_text("/callback") == "callback"
        assert self.get_text("/callback", "PUT", b"") == "asynchronous coroutine"
        assert self.get_text("/callback", "DELETE") == "coroutine asynchronous"
        assert self.get_text("/callback", "PATCH", b"") == "engine"
        assert self.get_text("/lists") == ""

    def test_errors_after_waiting_become_responses(self) -> None:
        assert self.fetch("/coroutine", method="POST", body=b"").code == 409
        assert self.fetch("/native", method="POST", body=b"").code == 409
        for path in ("/callback", "/lists"):
            with ExpectLog("tornado.application", "Uncaught exception POST /"):
                assert self.fetch(path, method="POST", body=b"").code == 500

    def test_a_cancelled_native_handler_answers_500(self) -> None:
        with ExpectLog("tornado.application", "Uncaught exception PUT /native"):
            assert self.fetch("/native", method="PUT", body=b"").code == 500

    def test_prepare_method_and_on_finish_share_one_context(self) -> None:
        assert self.get_text("/context?id=a") == "a"
        assert self.get_text("/context?id=b", "POST", b"") == "b"
        assert len(self.seen) == 2
        assert request_id.get() == "none"

    def test_streamed_bodies_come_in_pieces_after_prepare(self) -> None:
        assert self.get_text("/streamed", "POST", b"x" * 200_000) == "200000"
        assert self.fetch("/streamed?refuse=1", method="POST", body=b"x").code == 403


def test_a_handler_that_does_not_wait_needs_no_loop() -> None:
    from web_fakes import fetch, serve

    assert fetch(serve(Sync)).body == b"sync"


def test_execute_gives_one_resolved_future_for_all_that_do_not_wait() -> None:
    from web_fakes import begin, serve

    app = serve(Sync)
    delegates = [begin(app)[0].delegate for _ in range(2)]
    futures = [Sync(app, delegate.request)._execute([]) for delegate in delegates]
    assert futures[0] is futures[1]
    assert futures[0].done()


def test_stream_request_body_is_for_handlers_only() -> None:
    with pytest.raises(TypeError):
        stream_request_body(int)  # type: ignore[type-var]
