"""tornado4.template; outputs, errors and line numbers were compared with the real 4.5.3."""

from __future__ import annotations

import gc
import logging
import re
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tornado4 import escape, template
from tornado4.template import DictLoader, Loader, ParseError, Template, filter_whitespace


def render(text, /, **values):
    return Template(text).generate(**values).decode()


def family(files, name="a.html", /, loader=(), **values):
    return DictLoader(files, **dict(loader)).load(name).generate(**values).decode()


class TestExpressions:
    def test_values(self):
        assert render("{{ a }}|{{ b }}|{{ c }}|{{ d }}", a="é", b=b"x", c=1.5, d=None) == "é|x|1.5|None"

    @pytest.mark.parametrize("value", ["<&>\"'", b"<&>\"'", "plain", 5, True, -1, "é"])
    def test_default_escaping(self, value):
        text = value.decode() if isinstance(value, bytes) else str(value)
        assert render("{{ v }}", v=value) == escape.xhtml_escape(text)
        assert render("{% raw v %}", v=value) == text

    def test_raw_bytes_need_not_be_utf8(self):
        assert Template("{% raw v %}").generate(v=b"\xff") == b"\xff"
        with pytest.raises(UnicodeDecodeError):
            Template("{{ v }}").generate(v=b"\xff")

    def test_objects_of_subclasses_are_escaped_too(self):
        class Safe(str):
            pass

        class Shown:
            def __str__(self):
                return "<b>"

        assert render("{{ a }}{{ b }}", a=Safe("<"), b=Shown()) == "&lt;&lt;b&gt;"

    def test_python_in_all_its_forms(self):
        assert render("{{ 1, 2 }}") == "(1, 2)"
        assert render("{{ x # a comment }}", x=3) == "3"
        assert render("{{ (1 +\n2) }}") == "3"
        assert render('{{ {"a": 1}["a"] }}') == "1"

    def test_braces_that_are_not_ours(self):
        assert render("{ {a} {{! {%! {#! {") == "{ {a} {{ {% {# {"
        assert render("{{{ 1 }}}") == "{1}"

    def test_functions_in_reach(self):
        assert render("{{ escape('<') }}", xhtml_escape=None or escape.xhtml_escape) == "&amp;lt;"
        assert render("{{ url_escape('/ ') }}{{ json_encode([1]) }}{{ squeeze('a  b') }}") == "%2F+[1]a b"
        assert render("{% raw linkify('www.a.b') %}").startswith("<a ")
        assert render("{{ datetime.date(2000, 1, 2) }}") == "2000-01-02"

    def test_comments_show_nothing(self):
        assert render("a{# {{ x }} #}b{% comment x %}c") == "abc"


class TestStatements:
    def test_if_for_while_try(self):
        text = """{% for i in range(9) %}{% if i == 1 %}{% continue %}{% elif i == 4 %}{% break %}\
{% else %}{{ i }}{% end %}{% end %}"""
        assert render(text) == "023"
        assert render("{% for i in [] %}{% else %}none{% end %}") == "none"
        assert render("{% set n = 2 %}{% while n %}{% set n -= 1 %}x{% end %}") == "xx"
        text = "{% try %}{{ 1/x }}{% except ZeroDivisionError as e %}{{ e }}{% finally %}.{% end %}"
        assert [render(text, x=x) for x in (1, 0)] == ["1.0.", "division by zero."]

    def test_empty_bodies(self):
        assert render("{% if 1 %}{% else %}{% end %}{% for x in [1] %}{% comment %}{% end %}") == ""

    def test_imports(self):
        assert render("{% import math %}{% from math import pi %}{{ math.floor(pi) }}") == "3"

    def test_apply_gets_bytes_and_gives_text_or_bytes(self):
        given = []

        def function(body):
            given.append(body)
            return body.decode().upper()

        assert render("{% apply f %}a{{ '<' }}{% end %}b", f=function) == "A&LT;b"
        assert given == [b"a&lt;"]
        assert render("{% apply f %}{% apply f %}é{% end %}{% end %}", f=lambda b: b) == "é"

    def test_module(self):
        class Modules:
            def Entry(self, text):
                return f"<{text}>"

        assert render("{% module Entry('x') %}", _tt_modules=Modules()) == "<x>"


