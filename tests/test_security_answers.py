"""One request gets one answer, whatever its status and whatever becomes of the error page."""

from __future__ import annotations

from typing import Any

import pytest
from attacked import attacked

from tornado4.web import HTTPError, RequestHandler

NEXT = b"GET /next HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"


class Raises(RequestHandler):
    def get(self, status: str) -> None:
        raise HTTPError(int(status))


class Sends(RequestHandler):
    def get(self, status: str) -> None:
        self.send_error(int(status))


class Next(RequestHandler):
    def get(self) -> None:
        self.finish("next")


class Page(RequestHandler):
    """Whose error page fails, each in its way."""

    def get(self, how: str) -> None:
        self.how = how
        raise HTTPError(204 if how == "page_for_204" else 500)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        getattr(self, self.how)()

    def page_for_204(self) -> None:
        self.write("page")

    def raises(self) -> None:
        raise ZeroDivisionError

    def raises_behind_a_piece(self) -> None:
        self.write("piece")
        raise ZeroDivisionError

    def raises_behind_a_flush(self) -> None:
        self.write("piece")
        self.flush()
        raise ZeroDivisionError

    def finishes_twice(self) -> None:
        self.finish("page")
        self.finish("page")

    def nothing(self) -> None:
        pass

    def length_is_no_number(self) -> None:
        self.set_header("Content-Length", "many")
        self.write("page")

    def body_for_204(self) -> None:
        self.set_status(204)
        self.write("page")

    def interim_status(self) -> None:
        self.set_status(102)
        self.write("page")

    def sends_another_error(self) -> None:
        self.send_error(400)


class Broken(RequestHandler):
    def get(self) -> None:
        raise HTTPError(404)

    def send_error(self, *args: Any, **kwargs: Any) -> None:
        raise ZeroDivisionError


@pytest.fixture(scope="module")
def server() -> Any:
    handlers: list[Any] = [(r"/raises/(\d+)", Raises), (r"/sends/(\d+)", Sends), (r"/page/(\w+)", Page)]
    handlers += [("/broken", Broken), ("/next", Next)]
    with attacked(handlers) as made:
        yield made


def statuses(server: Any, path: str) -> list[int]:
    """Of the answers to a request for ``path`` and to another one behind it, on one connection."""
    answer = server.send(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode() + NEXT)
    assert b"<no end>" not in answer
    assert answer.endswith(b"\r\n\r\nnext")
    return [int(part[1:4]) for part in answer.split(b"HTTP/1.1")[1:]]


@pytest.mark.parametrize("way", ["raises", "sends"])
@pytest.mark.parametrize(
    ("status", "answered"),
    [(204, 204), (304, 304), (205, 205), (404, 404), (100, 500), (101, 500), (102, 500), (103, 500)],
)
def test_bodiless_statuses_are_answers(server: Any, way: str, status: int, answered: int) -> None:
    assert statuses(server, f"/{way}/{status}") == [answered, 200]


@pytest.mark.parametrize(
    ("how", "answered"),
    [
        ("page_for_204", 204), ("raises", 500), ("raises_behind_a_piece", 500), ("raises_behind_a_flush", 500),
        ("finishes_twice", 500), ("nothing", 500), ("length_is_no_number", 500), ("body_for_204", 204),
        ("interim_status", 500), ("sends_another_error", 400),
    ],
)  # fmt: skip
def test_whatever_the_error_page_does(server: Any, how: str, answered: int) -> None:
    assert statuses(server, f"/page/{how}") == [answered, 200]


def test_even_without_an_error_page(server: Any) -> None:
    assert statuses(server, "/broken") == [500, 200]
