"""tornado.template."""
import re

from tornado import template
from tornado.template import DictLoader, ParseError, Template


def each(record, *texts, **values):
    for text in texts:
        try:
            record(text, Template(text).generate(**values))
        except Exception as e:
            # The members of a set come in any order.
            record(text, type(e), re.sub(r"(outside ){'.*?'}", r"\1{...}", str(e)))


def expressions(record):
    each(record, "Hello {{ name }}!", "{{ 1 + 2 }}", "{{ name }}{{ name }}", "{{ n }}", "{{ None }}", "{{ b }}", "{{}}", "{{ }}", name="<Ben>", n=5, b=b"bytes")


def raw_and_escape(record):
    each(record, "{% raw name %}", "{{ escape(name) }}", "{% autoescape None %}{{ name }}", "{% autoescape xhtml_escape %}{{ name }}", "{{ url_escape(name) }}",
         "{{ json_encode(name) }}", "{% module x() %}", name="<a & b>", _tt_modules={})


def control(record):
    each(record, "{% if x %}yes{% elif y %}maybe{% else %}no{% end %}", "{% for i in range(3) %}{{ i }},{% else %}none{% end %}", "{% set n = x %}{% while n > 0 %}{{ n }}{% set n -= 1 %}{% end %}",
         "{% try %}{{ 1/0 }}{% except ZeroDivisionError %}zero{% else %}fine{% finally %}!{% end %}", "{% for i in range(9) %}{% if i == 2 %}{% break %}{% end %}{% if i == 1 %}{% continue %}{% end %}{{ i }}{% end %}", x=2, y=0)


def statements(record):
    each(record, "{% set a = 5 %}{{ a }}", "{% import os %}{{ os.sep }}", "{% from os import sep %}{{ sep }}", "{% comment nothing %}x", "{# also nothing #}x", "{% apply upper %}a{{ 'b' }}{% end %}",
         "{% apply %}x{% end %}", "{% block a %}x{% end %}", upper=lambda s: s.upper())


def escapes(record):
    each(record, "{{! x }}", "{%! y %}", "{#! z #}", "{{! {{ 1 }}", "a { b } c", "{{{ 1 }}}", "}} %} #}", "{", "{ {")


def parse_errors(record):
    each(record, "{% if x %}", "{% end %}", "{% else %}", "{{ unclosed", "{% unclosed", "{# unclosed", "{% unknown %}", "{% %}", "{% for %}x{% end %}", "{% elif x %}", "{% break %}", "{% extends %}",
         "{% include %}", "{% set %}", "{% block %}x{% end %}", "{% if x %}{% except %}{% end %}", "{{ 1 + }}", "line one\nline two {% nope %}", "{% raw %}", "{% module %}", "{% apply x %}")


def parse_error_attributes(record):
    try:
        Template("a\nb\n{% nope %}", name="n.html")
    except ParseError as e:
        record(str(e), e.filename, e.lineno)


def run_time_errors(record):
    each(record, "{{ missing }}", "{{ 1/0 }}", "{{ x.y }}", x=None)


def whitespace(record):
    text = "<a>\n  <b>  c </b>\n\n  d </a>  "
    for mode in ("all", "single", "oneline"):
        record(mode, Template(text, whitespace=mode).generate(), template.filter_whitespace(mode, text))
    try:
        template.filter_whitespace("none", text)
    except Exception as e:
        record(e)
    record(Template(text, name="x.html").generate(), Template(text, name="x.txt").generate(), Template(text, name="x.js").generate())
    record(Template(text, name="x.html", compress_whitespace=False).generate(), Template("{% whitespace all %}  a  b\n\n c", name="x.html").generate())


def compress_and_whitespace(record):
    try:
        Template("x", compress_whitespace=True, whitespace="all")
    except Exception as e:
        record(e)


