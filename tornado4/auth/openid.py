"""OpenID 2.0 with attribute exchange: the user proves to own a name at a provider's."""

from __future__ import annotations

import functools
import urllib.parse as urllib_parse
from collections.abc import Callable, Collection
from typing import Any

from tornado4 import httpclient
from tornado4.auth.futures import AuthError, Handler, _auth_return_future
from tornado4.concurrent import Future, return_future

_SPECS = "http://specs.openid.net/"
_AX_NAMESPACE = "http://openid.net/srv/ax/1.0"
_AX = "http://axschema.org/"
# Attributes by our names for them. "name" is asked for as three, for providers differ.
_AX_NAME = {
    "firstname": _AX + "namePerson/first",
    "fullname": _AX + "namePerson",
    "lastname": _AX + "namePerson/last",
}
_AX_TYPES = {
    "email": _AX + "contact/email",
    "language": _AX + "pref/language",
    "username": _AX + "namePerson/friendly",
}


class OpenIdMixin(Handler):
    """Login by OpenID, for a `.RequestHandler` whose class sets ``_OPENID_ENDPOINT``, a URL."""

    _OPENID_ENDPOINT: str

    @return_future
    def authenticate_redirect(
        self,
        callback_uri: str | None = None,
        ax_attrs: Collection[str] = ["name", "email", "language", "username"],
        callback: Any = None,
    ) -> None:
        """Send the browser to the provider, who sends it back to ``callback_uri``.

        There, by default the current page, the query holds ``openid.mode``: call
        `get_authenticated_user` then.

        :param ax_attrs: what to ask the provider for.
        """
        arguments = self._openid_args(callback_uri or self.request.full_url(), ax_attrs=ax_attrs)
        self.redirect(f"{self._OPENID_ENDPOINT}?{urllib_parse.urlencode(arguments)}")
        callback()

    @_auth_return_future
    def get_authenticated_user(
        self, callback: Any, http_client: httpclient.AsyncHTTPClient | None = None
    ) -> None:
        """Ask the provider whether what the browser brought is true, and return the user.

        A dictionary with those of ``first_name``, ``last_name``, ``name``, ``email``, ``locale``,
        ``username`` and ``claimed_id`` that are known.

        :raises AuthError: the provider does not confirm it.
        """
        arguments = {name: values[-1] for name, values in self.request.arguments.items()}
        arguments["openid.mode"] = "check_authentication"
        client: Any = http_client or self.get_auth_http_client()
        client.fetch(
            self._OPENID_ENDPOINT,
            functools.partial(self._on_authentication_verified, callback),
            method="POST",
            body=urllib_parse.urlencode(arguments),
        )

    def _openid_args(
        self, callback_uri: str, ax_attrs: Collection[str] = [], oauth_scope: str | None = None
    ) -> dict[str, str]:
        here = urllib_parse.urljoin(self.request.full_url(), callback_uri)
        anybody = _SPECS + "auth/2.0/identifier_select"
        arguments = {
            "openid.ns": _SPECS + "auth/2.0",
            "openid.claimed_id": anybody,
            "openid.identity": anybody,
            "openid.return_to": here,
            "openid.realm": urllib_parse.urljoin(here, "/"),
            "openid.mode": "checkid_setup",
        }
        if ax_attrs:
            arguments |= _attribute_request(ax_attrs)
        if oauth_scope:
            arguments |= {
                "openid.ns.oauth": _SPECS + "extensions/oauth/1.0",
                "openid.oauth.consumer": self.request.host.split(":")[0],
                "openid.oauth.scope": oauth_scope,
            }
        return arguments

    def _on_authentication_verified(self, future: Future, response: httpclient.HTTPResponse) -> None:
        # One pair a line (OpenID 2.0 section 4.1.1); within a value the words would mean nothing.
        lines = () if response.error else map(bytes.strip, response.body.splitlines())
        if b"is_valid:true" in lines:
            future.set_result(_user_from_arguments(self))
        else:
            reason = response.error or response.body
            future.set_exception(AuthError(f"Invalid OpenID response: {reason}"))

    def get_auth_http_client(self) -> httpclient.AsyncHTTPClient:
        """Return the client for requests to the provider; override it for a proxy, for example."""
        return httpclient.AsyncHTTPClient()


def _attribute_request(ax_attrs: Collection[str]) -> dict[str, str]:
    types: dict[str, str] = {}
    if "name" in ax_attrs:
        types |= _AX_NAME
    for attr in ax_attrs:
        if attr != "name" and attr not in types:
            types[attr] = _AX_TYPES[attr]
    return {
        "openid.ns.ax": _AX_NAMESPACE,
        "openid.ax.mode": "fetch_request",
        **{f"openid.ax.type.{name}": uri for name, uri in types.items()},
        "openid.ax.required": ",".join(types),
    }


def _user_from_arguments(handler: Handler) -> dict[str, str]:
    attribute = _attribute_reader(handler)
    first, last = attribute(_AX_NAME["firstname"]), attribute(_AX_NAME["lastname"])
    email = attribute(_AX_TYPES["email"])
    name = attribute(_AX_NAME["fullname"]) or " ".join(filter(None, (first, last)))
    user = {
        "first_name": first,
        "last_name": last,
        "name": name or email.partition("@")[0],
        "email": email,
        "locale": attribute(_AX_TYPES["language"]).lower(),
        "username": attribute(_AX_TYPES["username"]),
        "claimed_id": handler.get_argument("openid.claimed_id", None),
    }
    if not _is_signed(handler, "claimed_id"):
        del user["claimed_id"]
    return {key: value for key, value in user.items() if value}


def _is_signed(handler: Handler, name: str) -> bool:
    """Whether the provider answers for a field, named without ``openid.`` (OpenID 2.0 section 10.1).

    SEC: what is not signed the browser may have added. Without a list of signed fields there is no
    signature that a provider would confirm.
    """
    signed = handler.get_argument("openid.signed", None)
    return signed is None or name in signed.split(",")


def _attribute_reader(handler: Handler) -> Callable[[str], str]:
    """Return a function that finds an attribute's value by the attribute's URI.

    The provider chooses the extension's alias, and an alias for each attribute in turn. Both the type and the
    value must be signed: with another type, a nickname would be an address.
    """
    names = list(handler.request.arguments)
    for name in names:
        if name.startswith("openid.ns.") and handler.get_argument(name) == _AX_NAMESPACE:
            prefix = f"openid.{name.removeprefix('openid.ns.')}."
            break
    else:
        return lambda uri: ""

    def attribute(uri: str) -> str:
        for name in names:
            if name.startswith(prefix + "type.") and handler.get_argument(name) == uri:
                alias = name[len(prefix) + len("type.") :]
                value_name = f"{prefix}value.{alias}"
                if all(_is_signed(handler, each.removeprefix("openid.")) for each in (name, value_name)):
                    value: str = handler.get_argument(value_name, "")
                    return value
        return ""

    return attribute
