"""How does a test wait for what others do? By asking until it is so, never by sleeping for a while and hoping."""

import time
from collections.abc import Callable
from typing import Any


def eventually(look: Callable[[], Any], seconds: float = 30, what: str = "it") -> Any:
    """The first true answer of `look`; fails when there is none in time, and says what was waited for."""
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, f"{what}: still {seen!r} after {seconds} s"
        time.sleep(0.1)
    return seen
