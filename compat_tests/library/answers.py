"""What the standard library says that Tornado 4.5.3 hands on: constants of the modules that it imports, and what the
functions that it calls answer. A script for any Python from 3.6 on; prints {question: answer} as JSON.

    python3.9 compat_tests/library/answers.py > compat_tests/library/python39.json

Left out are what depends on the machine (paths, versions, signals, errno, OpenSSL's ciphers).
"""

import calendar
import codecs
import csv
import email.utils
import gettext
import gzip
import hashlib
import hmac
import html
import html.entities
import http
import http.client
import http.cookies
import inspect
import io
import json
import logging
import logging.handlers
import mimetypes
import random
import re
import ssl
import stat
import string
import sys
import textwrap
import time
import traceback
import unittest
import urllib.parse
import zlib

MODULES = [
    calendar, codecs, csv, email.utils, gettext, gzip, hashlib, hmac, html, html.entities, http, http.client,
    http.cookies, json, logging, logging.handlers, mimetypes, random, re, stat, string, textwrap, traceback, unittest,
    urllib.parse, zlib,
]  # fmt: skip
MACHINE = ("knownfiles", "inited", "raiseExceptions", "ZLIB_VERSION", "ZLIB_RUNTIME_VERSION", "algorithms_available")

COOKIES = [
    "a=1; b=2", 'a="1\\073 2"; b=3', "a=1;; b",
    'a="x\\"y"', "a=1; $Path=/; b=2", "a[b]=1; c=2", "a=1; httponly; secure",
    "a=1; expires=Wed, 01 Jan 2020 00:00:00 GMT; b=2", 'a="\\342\\202\\254"', "a=\xe9", "a=1, b=2", 'a={"x":1}',
    'a="\\x\\1\\12"', 'a="b', 'a=b"; c=d',
]  # fmt: skip
VALUES = ["a b", 'a"b', "a;b", "a,b", "a\\b", "a\nb", "a\0b", "\xe9", "a=b", "", "a:b", "a/b", '{"x":1}', "$x", "a b"]
URLS = [
    "http://a/b;c?d#e", " http://a/b", "http://a\n/b", "//a/b", "///b", "http:///b", "http:b", "HTTP://U:P@H:80/",
    "http://[::1]:8/x", "http://[::1/x",
    "http://h:x/", "http://h:99999/", "\0http://a/", "a:b", "http://a?b", "http://a#b",
    "mailto:x", "http://[v1.x]/", "http://[x]/", "http://[::1]a/", "////a/b", "a////b", "file:///x", "http://h:/", "?q",
    "#f", "http:", "//", "x://", "http://a\t/b", "x:///y", "x:////y", "http:////y", "", "/", "./a", "../a", "a//b",
]  # fmt: skip
QUERIES = ["a=1&b=2;c=3", "a=1&a=2&b", "a=%zz&b=%C3%A9", "=1", "a=b=c", "&&", "a=+", "a=%00", "\xe9=\xe9", ""]
DATES = [
    "Mon, 23 Nov 2026 18:12:22 GMT", "Mon, 23 Nov 26 18:12:22 GMT", "23 Nov 2026 18:12:22 -0000", "x", "", "0",
    "Monday, 23-Nov-26 18:12:22 GMT", "Mon Nov 23 18:12:22 2026", "Mon, 23 Nov 2026", "Mon, 23 Foo 2026 18:12:22 GMT",
    "Mon, 23 Nov 2026 18:12:22 +0100", "Mon,23 Nov 2026 18:12 GMT", "Mon, 31 Feb 2026 25:61:61 GMT",
]  # fmt: skip
TEXTS = [
    "", "{", "[1,]", '{"a":1,}', '"\t"', "NaN", "01", '{"a" 1}', "[1 2]", "tru",
    '"\\x"', '"abc', "{1:2}", "[", "1 2",
]  # fmt: skip
OBJECTS = [
    {"a": 1, "\xe9": None}, float("nan"), 1e22, b"x", {1: 2}, {(1,): 2}, "\u2028</", {"a": {1}}, object, True,
]  # fmt: skip
SUFFIXES = (
    "txt js mjs css html htm json xml svg png jpg jpeg gif ico webp woff woff2 ttf otf eot pdf zip gz tgz bz2 xz tar "
    "wasm webm mp4 mp3 ogg wav csv md rst py map manifest rtf avif heic avi opus aac 3gp doc docx xls ics vcf yaml "
    "yml ts xhtml swf bin exe n3 nt ttl h5 srt vtt bmp tif ps ai tar.gz svgz txt.br js.gz JS"
).split()


