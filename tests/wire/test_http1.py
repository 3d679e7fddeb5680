"""HTTP/1.x messages as bytes (RFC 9112, RFC 9110): every rule with its section, every input cut in every
way."""

from __future__ import annotations

import time

import pytest
from http1_feeding import TRAILING, Outcome, feed, read

from tornado4._wire import http1
from tornado4._wire.http1 import END, NEED_DATA, TRANSITIONS, Head, RequestReader, ResponseReader, State
from tornado4._wire.http1_grammar import format_head
from tornado4.httputil import HTTPHeaders, HTTPInputError


def request(data: bytes, **limits: object) -> Outcome:
    return read(lambda: RequestReader(**limits), data)  # type: ignore[arg-type]


def response(data: bytes, method: str | None = None, eof: bool = False) -> Outcome:
    def make() -> ResponseReader:
        reader = ResponseReader()
        reader.expect(method)
        return reader

    return read(make, data, eof)


def refused(data: bytes, status: int = 400) -> str:
    outcome = request(data)
    assert outcome.status == status, outcome
    assert not any(message.complete for message in outcome.messages)
    assert outcome.error is not None
    return outcome.error


def head(*fields: bytes, line: bytes = b"POST / HTTP/1.1", host: bytes = b"Host: x") -> bytes:
    return b"\r\n".join([line, *([host] if host else []), *fields, b"", b""])


class TestRequestLine:
    """RFC 9112 section 3."""

    def test_three_words(self) -> None:
        (message,) = request(b"GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n").messages
        assert message.start_line == ("GET", "/a?b=c", "HTTP/1.1")
        assert message.headers == [("Host", "x")]
        assert message.complete and message.body == b"" and message.keep_alive

    @pytest.mark.parametrize(
        ("method", "target"),
        [
            (b"OPTIONS", b"*"),
            (b"GET", b"http://a.example/b?c"),
            (b"CONNECT", b"example.com:443"),
            (b"GET", b"//double"),
            (b"GET", b"/\xc3\xa9"),
        ],
    )
    def test_forms_of_target(self, method: bytes, target: bytes) -> None:
        """Section 3.2; obs-text is let through as in 4.5.3."""
        (message,) = request(method + b" " + target + b" HTTP/1.1\r\nHost: x\r\n\r\n").messages
        assert message.start_line.path == target.decode("latin-1")

    @pytest.mark.parametrize(
        "line",
        [
            b"asdf",
            b"GET /",
            b"GET  / HTTP/1.1",
            b"GET / HTTP/1.1 ",
            b" GET / HTTP/1.1",
            b"GET / a HTTP/1.1",
            b"GET\t/ HTTP/1.1",
            b"GET / HTTP/1.1\t",
            b"G\x00T / HTTP/1.1",
            b"GET /\x00 HTTP/1.1",
            b"GET /\x7f HTTP/1.1",
            b"GET /\r HTTP/1.1",
            b"GET /\x0b HTTP/1.1",
            b"G(T / HTTP/1.1",
            b"\xc3\xa9 / HTTP/1.1",
            b"GET / HTTP/1.x",
            b"GET / HTTP/1.10",
            b"GET / http/1.1",
            b"GET / HTTP/1.1\r",
        ],
    )
    def test_malformed(self, line: bytes) -> None:
        refused(line + b"\r\nHost: x\r\n\r\n")

    def test_words_of_the_errors_are_those_of_453(self) -> None:
        assert refused(b"asdf\r\n\r\n") == "Malformed HTTP request line"
        error = refused(b"GET / HTTP/3.0\r\n\r\n", 505)
        assert error == "Malformed HTTP version in HTTP Request-Line: 'HTTP/3.0'"

    def test_blank_lines_before_a_request_are_skipped(self) -> None:
        """Section 2.2."""
        outcome = request(b"\r\n\n\r\n" + head() + b"\r\n" + head())
        assert [message.complete for message in outcome.messages] == [True, True]

    def test_lone_line_feeds_end_lines(self) -> None:
        """Section 2.2, as in 4.5.3."""
        (message,) = request(b"GET / HTTP/1.1\nHost: x\nA: b\n\n").messages
        assert message.headers == [("Host", "x"), ("A", "b")]

    def test_bare_carriage_return_is_no_line_end(self) -> None:
        """Section 2.2."""
        refused(b"GET / HTTP/1.1\r\nHost: x\r\nA: b\rC: d\r\n\r\n")


