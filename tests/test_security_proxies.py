"""Headers of proxies: any text in them is an answer, and the last one of several counts."""

from __future__ import annotations

from typing import Any

import pytest
from attacked import attacked

from tornado4.web import RequestHandler


class Peer(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.remote_ip} {self.request.protocol}")


@pytest.fixture(scope="module")
def server() -> Any:
    with attacked([("/", Peer)], xheaders=True, trusted_downstream=["10.0.0.1"]) as made:
        yield made


def seen(server: Any, headers: str) -> str:
    status, _, body = server.ask("/", headers + "\r\n")
    assert (status, "Traceback" in server.log) == (200, False)
    return body.decode()


@pytest.mark.parametrize("name", ["X-Real-Ip", "X-Forwarded-For"])
@pytest.mark.parametrize(
    "text",
    ["a" * 64, "a" * 70 + ".example", ".", "..", "a..b", "\xe9", "\xff" * 300, "1.2.3.4.5", "::1::", "[::1]", "-",
    "xn--", "%"],
)
def test_what_is_no_address_leaves_the_peers(server: Any, name: str, text: str) -> None:
    assert seen(server, f"{name}: {text}") == "127.0.0.1 http"


@pytest.mark.parametrize(
    ("headers", "address"),
    [
        ("X-Real-Ip: 4.4.4.4", "4.4.4.4"),
        ("X-Forwarded-For: 5.5.5.5, 4.4.4.4", "4.4.4.4"),
        ("X-Forwarded-For: , 4.4.4.4", "4.4.4.4"),
        ("X-Forwarded-For: 4.4.4.4, 10.0.0.1", "4.4.4.4"),
        # The proxy's own member is the last, and here it says nothing; what stands before, the client can have sent.
        ("X-Forwarded-For: 4.4.4.4,", "127.0.0.1"),
        ("X-Forwarded-For: 4.4.4.4, , 10.0.0.1", "127.0.0.1"),
        ("X-Real-Ip: 4.4.4.4, 5.5.5.5", "127.0.0.1"),
    ],
)
def test_lists_of_addresses_as_in_453(server: Any, headers: str, address: str) -> None:
    assert seen(server, headers) == f"{address} http"


@pytest.mark.parametrize("name", ["X-Scheme", "X-Forwarded-Proto"])
@pytest.mark.parametrize(
    ("values", "protocol"),
    [
        (["http, https"], "https"), (["https, http"], "http"), (["http", "https"], "https"),
        (["https", "http"], "http"),
        (["https ,\thttps"], "https"), (["https,"], "http"), (["https, gopher"], "http"), (["https"], "https"),
    ],
)  # fmt: skip
def test_the_last_scheme_counts(server: Any, name: str, values: list[str], protocol: str) -> None:
    headers = "\r\n".join(f"{name}: {value}" for value in values)
    assert seen(server, headers) == f"127.0.0.1 {protocol}"
