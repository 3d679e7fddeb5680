"""tornado4.escape; what is said to be "as in 4.5.3" was tried on the real one."""

from __future__ import annotations

import time
import urllib.parse

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado4.escape import (
    json_decode,
    json_encode,
    linkify,
    native_str,
    parse_qs_bytes,
    recursive_unicode,
    squeeze,
    to_basestring,
    to_unicode,
    url_escape,
    url_unescape,
    utf8,
    xhtml_escape,
    xhtml_unescape,
)


class TestConversions:
    def test_utf8(self):
        assert utf8("é") == b"\xc3\xa9"
        assert utf8(b"\xff") == b"\xff"
        assert utf8(None) is None

    @pytest.mark.parametrize("convert", [to_unicode, native_str, to_basestring])
    def test_to_text(self, convert):
        assert convert(b"\xc3\xa9") == convert("é") == "é"
        assert convert(None) is None
        with pytest.raises(UnicodeDecodeError):
            convert(b"\xff")

    @pytest.mark.parametrize("value", [1, [1], bytearray(b"x"), memoryview(b"x")])
    @pytest.mark.parametrize("convert", [utf8, to_unicode, xhtml_escape, url_escape, url_unescape])
    def test_other_types_are_refused_in_words_of_453(self, convert, value):
        message = f"Expected bytes, unicode, or None; got {type(value)!r}"
        with pytest.raises(TypeError) as caught:
            convert(value)
        assert str(caught.value) == message

    def test_recursive_unicode_makes_plain_containers(self):
        data = {b"a": [b"b", (b"c", {b"d": 1})], 5: None}
        assert recursive_unicode(data) == {"a": ["b", ("c", {"d": 1})], 5: None}


class TestXhtml:
    def test_five_characters_are_escaped_as_in_453(self):
        assert xhtml_escape("<&>\"'") == "&lt;&amp;&gt;&quot;&#39;"
        assert xhtml_escape(b"\xc3\xa9<") == "é&lt;"
        assert xhtml_escape("&amp;") == "&amp;amp;"

    def test_none_is_a_type_error(self):
        with pytest.raises(TypeError):
            xhtml_escape(None)

    def test_a_subclass_cannot_interfere(self):
        class Markup(str):
            def replace(self, *args):
                raise AssertionError("asked the subclass")

        escaped = xhtml_escape(Markup("<b>"))
        assert (escaped, type(escaped), type(xhtml_escape(Markup("b")))) == ("&lt;b&gt;", str, str)

    @given(st.text())
    def test_unescape_undoes_escape(self, text):
        assert xhtml_unescape(xhtml_escape(text)) == text

    @pytest.mark.parametrize(
        ("given", "expected"),
        [
            ("&hellip;&frac12;&sup2;", "…½²"),
            ("&#65;&#x42;&#X43;", "ABC"),
            ("&nosuch; &LT; &apos; &lt", "&nosuch; &LT; &apos; &lt"),
            ("&#; &#x; &#-5; &#xyz; &#1114112; &#99999999999;",) * 2,
            ("&amp;lt;", "&lt;"),
        ],
    )
    def test_unescape_leaves_alone_what_is_no_entity(self, given, expected):
        assert xhtml_unescape(given) == expected


class TestJson:
    def test_encoded_json_cannot_end_a_script_element(self):
        assert json_encode("</script>") == '"<\\/script>"'
        assert json_decode(json_encode({"a": "</"})) == {"a": "</"}

    def test_decode_takes_bytes_and_text(self):
        assert json_decode('"é"'.encode()) == json_decode('"é"') == "é"
        with pytest.raises(ValueError, match="Expecting"):
            json_decode("{")


class TestUrl:
    def test_escape(self):
        assert url_escape("a b+/é~") == "a+b%2B%2F%C3%A9~"
        assert url_escape("a b+/é~", plus=False) == "a%20b%2B/%C3%A9~"
        assert url_escape(b"\xff") == "%FF"

    @pytest.mark.parametrize(
        ("args", "expected"),
        [
            (("a%20b+c",), "a b c"),
            (("a%20b+c", "utf-8", False), "a b+c"),
            (("%ff",), "\ufffd"),
            (("%E9", "latin1"), "é"),
            (("%zz%4",), "%zz%4"),
            (("é+%ff", None), b"\xc3\xa9 \xff"),
            (("a+b", None, False), b"a+b"),
        ],
    )
    def test_unescape_as_in_453(self, args, expected):
        assert url_unescape(*args) == expected

    @given(st.text())
    def test_unescape_undoes_escape(self, text):
        assert url_unescape(url_escape(text)) == text


