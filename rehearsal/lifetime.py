"""When does a plugin end? When the engine says so, when a person interrupts it, and when the engine is gone."""

import os
import signal
import threading
from collections.abc import Callable


def until_engine_ends(stop: Callable[[], None]) -> None:
    """Call `stop` once: on SIGINT, on SIGTERM, and when the engine, which holds our standard input, has died.

    Call it from the main thread; it returns at once. A plugin that outlived a killed engine would go on changing the
    world under the next one.
    """

    def watch() -> None:
        while os.read(0, 4096):
            pass
        stop()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop())
    threading.Thread(target=watch, daemon=True, name="engine-watch").start()
