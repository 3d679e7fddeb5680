"""Login with sites as they were when Tornado 4 began; Tornado removed these classes in 4.2.

Their services have been switched off since. They are here for applications that still import them, and for
providers (a company's own, a test's) that speak the same protocols at another address.
"""

from __future__ import annotations

import functools
import hashlib
import time
import urllib.parse as urllib_parse
from collections.abc import Callable, Collection, Mapping
from typing import Any

from tornado4 import escape, httpclient
from tornado4.auth.futures import Handler, _auth_return_future
from tornado4.auth.oauth1 import OAuthMixin
from tornado4.auth.oauth2 import fetch, settle
from tornado4.auth.openid import OpenIdMixin
from tornado4.concurrent import Future, return_future
from tornado4.log import gen_log

_OAUTH_EXTENSION = "http://specs.openid.net/extensions/oauth/1.0"


def _consumer_token(handler: Handler, site: str, feature: str) -> dict[str, Any]:
    names = {part: f"{site}_consumer_{part}" for part in ("key", "secret")}
    for name in names.values():
        handler.require_setting(name, feature)
    return {part: handler.settings[name] for part, name in names.items()}


class GoogleMixin(OpenIdMixin, OAuthMixin):
    """Google's OpenID, and OAuth 1 in the same step. For today's Google: `GoogleOAuth2Mixin`.

    ``authenticate_redirect`` asks who the user is, `authorize_redirect` also for access to an account.
    """

    _OPENID_ENDPOINT = "https://www.google.com/accounts/o8/ud"
    _OAUTH_ACCESS_TOKEN_URL = "https://www.google.com/accounts/OAuthGetAccessToken"

    @return_future
    def authorize_redirect(
        self,
        oauth_scope: str,
        callback_uri: str | None = None,
        ax_attrs: Collection[str] = ["name", "email", "language", "username"],
        callback: Any = None,
    ) -> None:
        """Send the browser to Google, to log in and to grant what ``oauth_scope``, a URL, stands for.

        :arg callback_uri: where the browser comes back to; ``ax_attrs`` are those of
            `OpenIdMixin.authenticate_redirect`.
        """
        back = callback_uri or self.request.full_url()
        query = self._openid_args(back, ax_attrs=ax_attrs, oauth_scope=oauth_scope)
        self.redirect(f"{self._OPENID_ENDPOINT}?{urllib_parse.urlencode(query)}")
        callback()

    @_auth_return_future
    def get_authenticated_user(self, callback: Any) -> None:
        """Return the user, with an ``access_token`` if one was asked for; see `OpenIdMixin`."""
        request_token = self._granted_token()
        if request_token:
            url = self._oauth_access_token_url({"key": request_token, "secret": ""})
            client: Any = self.get_auth_http_client()
            client.fetch(url, functools.partial(self._on_access_token, callback))
        else:
            verified: Any = OpenIdMixin.get_authenticated_user(self)
            verified.add_done_callback(functools.partial(_settle_as, callback))

    def _granted_token(self) -> str:
        """The request token that came with the login; the provider chose the extension's alias."""
        for name in self.request.arguments:
            if name.startswith("openid.ns.") and self.get_argument(name) == _OAUTH_EXTENSION:
                alias = name.removeprefix("openid.ns.")
                token: str = self.get_argument(f"openid.{alias}.request_token", "")
                return token
        return ""

    def _oauth_consumer_token(self) -> dict[str, Any]:
        return _consumer_token(self, "google", "Google OAuth")

    def _oauth_get_user_future(self, access_token: dict[str, str]) -> Any:
        return OpenIdMixin.get_authenticated_user(self)


def _settle_as(future: Future, done: Future) -> None:
    error = done.exception()
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(done.result())


