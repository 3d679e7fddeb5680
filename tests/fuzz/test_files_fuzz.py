"""Whatever stands in the files and arguments that a program is given: it is read, or refused by a documented error."""

from __future__ import annotations

import contextlib
import datetime
import json
import logging
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from budget import examples
from hypothesis import example, given
from hypothesis import strategies as st

from tornado4 import locale, options, template
from tornado4.migrate.diff import traffic

SHORT = st.text(max_size=8)


@contextlib.contextmanager
def file_with(data: bytes, name: str) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        yield path


# -- options --------------------------------------------------------------------------------------------------


def parser() -> options.OptionParser:
    made = options.OptionParser()
    made.define("count", default=1)
    made.define("ratio", default=1.0)
    made.define("name", default="x")
    made.define("on", default=False)
    made.define("many", type=int, multiple=True)
    made.define("when", type=datetime.datetime)
    made.define("every", type=datetime.timedelta)
    return made


NAMES = st.sampled_from(["count", "ratio", "name", "on", "many", "when", "every", "nosuch", "", "-"])
WORDS = st.sampled_from(
    [
        "1",
        "-1",
        "1:3",
        "1:",
        ":",
        "3:1",
        "1,2",
        ",",
        "1h",
        "1.5m30s",
        "9e9999d",
        "12:30",
        "2013-05-01",
        "true",
        "0",
        "\xb2",
        "1_0",
    ]
)
ARGUMENTS = st.builds("{}{}={}".format, st.sampled_from(["--", "-", ""]), NAMES, WORDS | SHORT) | WORDS | st.just("--")
# What 4.5.3 raises as well: of a value that its type does not take.
REFUSALS = (options.Error, ValueError, OverflowError)


@examples(300)
@given(st.lists(ARGUMENTS, max_size=4))
def test_a_command_line_is_read_or_refused(arguments: list[str]) -> None:
    made = parser()
    try:
        rest = made.parse_command_line(["program", *arguments], final=False)
    except REFUSALS:
        return
    except Exception as error:
        # A time span that cannot be read, or is of no unit (as in 4.5.3).
        assert type(error) in (Exception, TypeError) and "every=" in str(arguments)
        return
    assert rest == arguments[len(arguments) - len(rest) :]
    assert isinstance(made.count, int) and isinstance(made.ratio, float) and isinstance(made.on, bool)
    assert all(isinstance(number, int) for number in made.many)


VALUES: st.SearchStrategy[Any] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    SHORT,
    st.binary(max_size=4),
    st.lists(st.integers() | SHORT, max_size=3),
)


@examples(100)
@given(st.dictionaries(NAMES.filter(str.isidentifier), VALUES, max_size=4))
def test_a_file_of_options_is_read_or_refused(values: dict[str, Any]) -> None:
    made = parser()
    lines = [f"{name} = {value!r}" for name, value in values.items() if value == value and abs_is_finite(value)]
    with file_with("\n".join(lines).encode(), "options.py") as path:
        try:
            made.parse_config_file(str(path), final=False)
        except REFUSALS:
            return
    assert all(isinstance(number, int) for number in made.many)


def abs_is_finite(value: Any) -> bool:
    return not isinstance(value, float) or abs(value) != float("inf")  # "inf" is no literal


# -- translations ---------------------------------------------------------------------------------------------


@pytest.fixture
def _locales() -> Iterator[None]:
    """The module's state as it was; what it logs is not looked at."""
    kept = {name: getattr(locale, name) for name in ("_translations", "_supported_locales", "_use_gettext")}
    logging.getLogger("tornado.general").setLevel(logging.CRITICAL + 1)
    locale.Locale._cache = {}
    yield
    logging.getLogger("tornado.general").setLevel(logging.NOTSET)
    locale.Locale._cache = {}
    for name, value in kept.items():
        setattr(locale, name, value)


def use_of_spanish() -> None:
    locale.Locale._cache = {}
    spanish = locale.get("es")
    for arguments in (("a",), ("a", "b", 1), ("a", "b", 2)):
        assert isinstance(spanish.translate(*arguments), str)
    assert isinstance(spanish.friendly_number(1234), str)


