"""Whatever stands in cookies, signed values, headers and forms: a value, nothing, or the one documented error."""

from __future__ import annotations

import datetime
import logging
from typing import Any

import pytest
from budget import examples
from hypothesis import given
from hypothesis import strategies as st

from tornado4 import escape, httputil
from tornado4.web import create_signed_value, decode_signed_value

SECRETS: list[Any] = ["secret", {0: "zero", 1: "one"}]
SIGNED = [
    create_signed_value("secret", "n", "value", version=1, clock=lambda: 1_300_000_000),
    create_signed_value("secret", "n", "value", version=2, clock=lambda: 1_300_000_000),
    create_signed_value({0: "zero", 1: "one"}, "n", "value", version=2, clock=lambda: 1_300_000_000, key_version=1),
]
PIECES = st.sampled_from(
    [b"|", b":", b"2", b"1", b"0", b"-1", b"10:", b"1:0|", b"dmFsdWU=", b"\xff", b" ", b"n", b"_", b"+1"]
)


@pytest.fixture(autouse=True)
def _no_warnings_wanted(caplog: pytest.LogCaptureFixture) -> None:
    """Refusals are logged, which is not looked at here and costs a minute."""
    logging.getLogger("tornado.general").setLevel(logging.CRITICAL)
    yield  # type: ignore[misc]
    logging.getLogger("tornado.general").setLevel(logging.NOTSET)


def decoded(value: bytes, secret: Any) -> Any:
    return decode_signed_value(secret, "n", value, max_age_days=31, clock=lambda: 1_300_000_000)


@examples(300)
@given(
    st.binary(max_size=80) | st.lists(PIECES | st.binary(max_size=3), max_size=20).map(b"".join),
    st.sampled_from(SECRETS),
)
def test_any_text_is_no_signed_value(text: bytes, secret: Any) -> None:
    if text not in SIGNED:
        assert decoded(text, secret) is None


@examples(300)
@given(
    st.sampled_from(SIGNED),
    st.integers(0, 200),
    st.integers(0, 10),
    PIECES | st.binary(max_size=3),
    st.sampled_from(SECRETS),
)
def test_a_signed_value_that_was_changed_is_none(value: bytes, at: int, gone: int, new: bytes, secret: Any) -> None:
    at %= len(value) + 1
    changed = value[:at] + new + value[at + gone :]
    assert decoded(changed, secret) in ((None, b"value") if changed in SIGNED else (None,))


@examples(200)
@given(
    st.text(st.characters(exclude_characters="\n", codec="utf-8"), max_size=20),
    st.text(max_size=40),
    st.sampled_from([1, 2]),
)
def test_what_was_signed_is_read_back(name: str, value: str, version: int) -> None:
    signed = create_signed_value("secret", name, value, version=version)
    assert decode_signed_value("secret", name, signed) == value.encode()
    assert decode_signed_value("other", name, signed) is None


COOKIE = st.text(alphabet='ab=;,"\\ 0137%\t\xe9', max_size=80)


@examples(300)
@given(COOKIE)
def test_cookies_are_pairs_of_text(header: str) -> None:
    pairs = httputil.parse_cookie(header)
    assert all(isinstance(part, str) for pair in pairs.items() for part in pair)
    assert len(pairs) <= header.count(";") + 1
    assert sum(map(len, pairs)) + sum(map(len, pairs.values())) <= len(header)


@examples(300)
@given(st.dictionaries(st.text("abc", min_size=1, max_size=4), st.text("ab1 -", max_size=8).map(str.strip), max_size=5))
def test_plain_cookies_are_read_as_sent(cookies: dict[str, str]) -> None:
    assert httputil.parse_cookie("; ".join(f"{name}={value}" for name, value in cookies.items())) == cookies


@examples(300)
@given(st.text(alphabet="bytes=-0123456789, \xb2+_", max_size=40), st.integers(0, 100))
def test_a_range_is_none_or_two_numbers(text: str, total: int) -> None:
    for header in (text, "bytes=" + text):
        found = httputil._parse_request_range(header)
        if found is not None:
            start, end = found
            assert all(bound is None or isinstance(bound, int) for bound in (start, end))
            assert httputil._get_content_range(start, end, total).startswith("bytes ")


