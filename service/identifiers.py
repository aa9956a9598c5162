"""What names a row? Time-ordered random identifiers (RFC 9562, version 7) as 32 hexadecimal digits.

Ordered by creation, so the primary key is also the order of a listing: one index, no second sort column,
and InnoDB appends instead of splitting pages.
"""

import os
import time
from datetime import UTC, datetime
from typing import Annotated

from pydantic import StringConstraints

Identifier = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{32}$")]


def new() -> str:
    """A fresh identifier: 48 bits of milliseconds, 74 random bits."""
    milliseconds = time.time_ns() // 1_000_000
    random = int.from_bytes(os.urandom(10), "big")
    high = random >> 68 & 0xFFF
    low = random & (1 << 62) - 1
    return f"{milliseconds << 80 | 0x7 << 76 | high << 64 | 0b10 << 62 | low:032x}"


def now() -> datetime:
    """The present moment in UTC, to the microsecond that MySQL's DATETIME(6) keeps."""
    return datetime.now(UTC)
