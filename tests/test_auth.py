"""tornado4.auth; requests, redirects, results and errors are those of the real 4.5.3 on the same script."""

from __future__ import annotations

import io
import logging
import subprocess
import sys
import types
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest

from tornado4 import auth, gen, httputil, stack_context
from tornado4.auth import signatures
from tornado4.concurrent import Future
from tornado4.httpclient import HTTPRequest, HTTPResponse


@pytest.fixture(autouse=True)
def known_time_and_nonce(monkeypatch):
    monkeypatch.setattr(signatures, "time", types.SimpleNamespace(time=lambda: 1500000000.9))
    nonce = types.SimpleNamespace(bytes=b"0123456789abcdef")
    monkeypatch.setattr(signatures, "uuid", types.SimpleNamespace(uuid4=lambda: nonce))


class Client:
    """Answers at once, by the first key that is part of the URL; ``sent`` has what was asked."""

    def __init__(self, answers):
        self.answers, self.sent = answers, []

    def fetch(self, url, callback, **kwargs):
        self.sent.append((url, kwargs))
        found = next(answer for part, answer in self.answers.items() if part in url)
        body, code = found if isinstance(found, tuple) else (found, 200)
        callback(HTTPResponse(HTTPRequest(url), code, buffer=io.BytesIO(body), request_time=0))


class FakeHandler:
    """As much of a RequestHandler as the mixins use."""

    def __init__(self, answers=None, arguments=(), cookies=()):
        self.client = Client(answers or {})
        self.arguments, self.cookies = dict(arguments), dict(cookies)
        self.request = types.SimpleNamespace(
            uri="/login?x=1",
            host="ex.com:80",
            arguments={name: [value.encode()] for name, value in self.arguments.items()},
            full_url=lambda: "http://ex.com/login?x=1",
        )
        self.settings = {
            "twitter_consumer_key": "tk",
            "twitter_consumer_secret": "ts",
            "google_oauth": {"key": "gk", "secret": "gs"},
        }
        self.did = []

    def get_auth_http_client(self):
        return self.client

    def get_argument(self, name, *default):
        return self.arguments[name] if not default else self.arguments.get(name, default[0])

    def get_cookie(self, name):
        return self.cookies.get(name)

    def set_cookie(self, name, value):
        self.did.append(("cookie", name, value))

    def clear_cookie(self, name):
        self.did.append(("clear", name))

    def redirect(self, url):
        self.did.append(("redirect", url))

    def finish(self, chunk):
        self.did.append(("finish", chunk))

    def require_setting(self, name, feature):
        assert (name in self.settings, feature) == (True, "Twitter OAuth")


class OpenId(FakeHandler, auth.OpenIdMixin):
    _OPENID_ENDPOINT = "http://op/auth"


class OAuth(FakeHandler, auth.OAuthMixin):
    _OAUTH_REQUEST_TOKEN_URL = "http://p/rt"
    _OAUTH_ACCESS_TOKEN_URL = "http://p/at"
    _OAUTH_AUTHORIZE_URL = "http://p/auth"

    def _oauth_consumer_token(self):
        return {"key": "ck", "secret": "cs"}

    def _oauth_get_user(self, access_token, callback):
        callback({"name": "n"})


class OAuth10(OAuth):
    _OAUTH_VERSION = "1.0"


class OAuth2(FakeHandler, auth.OAuth2Mixin):
    _OAUTH_AUTHORIZE_URL = "http://p/auth?z=1"
    _OAUTH_ACCESS_TOKEN_URL = "http://p/token"


class Google(FakeHandler, auth.GoogleOAuth2Mixin):
    pass


class Facebook(FakeHandler, auth.FacebookGraphMixin):
    pass


class Twitter(FakeHandler, auth.TwitterMixin):
    pass


# The fakes' own get_auth_http_client comes first in every class; the mixins' is tested below.
def query(url):
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