class TestFields:
    """RFC 9112 section 5, RFC 9110 section 5."""

    def test_only_spaces_and_tabs_are_stripped(self) -> None:
        (message,) = request(head(b"A: \t b \t", b"B:\x85c\xa0", b"C:", b"D:   ")).messages
        assert message.headers[1:] == [("A", "b"), ("B", "\x85c\xa0"), ("C", ""), ("D", "")]

    def test_repeated_fields_stay_apart(self) -> None:
        (message,) = request(head(b"A: 1", b"a: 2", b"A: 3")).messages
        assert message.headers[1:] == [("A", "1"), ("A", "2"), ("A", "3")]

    @pytest.mark.parametrize(
        "field",
        [
            b"asdf",
            b"A : b",
            b"A\t: b",
            b": b",
            b"A B: c",
            b"A\x00: b",
            b"A: b\x00c",
            b"A: b\x01",
            b"A: \x7f",
            b"A: b\rc",
            b"A(): b",
            b"\xe9: b",
            b"A: b\x0b",
        ],
    )
    def test_malformed(self, field: bytes) -> None:
        assert refused(head(field)).startswith("Malformed HTTP headers: ")

    def test_the_error_names_the_field_and_not_its_value(self) -> None:
        """4.5.3's words first; it went on with the headers themselves, credentials included."""
        assert refused(b"GET / HTTP/1.0\r\nasdf\r\n\r\n") == "Malformed HTTP headers: line 1 has no name"
        assert refused(head(b"A : secret")) == "Malformed HTTP headers: line 2, 'A '"

    def test_folded_lines_are_joined_by_a_space(self) -> None:
        """Section 5.2, as in 4.5.3."""
        (message,) = request(head(b"A: b", b" \t c", b"D: e")).messages
        assert message.headers[1:] == [("A", "b c"), ("D", "e")]

    def test_first_line_cannot_continue(self) -> None:
        refused(b"GET / HTTP/1.1\r\n Host: x\r\n\r\n")

    @pytest.mark.parametrize("name", [b"Transfer-Encoding", b"content-length", b"Host", b"Connection"])
    def test_what_frames_a_message_is_never_folded(self, name: bytes) -> None:
        refused(head(name + b":", b" chunked"))

    @pytest.mark.parametrize("line", [b" Content-Length: 38", b"\t transfer-encoding : chunked", b" HOST:x"])
    def test_nor_does_a_folded_line_look_like_it(self, line: bytes) -> None:
        refused(head(b"A: b", line))
        refused(head(b"A: b", b" c", line))
        (message,) = request(head(b"A: b", line.replace(b":", b"="), b" x" + line)).messages
        assert dict(message.headers)["A"].startswith("b")

    def test_head_of_the_largest_size_passes(self) -> None:
        data = head(b"A: " + b"x" * 100)
        assert request(data, max_header_size=len(data)).error is None

    def test_larger_head_is_431(self) -> None:
        data = head(b"A: " + b"x" * 100)
        assert request(data, max_header_size=len(data) - 1).status == 431

    def test_head_without_end_is_431_as_soon_as_it_is_too_large(self) -> None:
        outcome = feed(lambda: RequestReader(max_header_size=100), [b"x" * 101])
        assert outcome.status == 431


