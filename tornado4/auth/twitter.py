"""Login with Twitter, and its REST API 1.1."""

from __future__ import annotations

import functools
import urllib.parse as urllib_parse
from collections.abc import Mapping
from typing import Any

from tornado4 import gen, httpclient
from tornado4.auth.futures import _auth_return_future
from tornado4.auth.oauth1 import OAuthMixin
from tornado4.auth.oauth2 import fetch, settle
from tornado4.concurrent import Future, return_future

_API = "https://api.twitter.com/"


class TwitterMixin(OAuthMixin):
    """Twitter's OAuth 1.0a. The application's settings hold ``twitter_consumer_key`` and
    ``twitter_consumer_secret``, and Twitter knows the address of the login handler. That calls
    `authenticate_redirect`, or `get_authenticated_user` when ``oauth_token`` is in the query.

    The user has ``username``, ``access_token``, and what Twitter tells about an account.
    """

    _TWITTER_BASE_URL = _API + "1.1"
    _OAUTH_NO_CALLBACKS = False
    _OAUTH_REQUEST_TOKEN_URL = _API + "oauth/request_token"
    _OAUTH_AUTHORIZE_URL = _API + "oauth/authorize"
    _OAUTH_AUTHENTICATE_URL = _API + "oauth/authenticate"
    _OAUTH_ACCESS_TOKEN_URL = _API + "oauth/access_token"

    @return_future
    def authenticate_redirect(self, callback_uri: str | None = None, callback: Any = None) -> None:
        """As `authorize_redirect`, but who has agreed before is not asked again.

        :arg callback_uri: where the browser comes back to.
        """
        then = functools.partial(self._on_request_token, self._OAUTH_AUTHENTICATE_URL, None, callback)
        client: Any = self.get_auth_http_client()
        client.fetch(self._oauth_request_token_url(callback_uri=callback_uri), then)

    @_auth_return_future
    def twitter_request(
        self,
        path: str,
        callback: Any = None,
        access_token: Mapping[str, Any] | None = None,
        post_args: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> None:
        """Fetch ``path``, such as ``/statuses/user_timeline`` (or a whole URL), and return its JSON decoded.

        A POST with ``post_args`` as its form if they are given, and a GET otherwise; ``args`` go into the
        query. With an ``access_token`` it is signed in the user's name.

        :raises AuthError: the answer is an error.
        """
        url = path if path.startswith(("http:", "https:")) else f"{self._TWITTER_BASE_URL}{path}.json"
        if access_token:
            method = "GET" if post_args is None else "POST"
            sent = {**args, **(post_args or {})}
            args |= self._oauth_request_parameters(url, access_token, sent, method=method)
        if args:
            url += "?" + urllib_parse.urlencode(args)
        fetch(
            self.get_auth_http_client(), url, post_args, functools.partial(self._on_twitter_request, callback)
        )

    def _on_twitter_request(self, future: Future, response: httpclient.HTTPResponse) -> None:
        settle(future, response)

    def _oauth_consumer_token(self) -> dict[str, Any]:
        token = {}
        for part in ("key", "secret"):
            setting = "twitter_consumer_" + part
            self.require_setting(setting, "Twitter OAuth")
            token[part] = self.settings[setting]
        return token

    @gen.coroutine
    def _oauth_get_user_future(self, access_token: dict[str, str]) -> Any:
        user = yield self.twitter_request("/account/verify_credentials", access_token=access_token)
        if user:
            user["username"] = user["screen_name"]
        return user
