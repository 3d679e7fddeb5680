"""What clients and servers of HTTP share: headers, requests, delegates, and small parsers.

The rooms, from the ground up: ``errors``, ``limits``, ``reasons``, ``dates``, ``ranges``, ``params``, ``uris``,
``cookies``, ``start_lines`` / ``headers`` / ``body``, ``delegates`` / ``request``. None of them does any I/O.
This face hands on their names, which are those of 4.5.3's module, and defines nothing; `limits` bounds the
work that the parsers do.
"""

from __future__ import annotations

import calendar
import collections
import datetime
import email.utils
import http.cookies as Cookie
import numbers
import re
import time
from ssl import SSLError
from urllib.parse import parse_qsl, urlencode, urlparse, urlunparse

from tornado4 import _handed_on
from tornado4.escape import native_str, parse_qs_bytes, utf8
from tornado4.httputil.body import HTTPFile, parse_body_arguments, parse_multipart_form_data
from tornado4.httputil.cookies import _unquote_cookie, parse_cookie
from tornado4.httputil.dates import current_date, format_timestamp
from tornado4.httputil.delegates import HTTPConnection, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado4.httputil.docs import doctests
from tornado4.httputil.errors import HTTPInputError, HTTPOutputError
from tornado4.httputil.headers import HTTPHeaders, _normalized_headers, _NormalizedHeaderCache
from tornado4.httputil.limits import ParseLimits, limits
from tornado4.httputil.params import _encode_header, _parse_header, _parseparam
from tornado4.httputil.ranges import _get_content_range, _int_or_none, _parse_request_range
from tornado4.httputil.reasons import responses
from tornado4.httputil.request import HTTPServerRequest
from tornado4.httputil.start_lines import (
    RequestStartLine,
    ResponseStartLine,
    parse_request_start_line,
    parse_response_start_line,
)
from tornado4.httputil.uris import encode_username_password, qs_to_qsl, split_host_and_port, url_concat
from tornado4.log import gen_log
from tornado4.util import PY3, ObjectDict, bytes_type, set_public_module, u

__all__ = [
    "PY3",
    "Cookie",
    "HTTPConnection",
    "HTTPFile",
    "HTTPHeaders",
    "HTTPInputError",
    "HTTPMessageDelegate",
    "HTTPOutputError",
    "HTTPServerConnectionDelegate",
    "HTTPServerRequest",
    "ObjectDict",
    "ParseLimits",
    "RequestStartLine",
    "ResponseStartLine",
    "SSLError",
    "_NormalizedHeaderCache",
    "_encode_header",
    "_get_content_range",
    "_int_or_none",
    "_normalized_headers",
    "_parse_header",
    "_parse_request_range",
    "_parseparam",
    "_unquote_cookie",
    "bytes_type",
    "calendar",
    "collections",
    "current_date",
    "datetime",
    "doctests",
    "email",
    "encode_username_password",
    "format_timestamp",
    "gen_log",
    "limits",
    "native_str",
    "numbers",
    "parse_body_arguments",
    "parse_cookie",
    "parse_multipart_form_data",
    "parse_qs_bytes",
    "parse_qsl",
    "parse_request_start_line",
    "parse_response_start_line",
    "qs_to_qsl",
    "re",
    "responses",
    "split_host_and_port",
    "time",
    "u",
    "url_concat",
    "urlencode",
    "urlparse",
    "urlunparse",
    "utf8",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
