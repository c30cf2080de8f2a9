"""Waiting for another process, with an end."""

import time
from collections.abc import Callable


def until(happened: Callable[[], object], seconds: float = 20.0) -> object:
    """What it gave when it was true at last."""
    end = time.monotonic() + seconds
    while not (found := happened()):
        assert time.monotonic() < end, "It did not happen in time."
        time.sleep(0.05)
    return found
