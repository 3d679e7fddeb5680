"""Nothing is left behind: the short form of `python -m compat_tests.soak`, and causes that were found with it."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import weakref

import pytest
from programs import ROOT, environment

from tornado4.concurrent import Future


def test_descriptors_tasks_and_objects_stay_what_they_were_under_load() -> None:
    command = [sys.executable, "-W", "error", "-m", "compat_tests.soak", "--quick"]
    done = subprocess.run(command, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith("nothing grew\n") and done.stderr == ""


@pytest.mark.parametrize("late", [False, True])
def test_an_awaited_future_is_freed_with_its_last_reference(late: bool) -> None:
    """It once lived until the next garbage collection, with its result, which may be a large response."""

    class Result:
        pass

    async def main() -> None:
        future: Future[Result] = Future()
        result = Result()
        gone = weakref.ref(result)
        if late:
            asyncio.get_running_loop().call_soon(future.set_result, result)
        else:
            future.set_result(result)
        del result
        assert isinstance(await future, Result)
        del future
        await asyncio.sleep(0)
        assert gone() is None

    gc.disable()
    try:
        asyncio.run(main())
    finally:
        gc.enable()
