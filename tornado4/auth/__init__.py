"""Login with other sites' accounts: OpenID, OAuth 1, OAuth 2, and classes for known sites.

All are mixins for `.RequestHandler`. A login takes two requests to one handler: the first sends the
browser away (``authenticate_redirect`` or ``authorize_redirect``), the second, when it comes back with
something in its query, turns that into a user (``get_authenticated_user``). Methods return Futures, and
take a ``callback`` as well.

Example, for Google::

    class GoogleLoginHandler(RequestHandler, GoogleOAuth2Mixin):
        @gen.coroutine
        def get(self):
            here = "https://www.example.com/login"
            if self.get_argument("code", None):
                access = yield self.get_authenticated_user(here, self.get_argument("code"))
                ...  # remember it, in a secure cookie for example
            else:
                yield self.authorize_redirect(
                    here, self.settings["google_oauth"]["key"], scope=["profile", "email"]
                )

The protocol rooms are ``openid``, ``oauth1`` (with ``signatures``) and ``oauth2``; the sites' are
``google``, ``facebook`` and ``twitter``; ``former`` holds what Tornado dropped in 4.2.
"""

from __future__ import annotations

from tornado4 import _handed_on
from tornado4.auth.facebook import FacebookGraphMixin
from tornado4.auth.former import FacebookMixin, FriendFeedMixin, GoogleMixin
from tornado4.auth.futures import AuthError, _auth_future_to_callback, _auth_return_future
from tornado4.auth.google import GoogleOAuth2Mixin
from tornado4.auth.oauth1 import OAuthMixin
from tornado4.auth.oauth2 import OAuth2Mixin
from tornado4.auth.openid import OpenIdMixin
from tornado4.auth.signatures import (
    _oauth10a_signature,
    _oauth_escape,
    _oauth_parse_response,
    _oauth_signature,
)
from tornado4.auth.twitter import TwitterMixin
from tornado4.concurrent import TracebackFuture, chain_future, return_future
from tornado4.httputil import url_concat
from tornado4.log import gen_log
from tornado4.stack_context import ExceptionStackContext
from tornado4.util import PY3, ArgReplacer, bytes_type, set_public_module, u, unicode_type

__all__ = [
    "PY3",
    "ArgReplacer",
    "AuthError",
    "ExceptionStackContext",
    "FacebookGraphMixin",
    "FacebookMixin",
    "FriendFeedMixin",
    "GoogleMixin",
    "GoogleOAuth2Mixin",
    "OAuth2Mixin",
    "OAuthMixin",
    "OpenIdMixin",
    "TracebackFuture",
    "TwitterMixin",
    "_auth_future_to_callback",
    "_auth_return_future",
    "_oauth10a_signature",
    "_oauth_escape",
    "_oauth_parse_response",
    "_oauth_signature",
    "bytes_type",
    "chain_future",
    "gen_log",
    "return_future",
    "u",
    "unicode_type",
    "url_concat",
]

set_public_module(globals(), __name__)
_handed_on.complete(globals())
