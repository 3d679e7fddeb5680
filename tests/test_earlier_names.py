"""Names of 4.0 to 4.4 that 4.5.3 no longer has: there, and doing what they did (checked against 4.0.2 and 4.4.3)."""

from __future__ import annotations

import hashlib
import importlib
import json
from collections import deque
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tornado4 import auth, gen, httpclient, httputil, ioloop, iostream, options, web, websocket
from tornado4.testing import AsyncHTTPTestCase

BOTH = "auth escape httputil iostream locale netutil template util web websocket wsgi".split()


@pytest.mark.parametrize("module", BOTH)
def test_text_and_bytes_helpers(module: str) -> None:
    found = importlib.import_module(f"tornado4.{module}")
    assert found.u("é") == "é"
    assert found.bytes_type is bytes


def test_names_that_other_modules_define() -> None:
    assert web.import_object("tornado4.web") is web
    assert web.is_future(gen.moment) and not web.is_future(1)
    assert web.re_unescape(r"a\.b") == "a.b"
    assert web.split_host_and_port("a:80") == ("a", 80)
    assert web._unquote_or_none("a%20b") == b"a b" and web._unquote_or_none(None) is None
    assert importlib.import_module("tornado4.platform.asyncio").timedelta_to_seconds
    assert importlib.import_module("tornado4.simple_httpclient").is_future


@pytest.mark.parametrize(
    ("size", "left"),
    [
        (0, [b"abc", b"de", b"f"]),
        (2, [b"ab", b"c", b"de", b"f"]),
        (4, [b"abcd", b"e", b"f"]),
        (100, [b"abcdef"]),
    ],
)
def test_merge_prefix(size: int, left: list[bytes]) -> None:
    chunks = deque([b"abc", b"de", b"f"])
    iostream._merge_prefix(chunks, size)
    assert list(chunks) == left


def test_merge_prefix_of_nothing_and_double_prefix() -> None:
    chunks: deque[bytes] = deque()
    iostream._merge_prefix(chunks, 3)
    assert list(chunks) == [b""]
    chunks = deque([b"aaaa", b"bbb", b"cc"])
    iostream._double_prefix(chunks)
    assert list(chunks) == [b"aaaabbbc", b"c"]


def test_small_ones() -> None:
    headers = httputil.HTTPHeaders.fromkeys(["x-a", "X-B"], "1")
    assert type(headers) is httputil.HTTPHeaders and headers["X-A"] == headers["x-b"] == "1"
    assert dict(options._Option._TIMEDELTA_ABBREVS)["minutes"] == ["m", "min"]
    assert web.URLSpec("/(a)/(b)", web.RequestHandler)._find_groups() == ("/%s/%s", 2)
    response = httpclient.HTTPResponse(httpclient.HTTPRequest("http://a/"), 200)
    assert response._get_body() is response.body
    assert websocket.method == "finish"


def test_tiebreaker_grows() -> None:
    loop: Any = ioloop.IOLoop(make_current=False)
    first, second = loop.call_later(1, print), loop.call_later(1, print)
    assert first.tiebreaker < second.tiebreaker
    loop.close()


def test_methods_of_multi() -> None:
    point = gen.MultiYieldPoint([gen.Callback("k")])
    multi: Any = gen.Multi
    assert multi.start is gen.MultiYieldPoint.start
    assert multi.is_ready is gen.MultiYieldPoint.is_ready
    assert isinstance(point, gen.YieldPoint) and multi.get_result


def test_wrapped_method_refuses_once_there_is_a_stream() -> None:
    class Handler:
        stream: Any = None

        @websocket._wrap_method
        def write(self, chunk: str) -> str:
            return "wrote " + chunk

    handler = Handler()
    assert handler.write("a") == "wrote a"
    handler.stream = object()
    with pytest.raises(RuntimeError, match="Method not supported for Web Sockets"):
        handler.write("a")


class Hello(web.RequestHandler):
    def get(self, name: str) -> None:
        self.write("hello " + name)

    def post(self, name: str) -> None:
        self.write(name + self.request.body.decode())


@web.stream_request_body
class Streamed(web.RequestHandler):
    def initialize(self) -> None:
        self.pieces = b""

    def data_received(self, chunk: bytes) -> None:
        self.pieces += chunk

    def post(self) -> None:
        self.write(self.pieces)


class DispatcherTest(AsyncHTTPTestCase):
    """An application that starts its requests as 4.0 to 4.4 did."""

    def get_app(self) -> web.Application:
        class Application(web.Application):
            def start_request(self, server_conn: Any, request_conn: Any) -> Any:
                return web._RequestDispatcher(self, request_conn)

        return Application([("/hello/(.*)", Hello), ("/streamed", Streamed)])

    def test_get_post_and_not_found(self) -> None:
        assert self.fetch("/hello/you").body == b"hello you"
        assert self.fetch("/hello/a", method="POST", body="b").body == b"ab"
        assert self.fetch("/streamed", method="POST", body="b" * 100).body == b"b" * 100
        assert self.fetch("/other").code == 404