class TestHost:
    """RFC 9112 section 3.2, RFC 9110 section 7.2."""

    @pytest.mark.parametrize(
        "host", [b"a.example", b"a.example:80", b"[::1]", b"[::1]:8888", b"", b"a_b", b"a:"]
    )
    def test_valid(self, host: bytes) -> None:
        assert request(head(host=b"Host: " + host)).error is None

    @pytest.mark.parametrize(
        "host", [b"a b", b"a/b", b"a@b", b"a:b", b"a\xe9", b"[::1", b"a, b", b"a?b", b"a#b"]
    )
    def test_invalid(self, host: bytes) -> None:
        assert "Invalid Host" in refused(head(host=b"Host: " + host))

    def test_twice(self) -> None:
        assert "Multiple Host" in refused(head(b"Host: x"))

    def test_missing_in_http11(self) -> None:
        assert "Missing Host" in refused(head(host=b""))

    def test_missing_in_http10(self) -> None:
        assert request(head(line=b"GET / HTTP/1.0", host=b"")).error is None

    def test_missing_where_the_switch_says_that_it_may_be(self) -> None:
        assert request(head(host=b""), require_host=False).error is None
        assert request(head(b"Host: x"), require_host=False).status == 400


class TestContentLength:
    """RFC 9110 section 8.6, RFC 9112 section 6.2 and 6.3."""

    def test_body(self) -> None:
        (message,) = request(head(b"Content-Length: 5") + b"hello").messages
        assert message.body == b"hello" and message.complete

    @pytest.mark.parametrize("method", [b"GET", b"HEAD", b"DELETE"])
    def test_any_method_may_have_a_body(self, method: bytes) -> None:
        (message,) = request(head(b"Content-Length: 1", line=method + b" / HTTP/1.1") + b"x").messages
        assert message.body == b"x"

    def test_missing_means_no_body(self) -> None:
        """Section 6.3."""
        assert request(head()).messages[0].complete

    @pytest.mark.parametrize(
        "value",
        [
            b"+5",
            b"-5",
            b"0_5",
            b"5.0",
            b"0x5",
            b"",
            b" ",
            b"5 5",
            b"foo",
            b"\xb2",
            b"5,",
            b",5",
            b"5;",
            b"1e3",
            b"\xd9\xa5",
        ],
    )
    def test_nothing_but_digits(self, value: bytes) -> None:
        assert refused(head(b"Content-Length: " + value)).startswith("Only integer Content-Length is allowed")

    @pytest.mark.parametrize("fields", [[b"1", b"2"], [b"1, 2"], [b"1", b"1, 2"]])
    def test_unequal(self, fields: list[bytes]) -> None:
        error = refused(head(*[b"Content-Length: " + field for field in fields]))
        assert error.startswith("Multiple unequal Content-Lengths: ")

    @pytest.mark.parametrize("fields", [[b"1", b"1"], [b"1, 1"], [b"1", b"01"], [b"0001"]])
    def test_equal_duplicates_and_leading_zeros_pass_as_in_453(self, fields: list[bytes]) -> None:
        (message,) = request(head(*[b"Content-Length: " + field for field in fields]) + b"x").messages
        assert message.body == b"x" and message.complete

    def test_more_digits_than_any_size_has(self) -> None:
        refused(head(b"Content-Length: " + b"9" * 19), 413)
        refused(head(b"Content-Length: " + b"9" * 60000), 413)
        assert request(head(b"Content-Length: " + b"0" * 60000 + b"1") + b"x").messages[0].body == b"x"

    def test_limit_is_looked_at_when_the_application_has_had_its_say(self) -> None:
        reader = RequestReader()
        reader.feed(head(b"Content-Length: 5"))
        event = reader.next_event()
        assert isinstance(event, Head)
        reader.max_body_size = 5
        reader.check_length(event.length)
        reader.max_body_size = 4
        with pytest.raises(HTTPInputError, match="Content-Length too long") as caught:
            reader.check_length(event.length)
        assert caught.value.status_code == 413

    def test_pieces_are_no_longer_than_the_chunk_size(self) -> None:
        reader = RequestReader(chunk_size=16)
        reader.feed(head(b"Content-Length: 50") + b"x" * 50)
        reader.next_event()
        assert [len(reader.next_event()) for _ in range(4)] == [16, 16, 16, 2]  # type: ignore[arg-type]
        assert reader.next_event() is END


