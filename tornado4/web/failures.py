"""What becomes of an exception in a handler: the log, the error page, the last resort."""

from __future__ import annotations

import html
import sys
import traceback
from typing import TYPE_CHECKING, Any

from tornado4 import httputil
from tornado4.log import app_log, gen_log
from tornado4.web.errors import Finish, HTTPError
from tornado4.web.output import safe_reason

if TYPE_CHECKING:
    from tornado4.web.handler import RequestHandler


def handle(handler: RequestHandler, error: BaseException) -> None:
    """End the request that raised ``error``. To be called while it is being handled (`sys.exc_info`)."""
    if isinstance(error, Finish):
        if not handler._finished:
            handler.finish(*error.args)
        return
    exc_info: Any = sys.exc_info()
    try:
        handler.log_exception(*exc_info)
    except Exception:
        # the response still has to go out
        app_log.error("Error in exception logger", exc_info=True)
    if handler._finished:
        return
    status = 500
    if isinstance(error, HTTPError):
        if error.reason or error.status_code in httputil.responses:
            status = error.status_code
        else:
            gen_log.error("Bad HTTP status code: %d", error.status_code)
    handler.send_error(status, exc_info=exc_info)


def log(handler: RequestHandler, error: BaseException | None, exc_info: Any) -> None:
    """The standard log lines: HTTPError as a warning (only with a message), all else with its traceback."""
    if not isinstance(error, HTTPError):
        app_log.error(
            "Uncaught exception %s\n%r", handler._request_summary(), handler.request, exc_info=exc_info
        )
    elif error.log_message:
        line = "%d %s: " + error.log_message
        gen_log.warning(line, error.status_code, handler._request_summary(), *error.args)


def send(handler: RequestHandler, status_code: int, details: dict[str, Any]) -> None:
    """Replace the response by an error page; too late for that, cut the response short."""
    if handler._headers_written:
        gen_log.error("Cannot send error response after headers written")
        if not handler._finished:
            # what has been written is all that the client gets; closing the message frees the connection
            try:
                handler.finish()
            except Exception:
                gen_log.error("Failed to flush partial response", exc_info=True)
        return
    handler.clear()
    reason = details.get("reason")
    error = details["exc_info"][1] if "exc_info" in details else None
    if isinstance(error, HTTPError) and error.reason:
        reason = error.reason
    handler.set_status(status_code, reason=safe_reason(reason))
    try:
        handler.write_error(status_code, **details)
    except Exception:
        app_log.error("Uncaught exception in write_error", exc_info=True)
    if not handler._finished:
        handler.finish()


def write_page(handler: RequestHandler, status_code: int, details: dict[str, Any]) -> None:
    """The default error page; the traceback instead, with the setting ``serve_traceback``."""
    if "exc_info" in details and handler.settings.get("serve_traceback"):
        handler.set_header("Content-Type", "text/plain")
        for line in traceback.format_exception(*details["exc_info"]):
            handler.write(line)
        handler.finish()
        return
    title = f"{status_code}: {html.escape(handler._reason, quote=False)}"
    handler.finish(f"<html><title>{title}</title><body>{title}</body></html>")