class TestParseQs:
    def test_names_are_latin1_text_and_values_bytes(self):
        assert parse_qs_bytes("%e9=%e9&a=1&a=%C3%A9+x") == {"é": [b"\xe9"], "a": [b"1", b"\xc3\xa9 x"]}

    def test_order_of_first_appearance_is_kept(self):
        assert list(parse_qs_bytes("b=1&a=2&c=3&b=4")) == ["b", "a", "c"]

    def test_blank_values(self):
        assert parse_qs_bytes("a=&b&c=1") == {"c": [b"1"]}
        assert parse_qs_bytes("a=&b&c=1&&", keep_blank_values=True) == {"a": [b""], "b": [b""], "c": [b"1"]}

    def test_strict_parsing_refuses_a_field_without_equals_sign(self):
        with pytest.raises(ValueError, match="bad query field: 'b'"):
            parse_qs_bytes("a=1&b", strict_parsing=True)

    def test_semicolon_separates_nothing(self):
        assert parse_qs_bytes("a=1;b=2") == {"a": [b"1;b=2"]}

    def test_number_of_fields_can_be_limited(self):
        assert len(parse_qs_bytes("&".join(f"a{i}=1" for i in range(10)), max_num_fields=10)) == 10
        with pytest.raises(ValueError, match="Max number of fields exceeded"):
            parse_qs_bytes("&" * 10, max_num_fields=10)

    def test_text_beyond_latin1_cannot_become_bytes(self):
        with pytest.raises(UnicodeEncodeError):
            parse_qs_bytes("a=\u4e2d")

    @given(st.text(alphabet="ab=&+%41;é", max_size=30), st.booleans())
    def test_agrees_with_the_standard_library(self, qs, keep):
        expected = urllib.parse.parse_qs(qs, keep, encoding="latin1", errors="strict")
        encoded = {name: [value.encode("latin1") for value in values] for name, values in expected.items()}
        assert parse_qs_bytes(qs, keep) == encoded

    def test_bytes_are_read_as_latin1(self):
        assert parse_qs_bytes(b"a=\xff&b=%ff") == {"a": [b"\xff"], "b": [b"\xff"]}


def test_squeeze_takes_control_characters_for_blanks():
    assert squeeze("  a \n\t b\x00c ") == "a b c"


class TestLinkify:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("see http://a.b/!", 'see <a href="http://a.b/">http://a.b/</a>!'),
            ("-www.a.com.", '-<a href="http://www.a.com">www.a.com</a>.'),
            ("a-www.x.com", 'a-<a href="http://www.x.com">www.x.com</a>'),
            ("http-x://y x_http://y", "http-x://y x_http://y"),
            ("a:http://b", 'a:<a href="http://b">http://b</a>'),
            ("(http://x.y)", '(<a href="http://x.y">http://x.y</a>)'),
            ("http://a/(b)c)", '<a href="http://a/(b)c">http://a/(b)c</a>)'),
            ("http://(", '<a href="http://">http://</a>('),
            ("javascript://x", "javascript://x"),
            ('<"http://q.r">', '&lt;&quot;<a href="http://q.r">http://q.r</a>&quot;&gt;'),
        ],
    )
    def test_what_is_a_url_as_in_453(self, text, expected):
        assert linkify(text) == expected

    def test_extra_params(self):
        assert (
            linkify("www.a.com", extra_params=" rel=x ") == '<a href="http://www.a.com" rel=x>www.a.com</a>'
        )
        by_function = linkify("www.a.com", extra_params=lambda href: f" t={href} ")
        assert by_function == '<a href="http://www.a.com" t=http://www.a.com>www.a.com</a>'

    def test_shorten_keeps_the_host_and_tells_the_rest_in_the_title(self):
        shown = linkify("http://abc.de/aaaaaaaaaaaa/bbbbbbbbbbbb?q=1", shorten=True)
        url = "http://abc.de/aaaaaaaaaaaa/bbbbbbbbbbbb?q=1"
        assert shown == f'<a href="{url}" title="{url}">http://abc.de/aaaaaaaa...</a>'

    def test_protocols(self):
        assert linkify("www.a.com", require_protocol=True) == "www.a.com"
        assert linkify("rdar:/1", permitted_protocols=["rdar"]) == '<a href="rdar:/1">rdar:/1</a>'

    @pytest.mark.parametrize("piece", ["a-", "a--", "http://a(", "http://.", "www.", "a:/!", '&"', "(("])
    def test_takes_linear_time(self, piece):
        started = time.process_time()
        linkify(piece * 200_000)
        assert time.process_time() - started < 20  # a second at most; an hour if it were quadratic
