"""Login with Facebook, and its Graph API."""

from __future__ import annotations

import functools
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from typing import Any

from tornado4 import escape, httpclient
from tornado4.auth.futures import AuthError, _auth_return_future
from tornado4.auth.oauth2 import OAuth2Mixin
from tornado4.concurrent import Future, chain_future

_FIELDS = ("id", "name", "first_name", "last_name", "locale", "picture", "link")

_Secret = str


class FacebookGraphMixin(OAuth2Mixin):
    """Facebook's OAuth 2, for a `.RequestHandler`."""

    _FACEBOOK_BASE_URL = "https://graph.facebook.com"
    _OAUTH_ACCESS_TOKEN_URL = _FACEBOOK_BASE_URL + "/oauth/access_token?"
    _OAUTH_AUTHORIZE_URL = "https://www.facebook.com/dialog/oauth?"
    _OAUTH_NO_CALLBACKS = False

    @_auth_return_future
    def get_authenticated_user(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: _Secret,
        code: str,
        callback: Any,
        extra_fields: Iterable[str] | None = None,
    ) -> None:
        """Exchange the code that came with the browser for an access token, and return the user.

        A dictionary of ``id``, ``name``, ``first_name``, ``last_name``, ``locale``, ``picture``, ``link``,
        the ``extra_fields``, ``access_token``, and ``session_expires``, the seconds as text. ``None`` if
        Facebook does not tell who the user is.

        :raises AuthError: Facebook refuses the code.
        :arg redirect_uri: the one that the browser was sent with.
        :arg client_id: and ``client_secret``: the application's, as Facebook has given them.
        """
        fields = dict.fromkeys([*_FIELDS, *(extra_fields or ())])  # a set, in a stable order
        url = self._oauth_request_token_url(
            redirect_uri=redirect_uri, client_id=client_id, client_secret=client_secret, code=code
        )
        then = functools.partial(
            self._on_access_token, redirect_uri, client_id, client_secret, callback, fields
        )
        client: Any = self.get_auth_http_client()
        client.fetch(url, then)

    def _on_access_token(
        self,
        redirect_uri: str,
        client_id: str,
        client_secret: _Secret,
        future: Future,
        fields: Iterable[str],
        response: httpclient.HTTPResponse,
    ) -> None:
        if response.error:
            future.set_exception(AuthError(f"Facebook auth error: {response}"))
            return
        answer = escape.json_decode(response.body)
        session = {key: answer.get(key) for key in ("access_token", "expires_in")}
        token = session["access_token"]
        # Shows that the request comes from the application, not from someone who got hold of the token.
        proof = hmac.new(client_secret.encode("utf8"), token.encode("utf8"), hashlib.sha256)
        self.facebook_request(
            "/me",
            callback=functools.partial(self._on_get_user_info, future, session, fields),
            access_token=token,
            appsecret_proof=proof.hexdigest(),
            fields=",".join(fields),
        )

    def _on_get_user_info(
        self, future: Future, session: Mapping[str, Any], fields: Iterable[str], user: dict[str, Any] | None
    ) -> None:
        if user is None:
            future.set_result(None)
            return
        found = {field: user.get(field) for field in fields}
        # Text, as in 4.5.3: older answers of Facebook were no JSON.
        found |= {"access_token": session["access_token"], "session_expires": str(session.get("expires_in"))}
        future.set_result(found)

    @_auth_return_future
    def facebook_request(
        self,
        path: str,
        callback: Any,
        access_token: str | None = None,
        post_args: Mapping[str, Any] | None = None,
        **args: Any,
    ) -> None:
        """Fetch ``path``, such as ``/me/feed``, from the Graph API, and return its JSON decoded.

        See `OAuth2Mixin.oauth2_request` for the other arguments.

        :arg access_token: the user's; ``post_args`` (a dict) makes it a POST. Further keyword arguments go into
            the query.
        """
        answer = self.oauth2_request(
            self._FACEBOOK_BASE_URL + path, access_token=access_token, post_args=post_args, **args
        )
        chain_future(answer, callback)