class TestAutoescape:
    def test_function_gets_bytes(self):
        seen = []
        render("{% autoescape f %}{{ 'é' }}{{ 5 }}{% raw 6 %}", f=lambda value: seen.append(value) or value)
        assert seen == ["é".encode(), b"5"]

    def test_none(self):
        assert render("{% autoescape None %}{{ '<' }}") == "<"
        assert Template("{{ '<' }}", autoescape=None).generate() == b"<"

    def test_the_last_directive_counts_for_the_whole_file(self):
        assert render("{{ '<' }}{% autoescape None %}") == "<"

    def test_replaced_xhtml_escape_is_used(self):
        assert render("{{ '<' }}", xhtml_escape=lambda value: value + b"!") == "<!"

    def test_xhtml_escape_rebound_in_the_template_is_used(self):
        assert render("{% set xhtml_escape = lambda value: value * 2 %}{{ '<' }}") == "<<"

    def test_replacement_in_the_escape_module_is_used(self, monkeypatch):
        compiled = Template("{{ '<' }}")
        monkeypatch.setattr(escape, "xhtml_escape", lambda value: b"patched")
        assert compiled.generate() == b"patched"

    def test_each_file_has_its_own(self):
        files = {"a.html": "{{ x }}{% include b.html %}", "b.html": "{% autoescape None %}{{ x }}"}
        assert family(files, x="<") == "&lt;<"

    @given(st.text())
    def test_quick_and_general_path_agree(self, value):
        quick = Template("{{ v }}").generate(v=value) if _encodable(value) else b""
        general = Template("{% autoescape escape %}{{ v }}").generate(v=value) if _encodable(value) else b""
        assert quick == general


def _encodable(text):
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


class TestFamilies:
    def test_blocks_of_three_generations(self):
        files = {
            "a.html": '{% extends "b.html" %}ignored{% block x %}A{% end %}',
            "b.html": "{% extends 'c.html' %}{% block x %}B{% end %}{% block y %}B{% end %}",
            "c.html": "{% block x %}{% end %}-{% block y %}{% end %}-{% block z %}C{% end %}",
        }
        assert family(files) == "A-B-C"

    def test_a_block_shown_twice_shows_the_last_definition(self):
        assert family({"a.html": "{% block x %}1{% end %}{% block x %}2{% end %}"}) == "22"

    def test_include_shares_variables(self):
        assert family({"a.html": "{% include b.html %}{{ x }}", "b.html": "{% set x = 2 %}"}, x=5) == "2"

    def test_relative_names(self):
        files = {"d/a.html": "{% include b.html %}{% include '../c.html' %}", "d/b.html": "B", "c.html": "C"}
        assert family(files, "d/a.html") == "BC"

    def test_missing_template(self):
        with pytest.raises(KeyError):
            family({"a.html": "{% include b.html %}"})

    def test_extends_needs_a_loader(self):
        with pytest.raises(ParseError, match=r"^\{% extends %\} block found, but no template loader"):
            Template("{% extends x.html %}")


