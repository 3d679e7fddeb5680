"""tornado.auth: logins at a provider that is another handler of the same server; Futures, callbacks and refusals."""
import json
import re

from tornado import auth, gen, web
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.ioloop import IOLoop
from tornado.testing import bind_unused_port

VOLATILE = re.compile(r"(oauth_(?:timestamp|nonce|signature)=)[^&]*")


class Provider(web.RequestHandler):
    """Answers as the path says, and notes what it was asked."""

    def initialize(self, record):
        self.record = record

    def get(self, what):
        arguments = dict((name, self.get_arguments(name)) for name in self.request.arguments)
        for name in ("oauth_timestamp", "oauth_nonce", "oauth_signature", "appsecret_proof"):
            if name in arguments:
                arguments[name] = len(arguments[name])
        told = re.sub(r"127.0.0.1:\d+", "HOST", str(sorted(arguments.items())))
        self.record("provider", self.request.method, what, told, self.request.headers.get("Content-Type"))
        if what == "request_token":
            self.write("oauth_token=key&oauth_token_secret=secret")
        elif what == "access_token":
            self.write("oauth_token=access&oauth_token_secret=hidden&user_id=5")
        elif what == "openid":
            self.write("is_valid:true\n")
        elif what == "openid_no":
            self.write("is_valid:false\n")
        elif what == "token":
            self.write({"access_token": "tok", "expires_in": 3600, "id_token": "id"})
        elif what == "me":
            self.write({"id": "1", "name": "Me", "screen_name": "me"})
        elif what == "refuse":
            self.set_status(400)
            self.write("refused")
        elif what == "nonsense":
            self.write("nonsense")

    post = get


class Client(web.RequestHandler):
    """A handler with a mixin; what it raises is told, not logged."""

    def initialize(self, record, base, **attributes):
        self.record, self.base = record, base
        for name, value in attributes.items():
            setattr(self, name, value if not isinstance(value, str) or not value.startswith("/") else base + value)

    def log_exception(self, typ, value, tb):
        self.record("raised", typ, clean(self.base, value))


def clean(base, value):
    text = re.sub("0x[0-9a-f]+|expires=[^;]*", "", str(value).replace(base.rpartition(":")[2], "PORT"))
    return VOLATILE.sub(r"\1X", text)


def visiting(record, mixin, method, paths, settings={}, headers={}, callback=False, **attributes):
    """Let ``method(handler)``, a generator, run in a handler with ``mixin``; fetch ``paths``."""
    sock, port = bind_unused_port()
    base = "http://127.0.0.1:%d" % port

    class Visitor(Client, mixin):
        @gen.coroutine
        def get(self):
            result = yield gen.coroutine(method)(self)
            if not self._finished:
                self.finish(json.dumps(result, sort_keys=True, default=str))

    application = web.Application([
        ("/visit", Visitor, dict(attributes, record=record, base=base)), (r"/provider/(\w+)", Provider, dict(record=record)),
    ], log_function=lambda handler: None, cookie_secret="x", **settings)
    server = HTTPServer(application)
    server.add_socket(sock)

    @gen.coroutine
    def main():
        client = AsyncHTTPClient(force_instance=True)
        for path in paths:
            response = yield client.fetch(base + "/visit" + path, raise_error=False, follow_redirects=False, headers=headers)
            told = response.headers.get("Location"), response.headers.get_list("Set-Cookie"), response.body.decode("latin1")[:500] if response.code == 200 else None
            record(path, response.code, [clean(base, value) for value in told])
        client.close()

    IOLoop.current().run_sync(main)
    server.stop()


OAUTH = dict(_OAUTH_REQUEST_TOKEN_URL="/provider/request_token", _OAUTH_AUTHORIZE_URL="/provider/authorize", _OAUTH_ACCESS_TOKEN_URL="/provider/access_token")
COOKIE = {"Cookie": "_oauth_request_token=a2V5|c2VjcmV0"}  # key, secret


class OAuth(auth.OAuthMixin):
    def _oauth_consumer_token(self):
        return dict(key="consumer", secret="own")

    @gen.coroutine
    def _oauth_get_user_future(self, access_token):
        self.record("access", sorted(access_token.items()))
        yield gen.moment
        raise gen.Return(dict(name="me"))


class OAuthOfOld(auth.OAuthMixin):
    _OAUTH_VERSION = "1.0"

    def _oauth_consumer_token(self):
        return dict(key="consumer", secret="own")

    def _oauth_get_user(self, access_token, callback):
        callback(dict(name="old"))