AX = {
    "openid.mode": "id_res",
    "openid.ns.zz": "http://openid.net/srv/ax/1.0",
    "openid.zz.type.e": "http://axschema.org/contact/email",
    "openid.zz.value.e": "f@e.com",
    "openid.zz.type.f": "http://axschema.org/namePerson/first",
    "openid.zz.value.f": "Fi",
    "openid.zz.type.l": "http://axschema.org/namePerson/last",
    "openid.zz.value.l": "La",
    "openid.zz.type.lang": "http://axschema.org/pref/language",
    "openid.zz.value.lang": "EN",
    "openid.claimed_id": "http://id",
}


class TestOpenId:
    def test_redirect(self):
        handler, ran = OpenId(), []
        assert handler.authenticate_redirect(
            "/back", ["name", "email"], callback=lambda: ran.append(1)
        ).done()
        ((_, url),) = handler.did
        assert (url.partition("?")[0], ran) == ("http://op/auth", [1])
        sent = query(url)
        assert sent["openid.return_to"] == "http://ex.com/back"
        assert sent["openid.realm"] == "http://ex.com/"
        assert sent["openid.mode"] == "checkid_setup"
        assert sent["openid.ax.required"] == "firstname,fullname,lastname,email"
        assert sent["openid.ax.type.email"] == "http://axschema.org/contact/email"

    def test_redirect_without_attributes(self):
        handler = OpenId()
        handler.authenticate_redirect(ax_attrs=[])
        assert not [name for name in query(handler.did[0][1]) if ".ax" in name]

    def test_scope_of_the_oauth_extension(self):
        arguments = OpenId()._openid_args("/back", oauth_scope="sc")
        assert arguments["openid.oauth.consumer"] == "ex.com"
        assert arguments["openid.oauth.scope"] == "sc"

    def test_user(self):
        handler = OpenId({"op": b"ns:x\nis_valid:true\n"}, AX)
        user = handler.get_authenticated_user().result()
        assert user == {
            "first_name": "Fi",
            "last_name": "La",
            "name": "Fi La",
            "email": "f@e.com",
            "locale": "en",
            "claimed_id": "http://id",
        }
        ((url, kwargs),) = handler.client.sent
        assert (url, kwargs["method"]) == ("http://op/auth", "POST")
        assert parse_qs(kwargs["body"])["openid.mode"] == ["check_authentication"]

    def test_what_is_not_signed_does_not_count(self):
        """4.5.3 takes it: a user adds an address to what the provider has signed."""

        def user(**more):
            sent = {**AX, **{f"openid.{name.replace('__', '.')}": value for name, value in more.items()}}
            return OpenId({"op": b"is_valid:true"}, sent).get_authenticated_user().result()

        everything = ",".join(name.removeprefix("openid.") for name in AX)
        assert user(signed=everything)["email"] == "f@e.com"
        named = {"name": "Fi La", "first_name": "Fi", "last_name": "La"}
        assert user(signed="zz.type.f,zz.value.f,zz.type.l,zz.value.l") == named
        assert user(signed="claimed_id") == {"claimed_id": "http://id"}
        # A signed nickname under an unsigned type is no address.
        assert user(signed="zz.value.e,zz.value.f") == {}
        # Attributes that an unsigned second extension brings, before the signed one.
        assert user(signed=everything.replace("zz.value.e,", ""), zz__value__e="admin@e.com")["name"] == "Fi La"

    def test_name_from_what_there_is(self):
        only_mail = {name: value for name, value in AX.items() if name[-2:] not in (".f", ".l")}
        assert OpenId({"op": b"is_valid:true"}, only_mail).get_authenticated_user().result()["name"] == "f"
        assert OpenId({"op": b"is_valid:true"}, {"openid.mode": "x"}).get_authenticated_user().result() == {}

    @pytest.mark.parametrize(
        ("answer", "message"),
        [
            (b"is_valid:false", "Invalid OpenID response: b'is_valid:false'"),
            ((b"x", 500), "Invalid OpenID response: HTTP 500: Internal Server Error"),
            # Stricter than 4.5.3, which searched for the words anywhere.
            (b"error:is_valid:true", "Invalid OpenID response: b'error:is_valid:true'"),
        ],
    )
    def test_refusal(self, answer, message):
        error = OpenId({"op": answer}, AX).get_authenticated_user().exception()
        assert (type(error), str(error)) == (auth.AuthError, message)