class TestParseErrors:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("{{", "Missing end expression }}"),
            ("{{ x }", "Missing end expression }}"),
            ("{%", "Missing end block %}"),
            ("{#", "Missing end comment #}"),
            ("{{ }}", "Empty expression"),
            ("{% %}", "Empty block tag ({% %})"),
            ("{% end %}", "Extra {% end %} block"),
            ("{% if x %}", "Missing {% end %} block for if"),
            ("{% for x in y %}{% elif %}{% end %}", "elif block cannot be attached to for block"),
            ("{% while 1 %}{% except %}{% end %}", "except block cannot be attached to while block"),
            ("{% finally %}", "finally outside {'try'} block"),
            ("{% bogus %}", "unknown operator: 'bogus'"),
            ("{% for\tx in y %}{% end %}", "unknown operator: 'for\\tx'"),
            ("{% extends %}", "extends missing file path"),
            ("{% include '' %}", "include missing file path"),
            ("{% import %}", "import missing statement"),
            ("{% from %}", "import missing statement"),
            ("{% set %}", "set missing statement"),
            ("{% apply %}{% end %}", "apply missing method name"),
            ("{% block %}{% end %}", "block missing name"),
        ],
    )
    def test_words_of_453(self, text, message):
        with pytest.raises(ParseError) as caught:
            Template("\n" + text, name="t.html")
        assert str(caught.value) == f"{message} at t.html:2"
        assert (caught.value.message, caught.value.filename, caught.value.lineno) == (message, "t.html", 2)
        assert caught.value.args[0] == message

    @pytest.mark.parametrize(
        "text",
        [
            "{% break %}",
            "{% if 1 %}{% continue %}{% end %}",
            "{% for x in y %}{% apply f %}{% break %}{% end %}{% end %}",
        ],
    )
    def test_leaving_a_loop_that_is_not_there(self, text):
        with pytest.raises(
            ParseError, match=r"(break|continue) outside \{'(for|while)', '(for|while)'\} block"
        ):
            Template(text)

    def test_parse_error_with_a_message_alone(self):
        assert str(ParseError("asdf")) == "asdf at None:0"

    def test_python_errors_are_pythons_and_the_code_is_logged(self, caplog):
        with pytest.raises(SyntaxError) as caught:
            Template("{{ 1 + }}\nx", name="dir/t.html")
        assert caught.value.filename == "dir/t_html.generated.py"
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("tornado.application", logging.ERROR)
        assert re.match(r"dir/t\.html code:\n1  def _tt_execute\(\):", record.getMessage())

    def test_unknown_whitespace_mode(self):
        for make in (lambda: Template("", whitespace="x"), lambda: Template("{% whitespace x %}")):
            with pytest.raises(Exception, match=r"^invalid whitespace mode x$"):
                make()


class TestTracebacks:
    def trace(self, files):
        with pytest.raises(ZeroDivisionError) as caught:
            family(files)
        return "".join(traceback.format_exception(caught.value))

    def test_line_of_an_expression(self):
        assert "_tt_tmp = 1/0  # a.html:2\n" in self.trace({"a.html": "one\n{{ 1/0 }}"})

    def test_line_of_a_directive(self):
        assert "if 1/0:  # a.html:3" in self.trace({"a.html": "\n\n{% if 1/0 %}{% end %}"})

    def test_way_through_includes(self):
        files = {"a.html": "\n{% include b.html %}", "b.html": "{% include c.html %}", "c.html": "{{ 1/0 }}"}
        assert "# c.html:1 (via b.html:1, a.html:2)" in self.trace(files)

    def test_way_through_blocks(self):
        files = {
            "a.html": "{% extends b.html %}\n{% block x %}{{ 1/0 }}{% end %}",
            "b.html": "{% block x %}{% end %}",
        }
        assert "# a.html:2 (via b.html:1)" in self.trace(files)

    def test_two_templates_of_one_name_show_their_own_lines(self):
        assert "1/0  # a.html:1" in self.trace({"a.html": "{{ 1/0 }}"})
        assert "2/0  # a.html:1" in self.trace({"a.html": "{{ 2/0 }}"})


class TestWhitespace:
    @pytest.mark.parametrize(
        ("mode", "expected"),
        [("all", " a \t\n\n\r\n  b\xa0 c  "), ("single", " a\nb\xa0 c "), ("oneline", " a b c ")],
    )
    def test_modes(self, mode, expected):
        assert filter_whitespace(mode, " a \t\n\n\r\n  b\xa0 c  ") == expected

    @given(st.text(alphabet=" \t\n\r\x0b\xa0ab"))
    def test_single_is_blanks_to_one_space_then_lines_to_one_end(self, text):
        plain = re.sub(r"\s*\n\s*", "\n", re.sub(r"[\t ]+", " ", text))
        assert filter_whitespace("single", text) == plain

    def test_suffix_decides(self):
        for name, expected in (("x.html", b"\na "), ("x.js", b"\na "), ("x.txt", b" \n a  ")):
            assert Template(" \n a  ", name=name).generate() == expected

    def test_arguments(self):
        assert Template("a  b", compress_whitespace=True).generate() == b"a b"
        assert Template("a  b", name="x.html", compress_whitespace=False).generate() == b"a  b"
        assert family({"a.html": "a \n b"}, loader={"whitespace": "oneline"}) == "a b"
        with pytest.raises(Exception, match=r"cannot set both whitespace and compress_whitespace"):
            Template("", compress_whitespace=True, whitespace="all")

    def test_directive_holds_from_there_on(self):
        assert render("a  b{% whitespace oneline %}a  b{% whitespace all %}a  b") == "a  ba ba  b"

    def test_preformatted_text_is_left_alone(self):
        assert (
            Template("<pre>a\n\n  b</pre>{{ 1 }}  c", name="x.html").generate() == b"<pre>a\n\n  b</pre>1 c"
        )


