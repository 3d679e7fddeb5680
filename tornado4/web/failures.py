"""What becomes of an exception in a handler: the log, the error page, the last resort."""

from __future__ import annotations

import sys
import traceback
from typing import TYPE_CHECKING, Any

from tornado4 import httputil
from tornado4._masking import printable
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
        args = [printable(arg) if isinstance(arg, str) else arg for arg in error.args]
        gen_log.warning(line, error.status_code, handler._request_summary(), *args)


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
    if 100 <= status_code < 200:
        # an interim response, behind which the client would wait for another one
        gen_log.error("Bad HTTP status code: %d", status_code)
        status_code = 500
    handler.clear()
    reason = details.get("reason")
    error = details["exc_info"][1] if "exc_info" in details else None
    if isinstance(error, HTTPError) and error.reason:
        reason = error.reason
    handler.set_status(status_code, reason=safe_reason(reason))
    if not getattr(handler, "_writes_error", False):  # else write_error has called us: once is enough
        handler._writes_error = True  # type: ignore[attr-defined]  # of no interest but here
        try:
            handler.write_error(status_code, **details)
        except Exception:
            app_log.error("Uncaught exception in write_error", exc_info=True)
    if handler._finished:
        return
    if not handler._headers_written:
        if 100 <= handler._status_code < 200:
            handler.set_status(500)
        if has_no_body(handler._status_code):
            handler._write_buffer = []  # a page that was for another status
    try:
        handler.finish()
    except Exception:
        app_log.error("Exception in exception handler", exc_info=True)
        answer_anyhow(handler)


def has_no_body(status_code: int) -> bool:
    """Whether responses of this status end with their head (RFC 9110, 15.2, 15.3.5 and 15.4.5)."""
    return status_code in (204, 304) or 100 <= status_code < 200


def answer_anyhow(handler: RequestHandler) -> None:
    """The last resort, when even the error page failed: 500 without a body, or the end of a connection that has had
    something else.
    """
    connection: Any = handler.request.connection
    if handler._finished or connection is None:
        return
    unanswered = getattr(connection, "_unanswered", None)
    if unanswered is not None and unanswered():
        handler._finished = handler._headers_written = True
        handler._status_code, headers = 500, httputil.HTTPHeaders({"Content-Length": "0"})
        connection.write_headers(httputil.ResponseStartLine("", 500, httputil.responses[500]), headers)
        handler.request.finish()
        handler._log()
    elif hasattr(connection, "close"):
        connection.close()


def write_page(handler: RequestHandler, status_code: int, details: dict[str, Any]) -> None:
    """The default error page; the traceback instead, with the setting ``serve_traceback``."""
    if has_no_body(status_code):
        handler.finish()
        return
    if "exc_info" in details and handler.settings.get("serve_traceback"):
        handler.set_header("Content-Type", "text/plain")
        for line in traceback.format_exception(*details["exc_info"]):
            handler.write(line)
        handler.finish()
        return
    import html  # which brings a table along that a server without errors does not need

    title = f"{status_code}: {html.escape(handler._reason, quote=False)}"
    handler.finish(f"<html><title>{title}</title><body>{title}</body></html>")
