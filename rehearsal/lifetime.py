"""When does a plugin end? When the engine says so, when a person interrupts it, and when the engine is gone."""

import os
import signal
import stat
import threading
import time
from collections.abc import Callable

_PARENT_SECONDS = 1.0


def until_engine_ends(stop: Callable[[], None]) -> None:
    """Call `stop` once: on SIGINT, on SIGTERM, and when the engine, which holds our standard input, has died.

    Started by something that gives us no pipe for it (a test, CI), the parent process stands for the engine. Call it
    from the main thread; it returns at once. A plugin that outlived a killed engine would go on changing the world
    under the next one.
    """
    parent = os.getppid()

    def watch() -> None:
        if _is_pipe(0):
            while os.read(0, 4096):
                pass
        else:
            while os.getppid() == parent:
                time.sleep(_PARENT_SECONDS)
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
    threading.Thread(target=watch, daemon=True, name="engine-watch").start()


def _is_pipe(descriptor: int) -> bool:
    try:
        mode = os.fstat(descriptor).st_mode
    except OSError:  # closed
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