class TestTransferEncoding:
    """RFC 9112 section 6.1 and 7.1."""

    CHUNKED = staticmethod(lambda body, *fields: head(b"Transfer-Encoding: chunked", *fields) + body)

    def test_body(self) -> None:
        (message,) = request(self.CHUNKED(b"4\r\nfoo=\r\n3\r\nbar\r\n0\r\n\r\n")).messages
        assert message.body == b"foo=bar" and message.complete

    def test_coding_has_no_case(self) -> None:
        (message,) = request(head(b"transfer-encoding: ChUnKeD") + b"0\r\n\r\n").messages
        assert message.complete

    @pytest.mark.parametrize("size", [b"a", b"A", b"0a", b"000000000000000a"])
    def test_hex_sizes(self, size: bytes) -> None:
        (message,) = request(self.CHUNKED(size + b"\r\n0123456789\r\n0\r\n\r\n")).messages
        assert message.body == b"0123456789"

    @pytest.mark.parametrize(
        "size",
        [
            b"-5",
            b"+5",
            b"0x5",
            b"5_0",
            b" 5",
            b"",
            b"g",
            b"5 5",
            b"\xb2",
            b"5\x00",
            b"1" * 17,
            b"5\n",
            b"5 ",
            b"5;\x00",
            b"5;",
            b"5; ",
            b"5;;a",
            b"5;=b",
            b"5;a=",
            b"5;a b",
            b'5;a="b',
            b'5;a="b"c',
            b'5;a="b\\"',
            b"5;a=\rb",
        ],
    )
    def test_sizes_that_are_none(self, size: bytes) -> None:
        assert refused(self.CHUNKED(size + b"\r\nhello\r\n0\r\n\r\n")).startswith("Invalid chunk size")

    @pytest.mark.parametrize("extension", [b";a=b", b";a", b" ;a", b';a="b;c"', b";\ta", b'; a = "b\\"" ;c;d=e'])
    def test_extensions_are_skipped(self, extension: bytes) -> None:
        """Section 7.1.1."""
        (message,) = request(
            self.CHUNKED(b"1" + extension + b"\r\nx\r\n0" + extension + b"\r\n\r\n")
        ).messages
        assert message.body == b"x"

    def test_endless_extension(self) -> None:
        assert refused(self.CHUNKED(b"1;" + b"a" * 2000)) == "chunk size line too long"

    @pytest.mark.parametrize("behind", [b"x\r\n", b"\n\n", b"\rx"])
    def test_data_is_followed_by_crlf(self, behind: bytes) -> None:
        refused(self.CHUNKED(b"5\r\nhello" + behind))

    def test_size_line_ends_in_crlf(self) -> None:
        refused(self.CHUNKED(b"1\nx\r\n0\r\n\r\n"))

    def test_trailers_are_dropped(self) -> None:
        """Section 7.1.2."""
        outcome = request(self.CHUNKED(b"0\r\nA: b\r\nC: d\r\n\r\n"))
        assert outcome.messages[0].complete
        assert "A" not in dict(outcome.messages[0].headers)

    @pytest.mark.parametrize(
        "trailer",
        [b"asdf\r\n\r\n", b"A : b\r\n\r\n", b"A: \x00\r\n\r\n", b"\n", b"A: b\n\r\n", b"A: b\r\n\n", b"\r\r\n"],
    )
    def test_malformed_trailers(self, trailer: bytes) -> None:
        """In the coding no line ends in a lone LF."""
        refused(self.CHUNKED(b"0\r\n" + trailer))

    @pytest.mark.parametrize("field", [b"Content-Length: 99", b"Transfer-Encoding: chunked", b"Host: other", b"A: b"])
    def test_trailers_that_are_forbidden_are_dropped_as_well(self, field: bytes) -> None:
        """RFC 9110 section 6.5.1: such a field frames nothing, and nobody sees it."""
        outcome = request(self.CHUNKED(b"1\r\nx\r\n0\r\n" + field + b"\r\n\r\nGET /next HTTP/1.1\r\nHost: h\r\n\r\n"))
        first, second = outcome.messages
        assert first.body == b"x" and second.start_line.path == "/next"
        assert [value for key, value in first.headers if key == "Host"] == ["x"] and len(second.headers) == 1

    def test_trailers_are_bounded_as_headers_are(self) -> None:
        data = self.CHUNKED(b"0\r\n" + b"A: b\r\n" * 100)
        assert request(data, max_header_size=300).status == 431

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ([b"Transfer-Encoding: gzip, chunked"], 501),
            ([b"Transfer-Encoding: chunked, chunked"], 501),
            ([b"Transfer-Encoding: identity"], 501),
            ([b"Transfer-Encoding: xchunked"], 501),
            ([b"Transfer-Encoding: chunked;q=1"], 501),
            ([b"Transfer-Encoding: \x85chunked"], 501),
            ([b"Transfer-Encoding:"], 501),
            ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"], 400),
            ([b"Transfer-Encoding: chunked", b"Transfer-Encoding: identity"], 400),
            ([b"Transfer-Encoding: chunked", b"Content-Length: 5"], 400),
            ([b"Content-Length: 5", b"Transfer-Encoding: chunked"], 400),
        ],
    )
    def test_anything_but_one_chunked_is_refused(self, fields: list[bytes], status: int) -> None:
        """4.5.3 took these for messages without a body, and answered the body as the next request."""
        refused(head(*fields) + b"0\r\n\r\n", status)

    def test_never_on_http10(self) -> None:
        data = head(b"Transfer-Encoding: chunked", line=b"POST / HTTP/1.0") + b"0\r\n\r\n"
        refused(data)
        assert request(data, chunked_http10=True).messages[0].complete

    def test_limit_holds_for_the_sum_of_chunks(self) -> None:
        reader = RequestReader()
        reader.feed(self.CHUNKED(b"3\r\nabc\r\n3\r\n"))
        reader.next_event()
        reader.max_body_size = 5
        assert reader.next_event() == b"abc"
        with pytest.raises(HTTPInputError, match="chunked body too large") as caught:
            reader.next_event()
        assert caught.value.status_code == 413

    def test_chunks_show_in_the_pieces(self) -> None:
        """As in 4.5.3: a chunk is not joined with the next."""
        reader = RequestReader(chunk_size=16)
        reader.feed(self.CHUNKED(b"14\r\n" + b"x" * 20 + b"\r\n1\r\ny\r\n0\r\n\r\n"))
        reader.next_event()
        assert [reader.next_event() for _ in range(4)] == [b"x" * 16, b"x" * 4, b"y", END]