TOKEN = b"oauth_token=t&oauth_token_secret=s&foo=bar"
COOKIE = {"_oauth_request_token": "dA==|cw=="}
STANDARD = {
    "oauth_signature_method": "HMAC-SHA1",
    "oauth_timestamp": "1500000000",
    "oauth_nonce": "30313233343536373839616263646566",
    "oauth_version": "1.0",
}


class TestOAuth1:
    @pytest.mark.parametrize(
        ("arguments", "more", "signature", "way_back"),
        [
            ({}, {}, "zw+Vx+4TZLjiPB2ZbJ+WxQg2AfU=", {}),
            (
                {"callback_uri": "http://o/cb"},
                {"oauth_callback": "http://o/cb"},
                "lgY4x/0aFCMDx4oL9/7hUBUSPoA=",
                {"oauth_callback": "http://o/cb"},
            ),
            (
                {"callback_uri": "/rel"},
                {"oauth_callback": "http://ex.com/rel"},
                "rh3IF1hG56I6QU0sAz52d0kmHMo=",
                {"oauth_callback": "http://ex.com/rel"},
            ),
            ({"extra_params": {"a": "b c"}}, {"a": "b c"}, "OzyGU7qRLAGO21Yl1Vh3vfCiYcE=", {}),
        ],
    )
    def test_redirect_signed_as_453_signs(self, arguments, more, signature, way_back):
        handler = OAuth({"rt": TOKEN})
        handler.authorize_redirect(**arguments).result()
        ((url, _),) = handler.client.sent
        expected = {"oauth_consumer_key": "ck", **STANDARD, **more, "oauth_signature": signature}
        assert query(url) == expected
        cookie, (_, url) = handler.did
        assert cookie == ("cookie", "_oauth_request_token", b"dA==|cw==")
        assert query(url) == {"oauth_token": "t", **way_back}

    def test_out_of_band_shows_the_address(self):
        handler = OAuth({"rt": TOKEN})
        handler.authorize_redirect("oob").result()
        assert query(handler.client.sent[0][0])["oauth_callback"] == "oob"
        assert handler.did[1] == ("finish", "http://p/auth?oauth_token=t")

    def test_version_10_signs_neither_callback_nor_extras(self):
        handler = OAuth10({"rt": TOKEN})
        handler.authorize_redirect("http://o/cb", {"a": "b"}).result()
        assert query(handler.client.sent[0][0])["oauth_signature"] == "zw+Vx+4TZLjiPB2ZbJ+WxQg2AfU="
        assert query(handler.did[1][1]) == {"oauth_token": "t", "oauth_callback": "http://o/cb"}

    def test_service_without_callbacks(self):
        handler = OAuth()
        handler._OAUTH_NO_CALLBACKS = True
        with pytest.raises(Exception, match=r"^This service does not support oauth_callback$"):
            handler.authorize_redirect("http://o/cb")

    def test_request_token_refused(self):
        with pytest.raises(
            Exception, match=r"^Could not get request token: HTTP 500: Internal Server Error$"
        ):
            OAuth({"rt": (b"", 500)}).authorize_redirect().result()

    def login(
        self, cls=OAuth, answer=b"oauth_token=at&oauth_token_secret=as&extra=1", cookies=COOKIE, **more
    ):
        handler = cls({"at": answer}, {"oauth_token": "t", **more}, cookies)
        return handler, handler.get_authenticated_user()

    def test_user(self):
        handler, future = self.login(oauth_verifier="v")
        token = {"key": "at", "secret": "as", "extra": "1"}
        assert future.result() == {"name": "n", "access_token": token}
        assert handler.did == [("clear", "_oauth_request_token")]
        sent = query(handler.client.sent[0][0])
        assert (sent["oauth_token"], sent["oauth_verifier"]) == ("t", "v")
        assert sent["oauth_signature"] == "Fg+spRyesgi7kqe4ad8QrjRLbJE="

    def test_user_from_a_coroutine(self):
        class Coroutine(OAuth):
            @gen.coroutine
            def _oauth_get_user_future(self, access_token):
                return {"key": access_token["key"]}

        assert self.login(Coroutine)[1].result()["key"] == "at"

    @pytest.mark.parametrize(
        ("kwargs", "message"),
        [
            ({"cookies": {}}, "Missing OAuth request token cookie"),
            ({"oauth_token": "other"}, "Request token does not match cookie"),
            ({"answer": (b"", 401)}, "Could not fetch access token"),
        ],
    )
    def test_refusals_in_words_of_453(self, kwargs, message):
        error = self.login(**kwargs)[1].exception()
        assert (type(error), str(error)) == (auth.AuthError, message)

    @pytest.mark.parametrize("text", ["x", "x|y", "YQ==", "YQ==|YQ==|YQ==", "YQ==|/", "|", "\xe9|\xe9", "%"])
    def test_a_cookie_that_is_not_as_it_was_set_does_not_match(self, text):
        error = self.login(cookies={"_oauth_request_token": text})[1].exception()
        assert (type(error), str(error)) == (auth.AuthError, "Request token does not match cookie")

    def test_no_user(self):
        class Nobody(OAuth):
            def _oauth_get_user(self, access_token, callback):
                callback(None)

        assert str(self.login(Nobody)[1].exception()) == "Error getting user"

    def test_exceptions_of_the_application_go_into_the_future(self):
        class Failing(OAuth):
            def _oauth_get_user(self, access_token, callback):
                raise KeyError("k")

        assert type(self.login(Failing)[1].exception()) is KeyError
        no_argument = OAuth(cookies=COOKIE).get_authenticated_user()
        assert type(no_argument.exception()) is KeyError

    def test_what_classes_must_define(self):
        class Bare(FakeHandler, auth.OAuthMixin):
            pass

        with pytest.raises(NotImplementedError):
            Bare()._oauth_consumer_token()

    def test_request_parameters(self):
        token = {"key": "k", "secret": "s"}
        signed = OAuth()._oauth_request_parameters(
            "http://www.ex.com/a?b=1", token, {"x": "é y", "z": ["1", "2"]}, method="POST"
        )
        signature = {"oauth_signature": "Bl77jX1zxRlWXLEdhPuCDUonfEQ="}
        assert signed == {"oauth_consumer_key": "ck", "oauth_token": "k", **STANDARD, **signature}
        signed = OAuth10()._oauth_request_parameters("HTTP://WWW.Ex.com:80/A", token, {}, method="get")
        assert signed["oauth_signature"] == "zwMYQBnziDwTSgBIGAfT+MoL5M0="

    def test_signatures(self):
        ours, token = {"key": "c", "secret": "s&"}, {"key": "t", "secret": "x y"}
        parameters = {"a": "b", "c": "d e/~"}
        signature = auth._oauth_signature(ours, "GET", "http://Ex.com/p?q", parameters, token)
        assert signature == b"sfGz9MHiuqquOs+6Vx4Cwkb3CT0="
        signature = auth._oauth10a_signature(ours, "post", "https://Ex.com/p", {"a": 1, "c": "é"})
        assert signature == b"FLsDqdLSLigS348q0L3XA/E1wmw="
        assert auth._oauth_escape("a b/~é") == "a%20b%2F~%C3%A9"

    def test_response_that_is_no_token(self):
        assert auth._oauth_parse_response(TOKEN) == {"key": "t", "secret": "s", "foo": "bar"}
        with pytest.raises(KeyError):
            auth._oauth_parse_response("oauth_token=t")


