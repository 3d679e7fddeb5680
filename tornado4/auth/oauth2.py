"""OAuth 2 (RFC 6749), as far as providers agree on it."""

from __future__ import annotations

import functools
import urllib.parse as urllib_parse
from collections.abc import Iterable, Mapping
from typing import Any

from tornado4 import escape, httpclient
from tornado4.auth.futures import AuthError, Handler, _auth_return_future
from tornado4.concurrent import Future, return_future
from tornado4.httputil import url_concat

_Text = str | None


class OAuth2Mixin(Handler):
    """Login by OAuth 2, for a `.RequestHandler`; see the classes for Google and Facebook.

    Classes set ``_OAUTH_AUTHORIZE_URL`` and ``_OAUTH_ACCESS_TOKEN_URL``.
    """

    _OAUTH_AUTHORIZE_URL: str
    _OAUTH_ACCESS_TOKEN_URL: str

    @return_future
    def authorize_redirect(
        self,
        redirect_uri: _Text = None,
        client_id: _Text = None,
        client_secret: _Text = None,
        extra_params: Mapping[str, Any] | None = None,
        callback: Any = None,
        scope: Iterable[str] | None = None,
        response_type: str = "code",
    ) -> None:
        """Send the browser to the provider, who sends it back to ``redirect_uri`` with a code.

        :param client_secret: not used here; some providers' classes want it.
        :param scope: what we ask the user to allow.
        :arg client_id: the application's, as the provider has given it.
        :arg extra_params: a dict of further arguments for the query.
        :arg response_type: ``"code"`` by default.
        """
        arguments: dict[str, Any] = {
            "redirect_uri": redirect_uri,
            "client_id": client_id,
            "response_type": response_type,
        }
        arguments.update(extra_params or {})
        if scope:
            arguments["scope"] = " ".join(scope)
        self.redirect(url_concat(self._OAUTH_AUTHORIZE_URL, arguments))
        callback()

    def _oauth_request_token_url(
        self,
        redirect_uri: _Text = None,
        client_id: _Text = None,
        client_secret: _Text = None,
        code: _Text = None,
        extra_params: Mapping[str, Any] | None = None,
    ) -> str:
        arguments: dict[str, Any] = {"redirect_uri": redirect_uri, "code": code}
        arguments |= {"client_id": client_id, "client_secret": client_secret, **(extra_params or {})}
        return url_concat(self._OAUTH_ACCESS_TOKEN_URL, arguments)

    @_auth_return_future
    def oauth2_request(
        self,
        url: str,
        callback: Any,
        access_token: str | None = None,
        post_args: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> None:
        """Fetch a URL in the user's name, and return its JSON decoded.

        A POST with ``post_args`` as its form if they are given, and a GET otherwise; ``args`` and
        ``access_token`` go into the query. ``url`` must have none yet.

        :raises AuthError: the answer is an error.
        """
        query = {"access_token": access_token, **args} if access_token else args
        if query:
            url += "?" + urllib_parse.urlencode(query)
        fetch(
            self.get_auth_http_client(), url, post_args, functools.partial(self._on_oauth2_request, callback)
        )

    def _on_oauth2_request(self, future: Future, response: httpclient.HTTPResponse) -> None:
        settle(future, response)

    def get_auth_http_client(self) -> httpclient.AsyncHTTPClient:
        """Return the client for requests to the provider; override it for a proxy, for example."""
        return httpclient.AsyncHTTPClient()


def fetch(client: Any, url: str, post_args: Mapping[str, Any] | None, callback: Any) -> None:
    """Send a GET, or a form if ``post_args`` is not ``None``."""
    if post_args is None:
        client.fetch(url, callback=callback)
    else:
        client.fetch(url, method="POST", body=urllib_parse.urlencode(post_args), callback=callback)


def settle(future: Future, response: httpclient.HTTPResponse) -> None:
    """Resolve ``future`` with the JSON of a response, or with the error that it is."""
    if response.error:
        message = f"Error response {response.error} fetching {response.request.url}"
        future.set_exception(AuthError(message))
    else:
        future.set_result(escape.json_decode(response.body))
