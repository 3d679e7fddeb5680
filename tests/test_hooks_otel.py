"""Traces, by the SDK of OpenTelemetry and an exporter in memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from watched import Bench, watching

pytest.importorskip("opentelemetry.sdk.trace")

from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from tornado4 import gen, web, websocket
from tornado4.hooks import otel
from tornado4.httpclient import AsyncHTTPClient
from tornado4.ioloop import IOLoop

REMOTE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

provider = TracerProvider()
exporter = InMemorySpanExporter()
provider.add_span_processor(SimpleSpanProcessor(exporter))
tracer = provider.get_tracer("test")


class Leaf(web.RequestHandler):
    def get(self) -> None:
        with tracer.start_as_current_span("leaf"):
            self.write(self.request.headers.get("traceparent", ""))


class ByGenerator(web.RequestHandler):
    @gen.coroutine
    def get(self) -> Any:
        yield gen.sleep(0.001)
        with tracer.start_as_current_span("mine"):
            url = f"http://127.0.0.1:{self.settings['port']}/leaf?token=1"
            both = yield [AsyncHTTPClient().fetch(url), AsyncHTTPClient().fetch(url)]
        self.write(both[0].body)


class ByAsyncDef(web.RequestHandler):
    async def get(self) -> None:
        await gen.sleep(0.001)
        with tracer.start_as_current_span("mine"):
            response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{self.settings['port']}/leaf")
        self.write(response.body)


class ByCallbacks(web.RequestHandler):
    @web.asynchronous
    def get(self) -> None:
        IOLoop.current().add_callback(self.later)

    def later(self) -> None:
        with tracer.start_as_current_span("mine"):
            AsyncHTTPClient().fetch(f"http://127.0.0.1:{self.settings['port']}/leaf", self.fetched)

    def fetched(self, response: Any) -> None:
        self.finish(response.body)


class Fails(web.RequestHandler):
    def get(self) -> None:
        raise ValueError("on purpose")


class Refuses(web.RequestHandler):
    def get(self) -> None:
        raise web.HTTPError(404)


class Socket(websocket.WebSocketHandler):
    def on_message(self, message: Any) -> None:
        with tracer.start_as_current_span("message"):
            self.write_message(message)


@pytest.fixture
def bench() -> Iterator[Bench]:
    rules: list[Any] = [("/leaf", Leaf), ("/generator", ByGenerator), ("/async", ByAsyncDef)]
    bench = Bench([*rules, ("/callbacks", ByCallbacks), ("/fails", Fails), ("/refuses", Refuses), ("/ws", Socket)])
    exporter.clear()
    yield bench
    bench.close()


def spans() -> dict[str, list[Any]]:
    """By name, in the order of their ends."""
    found: dict[str, list[Any]] = {}
    for span in exporter.get_finished_spans():
        found.setdefault(span.name, []).append(span)
    return found


def parent(span: Any) -> int | None:
    return None if span.parent is None else int(span.parent.span_id)


def fetch(bench: Bench, path: str, **headers: str) -> Any:
    """By a client that is not traced: it has begun before the watcher comes."""
    return bench.fetch(path, headers=headers)


@pytest.mark.parametrize("path", ["generator", "async", "callbacks"])
def test_spans_have_the_right_parents(bench: Bench, path: str) -> None:
    class Untraced(otel.Tracing):
        """The test's own fetch is none of the application's."""

        def fetch_began(self, event: Any) -> None:
            if "/leaf" in event.request.url:
                super().fetch_began(event)

    with watching(Untraced(provider)):
        response = bench.fetch(f"/{path}", headers={"traceparent": REMOTE})
    found = spans()
    handler = {"generator": "ByGenerator", "async": "ByAsyncDef", "callbacks": "ByCallbacks"}[path]
    (outer,) = found[f"GET test_hooks_otel.{handler}"]
    (mine,) = found["mine"]
    fetches, leaves, inner = found["GET"], found["GET test_hooks_otel.Leaf"], found["leaf"]
    assert len(fetches) == len(leaves) == len(inner) == (2 if path == "generator" else 1)
    # in from outside, through the handler, out by the fetch, in again, to the leaf
    assert f"{outer.context.trace_id:032x}" == REMOTE.split("-")[1]
    assert f"{parent(outer):016x}" == REMOTE.split("-")[2]
    assert parent(mine) == outer.context.span_id
    assert all(parent(each) == mine.context.span_id for each in fetches)
    assert {parent(each) for each in leaves} == {each.context.span_id for each in fetches}
    assert {parent(each) for each in inner} == {each.context.span_id for each in leaves}
    assert len({each.context.trace_id for each in exporter.get_finished_spans()}) == 1
    sent = response.body.decode().split("-")
    assert sent[1] == REMOTE.split("-")[1] and int(sent[2], 16) in [each.context.span_id for each in fetches]
    # nothing is left behind for the next request
    assert not trace.get_current_span().get_span_context().is_valid


def test_requests_without_a_parent_begin_a_trace_each(bench: Bench) -> None:
    with watching(otel.Tracing(provider)):
        bench.fetch("/leaf")
        bench.fetch("/leaf")
    servers = spans()["GET test_hooks_otel.Leaf"]
    clients = spans()["GET"]
    assert [parent(each) for each in clients] == [None, None]
    assert [parent(each) for each in servers] == [each.context.span_id for each in clients]
    assert servers[0].context.trace_id != servers[1].context.trace_id


def test_attributes(bench: Bench) -> None:
    with watching(otel.Tracing(provider)):
        bench.fetch("/leaf?password=1")
    (server,), (client,) = spans()["GET test_hooks_otel.Leaf"], spans()["GET"]
    assert dict(server.attributes) == {
        "http.request.method": "GET", "url.path": "/leaf", "url.scheme": "http", "network.protocol.version": "1.1",
        "client.address": "127.0.0.1", "code.function.name": "test_hooks_otel.Leaf", "http.response.status_code": 200,
    }  # fmt: skip
    assert dict(client.attributes) == {
        "http.request.method": "GET", "url.full": f"http://127.0.0.1:{bench.port}/leaf", "server.address": "127.0.0.1",
        "http.response.status_code": 200,
    }  # fmt: skip
    assert server.kind is trace.SpanKind.SERVER and client.kind is trace.SpanKind.CLIENT


@pytest.mark.parametrize("path, is_error", [("/fails", True), ("/refuses", False)])
def test_errors(bench: Bench, path: str, is_error: bool) -> None:
    with watching(otel.Tracing(provider)):
        bench.fetch(path)
    (server,) = [span for span in exporter.get_finished_spans() if span.kind is trace.SpanKind.SERVER]
    assert server.status.is_ok is not is_error
    assert [event.name for event in server.events] == (["exception"] if is_error else [])
    if is_error:
        assert server.events[0].attributes["exception.message"] == "on purpose"
        assert server.attributes["error.type"] == "ValueError"
    (client,) = spans()["GET"]
    assert client.attributes["error.type"] == ("500" if is_error else "404")


def test_what_a_websocket_does_stands_beneath_its_handshake(bench: Bench) -> None:
    @gen.coroutine
    def go() -> Any:
        connection = yield websocket.websocket_connect(f"ws://127.0.0.1:{bench.port}/ws")
        connection.write_message("hello")
        yield connection.read_message()
        connection.close()
        yield connection.read_message()

    with watching(otel.Tracing(provider)):
        bench.loop.run_sync(go)
    (handshake,), (message,) = spans()["GET test_hooks_otel.Socket"], spans()["message"]
    assert handshake.attributes["http.response.status_code"] == 101
    assert parent(message) == handshake.context.span_id
