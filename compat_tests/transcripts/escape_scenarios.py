"""tornado.escape and tornado.util."""
from tornado import escape, util

ROWS = {"parse_qs": "PY3", "gzip_decompressor": "PY3"}


def each(record, function, *values):
    for value in values:
        try:
            record(value, function(value))
        except Exception as e:
            record(value, type(e))


def xhtml(record):
    each(record, escape.xhtml_escape, "<foo>", u"<\u00e9>", b"<bytes>", "a\"b'c&d", "", 5, None)
    each(record, escape.xhtml_unescape, "&lt;&gt;&amp;&quot;&#39;", "&#x41;&#65;&nope;", "&eacute;", b"&lt;", "&#xZZ;", "&#99999999;", "&")


def json_(record):
    each(record, escape.json_encode, {"a": [1, None, True]}, "</script>", u"\u00e9", b"bytes", set())
    each(record, escape.json_decode, '{"a": 1}', b"[1]", u'"\u00e9"', b'"\xc3\xa9"', "", "nope")


def squeeze(record):
    each(record, escape.squeeze, "  a   b\n\tc ", "", "\x00a", u"\u00a0x")


def url_escape(record):
    each(record, escape.url_escape, "a b/c?d=é&", b"\xff x", u"\u00e9", "", "~-_.")
    each(record, lambda v: escape.url_escape(v, plus=False), "a b+c", "a/b")


def url_unescape(record):
    each(record, escape.url_unescape, "a+b%20c", "%C3%A9", "%ff", b"a%2Fb", "%", "%zz")
    each(record, lambda v: escape.url_unescape(v, encoding=None), "a+b%20c", "%ff", u"\u00e9")
    each(record, lambda v: escape.url_unescape(v, plus=False), "a+b%20c")
    each(record, lambda v: escape.url_unescape(v, encoding=None, plus=False), "a+b%20c%e9")


def parse_qs(record):
    each(record, lambda v: sorted(escape.parse_qs_bytes(v).items()), "a=1&b=2&a=3", b"x=%C3%A9&y=", "a;b=1", "=1&&", "plain")
    each(record, lambda v: sorted(escape.parse_qs_bytes(v, keep_blank_values=True).items()), "a=&b", "a=1&b=&=")
    each(record, lambda v: escape.parse_qs_bytes(v, strict_parsing=True), "a", "a=1")


def conversions(record):
    each(record, escape.utf8, "a", u"\u00e9", b"\xff", None, 5, bytearray(b"x"))
    each(record, escape.to_unicode, "a", b"\xc3\xa9", b"\xff", None, 5)
    each(record, escape.native_str, "a", b"b", None)
    each(record, escape.to_basestring, "a", b"b", None, 5)
    each(record, escape.recursive_unicode, {b"a": [b"b", (b"c",), 1, None]}, b"x", 3)


def linkify(record):
    each(record, escape.linkify, "hello http://world.com/!", "www.external-link.com", "http://a.com/?x=1&y=<b>", "(http://x.com/(y))",
         "no links", "ftp://x.org/a", "javascript:alert(1)", "http://foo.com/blah_blah_(wikipedia).", "x@y.com mailto:x@y.com", "<b>http://q.com</b>",
         u"http://\u272adf.ws/4", "http://www.a.co/very/long/path/that/goes/on/and/on/for/quite/some/time/index.html")


def linkify_options(record):
    text = "see www.example.com/some/very/long/path/indeed/it/is and http://b.org and ftp://c.net"
    record(escape.linkify(text, shorten=True))
    record(escape.linkify(text, extra_params='rel="nofollow" class="x"'))
    record(escape.linkify(text, extra_params=lambda url: 'data-u="%s"' % url))
    record(escape.linkify(text, require_protocol=True))
    record(escape.linkify(text, permitted_protocols=["ftp"]))


def object_dict(record):
    d = util.ObjectDict(a=1)
    d.b = 2
    record(sorted(d.items()), d.a)
    try:
        d.c
    except AttributeError as e:
        record(e)


def import_object(record):
    record(util.import_object("tornado.escape") is escape, util.import_object("tornado.escape.utf8") is escape.utf8)
    record(util.import_object("os").__name__)
    for name in ("tornado.nothing", "tornado.escape.nothing", "nomodule.x"):
        try:
            util.import_object(name)
        except ImportError as e:
            record(type(e).__name__ in ("ImportError", "ModuleNotFoundError"))


def timedeltas_and_errno(record):
    import datetime
    record(util.timedelta_to_seconds(datetime.timedelta(days=1, milliseconds=5)))
    record(util.errno_from_exception(OSError(5, "x")), util.errno_from_exception(ValueError(7)), util.errno_from_exception(ValueError()))
    record(util.exec_in.__name__, util.unicode_type, util.basestring_type, util.bytes_type)


def arg_replacer(record):
    def function(x, y, callback=None, z=None):
        pass

    r = util.ArgReplacer(function, "callback")
    record(r.get_old_value((1, 2), {}), r.get_old_value((1, 2, "c"), {}), r.get_old_value((1, 2), {"callback": "k"}, "d"))
    record(r.replace("new", (1, 2), {}), r.replace("new", (1, 2, "old", 3), {}), r.replace("new", (1,), {"y": 2, "callback": "old"}))


def configurable(record):
    class Base(util.Configurable):
        @classmethod
        def configurable_base(cls):
            return Base

        @classmethod
        def configurable_default(cls):
            return One

        def initialize(self, *args, **kwargs):
            self.given = (args, sorted(kwargs.items()))

    class One(Base):
        pass

    class Two(Base):
        pass

    record(type(Base()).__name__, Base(1, a=2).given)
    Base.configure(Two, b=3)
    record(type(Base(a=1)).__name__, Base(a=1).given, One(a=1).given, Base.configured_class().__name__)
    saved = Base._save_configuration()
    Base.configure(None)
    record(Base().given)
    Base._restore_configuration(saved)
    record(Base().given)
    try:
        Base.configure(int)
    except ValueError as e:
        record(e)


def gzip_decompressor(record):
    import gzip
    import io
    out = io.BytesIO()
    with gzip.GzipFile(fileobj=out, mode="w") as file:
        file.write(b"hello " * 10)
    d = util.GzipDecompressor()
    record(d.decompress(out.getvalue(), 10), len(d.unconsumed_tail) > 0)
    record(d.decompress(d.unconsumed_tail), d.flush())


def raise_exc_info(record):
    import sys
    try:
        1 / 0
    except ZeroDivisionError:
        info = sys.exc_info()
    try:
        util.raise_exc_info(info)
    except ZeroDivisionError as e:
        record(e)


def websocket_mask(record):
    record(util._websocket_mask(b"abcd", b"hello world"), util._websocket_mask(b"\x00\x00\x00\x00", b""))
