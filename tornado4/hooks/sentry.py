"""Errors for Sentry: ``pip install tornado4[sentry]``.

    import sentry_sdk
    from tornado4.hooks import sentry

    sentry_sdk.init(dsn=...)
    sentry.install()

What a handler raises is sent with its request: method, URL and headers, those without credentials (cookies,
``Authorization``, tokens, arguments whose names say so); never the body. An `.HTTPError` below 500 is no error.
Sentry's own integration for Tornado is for Tornado 6, and not needed.
"""

from __future__ import annotations

from typing import Any

import sentry_sdk
from sentry_sdk.integrations.logging import ignore_logger
from sentry_sdk.utils import event_from_exception

from tornado4 import hooks
from tornado4._masking import mask_headers, mask_url
from tornado4.log import access_log
from tornado4.web import HTTPError


class Errors(hooks.Watcher):
    """The watcher."""

    def __init__(self) -> None:
        # Sentry takes each line of level ERROR for an event, and the access log has one for each answer from 500 on.
        # What the application's log says of the same exception, Sentry itself knows to be the same.
        ignore_logger(access_log.name)

    def request_failed(self, event: hooks.RequestEvent) -> None:
        error = event.error
        if error is None or (isinstance(error, HTTPError) and error.status_code < 500):
            return
        client = sentry_sdk.get_client()
        if not client.is_active():
            return
        described, hint = event_from_exception(
            error, client_options=client.options, mechanism={"type": "tornado4", "handled": False}
        )
        filled: dict[str, Any] = {**described, "transaction": event.name, "request": _request(event)}
        sentry_sdk.capture_event(filled, hint=hint)


def _request(event: hooks.RequestEvent) -> dict[str, Any]:
    request = event.handler.request
    url, _, query = mask_url(request.full_url()).partition("?")
    return {
        "url": url,
        "query_string": query,
        "method": event.method,
        "headers": mask_headers(request.headers.get_all()),
        "env": {"REMOTE_ADDR": request.remote_ip},
    }


def install() -> Errors:
    """Send errors from now on; returns the watcher, for `tornado4.hooks.remove`."""
    watcher = Errors()
    hooks.add(watcher)
    return watcher
