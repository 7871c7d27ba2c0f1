"""Waiting for a condition instead of sleeping and hoping."""
import os
import time

# Generous: the machine may be busy and the build is sanitized. An emulated machine has more of it.
TIMEOUT = 20.0 * float(os.environ.get("GOST_TEST_PATIENCE", "1"))


def wait_until(condition, what, timeout=TIMEOUT):
    """Polls `condition` until it returns something true, and returns that; fails with `what` after `timeout`."""
    deadline = time.monotonic() + timeout
    pause = 0.002
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"after {timeout} s: {what() if callable(what) else what}")
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