class TestPersistence:
    """RFC 9112 section 9.3."""

    @pytest.mark.parametrize(
        ("version", "fields", "stays"),
        [
            (b"1.1", [], True),
            (b"1.1", [b"Connection: close"], False),
            (b"1.1", [b"Connection: Close"], False),
            (b"1.1", [b"Connection: foo, close"], False),
            (b"1.1", [b"Connection: foo", b"Connection: close"], False),
            (b"1.1", [b"Connection: keep-alive"], True),
            (b"1.1", [b"Connection: closed"], True),
            (b"1.0", [], False),
            (b"1.0", [b"Connection: keep-alive"], True),
            (b"1.0", [b"Connection: foo, Keep-Alive"], True),
            (b"1.0", [b"Connection: keep-alive, close"], False),
        ],
    )
    def test_keep_alive(self, version: bytes, fields: list[bytes], stays: bool) -> None:
        (message,) = request(head(*fields, line=b"GET / HTTP/" + version)).messages
        assert message.keep_alive is stays


class TestPipelining:
    def test_messages_follow_each_other(self) -> None:
        data = (
            head(b"Content-Length: 1")
            + b"x"
            + head()
            + head(b"Transfer-Encoding: chunked")
            + b"1\r\ny\r\n0\r\n\r\n"
        )
        assert [message.body for message in request(data).messages] == [b"x", b"", b"y"]

    def test_same_fields_again_are_read_the_same(self) -> None:
        """The shortcut for repeated fields must not show."""
        first = head(b"A: b", b"Connection: close", line=b"GET /1 HTTP/1.1")
        second = head(b"A: b", b"Connection: close", line=b"GET /2 HTTP/1.1")
        longer = head(b"A: b", b"Connection: close", b"C: d", line=b"GET /3 HTTP/1.1")
        one, two, three, four = request(first + second + longer + second).messages
        assert two == one._replace(start_line=two.start_line) and two.start_line.path == "/2"
        assert dict(three.headers)["C"] == "d"
        assert four == two

    def test_shortcut_gives_each_request_headers_of_its_own(self) -> None:
        reader = RequestReader()
        reader.feed(head() + head())
        first = reader.next_event()
        assert isinstance(first, Head)
        first.headers["Host"] = "changed"
        reader.next_event()
        second = reader.next_event()
        assert isinstance(second, Head) and second.headers["Host"] == "x"

    def test_shortcut_does_not_take_a_malformed_line(self) -> None:
        assert request(head() + head(line=b"GET /")).error == "Malformed HTTP request line"
        assert request(head() + head(line=b"GET / HTTP/1.0")).messages[1].keep_alive is False

    def test_shortcut_does_not_take_a_larger_head(self) -> None:
        short, long = head(line=b"GET / HTTP/1.1"), head(line=b"GET /" + b"x" * 200 + b" HTTP/1.1")
        assert request(short + long, max_header_size=100).status == 431

    def test_rest_can_be_taken_for_another_protocol(self) -> None:
        reader = RequestReader()
        reader.feed(head() + b"\x81\x00")
        assert isinstance(reader.next_event(), Head) and reader.next_event() is END
        assert reader.pending
        assert reader.take_rest() == b"\x81\x00"
        assert not reader.pending and reader.next_event() is NEED_DATA


