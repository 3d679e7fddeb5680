"""OAuth 1.0 and 1.0a: the user lets us use an account at a provider's."""

from __future__ import annotations

import base64
import functools
import urllib.parse as urllib_parse
from collections.abc import Callable, Mapping
from typing import Any

from tornado4 import escape, httpclient
from tornado4.auth.futures import AuthError, Handler, _auth_return_future
from tornado4.auth.signatures import (
    _oauth10a_signature,
    _oauth_parse_response,
    _oauth_signature,
    standard_arguments,
)
from tornado4.concurrent import Future, return_future

_COOKIE = "_oauth_request_token"


# Functions and not methods: the mixins share their names with the application's handlers.
def _is_revision_a(handler: object) -> bool:
    return bool(getattr(handler, "_OAUTH_VERSION", "1.0a") == "1.0a")


def _sign(
    handler: object,
    url: str,
    arguments: Mapping[str, Any],
    consumer_token: Mapping[str, Any],
    token: Mapping[str, Any] | None,
    method: str = "GET",
) -> bytes:
    signature = _oauth10a_signature if _is_revision_a(handler) else _oauth_signature
    return signature(consumer_token, method, url, arguments, token)


def _way_back(handler: Handler, callback_uri: str) -> str:
    if callback_uri == "oob":
        return callback_uri
    return urllib_parse.urljoin(str(handler.request.full_url()), callback_uri)


