"""When is a failing provider left alone for a while?"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass
class Breaker:
    """Opens after `failures` failures in a row, for `rest` seconds; then one caller tries, and its success closes it.

    Shared by threads. `changed` is told when it opens or closes, outside the lock.
    """

    changed: Callable[[bool], None]
    failures: int = 5
    rest: float = 30.0
    clock: Callable[[], float] = time.monotonic
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _failed: int = 0
    _opened: float | None = None

    def allows(self) -> bool:
        """Whether a call may be made now. After a rest one is let through and keeps the others out for another rest."""
        with self._lock:
            if self._opened is None:
                return True
            if self.clock() - self._opened < self.rest:
                return False
            self._opened = self.clock()
            return True

    def record(self, success: bool) -> None:
        """How an allowed call ended."""
        with self._lock:
            was_open = self._opened is not None
            self._failed = 0 if success else self._failed + 1
            if success:
                self._opened = None
            elif was_open or self._failed >= self.failures:
                self._opened = self.clock()
            is_open = self._opened is not None
        if is_open != was_open:
            self.changed(is_open)
