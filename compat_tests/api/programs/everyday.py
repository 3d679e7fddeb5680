"""Options, translations, texts, templates, tests: what needs no loop, in everyday use."""

import io
import logging
import os
import unittest


def run(t, folder):
    """What needs no loop."""
    options = t.options.OptionParser()
    options.define("port", default=1, type=int, help="which", group="g")
    options.define("span", type=__import__("datetime").timedelta)
    options.define("when", type=__import__("datetime").datetime)
    options.parse_command_line(["x", "--port=5", "--span=1h 2m", "--when=2020-01-02 03:04"], final=True)
    options.print_help(io.StringIO())
    options.as_dict(), options.group_dict("g"), options.items()
    with open(os.path.join(folder, "fr_FR.csv"), "w") as file:
        file.write('"Sign in","Entrer"\n')
    t.locale.load_translations(folder)
    french = t.locale.get("fr_FR", "en")
    french.translate("Sign in"), french.format_date(0), french.friendly_number(1000), french.list(["a", "b"])
    t.escape.xhtml_unescape("&amp;&#65;"), t.escape.url_escape("a b"), t.escape.url_unescape("a+b")
    t.escape.json_decode(t.escape.json_encode({"a": 1})), t.escape.squeeze(" a  b "), t.escape.recursive_unicode([b"a"])
    t.escape.linkify("see http://example.com/a-long-path/which/goes/on/and/on for it", shorten=True)
    t.escape.parse_qs_bytes("a=1")
    (
        t.httputil.url_concat("/a?b=1", {"c": "2"}),
        t.httputil.format_timestamp(0),
        t.httputil.HTTPHeaders.parse("A: b\r\n c\r\n"),
    )
    t.httputil.parse_cookie('a="b\\"c"')
    t.util.import_object("os.path"), t.util.re_unescape("a\\-b"), t.util.ArgReplacer(run, "t").replace(1, (2, 3), {})
    t.template.Template("{% set a = 1 %}{{ a }}{% try %}{% except %}{% end %}{% while 0 %}{% end %}{# c #}").generate()
    t.template.DictLoader({"a": "{% block b %}{% end %}", "c": "{% extends a %}{% include 'd' %}", "d": "1"}).load(
        "c"
    ).generate()
    record = logging.makeLogRecord({"msg": "text", "levelno": 40, "levelname": "ERROR", "exc_info": None})
    t.log.LogFormatter(color=False).format(record)
    times = {}
    t.autoreload._reload_on_update(times)

    class Case(t.testing.AsyncHTTPTestCase):
        def get_app(self):
            return t.web.Application()

        def test(self):
            self.io_loop.add_callback(self.stop)
            self.wait()
            self.fetch("/")

        @t.testing.gen_test
        def test_later(self):
            yield t.gen.moment

    for name in ("test", "test_later"):
        result = unittest.TestResult()
        Case(name).run(result)
        assert result.wasSuccessful(), result


