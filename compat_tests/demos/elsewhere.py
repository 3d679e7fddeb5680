"""Starts a demo whose addresses stand in its text, on other ones: ``elsewhere.py PORT DEMO [ARGS ...]``.

What it listens on is PORT; what it fetches, whatever the URL says, is 127.0.0.1:PORT. The demo itself is
not touched. Runs under the real Tornado with ``python`` and under tornado4 with ``tornado4 run``.
"""

import os
import runpy
import sys

import tornado.httpclient
import tornado.web

port = int(sys.argv[1])
sys.argv = sys.argv[2:]
sys.path.insert(0, os.path.dirname(os.path.abspath(sys.argv[0])))

listen = tornado.web.Application.listen
tornado.web.Application.listen = lambda self, _port, *args, **kwargs: listen(
    self, port, "127.0.0.1", **kwargs
)

here = ("127.0.0.1", port)
hosts = {("localhost", 8888): here, ("www.tornadoweb.org", 80): here}
tornado.httpclient.AsyncHTTPClient.configure(None, hostname_mapping=hosts)

runpy.run_path(sys.argv[0], run_name="__main__")