class TestResponses:
    """RFC 9112 section 4 and 6.3."""

    def test_status_line(self) -> None:
        (message,) = response(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n").messages
        assert message.start_line == ("HTTP/1.1", 404, "Not Found")

    @pytest.mark.parametrize("line", [b"HTTP/1.1 200 ", b"HTTP/1.0 200 caf\xe9"])
    def test_reason_is_free_text(self, line: bytes) -> None:
        assert response(line + b"\r\nContent-Length: 0\r\n\r\n").messages[0].start_line.code == 200

    @pytest.mark.parametrize(
        "line",
        [
            b"HTTP/1.1 200",
            b"HTTP/2 200 OK",
            b"HTTP/1.1 20 OK",
            b"HTTP/1.1 2000 OK",
            b"foo",
            b"HTTP/1.1 +20 OK",
            b"HTTP/1.1 200 a\rb",
        ],
    )
    def test_malformed(self, line: bytes) -> None:
        assert response(line + b"\r\n\r\n").status == 400

    def test_body_until_the_close(self) -> None:
        (message,) = response(b"HTTP/1.0 200 OK\r\n\r\nhello", eof=True).messages
        assert message.body == b"hello" and message.complete and not message.keep_alive

    def test_close_within_a_framed_body_is_no_end(self) -> None:
        (message,) = response(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhello", eof=True).messages
        assert not message.complete

    @pytest.mark.parametrize("fields", [b"Content-Length: 9\r\n", b"Transfer-Encoding: chunked\r\n", b""])
    def test_no_body_to_head(self, fields: bytes) -> None:
        (message,) = response(b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n", method="HEAD").messages
        assert message.complete

    @pytest.mark.parametrize("fields", [b"Content-Length: 9\r\n", b""])
    def test_no_body_with_304(self, fields: bytes) -> None:
        assert response(b"HTTP/1.1 304 Not Modified\r\n" + fields + b"\r\n").messages[0].complete

    def test_no_body_with_204(self) -> None:
        assert response(b"HTTP/1.1 204 No Content\r\n\r\n").messages[0].complete
        assert response(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n").messages[0].complete
        outcome = response(b"HTTP/1.1 204 No Content\r\nContent-Length: 1\r\n\r\nx")
        assert outcome.error == "Response with code 204 should not have body"

    def test_interim_responses_have_none(self) -> None:
        one, two = response(
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx"
        ).messages
        assert one.start_line.code == 100 and one.complete and two.body == b"x"
        assert (
            response(b"HTTP/1.1 100 Continue\r\nContent-Length: 1\r\n\r\n").error
            == "Response code 100 cannot have body"
        )


class TestWork:
    """What a peer can make us do is linear in what it sends."""

    @pytest.mark.parametrize(
        "data",
        [
            head(b"A:" + b" " * 60000 + b"\x00"),
            head(*[b"A: b"] * 8000),
            head(b"a" * 60000),
            head(b"A: b", *[b" x"] * 10000),
            head(b"Content-Length: " + b"1," * 20000 + b"1"),
            b"\r\n" * 30000 + head(),
            head(b"Connection: " + b"a," * 20000),
            head(b"Host: " + b"a" * 50000, host=b""),
        ],
    )
    def test_large_heads_take_no_time_to_speak_of(self, data: bytes) -> None:
        started = time.process_time()
        feed(RequestReader, [data])
        assert time.process_time() - started < 10  # some hundredths

    def test_body_byte_by_byte(self) -> None:
        data = head(b"Transfer-Encoding: chunked") + b"1\r\nx\r\n" * 5000 + b"0\r\n\r\n"
        assert len(request(data).messages[0].body) == 5000


class TestStates:
    def test_every_state_is_in_the_table(self) -> None:
        assert set(TRANSITIONS) == set(State)
        assert set().union(*TRANSITIONS.values()) == set(State)

    def test_reader_follows_the_table(self) -> None:
        data = (
            head() + head(b"Content-Length: 3") + b"abc" + head(b"Transfer-Encoding: chunked")
            + b"2\r\nab\r\n1\r\nc\r\n0\r\nA: b\r\n\r\n" + head(b"Content-Length: x")
        )  # fmt: skip
        reader = RequestReader()
        before = reader.state
        for i in range(len(data)):
            reader.feed(data[i : i + 1])
            event: object = None
            while event is not NEED_DATA:
                try:
                    event = reader.next_event()
                except HTTPInputError:
                    assert reader.state is State.FAILED
                    return
                finally:
                    after = reader.state
                    reachable = TRANSITIONS[before] | {t for s in TRANSITIONS[before] for t in TRANSITIONS[s]}
                    assert after is before or after in reachable
                    before = after
        pytest.fail("the last head was taken")

    def test_refused_reader_stays_refused(self) -> None:
        reader = RequestReader()
        reader.feed(b"asdf\r\n\r\n" + TRAILING)
        for _ in range(2):
            with pytest.raises(HTTPInputError):
                reader.next_event()


def drain_into(reader: RequestReader, data: bytes) -> None:
    """Have ``reader`` read ``data`` and forget about it."""
    reader.feed(data)
    while reader.next_event() is not NEED_DATA:
        pass


class TestRecall:
    """A request that comes by itself, with the fields of the one before."""

    LINES = [
        b"GET / HTTP/1.1\r\n",
        b"GET / HTTP/1.1\n",
        b"GET / HTTP/1.1",
        b"GET / HTTP/1.0\r\n",
        b"GET / HTTP/1.1\r\r\n",
        b"\r\nGET / HTTP/1.1\r\n",
        b"GET /\xe9 HTTP/1.1\r\n",
        b"GET  / HTTP/1.1\r\n",
        b"GET /" + b"x" * 300 + b" HTTP/1.1\r\n",
        b"GET / HTTP/1.1\r\nA: b\r\n",
        b"\n",
        b"",
    ]

    @pytest.mark.parametrize("line", LINES)
    def test_recalled_head_is_the_one_that_would_be_read(self, line: bytes) -> None:
        fields = head().partition(b"\r\n")[2]
        for _ in range(2):  # the second time the line is known
            recalling, reading = RequestReader(), RequestReader()
            for reader in (recalling, reading):
                drain_into(reader, head())
            recalled = recalling.recall(line + fields)
            reading.feed(line + fields)
            try:
                expected = reading.next_event()
            except HTTPInputError:
                expected = None
            if recalled is None:
                continue  # it may always say so
            assert isinstance(expected, Head)
            for name in ("start_line", "headers", "length", "chunked", "keep_alive"):
                assert getattr(recalled, name) == getattr(expected, name)
            assert (recalling.state, recalling.pending) == (State.HEAD, False)
            recalling.expect_end()
            assert recalling.next_event() is END

    def test_what_it_is_for_is_recalled(self) -> None:
        reader = RequestReader()
        assert reader.recall(head()) is None
        drain_into(reader, head())
        recalled = reader.recall(head(line=b"GET /other?x HTTP/1.1"))
        assert recalled is not None and recalled.start_line == ("GET", "/other?x", "HTTP/1.1")

    def test_nothing_is_recalled_within_a_message(self) -> None:
        reader = RequestReader()
        drain_into(reader, head())
        reader.feed(b"GE")
        assert reader.next_event() is NEED_DATA
        assert reader.recall(head()) is None

    def test_a_head_beyond_the_limit_is_not_recalled(self) -> None:
        reader = RequestReader(max_header_size=60)
        drain_into(reader, head())
        assert reader.recall(head(line=b"GET /" + b"x" * 60 + b" HTTP/1.1")) is None

    def test_two_requests_at_once_are_not_recalled(self) -> None:
        reader = RequestReader()
        drain_into(reader, head())
        assert reader.recall(head() + head()) is None

    def test_request_lines_are_remembered_within_bounds(self) -> None:
        reader = RequestReader()
        drain_into(reader, head())
        for number in range(3000):
            assert reader.recall(head(line=b"GET /%d HTTP/1.1" % number)) is not None
        assert len(http1._request_lines) <= http1._MOST_LINES
        assert max(map(len, http1._request_lines)) <= http1._LONGEST_LINE


class TestSpelling:
    """`format_head`; what an application may have put into the headers."""

    @pytest.mark.parametrize("again", [False, True])
    def test_percent_signs_stay_what_they_are(self, again: bool) -> None:
        headers = HTTPHeaders({"X-%s": "100%", "Y": "%(a)s"})
        assert format_head("HTTP/1.1 200 100%", headers) == b"HTTP/1.1 200 100%\r\nX-%s: 100%\r\nY: %(a)s\r\n\r\n"

    @pytest.mark.parametrize("bad", ["a\rb", "a\nb", "a\0b"])
    def test_line_ends_in_names_and_values_are_refused_each_time(self, bad: str) -> None:
        for headers in ({bad: "x"}, {"X": bad}):
            made = HTTPHeaders()
            made._values.update(headers)
            for _ in range(2):
                with pytest.raises(ValueError, match="Newline in header"):
                    format_head("HTTP/1.1 200 OK", made)
        with pytest.raises(ValueError, match="Newline in header"):
            format_head(f"HTTP/1.1 200 {bad}", HTTPHeaders())

    def test_repeated_fields_and_bytes_have_lines_of_their_own(self) -> None:
        headers = HTTPHeaders({"A": "1"})
        headers.add("B", "2")
        headers.add("B", "3")
        headers["C"] = "\u20ac".encode("latin-1", "ignore")  # type: ignore[assignment]  # b""
        assert format_head("x", headers) == b"x\r\nA: 1\r\nB: 2\r\nB: 3\r\nC: \r\n\r\n"

    def test_what_is_no_text_is_refused(self) -> None:
        headers = HTTPHeaders({"A": 1})
        with pytest.raises(TypeError, match="Expected bytes, unicode, or None; got <class 'int'>"):
            format_head("x", headers)

    def test_what_latin_1_cannot_say_is_refused_with_its_place(self) -> None:
        with pytest.raises(UnicodeEncodeError) as caught:
            format_head("x", HTTPHeaders({"A": "\u20ac"}))
        assert (caught.value.object, caught.value.start) == ("A: \u20ac", 3)

    def test_a_reason_goes_out_as_utf_8(self) -> None:
        answer = b"HTTP/1.1 200 \xe2\x82\xac\r\nA: \xe9\r\n\r\n"
        assert format_head("HTTP/1.1 200 \u20ac", HTTPHeaders({"A": "\xe9"})) == answer