@examples(300)
@given(st.text(alphabet="form-data; name=\"\\a*=%'\t", max_size=60))
def test_parameters_of_a_header_are_text(line: str) -> None:
    word, parameters = httputil._parse_header(line)
    assert isinstance(word, str) and all(isinstance(name, str) for name in parameters)
    assert sum(map(len, parameters)) <= len(line)


@examples(300)
@given(
    st.text("ab", min_size=1),
    st.dictionaries(st.text("xyz", min_size=1, max_size=4), st.text("ab1", min_size=1), max_size=5),
)
def test_parameters_are_read_as_written(word: str, parameters: dict[str, str]) -> None:
    assert httputil._parse_header(httputil._encode_header(word, parameters)) == (word, parameters)


@examples(200)
@given(st.datetimes(datetime.datetime(1970, 1, 1), datetime.datetime(9999, 1, 1)))
def test_a_date_is_read_as_written(moment: datetime.datetime) -> None:
    import email.utils

    written = httputil.format_timestamp(moment)
    assert email.utils.parsedate_to_datetime(written).replace(tzinfo=None) == moment.replace(microsecond=0)


@examples(300)
@given(st.binary(max_size=80) | st.text("a=&;+%0Fzé", max_size=80).map(str.encode))
def test_urlencoded_forms_are_lists_of_bytes(body: bytes) -> None:
    fields = escape.parse_qs_bytes(body, keep_blank_values=True)
    assert all(isinstance(value, bytes) for values in fields.values() for value in values)
    assert sum(len(values) for values in fields.values()) <= body.count(b"&") + 1
    assert sum(len(value) for values in fields.values() for value in values) <= len(body)


NAMES = st.text(st.characters(exclude_characters='"\\\r\n', exclude_categories=["Cs", "Cc"]), min_size=1, max_size=10)
PARTS = st.lists(st.tuples(NAMES, NAMES | st.none(), st.binary(max_size=40)), max_size=6)
BOUNDARY = b"boundary-of-a-test"


def form(parts: list[tuple[str, str | None, bytes]]) -> bytes:
    body = b""
    for name, filename, content in parts:
        kind = f'; filename="{filename}"' if filename is not None else ""
        body += b"--" + BOUNDARY + f'\r\nContent-Disposition: form-data; name="{name}"{kind}\r\n\r\n'.encode()
        body += content + b"\r\n"
    return body + b"--" + BOUNDARY + b"--\r\n"


@examples(200)
@given(PARTS)
def test_multipart_forms_are_read_as_sent(parts: list[tuple[str, str | None, bytes]]) -> None:
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[Any]] = {}
    httputil.parse_multipart_form_data(BOUNDARY, form(parts), arguments, files)
    assert sum(map(len, arguments.values())) == sum(filename is None for _, filename, _ in parts)
    assert sorted(value for values in arguments.values() for value in values) == sorted(
        content for _, filename, content in parts if filename is None
    )
    assert sorted(one.body for ones in files.values() for one in ones) == sorted(
        content for _, filename, content in parts if filename is not None
    )


@examples(300)
@given(PARTS, st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 20), st.binary(max_size=6)), max_size=4))
def test_a_multipart_form_that_was_damaged_is_less_or_an_input_error(
    parts: list[tuple[str, str | None, bytes]], damages: list[tuple[int, int, bytes]]
) -> None:
    body = form(parts)
    for at, gone, new in damages:
        at %= len(body) + 1
        body = body[:at] + new + body[at + gone :]
    arguments: dict[str, list[bytes]] = {}
    files: dict[str, list[Any]] = {}
    try:
        httputil.parse_multipart_form_data(BOUNDARY, body, arguments, files)
    except httputil.HTTPInputError:
        pass
    found = sum(map(len, arguments.values())) + sum(map(len, files.values()))
    assert found <= body.count(b"--" + BOUNDARY)
