"""What Tornado 5 and 6 do otherwise, a function a flag (see `tornado4.flags`): each puts other functions into the
framework's places, once.

A room here is named after what it changes. `turn_on` is called by the flag, before or after the modules that it is
about were imported.
"""

from __future__ import annotations

import importlib

#: Where each flag's function is.
PLACES = {
    "future-async-callbacks": "futures.call_back_later",
    "future-strict-state": "futures.refuse_second_results",
    "future-needs-loop": "futures.refuse_without_loop",
    "future-cancel": "futures.cancel_for_real",
    "future-thread": "futures.leave_the_loop_asleep",
    "executor-future": "waits.give_futures_of_the_loop",
    "run-sync-cancels": "loops.cancel_when_time_is_up",
    "ws-check-origin": "sockets.trust_the_same_origin",
    "coroutine-callback": "coroutines.refuse_callbacks",
    "loop-make-current": "loops.make_each_current",
    "loop-instance": "loops.have_a_loop_each_thread",
    "nested-loop": "loops.refuse_nested",
    "no-basic-config": "loops.leave_logging_alone",
    "periodic-waits": "loops.wait_for_periodic",
    "timeout-class": "loops.have_one_timeout_error",
    "zero-timeout": "waits.take_zero_as_a_limit",
    "no-stack-context": "contexts.take_contexts_out",
    "raise-error-strict": "clients.raise_where_nothing_answered",
    "redirect-methods": "clients.redirect_as_browsers_do",
    "default-user-agent": "clients.name_the_agent",
    "redirect-query": "web.keep_queries",
    "aware-mtime": "web.have_aware_times",
    "escape-apostrophe": "web.escape_in_hex",
    "strict-headers": "messages.refuse_headers",
    "strict-body": "messages.refuse_forms",
    "coalesced-chunks": "bodies.join_chunks",
}


def turn_on(flag: str) -> None:
    """Put a flag's behaviour in place."""
    room, _, function = PLACES[flag].partition(".")
    getattr(importlib.import_module(f"{__name__}.{room}"), function)()