CELLS = st.sampled_from(["a", "b", '"a"', '"', '""', "plural", "singular", "unknown", "%(n)d", "", " ", "\xf1"]) | SHORT
TABLES = st.lists(st.lists(CELLS, max_size=5).map(",".join), max_size=5).map("\n".join)
MARKS = st.sampled_from([b"", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff"])


@pytest.mark.usefixtures("_locales")
def test_translations_in_csv_are_read_or_are_no_text() -> None:
    @examples(150)
    @given(TABLES.map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=40), MARKS)
    def property_holds(data: bytes, mark: bytes) -> None:
        with file_with(mark + data, "es.csv") as path:
            try:
                locale.load_translations(str(path.parent))
            except UnicodeError:
                return
        use_of_spanish()

    property_holds()


def catalogue(entries: list[tuple[bytes, bytes]], header: bytes) -> bytes:
    """A .mo file: numbers, the two tables, the texts."""
    import struct

    pairs = [(b"", header), *entries]
    start = 28 + 16 * len(pairs)
    tables: list[list[int]] = [[], []]
    texts = b""
    for column in (0, 1):
        for pair in pairs:
            tables[column] += [len(pair[column]), start + len(texts)]
            texts += pair[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 28)
    return head + struct.pack(f"<{4 * len(pairs)}I", *tables[0], *tables[1]) + texts


TEXTS = st.sampled_from([b"a", b"b", b"a\0b", b"\xff", b"x\0y\0z", b"c\4a"]) | st.binary(max_size=5)
HEADERS = st.sampled_from(
    [
        b"Content-Type: text/plain; charset=UTF-8\n",
        b"Content-Type: text/plain; charset=nosuch\n",
        b"Content-Type: x\nPlural-Forms: nplurals=2; plural=n != 1;\n",
        b"Plural-Forms: nplurals=x; plural=(((\n",
        b"",
        b":",
        b"Plural-Forms: nplurals=1; plural=1/0;\n",
        b"Plural-Forms: nplurals=9; plural=8;\n",
    ]
)


@pytest.mark.usefixtures("_locales")
def test_a_catalogue_is_read_or_left_out() -> None:
    @examples(150)
    @given(
        st.lists(st.tuples(TEXTS, TEXTS), max_size=4),
        HEADERS,
        st.integers(0, 500),
        st.integers(0, 8),
        st.binary(max_size=4),
    )
    def property_holds(entries: Any, header: bytes, at: int, gone: int, new: bytes) -> None:
        data = catalogue(entries, header)
        at %= len(data) + 1
        with file_with(data[:at] + new + data[at + gone :], "es/LC_MESSAGES/app.mo") as path:
            locale.load_gettext_translations(str(path.parents[2]), "app")
        assert locale.get_supported_locales() >= {"en_US"}

    property_holds()


# -- templates ------------------------------------------------------------------------------------------------

TAGS = [
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{!",
    "{%!",
    " if x ",
    " else ",
    " elif y ",
    " end ",
    " for x in y ",
    " while x ",
    " try ",
    " except ",
    " finally ",
    " set x = 1 ",
    " raw x ",
    " module x() ",
    " include 'x' ",
    " extends 'x' ",
    " block x ",
    " apply f ",
    " autoescape None ",
    " whitespace all ",
    " whitespace ",
    " comment c ",
    " import os ",
    " from x import y ",
    " break ",
    " continue ",
    "x",
    "\n",
    "  ",
    "'",
    '"',
    "(",
    ")",
    "é",
    "\0",
]


@examples(300)
@given(st.lists(st.sampled_from(TAGS) | st.text(max_size=4), max_size=14).map("".join))
@example("{% include 'x' \0 %}")  # the loader is asked for a name that nobody has
def test_a_template_is_code_or_a_parse_error(text: str) -> None:
    loader = template.DictLoader({"x": "{% block x %}{% end %}"})
    try:
        made = template.Template(text, loader=loader)
    except (template.ParseError, SyntaxError):
        return
    except KeyError as error:
        assert str(error.args[0]) in text and error.args[0] != "x"  # a name that the loader does not have
        return
    except ValueError as error:
        assert "null bytes" in str(error) or "surrogates" in str(error)  # the compiler's own words
        return
    except Exception as error:
        assert type(error) is Exception and "invalid whitespace mode" in str(error)  # as in 4.5.3
        return
    assert compile(made.code, "again", "exec", dont_inherit=True)


# -- recorded traffic -----------------------------------------------------------------------------------------


def is_read_or_refused(read: Callable[[Path], object], data: bytes, name: str) -> None:
    with file_with(data, name) as path:
        try:
            read(path)
        except traffic.TrafficError as error:
            assert path.name in str(error) or str(path.parent) in str(error)  # the second: a file that it names


HTTP_LINES = st.sampled_from(
    [
        "GET /",
        "GET / HTTP/1.1",
        "POST http://x/y",
        "###",
        "### name",
        "",
        "Host: x",
        "A: b",
        "bad header",
        "@x = 1",
        "{{x}}",
        "< ./file",
        "<@ ./file",
        "> {%",
        "%}",
        "# comment",
        "// comment",
        "?a=b",
        "&c=d",
        "body",
        "--x",
        "GET",
        "Content-Length: 3",
    ]
) | st.text(max_size=8)


@examples(150)
@given(
    st.lists(HTTP_LINES, max_size=10).map("\n".join).map(lambda text: text.encode("utf-8", "replace"))
    | st.binary(max_size=40)
)
@example(b"GET http://[/")  # not a URL
@example(b"POST /\n\n< ./a\0b")  # not a file's name
def test_http_files(data: bytes) -> None:
    is_read_or_refused(traffic.read_http_file, data, "a.http")


SOCKET_LINES = st.sampled_from(
    [
        "header A: b",
        "header",
        "connect /x",
        "connect",
        'send "a"',
        "send a",
        "send-binary 00ff",
        "send-binary 0",
        "ping",
        "ping 00",
        "pong",
        "raw 00",
        "expect",
        "expect 3",
        'expect text "a"',
        "expect close",
        "expect x",
        "close",
        "close 1000",
        "close x",
        'close 1000 "bye"',
        "# comment",
        "",
        "nonsense",
    ]
) | st.text(max_size=8)


@examples(150)
@given(
    st.lists(SOCKET_LINES, max_size=10).map("\n".join).map(lambda text: text.encode("utf-8", "replace"))
    | st.binary(max_size=40)
)
def test_websocket_files(data: bytes) -> None:
    is_read_or_refused(traffic.read_websocket, data, "a.ws")


ATOMS = st.none() | st.booleans() | st.integers() | st.floats() | SHORT
JSON = ATOMS | st.lists(ATOMS, max_size=3) | st.dictionaries(SHORT, ATOMS | st.lists(ATOMS, max_size=2), max_size=3)
PAIRS = st.lists(st.fixed_dictionaries({"name": SHORT | JSON, "value": SHORT | JSON}), max_size=2) | JSON
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["send", "receive"]) | JSON,
            "opcode": st.sampled_from([1, 2, 8, 9]) | JSON,
            "data": SHORT | JSON,
        }
    ),
    max_size=3,
)
REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "A B"]) | JSON,
        "url": st.sampled_from(["http://x/", "ws://x/", "/", "http://["]) | JSON,
    },
    optional={
        "headers": PAIRS,
        "postData": JSON
        | st.fixed_dictionaries({"mimeType": SHORT | JSON, "text": SHORT | JSON}, optional={"params": PAIRS}),
    },
)
ENTRIES = st.fixed_dictionaries(
    {"request": REQUESTS | JSON},
    optional={"_webSocketMessages": MESSAGES | JSON, "response": JSON, "startedDateTime": SHORT | JSON},
)
ARCHIVES = st.fixed_dictionaries(
    {"log": st.fixed_dictionaries({"entries": st.lists(ENTRIES | JSON, max_size=3) | JSON}) | JSON}
)


@examples(200)
@given((ARCHIVES | JSON).map(json.dumps).map(lambda text: text.encode("utf-8", "replace")) | st.binary(max_size=20))
@example(b'{"log": {"entries": [{"request": {"method": "GET", "url": "http://["}}]}}')
def test_har_files(data: bytes) -> None:
    is_read_or_refused(traffic.read_har, data, "a.har")
