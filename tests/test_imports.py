"""What an import brings along, and what waits until somebody asks for it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HELLO = "import tornado4.httpserver, tornado4.ioloop, tornado4.netutil, tornado4.web"


def in_a_process(code: str) -> object:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return json.loads(done.stdout)


def test_a_server_imports_nothing_that_it_does_not_need() -> None:
    lazy = [
        "doctest",
        "html",
        "http.client",
        "unittest",
        "pdb",
        "csv",
        "gettext",
        "curses",
        "gzip",
        "mimetypes",
        "dataclasses",
        "tornado4.template",
    ]
    code = f"import asyncio, sys, json\nbefore = set(sys.modules)\n{HELLO}\n"
    assert in_a_process(f"{code}print(json.dumps([n for n in {lazy} if n in sys.modules and n not in before]))") == []


def test_no_tls_context_is_made_before_it_is_needed() -> None:
    code = f"""
import json, ssl
made = []
ours = ssl.create_default_context
ssl.create_default_context = lambda *args, **kwargs: made.append(ours(*args, **kwargs)) or made[-1]
{HELLO}, tornado4.simple_httpclient, tornado4.iostream
at_import = len(made)
from tornado4 import iostream, netutil, simple_httpclient
first = netutil._client_ssl_defaults
same = first is iostream._client_ssl_defaults is simple_httpclient._client_ssl_defaults is netutil._client_ssl_defaults
other = netutil._server_ssl_defaults is iostream._server_ssl_defaults is not first
print(json.dumps([at_import, same, other, len(made)]))
"""
    assert in_a_process(code) == [0, True, True, 2]


@pytest.mark.parametrize(
    "names",
    [
        "tornado4.web.template.Loader tornado4.web.gzip.GzipFile tornado4.web.mimetypes.types_map",
        "tornado4.template.Template tornado4.locale.csv.reader tornado4.locale.gettext.translation",
        "tornado4.escape.htmlentitydefs.name2codepoint tornado4.escape._HTML_UNICODE_MAP tornado4.escape._URL_RE",
        "tornado4.httputil.copy.copy tornado4.log.curses tornado4.httputil.doctests tornado4.iostream.doctests",
    ],
)
def test_it_is_there_when_somebody_asks(names: str) -> None:
    code = f"import json\n{HELLO}\nprint(json.dumps([eval(name) is not None for name in {names.split()}]))"
    assert in_a_process(code) == [True] * len(names.split())