class TestOAuth2:
    def test_redirect(self):
        handler = OAuth2()
        future = handler.authorize_redirect("http://o/", "i", "s", {"e": "1"}, scope=["a", "b"])
        assert future.done()
        assert query(handler.did[0][1]) == {
            "z": "1",
            "redirect_uri": "http://o/",
            "client_id": "i",
            "response_type": "code",
            "e": "1",
            "scope": "a b",
        }

    def test_token_url(self):
        url = OAuth2()._oauth_request_token_url("r", "c", "s", "code", {"x": "y"})
        assert query(url) == {
            "redirect_uri": "r",
            "code": "code",
            "client_id": "c",
            "client_secret": "s",
            "x": "y",
        }

    def test_requests(self):
        handler = OAuth2({"api": b'{"a": 1}'})
        assert handler.oauth2_request("http://api/x").result() == {"a": 1}
        handler.oauth2_request("http://api/x", access_token="t", q=1)
        handler.oauth2_request("http://api/x", post_args={"m": "é 1"})
        assert handler.client.sent == [
            ("http://api/x", {}),
            ("http://api/x?access_token=t&q=1", {}),
            ("http://api/x", {"method": "POST", "body": "m=%C3%A9+1"}),
        ]

    def test_errors(self):
        error = OAuth2({"api": (b"no", 400)}).oauth2_request("http://api/x").exception()
        assert type(error) is auth.AuthError
        assert str(error) == "Error response HTTP 400: Bad Request fetching http://api/x"
        assert isinstance(OAuth2({"api": b"{"}).oauth2_request("http://api/x").exception(), ValueError)


