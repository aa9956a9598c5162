"""How does a long step show that it lives? One line that renews itself on a terminal, now and then a line elsewhere."""

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

QUIET_SECONDS = 10.0
TERMINAL_SECONDS = 0.2


class Progress:
    """Reports one step on stderr: what it does, how far it is, how long it took (seconds)."""

    def __init__(self, title: str) -> None:
        self.title = title
        self._started = time.monotonic()
        self._shown = 0.0
        self._terminal = sys.stderr.isatty()
        self._write("...")

    def update(self, text: str) -> None:
        """Say how far the step is; most calls print nothing."""
        now = time.monotonic()
        if now - self._shown >= (TERMINAL_SECONDS if self._terminal else QUIET_SECONDS):
            self._write(text)

    def done(self, text: str = "done") -> None:
        """End the step."""
        self._write(text, last=True)

    def _write(self, text: str, *, last: bool = False) -> None:
        self._shown = time.monotonic()
        line = f"==> {self.title}: {text} ({self._shown - self._started:.0f} s)"
        if self._terminal:
            sys.stderr.write(f"\r\033[K{line}" + ("\n" if last else ""))
        else:
            sys.stderr.write(line + "\n")
        sys.stderr.flush()


@contextmanager
def step(title: str) -> Iterator[Progress]:
    """Report a step; the line that says how it ended comes on success and on failure."""
    progress = Progress(title)
    try:
        yield progress
    except BaseException:
        progress.done("stopped")
        raise
    progress.done()
