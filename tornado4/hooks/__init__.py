"""Hooks: be told when a request, a fetch of the HTTP client, or a WebSocket begins and ends.

A watcher overrides what it wants to hear of::

    from tornado4 import hooks

    class SlowRequests(hooks.Watcher):
        def request_ended(self, event):
            if event.duration > 1:
                log.warning("%s took %.1f s", event.name, event.duration)

    hooks.add(SlowRequests())

An error of a watcher is logged, and is no one else's. While nobody listens nothing of this costs anything: the
functions that tell are put in place by `add`, each for those who listen, and the former ones come back with `remove`.

Requests are those that a `.RequestHandler` answers; what a WSGI or an ASGI application answers is told by none.
``otel``, ``sentry`` and ``prometheus`` are watchers for OpenTelemetry, Sentry and Prometheus.
"""

from tornado4.hooks.events import FetchEvent, RequestEvent, Watcher, WebSocketEvent
from tornado4.hooks.telling import add, remove

__all__ = ["FetchEvent", "RequestEvent", "Watcher", "WebSocketEvent", "add", "remove"]
