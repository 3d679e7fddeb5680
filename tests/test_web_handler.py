"""RequestHandler: input, output, errors. Answers are those of the real 4.5.3, header order included."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest
from web_fakes import FakeConnection, begin, fetch, serve

from tornado4.log import access_log
from tornado4.web import Application, Finish, HTTPError, MissingArgumentError, RequestHandler

HELLO_TAG = '"e02aa1b106d5c7c6a98def2b13005d5b84fd8dc8"'


class Hello(RequestHandler):
    def get(self) -> None:
        self.write("Hello, world")


def run(action: Any, method: str = "GET", **kwargs: Any) -> FakeConnection:
    """Answer one request by ``action(handler)``."""
    settings = kwargs.pop("settings", {})

    class Handler(RequestHandler):
        def get(self) -> Any:
            return action(self)

        post = put = head = get

    return fetch(serve(Handler, **settings), method, **kwargs)


def test_headers_come_in_the_order_of_4_5_3() -> None:
    answer = fetch(serve(Hello))
    assert answer.names() == ["Server", "Content-Type", "Date", "Etag", "Content-Length"]
    assert answer.headers["Server"] == "TornadoServer/4.5.3"
    assert answer.headers["Content-Type"] == "text/html; charset=UTF-8"
    assert answer.headers["Etag"] == HELLO_TAG
    assert answer.headers["Content-Length"] == "12"
    assert answer.pieces == [b"Hello, world"]
    assert answer.finished
    assert answer.close_callback is None


@pytest.mark.parametrize("given", [HELLO_TAG, "*", "W/" + HELLO_TAG, '"x", ' + HELLO_TAG])
def test_a_matching_etag_gives_304_without_entity_headers(given: str) -> None:
    answer = fetch(serve(Hello), headers={"If-None-Match": given})
    assert (answer.status, answer.body) == (304, b"")
    assert answer.names() == ["Server", "Date", "Etag"]


def test_an_etag_that_the_handler_set_is_kept_and_not_compared() -> None:
    answer = run(lambda h: h.set_header("Etag", '"q"'), headers={"If-None-Match": '"q"'})
    assert (answer.status, answer.headers["Etag"]) == (200, '"q"')


@pytest.mark.parametrize("method", ["HEAD", "POST", "DELETE", "FOO", "get"])
def test_unsupported_methods_get_405(method: str) -> None:
    answer = fetch(serve(Hello), method)
    assert (answer.status, answer.reason) == (405, "Method Not Allowed")
    page = b"<html><title>405: Method Not Allowed</title><body>405: Method Not Allowed</body></html>"
    assert answer.pieces == [None if method == "HEAD" else page]


def test_write_takes_text_bytes_and_dicts_only() -> None:
    answer = run(lambda h: (h.write("€"), h.write(b"x"), h.finish({"a": "</b>"}))[2], "POST")
    assert answer.body == '€x{"a": "<\\/b>"}'.encode()
    assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
    refused = []

    def action(h: RequestHandler) -> None:
        for chunk in ([1], 1, None):
            with pytest.raises(TypeError) as caught:
                h.write(chunk)  # type: ignore[arg-type]
            refused.append(str(caught.value))

    run(action)
    assert refused[0].startswith("write() only accepts bytes, unicode, and dict objects. Lists not accepted")
    assert refused[1] == refused[2] == "write() only accepts bytes, unicode, and dict objects"


def test_after_finish_nothing_more_is_taken() -> None:
    said = []

    def action(h: RequestHandler) -> None:
        h.finish("done")
        for call in (lambda: h.write("x"), h.finish, lambda: h.redirect("/"), lambda: h.render("x")):
            with pytest.raises(Exception) as caught:
                call()
            said.append(str(caught.value))

    assert run(action).body == b"done"
    assert said == [
        "Cannot write() after finish()",
        "finish() called twice",
        "Cannot redirect after headers have been written",
        "Cannot render() after finish()",
    ]


def test_flush_sends_pieces_and_calls_back() -> None:
    flushed: list[int] = []

    def action(h: RequestHandler) -> None:
        h.write("a")
        h.flush(callback=lambda: flushed.append(1))
        h.write("b")
        assert h.flush().done()
        h.finish("c")

    answer = run(action)
    assert answer.pieces == [b"a", b"b", b"c"]
    assert flushed == [1]
    assert "Content-Length" not in answer.headers


@pytest.mark.parametrize("status", [204, 304, 101])
def test_statuses_without_body_drop_entity_headers(status: int) -> None:
    answer = run(lambda h: h.set_status(status))
    assert answer.names() == ["Server", "Date"]
    assert answer.pieces == [b""]


def test_header_values_by_type() -> None:
    def action(h: RequestHandler) -> None:
        h.set_header("A", datetime.datetime(2001, 2, 3, 4, 5, 6))
        h.add_header("B", 1)
        h.add_header("b", b"\xe9")
        h.clear_header("Server")
        h.clear_header("Never-Set")

    answer = run(action)
    assert answer.headers["A"] == "Sat, 03 Feb 2001 04:05:06 GMT"
    assert answer.headers.get_list("B") == ["1", "é"]
    assert "Server" not in answer.headers


@pytest.mark.parametrize("value", ["a\nb", "a\r\nSet-Cookie: x=y", "\0", b"x\n", "\t"])
def test_header_values_cannot_end_their_line(value: Any) -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(ValueError, match="Unsafe header value"):
            h.set_header("A", value)
        with pytest.raises(ValueError, match="Unsafe header value"):
            h.add_header("A", value)

    assert "A" not in run(action).headers


@pytest.mark.parametrize("name", ["A\nB", "A:", "A B", "", "Ä", "A\0"])
def test_sec_header_names_are_tokens(name: str) -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(ValueError, match="Unsafe header name"):
            h.set_header(name, "x")

    assert run(action).status == 200


def test_sec_reason_phrases_cannot_end_their_line_nor_inject_markup() -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(ValueError, match="Unsafe reason phrase"):
            h.set_status(200, "OK\r\nX: y")
        raise HTTPError(400, reason="<script>\r\nX: y")

    answer = run(action)
    assert (answer.status, answer.reason) == (400, "<script>  X: y")
    assert b"<script>" not in answer.body
    assert b"&lt;script&gt;" in answer.body


def test_unknown_status_needs_a_reason() -> None:
    def action(h: RequestHandler) -> None:
        with pytest.raises(ValueError, match="unknown status code 799"):
            h.set_status(799)
        h.set_status(799, "custom")

    answer = run(action)
    assert (answer.status, answer.reason) == (799, "custom")


def test_http_errors_and_their_log_lines(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    def raising(error: Exception) -> Any:
        def action(h: RequestHandler) -> None:
            raise error

        return run(action)

    assert raising(HTTPError(404)).status == 404
    assert raising(HTTPError(400, "100%")).status == 400
    assert raising(HTTPError(400, "%s %d", "a", 3, reason="Very Bad")).reason == "Very Bad"
    assert raising(HTTPError(799, "odd")).status == 500
    lines = [(r.name, r.levelname, r.getMessage()) for r in caplog.records if r.name != "tornado.access"]
    assert lines == [
        ("tornado.general", "WARNING", "400 GET / (1.2.3.4): 100%"),
        ("tornado.general", "WARNING", "400 GET / (1.2.3.4): a 3"),
        ("tornado.general", "WARNING", "799 GET / (1.2.3.4): odd"),
        ("tornado.general", "ERROR", "Bad HTTP status code: 799"),
    ]
    access = [r for r in caplog.records if r.name == "tornado.access"]
    assert [r.levelname for r in access] == ["WARNING", "WARNING", "WARNING", "ERROR"]
    assert access[0].getMessage().startswith("404 GET / (1.2.3.4) ")
    assert access[0].getMessage().endswith("ms")


def test_other_exceptions_are_logged_with_traceback_and_hidden(caplog: pytest.LogCaptureFixture) -> None:
    answer = run(lambda h: 1 / 0)
    assert (answer.status, b"Zero" in answer.body) == (500, False)
    record = next(r for r in caplog.records if r.name == "tornado.application")
    assert record.getMessage().startswith("Uncaught exception GET / (1.2.3.4)\nHTTPServerRequest(")
    assert record.exc_info is not None
    shown = run(lambda h: 1 / 0, settings={"serve_traceback": True})
    assert shown.headers["Content-Type"] == "text/plain"
    assert shown.body.endswith(b"ZeroDivisionError: division by zero\n")


def test_an_error_after_flush_cuts_the_response_short(caplog: pytest.LogCaptureFixture) -> None:
    def action(h: RequestHandler) -> None:
        h.write("part")
        h.flush()
        raise HTTPError(500)

    answer = run(action)
    assert (answer.status, answer.body, answer.finished) == (200, b"part", True)
    assert "Cannot send error response after headers written" in caplog.messages


def test_finish_exception_ends_the_request_with_what_is_there() -> None:
    def action(h: RequestHandler) -> None:
        h.set_status(401)
        h.write("a")
        raise Finish("b")

    answer = run(action)
    assert (answer.status, answer.body) == (401, b"ab")


def test_http_error_texts() -> None:
    assert str(HTTPError(404)) == "HTTP 404: Not Found"
    assert str(HTTPError(799)) == "HTTP 799: Unknown"
    assert str(HTTPError(404, "x%s", 1)) == "HTTP 404: Not Found (x1)"
    assert str(HTTPError(404, "5%")) == "HTTP 404: Not Found (5%)"
    assert str(MissingArgumentError("n")) == "HTTP 400: Bad Request (Missing argument n)"
    assert MissingArgumentError("n").arg_name == "n"


def test_arguments_are_decoded_cleaned_and_the_last_one_wins() -> None:
    def action(h: RequestHandler) -> None:
        assert h.get_argument("a") == "y  z"
        assert h.get_arguments("a") == ["x", "y  z"]
        assert h.get_arguments("a", strip=False)[0] == " x "
        assert h.get_argument("none", None) is None
        assert h.get_argument("e") == ""
        assert h.get_body_arguments("a") == []
        with pytest.raises(MissingArgumentError):
            h.get_argument("none")
        with pytest.raises(HTTPError, match=r"Invalid unicode in bad: b'.xff'"):
            h.get_argument("bad")
        with pytest.raises(AssertionError):
            h.get_arguments("a", None)  # type: ignore[arg-type]
        h.write("seen")

    assert run(action, path="/?a=%20x%20&a=y%01%00z&bad=%ff&e=").body == b"seen"


def test_body_arguments_follow_those_of_the_query() -> None:
    def action(h: RequestHandler) -> None:
        assert h.get_arguments("a") == ["1", "2"]
        assert h.get_body_argument("a") == "2"
        assert h.get_query_argument("a") == "1"
        h.write("seen")

    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert run(action, "POST", path="/?a=1", headers=form, body=b"a=2").body == b"seen"


def test_path_arguments_are_decoded_before_prepare() -> None:
    seen: list[Any] = []

    class Handler(RequestHandler):
        def prepare(self) -> None:
            seen.append((self.path_args, self.path_kwargs))

        def get(self, *args: Any, **kwargs: Any) -> None:
            seen.append((args, kwargs))

    fetch(serve(Handler, "/(.*)/(x)?"), path="/a%20b+%E2%82%AC/")
    assert seen == [(["a b+€", None], {}), (("a b+€", None), {})]
    assert fetch(serve(Handler, "/(.*)"), path="/%ff").status == 400


def test_redirect() -> None:
    answer = run(lambda h: h.redirect("/é", permanent=True))
    assert (answer.status, answer.headers["Location"]) == (301, "/Ã©")
    assert run(lambda h: h.redirect("x", status=307)).status == 307
    assert run(lambda h: h.redirect("x", status=200)).status == 500


def test_overridden_methods_are_honoured_on_the_fast_path() -> None:
    calls: list[str] = []

    class Handler(Hello):
        def flush(self, *args: Any, **kwargs: Any) -> Any:
            calls.append("flush")
            return super().flush(*args, **kwargs)

        def finish(self, chunk: Any = None) -> None:
            calls.append("finish")
            super().finish(chunk)

        def compute_etag(self) -> Any:
            return None

        def set_header(self, name: str, value: Any) -> None:
            calls.append(name)
            super().set_header(name, value)

        def on_finish(self) -> None:
            calls.append("on_finish")

        def _request_summary(self) -> str:
            calls.append("summary")
            return "s"

    fetch(serve(Handler))
    assert calls == ["finish", "Content-Length", "flush", "summary", "on_finish"]


def test_write_response_is_used_where_the_connection_has_it() -> None:
    class Fast(FakeConnection):
        def _write_response(self, start_line: Any, headers: Any, chunk: Any) -> None:
            self.status, self.headers = start_line.code, headers
            self.pieces.append(chunk)

    app = serve(Hello)
    delegate, connection = begin(app)
    assert isinstance(connection, FakeConnection)
    fast = Fast()
    delegate.delegate.request.connection = fast
    delegate.finish()
    assert (fast.status, fast.pieces, fast.finished) == (200, [b"Hello, world"], True)


def test_settings_log_function_takes_the_access_logs_place() -> None:
    seen: list[int] = []
    fetch(serve(Hello, log_function=lambda h: seen.append(h.get_status())))
    assert seen == [200]


def test_an_overridden_request_summary_is_asked_also_when_nobody_reads_the_log() -> None:
    """As in 4.5.3; ours is not, which saves its formatting."""
    seen: list[int] = []

    class Summed(Hello):
        def _request_summary(self) -> str:
            seen.append(self.get_status())
            return "summary"

    assert not access_log.isEnabledFor(logging.INFO)
    fetch(serve(Summed))
    assert seen == [200]


def test_ui_methods_and_modules_are_there_when_asked_for() -> None:
    app = Application([("/", Hello)], ui_methods={"shout": lambda h, text: text.upper()})
    delegate, _ = begin(app)
    handler = Hello(app, delegate.delegate.request)
    assert "ui" not in handler.__dict__
    assert handler.ui.shout("x") == "X"
    assert handler.ui["modules"] is handler.ui["_tt_modules"]
    with pytest.raises(AttributeError):
        _ = handler.ui.modules.Nobody