def oauth_redirects(record):
    def method(handler):
        result = yield handler.authorize_redirect(callback_uri=handler.get_argument("back", None), extra_params={"scope": "all"})
        raise gen.Return(result)

    for mixin in (OAuth, OAuthOfOld):
        visiting(record, mixin, method, ["", "?back=/back", "?back=oob"], **OAUTH)
    visiting(record, OAuth, method, ["?back=/x"], _OAUTH_NO_CALLBACKS=True, **OAUTH)
    visiting(record, OAuth, method, [""], **dict(OAUTH, _OAUTH_REQUEST_TOKEN_URL="/provider/refuse"))
    visiting(record, OAuth, method, [""], **dict(OAUTH, _OAUTH_REQUEST_TOKEN_URL="/provider/nonsense"))


def oauth_users(record):
    def method(handler):
        user = yield handler.get_authenticated_user()
        raise gen.Return(user)

    for mixin in (OAuth, OAuthOfOld):
        visiting(record, mixin, method, ["?oauth_token=key", "?oauth_token=key&oauth_verifier=v", "?oauth_token=other", ""], headers=COOKIE, **OAUTH)
    visiting(record, OAuth, method, ["?oauth_token=key"], **OAUTH)
    visiting(record, OAuth, method, ["?oauth_token=key"], headers=COOKIE, **dict(OAUTH, _OAUTH_ACCESS_TOKEN_URL="/provider/refuse"))


def oauth_callbacks(record):
    def method(handler):
        user = yield gen.Task(handler.get_authenticated_user)
        raise gen.Return(user)

    visiting(record, OAuth, method, ["?oauth_token=key", "?oauth_token=other"], headers=COOKIE, **OAUTH)
    visiting(record, OAuth, method, ["?oauth_token=key"], **OAUTH)

    def redirect(handler):
        yield gen.Task(handler.authorize_redirect)

    visiting(record, OAuth, redirect, [""], **OAUTH)


def oauth_users_that_are_none(record):
    class Nobody(OAuth):
        @gen.coroutine
        def _oauth_get_user_future(self, access_token):
            raise gen.Return(None)

    class Broken(OAuth):
        def _oauth_get_user_future(self, access_token):
            raise ValueError("mine")

    def method(handler):
        yield handler.get_authenticated_user()

    for mixin in (Nobody, Broken):
        visiting(record, mixin, method, ["?oauth_token=key"], headers=COOKIE, **OAUTH)


OPENID = "http://specs.openid.net/auth/2.0"
ANSWER = ("?openid.mode=id_res&openid.claimed_id=http://me&openid.ns.ax=http://openid.net/srv/ax/1.0&openid.ax.type.email=http://axschema.org/contact/email"
          "&openid.ax.value.email=me@x&openid.ax.type.first=http://axschema.org/namePerson/first&openid.ax.value.first=Me&openid.ax.type.l=http://axschema.org/pref/language&openid.ax.value.l=EN")


def openid(record):
    def redirect(handler):
        yield handler.authenticate_redirect(ax_attrs=["name"])  # of more, 4.5.3 makes a set

    def few(handler):
        yield handler.authenticate_redirect("/back?x=1", ax_attrs=["email"])

    def user(handler):
        found = yield handler.get_authenticated_user()
        raise gen.Return(found)

    def by_callback(handler):
        found = yield gen.Task(handler.get_authenticated_user)
        raise gen.Return(found)

    for method in (redirect, few):
        visiting(record, auth.OpenIdMixin, method, [""], _OPENID_ENDPOINT="/provider/openid")
    for method in (user, by_callback):
        visiting(record, auth.OpenIdMixin, method, [ANSWER, "?openid.mode=id_res"], _OPENID_ENDPOINT="/provider/openid")
        visiting(record, auth.OpenIdMixin, method, [ANSWER], _OPENID_ENDPOINT="/provider/openid_no")
        visiting(record, auth.OpenIdMixin, method, [ANSWER], _OPENID_ENDPOINT="/provider/refuse")