def constants():
    for module in MODULES:
        for name, value in sorted(vars(module).items()):
            if not name.startswith("_") and name not in MACHINE and is_plain(value):
                yield "%s.%s" % (module.__name__, name), value
    yield "phrases", [(int(status), status.phrase) for status in http.HTTPStatus]


def is_plain(value):
    # The types themselves: an enum's member has a name that may change while it stays the same number.
    if type(value) in (dict, list, tuple, set, frozenset):
        return all(map(is_plain, value)) and (type(value) is not dict or all(map(is_plain, value.values())))
    return value is None or isinstance(value, (bool, int, float, str, bytes))


def in_words(value):
    """A text that says the same on every Python for what is the same."""
    if isinstance(value, bool) or value is None:
        return repr(value)
    if isinstance(value, int):
        return "%d" % value
    if isinstance(value, dict):
        return "{%s}" % ", ".join(sorted("%s: %s" % (in_words(k), in_words(v)) for k, v in value.items()))
    if isinstance(value, (set, frozenset)):
        return "{%s}" % ", ".join(sorted(map(in_words, value)))
    if isinstance(value, (list, tuple)):
        return "(%s)" % ", ".join(map(in_words, value))
    return repr(value)


def questions():
    parse, utils = urllib.parse, email.utils
    for text in ("<&>\"'", "&lt;&#x27;&amp;&notit;&#0;&#x110000;&hellip"):
        yield "html.escape", html.escape, text
        yield "html.unescape", html.unescape, text
    for value in VALUES:
        yield "cookie with value", cookie, "n", value
        yield "cookie named", cookie, value, "v"
        for attribute in ("path", "domain", "max-age", "comment", "version"):
            yield "cookie " + attribute, cookie, "n", "v", attribute, value
    for attribute in ("secure", "httponly", "samesite", "partitioned"):
        yield "cookie " + attribute, cookie, "n", "v", attribute, True
    for text in COOKIES:
        yield "cookies read", cookies_read, text
    for text in QUERIES:
        yield "parse_qs", parse.parse_qs, text
        yield "parse_qsl", parse.parse_qsl, text, True
        yield "parse_qs strict", parse.parse_qs, text, True, True
        for function in (parse.quote, parse.quote_plus, parse.unquote, parse.unquote_plus, parse.unquote_to_bytes):
            yield function.__name__, function, text
    yield "urlencode", parse.urlencode, [("a", 1), ("b", "\xe9 ~"), ("c", [1, 2])]
    yield "urlencode", parse.urlencode, {"a": [1, 2], "b": "x"}, True
    for url in URLS:
        yield "urlsplit", lambda url=url: tuple(parse.urlsplit(url)), url
        yield "urlparse", lambda url=url: tuple(parse.urlparse(url)), url
        yield "urlunparse", lambda url=url: parse.urlunparse(parse.urlparse(url)), url
        yield "urlunparse bytes", lambda url=url: parse.urlunparse(parse.urlparse(url.encode())), url
        yield "host and port", lambda url=url: (parse.urlsplit(url).hostname, parse.urlsplit(url).port), url
        for other in ("http://x/y/z?q#f", "/y/z", "../g", "?x", "//h", ""):
            yield "urljoin", parse.urljoin, url, other
            yield "urljoin", parse.urljoin, other, url
    for text in DATES:
        yield "parsedate", utils.parsedate, text
        yield "parsedate_tz", utils.parsedate_tz, text
        yield "parsedate_to_datetime", utils.parsedate_to_datetime, text
    for seconds in (0, 1e9, -5):
        yield "formatdate", lambda seconds=seconds: utils.formatdate(seconds, usegmt=True), seconds
    for charset in (None, "", "utf-8"):
        yield "encode_rfc2231", utils.encode_rfc2231, "\xe9 a'b", charset
    for text in ("utf-8'en'%C3%A9", "a'b", "a", "''x"):
        yield "decode_rfc2231", utils.decode_rfc2231, text
    params = [("x", "y"), ("a*0", "b"), ("a*1", "c"), ("f*", "utf-8''%c3%a9"), ("n", '"q\\"')]
    yield "decode_params", utils.decode_params, params
    for text in ('"a\\"b"', "<x>", '"'):
        yield "email unquote", utils.unquote, text
    for value in OBJECTS:
        yield "json.dumps", json.dumps, value
    for text in TEXTS:
        yield "json.loads", json.loads, text
    for suffix in SUFFIXES:
        yield "guess_type", mimetypes.MimeTypes(()).guess_type, "x." + suffix
    yield "gzip", zipped, 6
    for purpose in ("SERVER_AUTH", "CLIENT_AUTH"):
        yield "ssl.create_default_context", default_context, purpose
    for protocol in ("PROTOCOL_TLS", "PROTOCOL_TLS_CLIENT", "PROTOCOL_TLS_SERVER"):
        yield "ssl.SSLContext", context, protocol
    for text in ("%(nope)s", "{x}", "%"):
        yield "logging.Formatter", lambda text=text: logging.Formatter(text)._fmt, text
    yield "log record", lambda: sorted(vars(logging.makeLogRecord({})))
    yield "traceback", failed
    yield "traceback", traceback.format_exception_only, ValueError, ValueError("x\ny")
    yield "strptime", lambda: time.strptime("23 Nov 2026", "%d %b %Y")[:3]
    yield "compare_digest", hmac.compare_digest, "a", "\xe9"
    yield "getfullargspec", lambda: tuple(inspect.getfullargspec(cookie))


