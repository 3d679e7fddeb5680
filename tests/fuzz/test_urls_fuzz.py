"""Whatever URL a client is given: its fetch ends, nothing is logged, and its place is free again."""

from __future__ import annotations

from typing import Any

import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from tornado4 import gen
from tornado4.httpclient import HTTPRequest
from tornado4.ioloop import IOLoop
from tornado4.netutil import Resolver
from tornado4.simple_httpclient import SimpleAsyncHTTPClient
from tornado4.websocket import websocket_connect

PIECES = st.sampled_from(
    [
        "http",
        "https",
        "ws",
        "wss",
        "ftp",
        "HTTP",
        ":",
        "//",
        "/",
        "\\",
        "@",
        "user:pass@",
        "host",
        "[::1]",
        "[",
        "]",
        "::",
        ":80",
        ":x",
        ":99999999999",
        ":-1",
        "?a=b",
        "#f",
        "%00",
        "%zz",
        "\r\n",
        "\0",
        " ",
        "\t",
        "é",
        "☃",
        "..",
        "xn--",
        "." * 70,
        "a" * 70,
        "\ud800",
    ]
)
URLS = st.one_of(
    st.lists(PIECES, max_size=6).map("".join),
    st.tuples(st.sampled_from(["http://", "https://", "ws://"]), st.lists(PIECES, max_size=5).map("".join)).map(
        "".join
    ),
    st.text(max_size=12),
)


class Nowhere(Resolver):
    """Finds no address, without asking anybody."""

    asked = 0

    @gen.coroutine
    def resolve(self, host: str, port: int, family: int = 0) -> Any:
        Nowhere.asked += 1
        raise OSError(f"no address for {host!r}")
        yield


@pytest.fixture
def loop() -> Any:
    made = IOLoop()
    made.make_current()
    yield made
    made.clear_current()
    made.close(all_fds=True)


def test_a_fetch_of_any_url_ends(loop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    client: Any = SimpleAsyncHTTPClient(loop, force_instance=True, max_clients=1, resolver=Nowhere())

    @examples(200)
    @given(URLS)
    def property_holds(url: str) -> None:
        response = loop.run_sync(lambda: client.fetch(url, raise_error=False), timeout=120)
        assert response.code == 599 and response.error is not None
        assert not client.active and not client.queue and not client.waiting

    property_holds()
    client.close()
    assert caplog.records == [] and Nowhere.asked > 20


def test_a_websocket_to_any_url_ends(loop: IOLoop, caplog: pytest.LogCaptureFixture) -> None:
    Resolver.configure(Nowhere)
    try:

        @examples(200)
        @given(URLS)
        def property_holds(url: str) -> None:
            @gen.coroutine
            def connect() -> Any:
                yield websocket_connect(HTTPRequest(url, request_timeout=5))

            with pytest.raises(Exception) as caught:
                loop.run_sync(connect, timeout=120)
            assert not isinstance(caught.value, (gen.TimeoutError, AssertionError, AttributeError))

        property_holds()
    finally:
        Resolver.configure(None)
    assert caplog.records == []
