"""Polls with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

_Value = TypeVar("_Value")


def eventually(look: Callable[[], _Value], seconds: float = 30) -> _Value:
    """Poll until `look` returns a true value. Return its last value, also after the deadline."""
    deadline = time.monotonic() + seconds
    while not (seen := look()) and time.monotonic() < deadline:
        time.sleep(0.1)
    return seen