class TestLoaders:
    def test_files(self, tmp_path):
        (tmp_path / "sub").mkdir()
        (tmp_path / "a.html").write_text('{% include "sub/b.html" %}')
        (tmp_path / "sub" / "b.html").write_text("é{% include ../c.html %}", encoding="utf8")
        (tmp_path / "c.html").write_text("C")
        loader = Loader(str(tmp_path))
        assert loader.load("a.html").generate() == "éC".encode()
        assert sorted(loader.templates) == ["a.html", "c.html", "sub/b.html"]
        assert loader.load("a.html") is loader.load("a.html")
        (tmp_path / "c.html").write_text("D")
        assert loader.load("a.html").generate() == "éC".encode()
        loader.reset()
        assert loader.load("a.html").generate() == "éD".encode()

    def test_missing_file(self, tmp_path):
        with pytest.raises(FileNotFoundError):
            Loader(str(tmp_path)).load("nope.html")

    @pytest.mark.parametrize(
        ("args", "in_files", "in_dict"),
        [
            (("x.html",), "x.html", "x.html"),
            (("x.html", "s/y.html"), "s/x.html", "s/x.html"),
            (("../x.html", "s/y.html"), "x.html", "x.html"),
            (("/x.html", "s/y"), "/x.html", "/x.html"),
            (("x", "<string>"), "x", "x"),
            (("x", "/abs/y"), "x", "x"),
            (("../../../etc/passwd", "a/b"), "../../../etc/passwd", "../../etc/passwd"),
            (("../../root2/x", "a/b"), "../../root2/x", "../root2/x"),
        ],
    )
    def test_names_resolve_as_in_453(self, args, in_files, in_dict):
        assert Loader("/srv/root").resolve_path(*args) == in_files
        assert DictLoader({}).resolve_path(*args) == in_dict

    def test_namespace_of_the_loader_yields_to_arguments(self):
        loader = {"namespace": {"a": 1, "b": 2}}
        assert family({"a.html": "{{ a }}{{ b }}"}, loader=loader, b=3) == "13"

    def test_subclass_may_make_templates_itself(self):
        class Database(template.BaseLoader):
            def resolve_path(self, name, parent_path=None):
                return name

            def _create_template(self, name):
                return Template(f"<{name}>", name=name, loader=self)

        assert Database().load("row").generate() == b"<row>"

    def test_base_loader_is_abstract(self):
        with pytest.raises(NotImplementedError):
            template.BaseLoader().load("x")


class TestGenerate:
    def test_runs_do_not_see_each_others_variables(self):
        compiled = Template("{{ x }}{% set y = x %}")
        assert [compiled.generate(x=i) for i in range(3)] == [b"0", b"1", b"2"]
        with pytest.raises(NameError):
            compiled.generate()

    def test_namespace_shows_the_template_as_its_module(self):
        loader = DictLoader({"d-x/b.html": "{{ __name__ }}|{% raw __loader__.get_source(__name__) %}"})
        compiled = loader.load("d-x/b.html")
        name, _, source = compiled.generate().decode().partition("|")
        assert (name, source) == ("d-x/b_html", compiled.code)

    def test_template_that_is_dropped_is_collected(self):
        import weakref

        compiled = Template("{{ 1 }}")
        compiled.generate()
        gone = weakref.ref(compiled)
        del compiled
        gc.collect()
        assert gone() is None


def test_names_of_the_face_report_it_as_their_home():
    assert {Template.__module__, Loader.__module__, ParseError.__module__} == {"tornado4.template"}
    assert filter_whitespace.__module__ == "tornado4.template"
