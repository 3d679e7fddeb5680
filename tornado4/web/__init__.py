"""A web framework: request handlers, applications, and what they need.

The shortest application::

    from tornado4 import ioloop, web

    class Greeting(web.RequestHandler):
        def get(self, name):
            self.write("Good morning, " + name)

    web.Application([(r"/greet/(.*)", Greeting)]).listen(8888)
    ioloop.IOLoop.current().start()

Methods of `RequestHandler`, and all else here, are not thread-safe; from another thread, use
``IOLoop.add_callback``.

This file only lists names. Inside: ``handler`` (the class), ``execution`` (one request's run), ``output``
(the response), ``failures`` (exceptions), ``application``, ``static``, and small modules of plain functions
(``signing``, ``cookies``, ``xsrf``, ``etag``, ``arguments``, ``negotiation``, ``pages``).
"""

from __future__ import annotations

import base64
import binascii
import datetime
import email.utils
import functools
import hashlib
import hmac
import numbers
import os
import re
import stat
import sys
import threading
import time
import traceback
import types
from http import cookies as Cookie
from inspect import isclass
from io import BytesIO
from urllib import parse as urlparse
from urllib.parse import urlencode

from tornado4 import _handed_on, escape, gen, httputil, iostream, locale, stack_context
from tornado4.concurrent import Future, is_future
from tornado4.escape import _unicode, utf8
from tornado4.httputil import split_host_and_port
from tornado4.log import access_log, app_log, gen_log
from tornado4.routing import (
    AnyMatches,
    DefaultHostMatches,
    HostMatches,
    ReversibleRouter,
    ReversibleRuleRouter,
    Rule,
    URLSpec,
    _unquote_or_none,
)
from tornado4.util import (
    PY3,
    ObjectDict,
    _websocket_mask,
    bytes_type,
    import_object,
    raise_exc_info,
    re_unescape,
    set_public_module,
    u,
    unicode_type,
)
from tornado4.web.application import (
    Application,
    _ApplicationRouter,
    _HandlerDelegate,
    _has_stream_request_body,
)
from tornado4.web.decorators import addslash, asynchronous, authenticated, removeslash, stream_request_body
from tornado4.web.errors import Finish, HTTPError, MissingArgumentError
from tornado4.web.former import _RequestDispatcher
from tornado4.web.handler import RequestHandler
from tornado4.web.handlers import ErrorHandler, FallbackHandler, RedirectHandler
from tornado4.web.output import _HeaderTypes
from tornado4.web.pages import is_absolute
from tornado4.web.signing import (
    DEFAULT_SIGNED_VALUE_MIN_VERSION,
    DEFAULT_SIGNED_VALUE_VERSION,
    MAX_SUPPORTED_SIGNED_VALUE_VERSION,
    MIN_SUPPORTED_SIGNED_VALUE_VERSION,
    _create_signature_v1,
    _create_signature_v2,
    _decode_fields_v2,
    _decode_signed_value_v1,
    _decode_signed_value_v2,
    _get_version,
    _signed_value_version_re,
    _time_independent_equals,
    create_signed_value,
    decode_signed_value,
    get_signature_key_version,
)
from tornado4.web.static import StaticFileHandler
from tornado4.web.transforms import GZipContentEncoding, OutputTransform
from tornado4.web.uimodules import (
    TemplateModule,
    UIModule,
    _linkify,
    _UIModuleNamespace,
    _xsrf_form_html,
)

#: 4.5.3's short name for a rule of an application.
url = URLSpec

__all__ = [
    "DEFAULT_SIGNED_VALUE_MIN_VERSION",
    "DEFAULT_SIGNED_VALUE_VERSION",
    "MAX_SUPPORTED_SIGNED_VALUE_VERSION",
    "MIN_SUPPORTED_SIGNED_VALUE_VERSION",
    "PY3",
    "AnyMatches",
    "Application",
    "BytesIO",
    "Cookie",
    "DefaultHostMatches",
    "ErrorHandler",
    "FallbackHandler",
    "Finish",
    "Future",
    "GZipContentEncoding",
    "HTTPError",
    "HostMatches",
    "MissingArgumentError",
    "ObjectDict",
    "OutputTransform",
    "RedirectHandler",
    "RequestHandler",
    "ReversibleRouter",
    "ReversibleRuleRouter",
    "Rule",
    "StaticFileHandler",
    "TemplateModule",
    "UIModule",
    "URLSpec",
    "_ApplicationRouter",
    "_HandlerDelegate",
    "_HeaderTypes",
    "_RequestDispatcher",
    "_UIModuleNamespace",
    "_create_signature_v1",
    "_create_signature_v2",
    "_decode_fields_v2",
    "_decode_signed_value_v1",
    "_decode_signed_value_v2",
    "_get_version",
    "_has_stream_request_body",
    "_linkify",
    "_signed_value_version_re",
    "_time_independent_equals",
    "_unicode",
    "_unquote_or_none",
    "_websocket_mask",
    "_xsrf_form_html",
    "access_log",
    "addslash",
    "app_log",
    "asynchronous",
    "authenticated",
    "base64",
    "binascii",
    "bytes_type",
    "create_signed_value",
    "datetime",
    "decode_signed_value",
    "email",
    "escape",
    "functools",
    "gen",
    "gen_log",
    "get_signature_key_version",
    "hashlib",
    "hmac",
    "httputil",
    "import_object",
    "iostream",
    "is_absolute",
    "is_future",
    "isclass",
    "locale",
    "numbers",
    "os",
    "raise_exc_info",
    "re",
    "re_unescape",
    "removeslash",
    "split_host_and_port",
    "stack_context",
    "stat",
    "stream_request_body",
    "sys",
    "threading",
    "time",
    "traceback",
    "types",
    "u",
    "unicode_type",
    "url",
    "urlencode",
    "urlparse",
    "utf8",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