class OAuthMixin(Handler):
    """Login by OAuth 1, for a `.RequestHandler`; see `TwitterMixin` for an example.

    Classes set ``_OAUTH_AUTHORIZE_URL``, ``_OAUTH_ACCESS_TOKEN_URL``, ``_OAUTH_REQUEST_TOKEN_URL``,
    ``_OAUTH_VERSION`` (``"1.0a"``, the default, or ``"1.0"``), and ``_OAUTH_NO_CALLBACKS`` where the
    provider knows the way back by heart. They define `_oauth_consumer_token` and
    `_oauth_get_user_future`.
    """

    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str
    _OAUTH_REQUEST_TOKEN_URL: str

    @return_future
    def authorize_redirect(
        self,
        callback_uri: str | None = None,
        extra_params: Mapping[str, Any] | None = None,
        http_client: httpclient.AsyncHTTPClient | None = None,
        callback: Any = None,
    ) -> None:
        """Get a request token, and send the browser to the provider to have it approved.

        The browser comes back to ``callback_uri`` with ``oauth_token`` in the query: call
        `get_authenticated_user` then. For ``"oob"`` there is no way back: the provider's URL is shown.
        The token waits in a cookie meanwhile.

        :param extra_params: more parameters for the request token (1.0a only).
        :arg http_client: what fetches; default: that of `get_auth_http_client`.
        :raises Exception: a ``callback_uri`` is given, and the provider knows none.
        """
        if callback_uri and getattr(self, "_OAUTH_NO_CALLBACKS", False):
            raise Exception("This service does not support oauth_callback")
        client: Any = http_client or self.get_auth_http_client()
        if _is_revision_a(self):
            url = self._oauth_request_token_url(callback_uri=callback_uri, extra_params=extra_params)
        else:
            url = self._oauth_request_token_url()
        client.fetch(
            url, functools.partial(self._on_request_token, self._OAUTH_AUTHORIZE_URL, callback_uri, callback)
        )

    @_auth_return_future
    def get_authenticated_user(
        self, callback: Any, http_client: httpclient.AsyncHTTPClient | None = None
    ) -> None:
        """Exchange the approved request token for an access token, and return the user.

        What `_oauth_get_user_future` gives, with ``access_token`` added: a dictionary of ``key``,
        ``secret``, and what the provider says besides.

        :raises AuthError: the token is not the one of our cookie, or the provider refuses it.
        """
        request_key = escape.utf8(self.get_argument("oauth_token"))
        verifier = self.get_argument("oauth_verifier", None)
        cookie = self.get_cookie(_COOKIE)
        if not cookie:
            callback.set_exception(AuthError("Missing OAuth request token cookie"))
            return
        self.clear_cookie(_COOKIE)
        try:
            key, secret = (base64.b64decode(escape.utf8(part)) for part in cookie.split("|"))
        except ValueError:  # it is not as we set it: two parts, each in base64
            key = secret = b""
        if not key or key != request_key:
            callback.set_exception(AuthError("Request token does not match cookie"))
            return
        token: dict[str, Any] = {"key": key, "secret": secret}
        if verifier:
            token["verifier"] = verifier
        client: Any = http_client or self.get_auth_http_client()
        client.fetch(self._oauth_access_token_url(token), functools.partial(self._on_access_token, callback))

    def _oauth_request_token_url(
        self, callback_uri: str | None = None, extra_params: Mapping[str, Any] | None = None
    ) -> str:
        consumer_token = self._oauth_consumer_token()
        url = self._OAUTH_REQUEST_TOKEN_URL
        arguments: dict[str, Any] = dict(standard_arguments(consumer_token["key"]))
        if _is_revision_a(self):
            if callback_uri:
                arguments["oauth_callback"] = _way_back(self, callback_uri)
            arguments.update(extra_params or {})
        arguments["oauth_signature"] = _sign(self, url, arguments, consumer_token, None)
        return f"{url}?{urllib_parse.urlencode(arguments)}"

    def _on_request_token(
        self,
        authorize_url: str,
        callback_uri: str | None,
        callback: Callable[[], Any],
        response: httpclient.HTTPResponse,
    ) -> None:
        if response.error:
            raise Exception(f"Could not get request token: {response.error}")
        token = _oauth_parse_response(response.body)
        parts = (base64.b64encode(escape.utf8(token[part])) for part in ("key", "secret"))
        self.set_cookie(_COOKIE, b"|".join(parts))
        arguments = {"oauth_token": token["key"]}
        if callback_uri and callback_uri != "oob":
            arguments["oauth_callback"] = _way_back(self, callback_uri)
        url = f"{authorize_url}?{urllib_parse.urlencode(arguments)}"
        if callback_uri == "oob":
            self.finish(url)
        else:
            self.redirect(url)
        callback()

    def _oauth_access_token_url(self, request_token: Mapping[str, Any]) -> str:
        consumer_token = self._oauth_consumer_token()
        url = self._OAUTH_ACCESS_TOKEN_URL
        arguments: dict[str, Any] = dict(standard_arguments(consumer_token["key"], request_token["key"]))
        if "verifier" in request_token:
            arguments["oauth_verifier"] = request_token["verifier"]
        arguments["oauth_signature"] = _sign(self, url, arguments, consumer_token, request_token)
        return f"{url}?{urllib_parse.urlencode(arguments)}"

    def _on_access_token(self, future: Future, response: httpclient.HTTPResponse) -> None:
        if response.error:
            future.set_exception(AuthError("Could not fetch access token"))
            return
        access_token = _oauth_parse_response(response.body)
        waiting: Any = self._oauth_get_user_future(access_token)
        waiting.add_done_callback(functools.partial(self._on_oauth_get_user, access_token, future))

    def _oauth_consumer_token(self) -> dict[str, Any]:
        """Return our own ``key`` and ``secret`` at the provider's; classes must define it."""
        raise NotImplementedError()

    @return_future
    def _oauth_get_user_future(self, access_token: dict[str, str], callback: Any) -> None:
        """Find out who the owner of an access token is; classes must define it.

        A coroutine, or another method that returns a Future. Its dictionary is what
        `get_authenticated_user` returns. By default the older form, ``_oauth_get_user(access_token,
        callback)``, is called.
        """
        self._oauth_get_user(access_token, callback)

    def _oauth_get_user(self, access_token: dict[str, str], callback: Any) -> None:
        raise NotImplementedError()

    def _on_oauth_get_user(self, access_token: dict[str, str], future: Future, user_future: Any) -> None:
        error = user_future.exception()
        if error is not None:
            future.set_exception(error)
            return
        user = user_future.result()
        if user:
            user["access_token"] = access_token
            future.set_result(user)
        else:
            future.set_exception(AuthError("Error getting user"))

    def _oauth_request_parameters(
        self,
        url: str,
        access_token: Mapping[str, Any],
        parameters: Mapping[str, Any] = {},
        method: str = "GET",
    ) -> dict[str, str]:
        """Return the OAuth parameters, signature included, of a request in the user's name.

        :param parameters: all that the request sends as query and form arguments.
        """
        consumer_token = self._oauth_consumer_token()
        arguments = standard_arguments(consumer_token["key"], access_token["key"])
        signature = _sign(self, url, {**arguments, **parameters}, consumer_token, access_token, method)
        arguments["oauth_signature"] = escape.to_basestring(signature)
        return arguments

    def get_auth_http_client(self) -> httpclient.AsyncHTTPClient:
        """Return the client for requests to the provider; override it for a proxy, for example."""
        return httpclient.AsyncHTTPClient()