def oauth2(record):
    class Mixin(auth.OAuth2Mixin):
        _OAUTH_AUTHORIZE_URL = "https://example.com/authorize?a=1"
        _OAUTH_ACCESS_TOKEN_URL = "https://example.com/token"

    def redirect(handler):
        yield handler.authorize_redirect("http://back/", client_id="me", scope=["a", "b"], extra_params={"x": "y"}, response_type="token")

    def bare(handler):
        yield handler.authorize_redirect()

    def asked(handler):
        found = yield handler.oauth2_request(handler.base + "/provider/me", access_token="tok", a="1")
        posted = yield handler.oauth2_request(handler.base + "/provider/me", post_args={"p": "q"}, access_token="tok")
        plain = yield handler.oauth2_request(handler.base + "/provider/me")
        record(handler._oauth_request_token_url("http://back/", "me", "secret", "code", {"x": "y"}))
        raise gen.Return([found, posted, plain])

    def refused(handler):
        yield handler.oauth2_request(handler.base + "/provider/refuse", access_token="tok")

    def refused_callback(handler):
        found = yield gen.Task(handler.oauth2_request, handler.base + "/provider/refuse")
        raise gen.Return(found)

    def nonsense(handler):
        yield handler.oauth2_request(handler.base + "/provider/nonsense")

    for method in (redirect, bare, asked, refused, nonsense):
        visiting(record, Mixin, method, [""])


def google(record):
    def method(handler):
        user = yield handler.get_authenticated_user(redirect_uri="http://back/", code=handler.get_argument("code"))
        raise gen.Return(user)

    settings = dict(google_oauth=dict(key="me", secret="own"))
    visiting(record, auth.GoogleOAuth2Mixin, method, ["?code=c"], settings, _OAUTH_ACCESS_TOKEN_URL="/provider/token")
    visiting(record, auth.GoogleOAuth2Mixin, method, ["?code=c"], _OAUTH_ACCESS_TOKEN_URL="/provider/token")


def facebook(record):
    def method(handler):
        user = yield handler.get_authenticated_user("http://back/", "me", "own", "code", extra_fields={"email"})
        raise gen.Return(sorted(user.items()))

    def asked(handler):
        found = yield handler.facebook_request("/me", access_token="tok", post_args={"message": "m"}, fields="a")
        raise gen.Return(found)

    class Mixin(auth.FacebookGraphMixin):
        def oauth2_request(self, url, **arguments):
            arguments.pop("fields", None)  # a set's order in 4.5.3
            return super(Mixin, self).oauth2_request(url, **arguments)

    for what in (method, asked):
        visiting(record, Mixin, what, [""], _OAUTH_ACCESS_TOKEN_URL="/provider/token?", _FACEBOOK_BASE_URL="/provider")


def twitter(record):
    settings = dict(twitter_consumer_key="me", twitter_consumer_secret="own")
    places = dict(_OAUTH_REQUEST_TOKEN_URL="/provider/request_token", _OAUTH_ACCESS_TOKEN_URL="/provider/access_token", _OAUTH_AUTHENTICATE_URL="/provider/authenticate",
                  _OAUTH_AUTHORIZE_URL="/provider/authorize")

    class Mixin(auth.TwitterMixin):
        @gen.coroutine
        def twitter_request(self, path, **arguments):
            if path == "/account/verify_credentials":
                path = self.base + "/provider/me"
            found = yield super(Mixin, self).twitter_request(path, **arguments)
            raise gen.Return(found)

    def redirect(handler):
        yield handler.authenticate_redirect(callback_uri=handler.get_argument("back", None))

    def user(handler):
        found = yield handler.get_authenticated_user()
        raise gen.Return(found)

    def asked(handler):
        token = dict(key="k", secret="s")
        found = yield handler.twitter_request(handler.base + "/provider/me", access_token=token, a="1")
        posted = yield handler.twitter_request(handler.base + "/provider/me", post_args={"status": u"\u00e9 ~"}, access_token=token)
        raise gen.Return([found, posted])

    for method, paths in ((redirect, ["", "?back=/b"]), (user, ["?oauth_token=key&oauth_verifier=v"]), (asked, [""])):
        visiting(record, Mixin, method, paths, settings, COOKIE, **places)
    visiting(record, auth.TwitterMixin, redirect, [""], **places)


def signatures(record):
    consumer, token = dict(key="ck", secret="c s&"), dict(key="tk", secret=u"t\u00e9")
    for sign in (auth._oauth_signature, auth._oauth10a_signature):
        for access in (None, token):
            record(sign(consumer, "get", "HTTP://Example.com:80/Path?x=1", {"b": u"\u00e9", "a": "1 2~", "c": 5}, access))
    record(auth._oauth_escape(u"\u00e9 /~-_.+"), auth._oauth_escape(b"a b"))
    record(sorted(auth._oauth_parse_response(b"oauth_token=k&oauth_token_secret=s&a=1&a=2").items()))
    try:
        auth._oauth_parse_response(b"x=1")
    except KeyError as e:
        record(e)
    record(auth.AuthError.__mro__[1])
