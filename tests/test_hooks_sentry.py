"""Errors, by the SDK of Sentry and a transport in memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from watched import Bench, watching

sentry_sdk = pytest.importorskip("sentry_sdk")

from sentry_sdk.transport import Transport  # noqa: E402

from tornado4 import gen, web  # noqa: E402
from tornado4.hooks import sentry  # noqa: E402


class Memory(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.events: list[Any] = []

    def capture_envelope(self, envelope: Any) -> None:
        self.events += [item.payload.json for item in envelope.items if item.type == "event"]


class Fails(web.RequestHandler):
    async def get(self) -> None:
        await gen.moment
        raise ValueError("on purpose")

    post = get


class Refuses(web.RequestHandler):
    def get(self) -> None:
        raise web.HTTPError(int(self.get_argument("status")))


@pytest.fixture
def memory() -> Iterator[Memory]:
    memory = Memory()
    client = sentry_sdk.Client(transport=memory, dsn="http://key@localhost/1", auto_enabling_integrations=False)
    scope = sentry_sdk.get_global_scope()
    former = scope.client
    scope.set_client(client)
    yield memory
    scope.set_client(former)


@pytest.fixture
def bench() -> Iterator[Bench]:
    bench = Bench([("/fails", Fails), ("/refuses", Refuses)])
    yield bench
    bench.close()


SECRETS = {"Authorization": "Bearer s3cret", "Cookie": "session=s3cret", "X-Api-Token": "s3cret", "X-Plain": "seen"}


def test_an_error_is_sent_once_with_its_request_and_without_what_is_secret(bench: Bench, memory: Memory) -> None:
    with watching(sentry.Errors()):
        bench.fetch("/fails?page=2&access_token=s3cret", method="POST", body="password=s3cret", headers=SECRETS)
    (event,) = memory.events
    (error,) = event["exception"]["values"]
    assert (error["type"], error["value"]) == ("ValueError", "on purpose")
    assert error["mechanism"]["type"] == "tornado4" and error["mechanism"]["handled"] is False
    assert event["transaction"] == "test_hooks_sentry.Fails"
    request = event["request"]
    assert request["url"] == f"http://127.0.0.1:{bench.port}/fails" and request["method"] == "POST"
    assert request["query_string"] == "page=2&access_token=***"
    assert request["headers"]["X-Plain"] == "seen" and request["headers"]["Authorization"] in ("***", "[Filtered]")
    assert "s3cret" not in json.dumps(request)
    assert error["stacktrace"]["frames"][-1]["function"] == "get"


@pytest.mark.parametrize("status, events", [(404, 0), (500, 1), (503, 1)])
def test_an_http_error_is_one_from_500_on(bench: Bench, memory: Memory, status: int, events: int) -> None:
    with watching(sentry.Errors()):
        assert bench.fetch(f"/refuses?status={status}").code == status
    assert len(memory.events) == events


def test_without_a_client_nothing_happens(bench: Bench) -> None:
    with watching(sentry.Errors()):
        assert bench.fetch("/fails").code == 500


def test_install_is_the_watcher(bench: Bench, memory: Memory) -> None:
    from tornado4 import hooks

    watcher = sentry.install()
    hooks.remove(watcher)
