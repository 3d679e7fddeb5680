"""Signing in by all mixins of auth, with what a provider made up here says."""

import functools

from .helpers import run_sync, serving


def provider(t):
    """What a site signs in with, all of it made up."""

    class Pairs(t.web.RequestHandler):
        def get(self):
            self.write("oauth_token=k&oauth_token_secret=s&screen_name=me")

    class Valid(t.web.RequestHandler):
        def post(self):
            self.write("is_valid:true\n")

    class Token(t.web.RequestHandler):
        def get(self):
            self.write({"access_token": "t", "expires_in": 10})

        post = get

    class Me(t.web.RequestHandler):
        def get(self):
            self.write({"id": "1", "name": "me", "screen_name": "me"})

        post = get

    return [("/pairs", Pairs), ("/openid", Valid), ("/token", Token), ("/me.*", Me)]


def run(t, folder):
    where = {}

    class Both(t.web.RequestHandler):
        @t.gen.coroutine
        def get(self):
            if self.get_argument("back", ""):
                self.write({"user": repr((yield self.user()))})
            else:
                yield self.start()

    class OAuth(Both, t.auth.OAuthMixin):
        def initialize(self, version):
            self._OAUTH_VERSION = version
            self._OAUTH_REQUEST_TOKEN_URL = self._OAUTH_ACCESS_TOKEN_URL = where["base"] + "/pairs"
            self._OAUTH_AUTHORIZE_URL = where["base"] + "/me"

        def _oauth_consumer_token(self):
            return {"key": "k", "secret": "s"}

        @t.gen.coroutine
        def _oauth_get_user_future(self, access_token):
            return {"name": "me", "params": self._oauth_request_parameters("http://x/", access_token, {"a": "b"})}

        def start(self):
            return self.authorize_redirect(callback_uri=self.request.full_url() + "?back=1")

        def user(self):
            return self.get_authenticated_user()

    class OpenId(Both, t.auth.OpenIdMixin):
        def start(self):
            self._OPENID_ENDPOINT = where["base"] + "/openid"
            self.authenticate_redirect(ax_attrs=["name", "email"])

        def user(self):
            self._OPENID_ENDPOINT = where["base"] + "/openid"
            return self.get_authenticated_user()

    class Twitter(Both, t.auth.TwitterMixin):
        def initialize(self):
            self._OAUTH_REQUEST_TOKEN_URL = self._OAUTH_ACCESS_TOKEN_URL = where["base"] + "/pairs"
            self._OAUTH_AUTHENTICATE_URL = self._OAUTH_AUTHORIZE_URL = where["base"] + "/me"
            self._TWITTER_BASE_URL = where["base"] + "/me"

        def start(self):
            return self.authenticate_redirect(callback_uri="/twitter?back=1")

        def user(self):
            return self.get_authenticated_user()

    class Google(Both, t.auth.GoogleOAuth2Mixin):
        def initialize(self):
            self._OAUTH_ACCESS_TOKEN_URL = where["base"] + "/token"
            self._OAUTH_AUTHORIZE_URL = where["base"] + "/me"

        def start(self):
            return self.authorize_redirect(
                redirect_uri="http://x/", client_id="i", client_secret="s", scope=["a"], extra_params={"b": "c"}
            )

        @t.gen.coroutine
        def user(self):
            token = yield self.get_authenticated_user(redirect_uri="http://x/", code="c")
            yield self.oauth2_request(where["base"] + "/me", access_token="t", a="b")
            yield self.oauth2_request(where["base"] + "/me", post_args={"a": "b"}, access_token="t")
            self._oauth_request_token_url("http://x/", "i", "s", "c")
            return token

    class Facebook(Both, t.auth.FacebookGraphMixin):
        def initialize(self):
            self._OAUTH_ACCESS_TOKEN_URL = where["base"] + "/token"
            self._FACEBOOK_BASE_URL = where["base"]

        def start(self):
            return self.authorize_redirect(redirect_uri="http://x/", client_id="i")

        def user(self):
            return self.get_authenticated_user("http://x/", "i", "s", "c")

    application = t.web.Application(
        [
            *provider(t),
            ("/oauth10", OAuth, {"version": "1.0"}),
            ("/oauth10a", OAuth, {"version": "1.0a"}),
            ("/id", OpenId),
            ("/twitter", Twitter),
            ("/google", Google),
            ("/facebook", Facebook),
        ],
        cookie_secret="x",
        twitter_consumer_key="k",
        twitter_consumer_secret="s",
        google_oauth={"key": "k", "secret": "s"},
    )
    with serving(t, application) as base:
        where["base"] = base

        def go():
            fetch = functools.partial(t.httpclient.AsyncHTTPClient().fetch, raise_error=False, follow_redirects=False)
            for name in ("oauth10", "oauth10a", "id", "twitter", "google", "facebook"):
                first = yield fetch(base + "/" + name)
                cookie = first.headers.get("Set-Cookie", "").partition(";")[0]
                back = "?back=1&oauth_token=k&oauth_verifier=v&openid.mode=id_res&openid.ns.ax=http://openid.net/srv/ax/1.0"
                second = yield fetch(base + "/" + name + back, headers={"Cookie": cookie})
                assert (first.code, second.code) == (302, 200), (name, first.code, second.code)

        run_sync(t, go)