class TestSites:
    def test_google(self):
        handler = Google({"accounts.google.com": b'{"access_token": "A"}'})
        assert handler.get_authenticated_user("http://r", "c d").result() == {"access_token": "A"}
        ((url, kwargs),) = handler.client.sent
        assert url == "https://accounts.google.com/o/oauth2/token"
        assert kwargs["headers"] == {"Content-Type": "application/x-www-form-urlencoded"}
        assert dict(parse_qsl(kwargs["body"])) == {
            "redirect_uri": "http://r",
            "code": "c d",
            "client_id": "gk",
            "client_secret": "gs",
            "grant_type": "authorization_code",
        }

    def test_google_refuses(self):
        error = Google({"google": (b"", 400)}).get_authenticated_user("r", "c").exception()
        assert type(error) is auth.AuthError and str(error).startswith("Google auth error: HTTPResponse(")

    FACEBOOK = {"access_token?": b'{"access_token": "A", "expires_in": 5}', "/me": b'{"id": "1", "zz": 2}'}

    def facebook(self, **answers):
        handler = Facebook({**self.FACEBOOK, **answers})
        return handler, handler.get_authenticated_user("r", "c", "s", "co", extra_fields=["zz"])

    def test_facebook(self):
        handler, future = self.facebook()
        user = future.result()
        assert (user["id"], user["zz"], user["name"]) == ("1", 2, None)
        assert (user["access_token"], user["session_expires"]) == ("A", "5")
        (first, _), (second, _) = handler.client.sent
        assert query(first) == {"redirect_uri": "r", "code": "co", "client_id": "c", "client_secret": "s"}
        asked = query(second)
        assert asked["appsecret_proof"] == "f822048a29c8f1ebfe71bbe756db9649c13cdce35a8f2a225ee55aed36c2efc5"
        assert set(asked["fields"].split(",")) == {
            *("id", "name", "first_name", "last_name", "locale", "picture", "link", "zz"),
        }

    def test_facebook_does_not_know(self, caplog):
        assert self.facebook(**{"/me": b"null"})[1].result() is None
        assert self.facebook(**{"/me": (b"", 500)})[1].result() is None
        assert "Error response HTTP 500" in caplog.text
        error = self.facebook(**{"access_token?": (b"", 400)})[1].exception()
        assert str(error).startswith("Facebook auth error: ")

    def test_facebook_request(self):
        handler = Facebook({"graph": b"{}"})
        handler.facebook_request("/me/feed", post_args={"m": "x"}, access_token="A").result()
        url = "https://graph.facebook.com/me/feed?access_token=A"
        assert handler.client.sent == [(url, {"method": "POST", "body": "m=x"})]

    def test_twitter_login(self):
        handler = Twitter({"request_token": TOKEN})
        handler.authenticate_redirect("http://o/cb").result()
        assert query(handler.client.sent[0][0])["oauth_callback"] == "http://o/cb"
        assert handler.did[1] == ("redirect", "https://api.twitter.com/oauth/authenticate?oauth_token=t")

    def test_twitter_user(self):
        answers = {
            "access_token": b"oauth_token=at&oauth_token_secret=as&screen_name=sn",
            "verify": b'{"screen_name": "sn"}',
        }
        user = Twitter(answers, {"oauth_token": "t"}, COOKIE).get_authenticated_user().result()
        assert (user["username"], user["access_token"]["key"]) == ("sn", "at")

    def test_twitter_request_signs_query_and_form(self):
        handler = Twitter({"": b"{}"})
        token = {"key": "k", "secret": "s"}
        handler.twitter_request("/a/b", access_token=token, post_args={"s": "é"}, q=2).result()
        ((url, kwargs),) = handler.client.sent
        assert url.startswith("https://api.twitter.com/1.1/a/b.json?q=2&")
        assert query(url)["oauth_signature"] == "Sq+u1H38lT1Tr3KDBDkPjJljfVg="
        assert kwargs == {"method": "POST", "body": "s=%C3%A9"}

    def test_twitter_request_takes_whole_urls(self):
        handler = Twitter({"": (b"", 503)})
        error = handler.twitter_request("http://search/x.json").exception()
        assert handler.client.sent == [("http://search/x.json", {})]
        message = "Error response HTTP 503: Service Unavailable fetching http://search/x.json"
        assert (type(error), str(error)) == (auth.AuthError, message)