LOADER = {
    "base.html": "<title>{% block title %}default{% end %}</title>{% block body %}{% end %}",
    "page.html": "{% extends 'base.html' %}{% block title %}page{% end %}{% block body %}{% include 'part.html' %}{% end %}",
    "part.html": "part {{ name }}",
    "deep.html": "{% extends \"page.html\" %}{% block body %}deep {% super %}{% end %}",
    "dir/a.html": "{% include 'b.html' %}{% include '../part.html' %}",
    "dir/b.html": "b",
    "missing.html": "{% include 'none.html' %}",
    "bad.html": "one\n{{ 1/0 }}",
    "uses_bad.html": "first\n{% include 'bad.html' %}",
    "auto.html": "{{ name }}",
}


def inheritance(record):
    loader = DictLoader(LOADER)
    for name in ("base.html", "page.html", "part.html", "dir/a.html", "dir/b.html", "missing.html", "nothing.html", "deep.html"):
        try:
            record(name, loader.load(name).generate(name="<n>"))
        except Exception as e:
            record(name, type(e), str(e))


def escaping_bound_in_a_template(record):
    texts = {"a.html": "{% set xhtml_escape = f %}{{ name }}{% include 'part.html' %}", "part.html": "{{ name }}", "b.html": "{% extends 'a.html' %}"}
    for name in sorted(texts):
        record(name, DictLoader(texts).load(name).generate(name="<n>", f=lambda value: b"f" + value))


def loader_options(record):
    record(DictLoader(LOADER, autoescape=None).load("auto.html").generate(name="<n>"))
    record(DictLoader(LOADER, namespace={"name": "from the loader"}).load("auto.html").generate())
    record(DictLoader({"x.html": "a  b"}, whitespace="oneline").load("x.html").generate())
    loader = DictLoader(LOADER)
    first = loader.load("auto.html")
    record(loader.load("auto.html") is first)
    loader.reset()
    record(loader.load("auto.html") is first, loader.resolve_path("b.html", "dir/a.html"), loader.resolve_path("/b.html", "dir/a.html"), loader.resolve_path("b.html"))


def line_numbers_in_tracebacks(record):
    import sys
    import traceback
    try:
        DictLoader(LOADER).load("uses_bad.html").generate()
    except ZeroDivisionError:
        lines = traceback.format_exception(*sys.exc_info())
        record([line.split("# ")[-1].split("\n")[0] for line in lines if "# " in line])


def unicode_and_bytes(record):
    each(record, u"\u00e9{{ x }}", b"\xc3\xa9{{ x }}", "{{ x }}", x=u"\u00e9")
    record(Template("{{ f() }}").generate(f=lambda: b"\xc3\xa9"))
    try:
        record(Template("{{ f() }}").generate(f=lambda: b"\xff"))
    except UnicodeDecodeError as e:
        record(type(e))


def namespace(record):
    each(record, "{{ squeeze('a  b') }}", "{{ linkify('http://a.com') }}", "{{ datetime.date(2000, 1, 2) }}", "{{ _tt_utf8('x') }}", "{{ __name__ }}", "{{ xhtml_escape('<') }}", "{{ escape is xhtml_escape }}")


def apply_nested(record):
    each(record, "{% apply f %}a{% apply g %}b{% end %}c{% end %}", "{% for i in (1, 2) %}{% apply f %}{{ i }}{% end %}{% end %}", f=lambda s: b"[" + s + b"]", g=lambda s: s + b"!")


def file_loader(record):
    import os
    import shutil
    import tempfile
    folder = tempfile.mkdtemp()
    with open(os.path.join(folder, "a.html"), "wb") as file:
        file.write(b"{% include 'sub/b.html' %} \xc3\xa9")
    os.mkdir(os.path.join(folder, "sub"))
    with open(os.path.join(folder, "sub", "b.html"), "wb") as file:
        file.write(b"{{ x }}")
    record(template.Loader(folder).load("a.html").generate(x=1))
    try:
        template.Loader(folder).load("c.html")
    except Exception as e:
        record(type(e))
    shutil.rmtree(folder)