@pytest.mark.parametrize(
    ("host", "paths"),
    [("www.example.com", ["/b$", "/c$", "/a$"]), ("x.example.com", ["/b$", "/a$"]), ("other", ["/a$"])],
)
def test_handlers_of_a_host(host: str, paths: list[str]) -> None:
    application = web.Application([("/a", Hello)], default_host="www.example.com")
    application.add_handlers(r".*\.example\.com", [("/b", Hello)])
    application.add_handlers(r"www\.example\.com", [("/c", Hello)])
    request = httputil.HTTPServerRequest("GET", "/", host=host, connection=Connection())
    found = application._get_host_handlers(request)
    assert found is not None
    assert [spec.regex.pattern for spec in found] == paths
    assert all(spec.handler_class is Hello for spec in found)


class Connection:
    context: Any = None


class Client:
    """Answers what it was told to, and remembers the requests."""

    def __init__(self, *answers: bytes) -> None:
        self.answers = list(answers)
        self.urls: list[str] = []

    def fetch(self, url: str, callback: Any = None, **kwargs: Any) -> None:
        self.urls.append(url)
        request = httpclient.HTTPRequest(url)
        response = httpclient.HTTPResponse(request, 200)
        response._body = self.answers.pop(0)
        callback(response)


class Login:
    """As much of a RequestHandler as the mixins need."""

    settings = {
        f"{site}_consumer_{part}": f"{site}-{part}" for site in ("google", "friendfeed") for part in ("key", "secret")
    } | {"facebook_api_key": "fk", "facebook_secret": "fs"}

    def __init__(self, client: Client | None = None, **arguments: str) -> None:
        self.client = client
        self.arguments = {name.replace("__", "."): value for name, value in arguments.items()}
        self.went_to: list[str] = []
        self.request = self
        self.uri, self.host = "/login", "me.example.com"

    def full_url(self) -> str:
        return "http://me.example.com/login"

    def get_argument(self, name: str, default: Any = None) -> Any:
        return self.arguments.get(name, default)

    def require_setting(self, name: str, feature: str) -> None:
        assert name in self.settings

    def redirect(self, url: str) -> None:
        self.went_to.append(url)

    def get_auth_http_client(self) -> Any:
        return self.client


class Facebook(Login, auth.FacebookMixin):
    pass


class FriendFeed(Login, auth.FriendFeedMixin):
    pass


class Google(Login, auth.GoogleMixin):
    pass


def query_of(url: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}


def test_facebook_redirect_and_user() -> None:
    handler = Facebook()
    handler.authorize_redirect(["a", "b"], "/back", "/no")
    query = query_of(handler.went_to[0])
    assert query["next"] == "http://me.example.com/back" and query["cancel_url"] == "http://me.example.com/no"
    assert query["req_perms"] == "a,b" and query["api_key"] == "fk"

    names = "uid first_name last_name name locale pic_square profile_url username".split()
    client = Client(json.dumps([dict.fromkeys(names, "x")]).encode())
    users: list[Any] = []
    Facebook(client, session='{"session_key": "k", "uid": 7, "expires": 9}').get_authenticated_user(users.append)
    assert users == [dict.fromkeys(names, "x") | {"session_key": "k", "session_expires": 9}]


def test_facebook_signature_and_errors(caplog: pytest.LogCaptureFixture) -> None:
    assert Facebook()._signature({"b": 2, "a": 1}) == _md5("a=1b=2fs")
    answers: list[Any] = []
    Facebook(Client(b'{"error_code": 4, "error_msg": "m"}')).facebook_request("stream.get", answers.append)
    Facebook(Client(b"no json")).facebook_request("facebook.stream.get", answers.append)
    assert answers == [None, None]
    assert [record.getMessage() for record in caplog.records] == [
        "Facebook error: 4: 'm'",
        "Invalid JSON from Facebook: b'no json'",
    ]


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def test_friendfeed_signs_requests() -> None:
    client = Client(b'{"id": "bret"}')
    token = {"key": "k", "secret": "s", "username": "bret"}
    user = FriendFeed(client)._oauth_get_user_future(token).result()
    assert user == {"id": "bret", "username": "bret"}
    query = query_of(client.urls[0])
    assert client.urls[0].startswith("http://friendfeed-api.com/v2/feedinfo/bret?")
    assert query["oauth_consumer_key"] == "friendfeed-key" and query["oauth_token"] == "k"


def test_google_asks_for_both_and_gets_both() -> None:
    handler = Google()
    handler.authorize_redirect("http://scope", "/back")
    query = query_of(handler.went_to[0])
    assert query["openid.oauth.scope"] == "http://scope"
    assert query["openid.return_to"] == "http://me.example.com/back"

    client = Client(b"oauth_token=k&oauth_token_secret=s", b"is_valid:true\n")
    handler = Google(
        client,
        openid__ns__ax="http://openid.net/srv/ax/1.0",
        openid__ax__type__email="http://axschema.org/contact/email",
        openid__ax__value__email="e@x",
        openid__ns__o="http://specs.openid.net/extensions/oauth/1.0",
        openid__o__request_token="rt",
    )
    user = handler.get_authenticated_user().result()
    assert user == {"name": "e", "email": "e@x", "access_token": {"key": "k", "secret": "s"}}