class TestDecorator:
    @staticmethod
    @auth._auth_return_future
    def answer(how, callback):
        """What it is for."""
        if how == "raise":
            raise ValueError("x")
        if how == "refuse":
            callback.set_exception(auth.AuthError("bad"))
        else:
            callback.set_result(how)

    def test_future(self):
        assert self.answer("fine").result() == "fine"
        assert type(self.answer("raise").exception()) is ValueError
        assert type(self.answer("refuse").exception()) is auth.AuthError
        assert (self.answer.__name__, self.answer.__doc__) == ("answer", "What it is for.")

    def test_callback_by_name_and_position(self):
        got = []
        self.answer("fine", callback=got.append)
        self.answer("too", got.append)
        assert got == ["fine", "too"]

    def test_callback_gets_none_for_a_refusal_which_is_logged(self, caplog):
        got = []
        future = self.answer("refuse", callback=got.append)
        assert got == [None]
        assert caplog.record_tuples == [("tornado.general", logging.WARNING, "bad")]
        assert str(future.exception()) == "bad"

    def test_exception_of_a_later_callback_goes_into_the_future(self):
        later = []

        @auth._auth_return_future
        def start(callback):
            later.append(stack_context.wrap(lambda: 1 / 0))

        future = start()
        later[0]()
        assert type(future.exception()) is ZeroDivisionError

    def test_exception_after_the_answer_is_somebody_elses(self):
        later = []

        @auth._auth_return_future
        def start(callback):
            callback.set_result(1)
            later.append(stack_context.wrap(lambda: 1 / 0))

        assert start().result() == 1
        with pytest.raises(ZeroDivisionError):
            later[0]()


def test_default_client_is_the_threads_asynchronous_one():
    code = """
from tornado4 import auth, httpclient, ioloop
loop = ioloop.IOLoop()
loop.make_current()
client = auth.OAuth2Mixin().get_auth_http_client()
assert isinstance(client, httpclient.AsyncHTTPClient)
client.close()
loop.close()
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True, timeout=300)


def test_auth_lies_below_web():
    code = "import sys, tornado4.auth; assert 'tornado4.web' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=300)


def test_mixins_have_no_base_and_report_the_face_as_their_home():
    assert auth.OpenIdMixin.__mro__[1:] == auth.OAuthMixin.__mro__[1:] == (object,)
    assert {cls.__module__ for cls in (auth.TwitterMixin, auth.AuthError)} == {"tornado4.auth"}
    assert isinstance(Future(), auth.TracebackFuture)
    assert httputil.url_concat is auth.url_concat
