"""`HandlerInput`: what a handler knows of a request: its arguments, its cookies, its user, its language.

The lowest floor of `RequestHandler`. Setting cookies lies here as well, beside reading them.
"""

from __future__ import annotations

import os
import time
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Any, TypeVar, overload

from tornado4 import escape, httputil, locale, switches
from tornado4.escape import utf8
from tornado4.web import arguments, cookies, negotiation, signing, xsrf
from tornado4.web.errors import HTTPError, MissingArgumentError

if TYPE_CHECKING:
    from tornado4.locale import Locale
    from tornado4.web.application import Application

_D = TypeVar("_D")


class HandlerInput:
    """The floor of `RequestHandler` that looks at the request."""

    #: The application that the handler answers for.
    application: Application
    request: httputil.HTTPServerRequest

    _remove_control_chars_regex = arguments.CONTROL_CHARS
    _ARG_DEFAULT: Any = object()

    # -- settings

    @property
    def settings(self) -> dict[str, Any]:
        """The application's settings."""
        return self.application.settings

    def require_setting(self, name: str, feature: str = "this feature") -> None:
        """Raise an exception that says what to do if the setting is absent or empty.

        :arg name: of the setting.
        :arg feature: what wants it, for the message.
        :raises Exception: the setting is absent or empty.
        """
        if not self.application.settings.get(name):
            raise Exception(
                f"You must define the '{name}' setting in your application to use {feature}"
            )

    # -- arguments

    @overload
    def get_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """The last value of an argument in query or body; `MissingArgumentError` (400) without a default.

        Values are text, white space around them stripped unless ``strip`` is false.

        :arg name: of the argument.
        :raises MissingArgumentError: there is none, and no ``default``; unhandled it is a 400.
        """
        return self._get_argument(name, default, self.request.arguments, strip)

    def get_arguments(self, name: str, strip: bool = True) -> list[str]:
        """All values of an argument, query before body; an empty list if there is none.

        :arg name: of the argument.
        :arg strip: take white space away at both ends (default True).
        """
        # the second parameter is easily taken for a default
        assert type(strip) is bool
        return self._get_arguments(name, self.request.arguments, strip)

    @overload
    def get_body_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_body_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_body_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """As `get_argument`, from the body alone.

        :arg name: of the argument; ``default`` and ``strip`` are those of `get_argument`.
        :raises MissingArgumentError: there is none, and no ``default``.
        """
        return self._get_argument(name, default, self.request.body_arguments, strip)

    def get_body_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the body alone.

        :arg name: of the argument; ``strip`` is that of `get_arguments`.
        """
        return self._get_arguments(name, self.request.body_arguments, strip)

    @overload
    def get_query_argument(self, name: str, *, strip: bool = True) -> str: ...

    @overload
    def get_query_argument(self, name: str, default: _D, strip: bool = True) -> str | _D: ...

    def get_query_argument(self, name: str, default: Any = _ARG_DEFAULT, strip: bool = True) -> Any:
        """As `get_argument`, from the query alone.

        :arg name: of the argument; ``default`` and ``strip`` are those of `get_argument`.
        :raises MissingArgumentError: there is none, and no ``default``.
        """
        return self._get_argument(name, default, self.request.query_arguments, strip)

    def get_query_arguments(self, name: str, strip: bool = True) -> list[str]:
        """As `get_arguments`, from the query alone.

        :arg name: of the argument; ``strip`` is that of `get_arguments`.
        """
        return self._get_arguments(name, self.request.query_arguments, strip)

    def _get_argument(self, name: str, default: Any, source: Any, strip: bool = True) -> Any:
        values = self._get_arguments(name, source, strip=strip)
        if values:
            return values[-1]
        if default is self._ARG_DEFAULT:
            raise MissingArgumentError(name)
        return default

    def _get_arguments(self, name: str, source: Any, strip: bool = True) -> list[str]:
        return arguments.collect(source, name, strip, self.decode_argument)

    def decode_argument(self, value: bytes, name: str | None = None) -> str:
        """Turn an argument's bytes into text: UTF-8, or 400. Override it for another encoding.

        Used for `get_argument` and, with ``name`` None for positional ones, for the path's groups.

        :arg value: bytes.
        :raises HTTPError: 400 for what is no UTF-8.
        """
        return arguments.decode(value, name)

    # -- cookies

    @property
    def cookies(self) -> SimpleCookie:
        """The request's cookies."""
        return self.request.cookies

    @overload
    def get_cookie(self, name: str) -> str | None: ...

    @overload
    def get_cookie(self, name: str, default: _D) -> str | _D: ...

    def get_cookie(self, name: str, default: Any = None) -> Any:
        """A request cookie's value, or ``default``.

        :arg name: of the cookie; ``default`` is None unless given.
        """
        look_up = getattr(self.request, "_cookie_value", None)
        if look_up is None:  # a request of another kind
            jar = self.request.cookies
            return jar[name].value if jar is not None and name in jar else default
        value = look_up(name)
        return default if value is None else value

    def set_cookie(
        self,
        name: str,
        value: Any,
        domain: str | None = None,
        expires: Any = None,
        path: Any = "/",
        expires_days: Any = None,
        **kwargs: Any,
    ) -> None:
        """Set a cookie in the response, in place of one set before under the name.

        ``expires`` is seconds since the epoch, a time tuple or a datetime; ``expires_days`` counts from
        now. Further keyword arguments are attributes: ``httponly``, ``secure``, ``samesite``, ``max_age``
        (seconds), ...

        :arg value: text, or bytes in UTF-8.
        :arg path: ``/`` by default; ``domain`` has none.
        :raises ValueError: a control character in ``name`` or ``value``.
        """
        if not hasattr(self, "_new_cookie"):
            self._new_cookie: SimpleCookie = SimpleCookie()
        lenient = self.settings.get("lenient_cookie_attributes") or switches.is_allowed("cookie-attributes")
        cookies.put(
            self._new_cookie,
            escape.native_str(name),
            escape.native_str(value),
            domain,
            expires,
            path,
            expires_days,
            kwargs,
            lenient=bool(lenient),
        )

    def clear_cookie(self, name: str, path: str = "/", domain: str | None = None) -> None:
        """Have the client drop a cookie; path and domain must be those that it was set with.

        :arg name: of the cookie; ``path`` is ``/`` by default, ``domain`` has none.
        """
        self.set_cookie(name, value="", path=path, expires=cookies.a_year_ago(), domain=domain)

    def clear_all_cookies(self, path: str = "/", domain: str | None = None) -> None:
        """Have the client drop all cookies that it sent with this request.

        :arg path: and ``domain``: as for `clear_cookie`.
        """
        for name in self.request.cookies:
            self.clear_cookie(name, path=path, domain=domain)

    def set_secure_cookie(
        self, name: str, value: str | bytes, expires_days: Any = 30, version: int | None = None, **kwargs: Any
    ) -> None:
        """Set a signed, dated cookie (needs the setting ``cookie_secret``); readable by the client, not
        forgeable.

        ``expires_days`` is for the client; `get_secure_cookie` has its own limit.

        :arg name: of the cookie.
        :arg value: text or bytes.
        :arg version: the format, as for `create_signed_value`.
        :raises Exception: the setting ``cookie_secret`` is absent.
        :arg name: with ``value`` and ``version``: as for `set_secure_cookie`, which this is.
        """
        signed: Any = self.create_signed_value(name, value, version=version)
        self.set_cookie(name, signed, expires_days=expires_days, **kwargs)

    def create_signed_value(self, name: str, value: str | bytes, version: int | None = None) -> bytes:
        """Sign a value so that `get_secure_cookie` takes it, for use elsewhere than in a cookie.

        :arg name: the name under which it will be asked for.
        :arg version: the format, 1 or 2; default: `DEFAULT_SIGNED_VALUE_VERSION`.
        :raises Exception: ``cookie_secret`` is absent; or a dict, and there is no setting ``key_version``.
        """
        self.require_setting("cookie_secret", "secure cookies")
        secret = self.application.settings["cookie_secret"]
        key_version = None
        if isinstance(secret, dict):
            key_version = self.application.settings.get("key_version")
            if key_version is None:
                raise Exception("key_version setting must be used for secret_key dicts")
        return signing.create_signed_value(secret, name, value, version=version, key_version=key_version)

    def get_secure_cookie(
        self, name: str, value: Any = None, max_age_days: float = 31, min_version: int | None = None
    ) -> bytes | None:
        """A signed cookie's content as bytes, or None if it is absent, forged or too old.

        ``value`` is checked in the cookie's place if given.

        :arg name: of the cookie.
        :arg max_age_days: older ones are none; days, 31 by default.
        :arg min_version: the oldest format that is accepted; default: `DEFAULT_SIGNED_VALUE_MIN_VERSION`.
        :raises Exception: the setting ``cookie_secret`` is absent.
        """
        self.require_setting("cookie_secret", "secure cookies")
        signed = self.get_cookie(name) if value is None else value
        secret = self.application.settings["cookie_secret"]
        return signing.decode_signed_value(secret, name, signed, max_age_days, min_version=min_version)

    def get_secure_cookie_key_version(self, name: str, value: str | bytes | None = None) -> int | None:
        """The key version that a signed cookie (or ``value``) was signed with; version 2 only.

        :arg name: of the cookie.
        """
        self.require_setting("cookie_secret", "secure cookies")
        if value is None:
            value = self.get_cookie(name)
        return signing.get_signature_key_version(value)

    # -- XSRF

    @property
    def xsrf_token(self) -> bytes:
        """The token for this user's forms; reading it sets the ``_xsrf`` cookie if there is none yet."""
        if not hasattr(self, "_xsrf_token"):
            version, token, timestamp = self._get_raw_xsrf_token()
            settings = self.settings
            output_version = settings.get("xsrf_cookie_version", 2)
            cookie_kwargs = settings.get("xsrf_cookie_kwargs", {})
            self._xsrf_token = xsrf.encode(token, timestamp, output_version)
            if version is None:
                days = 30 if self.current_user else None
                self.set_cookie("_xsrf", self._xsrf_token, expires_days=days, **cookie_kwargs)
        return self._xsrf_token

    def _get_raw_xsrf_token(self) -> tuple[int | None, bytes, float]:
        """Version, token, time: from the cookie, else a fresh token whose version is None."""
        if not hasattr(self, "_raw_xsrf_token"):
            cookie = self.get_cookie("_xsrf")
            version, token, timestamp = self._decode_xsrf_token(cookie) if cookie else (None, None, None)
            if token is None or timestamp is None:
                version, token, timestamp = None, os.urandom(16), time.time()
            self._raw_xsrf_token: tuple[int | None, bytes, float] = (version, token, timestamp)
        return self._raw_xsrf_token

    def _decode_xsrf_token(self, cookie: str | bytes) -> xsrf.Decoded:
        return xsrf.decode(cookie)

    def check_xsrf_cookie(self) -> None:
        """403 unless the token in argument ``_xsrf`` or header X-XSRFToken (X-CSRFToken) is the cookie's.

        Called before `prepare` for all but GET, HEAD and OPTIONS if the setting ``xsrf_cookies`` is on.

        :raises HTTPError: 403; its message says whether the token is missing, malformed or another one.
        """
        headers = self.request.headers
        given = self.get_argument("_xsrf", None) or headers.get("X-Xsrftoken") or headers.get("X-Csrftoken")
        if not given:
            raise HTTPError(403, "'_xsrf' argument missing from POST")
        _, token, _ = self._decode_xsrf_token(given)
        _, expected, _ = self._get_raw_xsrf_token()
        if not token:
            raise HTTPError(403, "'_xsrf' argument has invalid format")
        if not signing._time_independent_equals(utf8(token), utf8(expected)):
            raise HTTPError(403, "XSRF cookie does not match POST argument")

    def xsrf_form_html(self) -> str:
        """A hidden form field with the token, for use in every ``<form method="post">``."""
        return f'<input type="hidden" name="_xsrf" value="{escape.xhtml_escape(self.xsrf_token)}"/>'

    # -- users and languages

    @property
    def current_user(self) -> Any:
        """The user of this request, from `get_current_user` at first use. May be set, in `prepare` say."""
        if hasattr(self, "_current_user"):
            return self._current_user
        user: Any = self.get_current_user()
        self._current_user: Any = user
        return user

    @current_user.setter
    def current_user(self, user: Any) -> None:
        self._current_user = user

    def get_login_url(self) -> str:
        """Where `authenticated` sends strangers: the setting ``login_url``. Override it to decide by
        request.
        """
        self.require_setting("login_url", "@tornado.web.authenticated")
        return self.application.settings["login_url"]  # type: ignore[no-any-return]

    def get_current_user(self) -> Any:
        """Find out the user, from a cookie say. Override it. It cannot wait: set `current_user` in
        `prepare` then.
        """
        return None

    @property
    def locale(self) -> Locale:
        """The language of this request: the user's, else the browser's. May be set, in `prepare` say."""
        chosen: Locale | None = getattr(self, "_locale", None)
        if chosen is None:
            chosen = self._locale = self.get_user_locale() or self.get_browser_locale()
            assert chosen
        return chosen

    @locale.setter
    def locale(self, chosen: Locale) -> None:
        self._locale = chosen

    def get_user_locale(self) -> Any:
        """The language that the user has chosen. Override it; None goes on to the browser's."""
        return None

    def get_browser_locale(self, default: str = "en_US") -> Any:
        """The language from Accept-Language, the closest one that is loaded; ``default`` without the
        header.
        """
        header = self.request.headers.get("Accept-Language")
        if header is None:
            return locale.get(default)
        return locale.get(*negotiation.preferred_languages(header))
