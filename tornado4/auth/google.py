"""Login with Google."""

from __future__ import annotations

import functools
import urllib.parse as urllib_parse
from typing import Any

from tornado4 import escape, httpclient
from tornado4.auth.futures import AuthError, _auth_return_future
from tornado4.auth.oauth2 import OAuth2Mixin
from tornado4.concurrent import Future

_ACCOUNTS = "https://accounts.google.com/o/oauth2/"


class GoogleOAuth2Mixin(OAuth2Mixin):
    """Google's OAuth 2. Register the application in Google's console, and put what it says into the
    application's settings: ``google_oauth={"key": client_id, "secret": client_secret}``.

    The addresses are class attributes, 4.5.3's; override what Google has moved since.
    """

    _OAUTH_SETTINGS_KEY = "google_oauth"
    _OAUTH_NO_CALLBACKS = False
    _OAUTH_AUTHORIZE_URL = _ACCOUNTS + "auth"
    _OAUTH_ACCESS_TOKEN_URL = _ACCOUNTS + "token"
    _OAUTH_USERINFO_URL = "https://www.googleapis.com/oauth2/v1/userinfo"

    @_auth_return_future
    def get_authenticated_user(self, redirect_uri: str, code: str, callback: Any) -> None:
        """Exchange the code that came with the browser for an access token.

        Returns Google's answer, with ``access_token``, ``expires_in``, ``id_token`` and others. Who
        the user is, tells another request::

            class LoginHandler(RequestHandler, GoogleOAuth2Mixin):
                @gen.coroutine
                def get(self):
                    here = "https://example.com" + self.request.path
                    if self.get_argument("code", None) is None:
                        key = self.settings["google_oauth"]["key"]
                        yield self.authorize_redirect(here, key, scope=["profile", "email"])
                        return
                    access = yield self.get_authenticated_user(here, self.get_argument("code"))
                    token = access["access_token"]
                    user = yield self.oauth2_request(self._OAUTH_USERINFO_URL, access_token=token)

        :raises AuthError: Google refuses the code.
        :arg redirect_uri: the one that the browser was sent with.
        """
        ours = self.settings[self._OAUTH_SETTINGS_KEY]
        form = {
            "redirect_uri": redirect_uri,
            "code": code,
            "client_id": ours["key"],
            "client_secret": ours["secret"],
            "grant_type": "authorization_code",
        }
        client: Any = self.get_auth_http_client()
        client.fetch(
            self._OAUTH_ACCESS_TOKEN_URL,
            functools.partial(self._on_access_token, callback),
            method="POST",
            headers={"Content-Type": "application/x-www-form-urlencoded"},
            body=urllib_parse.urlencode(form),
        )

    def _on_access_token(self, future: Future, response: httpclient.HTTPResponse) -> None:
        if response.error:
            future.set_exception(AuthError(f"Google auth error: {response}"))
        else:
            future.set_result(escape.json_decode(response.body))
