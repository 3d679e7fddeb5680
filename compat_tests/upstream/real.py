"""Run one of Tornado's own test modules on the real Tornado; print outcome by test, as ``run.py`` does.

    PYTHONPATH=.cache/oracle/real-4.4.3-tests-4.4.3:. python3.6 -m compat_tests.upstream.real web_test [Class.test ...]

With an older suite on the real 4.5.3 it shows what 4.5.3 had changed. The names that 4.5.3 had dropped are lent to
it then, so that the modules import.
"""

import importlib
import json
import sys

from compat_tests.upstream.running import run

DROPPED = "auth escape httputil iostream locale netutil template util web websocket wsgi".split()


def lend_dropped_names():
    for name in DROPPED:
        module = importlib.import_module("tornado." + name)
        for dropped, value in (("u", lambda s: s), ("bytes_type", bytes)):
            if not hasattr(module, dropped):
                setattr(module, dropped, value)
    auth = importlib.import_module("tornado.auth")
    if not hasattr(auth, "GoogleMixin"):
        auth.GoogleMixin = type("GoogleMixin", (auth.OpenIdMixin, auth.OAuthMixin), {})


if __name__ == "__main__":
    module, only = sys.argv[1], sys.argv[2:]
    del sys.argv[1:]
    lend_dropped_names()
    json.dump(run(module, only), sys.__stdout__, indent=1, sort_keys=True)
