"""An application with sessions, for all three sides; the first part of a path chooses the settings.

It runs on the Pythons of old as well.
"""

import json
import os

import tornado
from tornado import routing, web, websocket

KEYS = {1: "the former secret", 2: "the present secret"}

SETTINGS = {
    # One secret; two of them with key versions, as they are one after the other while a key is changed.
    "single": {"cookie_secret": "a secret"},
    "former": {"cookie_secret": KEYS, "key_version": 1},
    "present": {"cookie_secret": KEYS, "key_version": 2},
    # One secret becomes several: what was signed without a key version has version 0.
    "keyed": {"cookie_secret": {0: "a secret", 1: "another"}, "key_version": 1},
    "only": {"cookie_secret": {2: KEYS[2]}, "key_version": 2},
    # The two formats of XSRF tokens.
    "xsrf1": {"cookie_secret": "a secret", "xsrf_cookies": True, "xsrf_cookie_version": 1},
    "xsrf2": {"cookie_secret": "a secret", "xsrf_cookies": True},
    "back": {"cookie_secret": KEYS[2]},
    "packed": {"cookie_secret": "a secret", "compress_response": True, "login_url": "/packed/login"},
}
HERE = os.path.dirname(os.path.abspath(__file__))


class Side(web.RequestHandler):
    def get(self):
        self.write(self.settings["side"])


class Sign(web.RequestHandler):
    """Set a signed cookie, and one that is not."""

    def get(self):
        version = int(self.get_argument("version", "0")) or None
        self.set_secure_cookie("who", self.get_argument("value", "jane"), version=version)
        self.set_cookie("plain", self.get_argument("plain", "x"))


class Read(web.RequestHandler):
    """What the cookies of the request say."""

    def get(self):
        min_version = int(self.get_argument("min_version", "0")) or None
        value = self.get_secure_cookie("who", min_version=min_version)
        self.write(
            {
                "who": value and value.decode("utf-8"),
                "key": self.get_secure_cookie_key_version("who") if self.get_cookie("who") else None,
                "plain": self.get_cookie("plain"),
            }
        )


class Form(web.RequestHandler):
    def get(self):
        token = self.xsrf_token
        self.write(token)

    def post(self):
        self.write("taken")


class Page(web.RequestHandler):
    """A page that a browser asks for again with its ETag."""

    def get(self):
        self.write("a page " * 200)


class Style(web.RequestHandler):
    def get(self):
        self.write(self.static_url("app.py"))


class Private(web.RequestHandler):
    """For those who have signed in."""

    def get_current_user(self):
        return self.get_secure_cookie("who")

    @web.authenticated
    def get(self):
        self.write(self.current_user)


class Socket(websocket.WebSocketHandler):
    """Says which subprotocol it has, and who is there."""

    def select_subprotocol(self, subprotocols):
        known = [name for name in subprotocols if name in ("chat.v2", "chat.v1")]
        return known[0] if known else None

    def open(self):
        who = self.get_secure_cookie("who")
        self.write_message(json.dumps([self.settings["side"], who and who.decode("utf-8")]))

    def on_message(self, message):
        self.write_message(message)


HANDLERS = [
    ("/side", Side), ("/sign", Sign), ("/read", Read), ("/form", Form), ("/page", Page), ("/style", Style),
    ("/private", Private), ("/socket", Socket),
]  # fmt: skip


def make_app():
    side = "tornado4" if web.RequestHandler.__module__ == "tornado4.web" else tornado.version
    rules = []
    for name, settings in SETTINGS.items():
        handlers = [("/" + name + path, handler) for path, handler in HANDLERS]
        static = {"static_path": HERE, "static_url_prefix": "/" + name + "/static/"}
        application = web.Application(handlers, side=side, **dict(settings, **static))
        rules.append(routing.Rule(routing.PathMatches("/" + name + "/.*"), application))
    return routing.RuleRouter(rules)