class FriendFeedMixin(OAuthMixin):
    """FriendFeed's OAuth 1.0. Settings: ``friendfeed_consumer_key`` and ``friendfeed_consumer_secret``."""

    _OAUTH_VERSION = "1.0"
    _OAUTH_NO_CALLBACKS = True
    _OAUTH_REQUEST_TOKEN_URL = "https://friendfeed.com/account/oauth/request_token"
    _OAUTH_ACCESS_TOKEN_URL = "https://friendfeed.com/account/oauth/access_token"
    _OAUTH_AUTHORIZE_URL = "https://friendfeed.com/account/oauth/authorize"
    _API = "http://friendfeed-api.com/v2"

    @_auth_return_future
    def friendfeed_request(
        self,
        path: str,
        callback: Any,
        access_token: Mapping[str, Any] | None = None,
        post_args: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> None:
        """Fetch ``path``, such as ``/feed/bret``, and return its JSON decoded; see
        `TwitterMixin.twitter_request` for the arguments.

        :arg access_token: the user's; ``post_args`` (a dict) makes it a POST. Further keyword arguments go into
            the query.
        """
        url = self._API + path
        if access_token:
            sent = {**args, **(post_args or {})}
            method = "GET" if post_args is None else "POST"
            args |= self._oauth_request_parameters(url, access_token, sent, method=method)
        address = f"{url}?{urllib_parse.urlencode(args)}" if args else url
        client = self.get_auth_http_client()
        fetch(client, address, post_args, functools.partial(self._on_friendfeed_request, callback))

    def _on_friendfeed_request(self, future: Future, response: httpclient.HTTPResponse) -> None:
        settle(future, response)

    def _oauth_consumer_token(self) -> dict[str, Any]:
        return _consumer_token(self, "friendfeed", "FriendFeed OAuth")

    @return_future
    def _oauth_get_user_future(self, access_token: dict[str, str], callback: Any) -> None:
        who = "/feedinfo/" + access_token["username"]
        then = functools.partial(self._parse_user_response, callback)
        wanted = "id,name,description"
        self.friendfeed_request(who, include=wanted, access_token=access_token, callback=then)

    def _parse_user_response(self, callback: Callable[[Any], Any], user: dict[str, Any] | None) -> None:
        if user:
            user["username"] = user["id"]
        callback(user)


class FacebookMixin(Handler):
    """Facebook Connect, the forerunner of the Graph API. For today's Facebook: `FacebookGraphMixin`.

    Settings: ``facebook_api_key`` and ``facebook_secret``.
    """

    _LOGIN_URL = "http://www.facebook.com/login.php?"
    _REST_URL = "http://api.facebook.com/restserver.php?"
    _USER_FIELDS = "uid,first_name,last_name,name,locale,pic_square,profile_url,username"

    @return_future
    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        cancel_uri: str | None = None,
        extended_permissions: str | Collection[str] | None = None,
        callback: Any = None,
    ) -> None:
        """Send the browser to Facebook. It comes back to ``callback_uri`` (default: the current page) with
        ``session`` in the query, or to ``cancel_uri`` if the user does not want to.
        """
        self.require_setting("facebook_api_key", "Facebook Connect")
        here = self.request.full_url()
        query = {
            "v": "1.0",
            "api_key": self.settings["facebook_api_key"],
            "display": "page",
            "fbconnect": "true",
            "return_session": "true",
            "next": urllib_parse.urljoin(here, callback_uri or here),
        }
        if cancel_uri:
            query["cancel_url"] = urllib_parse.urljoin(here, cancel_uri)
        if extended_permissions:
            one = isinstance(extended_permissions, str)
            query["req_perms"] = str(extended_permissions) if one else ",".join(extended_permissions)
        self.redirect(self._LOGIN_URL + urllib_parse.urlencode(query))
        callback()

    def authorize_redirect(
        self,
        extended_permissions: str | Collection[str],
        callback_uri: str | None = None,
        cancel_uri: str | None = None,
        callback: Any = None,
    ) -> Any:
        """As `authenticate_redirect`, for permissions such as ``read_stream``."""
        return self.authenticate_redirect(callback_uri, cancel_uri, extended_permissions, callback=callback)

    def get_authenticated_user(self, callback: Callable[[Any], Any]) -> None:
        """Call ``callback`` with the user who came back from Facebook, or with ``None``.

        A dictionary of ``name``, ``first_name``, ``last_name``, ``uid``, ``locale``, ``pic_square``,
        ``username``, ``profile_url``, ``session_key`` and ``session_expires``.
        """
        self.require_setting("facebook_api_key", "Facebook Connect")
        session = escape.json_decode(self.get_argument("session"))
        self.facebook_request(
            "facebook.users.getInfo",
            functools.partial(self._on_get_user_info, callback, session),
            session_key=session["session_key"],
            uids=session["uid"],
            fields=self._USER_FIELDS,
        )

    def facebook_request(self, method: str, callback: Callable[[Any], Any], **args: Any) -> None:
        """Call ``callback`` with the answer to a REST call such as ``stream.get``, or with ``None``.

        ``args`` are the call's own; ``session_key`` is the one of the user.
        """
        for name in ("facebook_api_key", "facebook_secret"):
            self.require_setting(name, "Facebook Connect")
        args |= {
            "method": method if method.startswith("facebook.") else f"facebook.{method}",
            "api_key": self.settings["facebook_api_key"],
            "v": "1.0",
            "format": "json",
            "call_id": str(int(time.time() * 1_000_000)),
        }
        args["sig"] = self._signature(args)
        client: Any = self.get_auth_http_client()
        then = functools.partial(self._parse_response, callback)
        client.fetch(self._REST_URL + urllib_parse.urlencode(args), callback=then)

    def _on_get_user_info(
        self, callback: Callable[[Any], Any], session: Mapping[str, Any], users: list[Any] | None
    ) -> None:
        if users is None:
            callback(None)
            return
        user = {name: users[0][name] for name in self._USER_FIELDS.split(",")}
        user |= {"session_key": session["session_key"], "session_expires": session.get("expires")}
        callback(user)

    def _parse_response(self, callback: Callable[[Any], Any], response: httpclient.HTTPResponse) -> None:
        answer: Any = None
        if response.error:
            gen_log.warning("HTTP error from Facebook: %s", response.error)
        else:
            try:
                answer = escape.json_decode(response.body)
            except ValueError:
                gen_log.warning("Invalid JSON from Facebook: %r", response.body)
        if isinstance(answer, dict) and answer.get("error_code"):
            reason, code = answer.get("error_msg"), answer["error_code"]
            gen_log.warning("Facebook error: %d: %r", code, reason)
            answer = None
        callback(answer)

    def _signature(self, args: Mapping[str, Any]) -> str:
        """MD5, as that API wanted it: all arguments in order, then the secret."""
        text = "".join(f"{name}={args[name]}" for name in sorted(args))
        return hashlib.md5(escape.utf8(text + self.settings["facebook_secret"])).hexdigest()

    def get_auth_http_client(self) -> httpclient.AsyncHTTPClient:
        """Return the client for requests to Facebook; override it for a proxy, for example."""
        return httpclient.AsyncHTTPClient()