def cookie(name, value, attribute=None, its=None):
    jar = http.cookies.SimpleCookie()
    jar[name] = value
    if attribute:
        jar[name][attribute] = its
    return jar.output()


def cookies_read(text):
    jar = http.cookies.SimpleCookie()
    jar.load(text)
    return sorted((name, morsel.value, morsel.OutputString()) for name, morsel in jar.items())


def zipped(level):
    file = io.BytesIO()
    with gzip.GzipFile(mode="w", fileobj=file, compresslevel=level) as stream:
        stream.write(b"hello" * 100)
    data = file.getvalue()
    return data[:4], data[8:]


def context(protocol):
    return about(ssl.SSLContext(getattr(ssl, protocol)))


def default_context(purpose):
    return about(ssl.create_default_context(getattr(ssl.Purpose, purpose)))


def about(context):
    ours = ssl.SSLContext(ssl.PROTOCOL_TLS)
    ours.set_ciphers("DEFAULT:!aNULL:!eNULL:!MD5:!3DES:!DES:!RC4:!IDEA:!SEED:!aDSS:!SRP:!PSK")
    as_of_old = [c["name"] for c in context.get_ciphers()] == [c["name"] for c in ours.get_ciphers()]
    return (
        int(context.options), int(context.verify_flags), int(context.verify_mode), context.check_hostname,
        int(context.minimum_version), int(context.maximum_version), as_of_old,
    )  # fmt: skip


def failed():
    try:
        {}["a"]
    except KeyError:
        return re.sub('File ".*", line [0-9]+', "File", traceback.format_exc())


def answers():
    for name, value in constants():
        yield name, in_words(value)
    for name, function, *args in questions():
        title = "%s %s" % (name, ", ".join(map(in_words, args)))
        try:
            takes_them = not getattr(function, "__name__", "").startswith("<lambda>")
            yield title, in_words(function(*args) if takes_them else function())
        except Exception as e:
            yield title, "raises %s: %s" % (type(e).__name__, e)


if __name__ == "__main__":
    json.dump(dict(answers()), sys.stdout, indent=1, sort_keys=True)
    print()
