"""The tests of ``asyncio_suite`` once more, behind those of ``legacy_suite``."""

from asyncio_suite import (  # noqa: F401
    test_a_server_and_a_client_on_this_loop,
    test_current_is_attached_to_the_loop_that_runs,
    test_no_loop_is_left_behind,
)
