"""Which addresses does a live rehearsal own on this machine, and what stands at which address of a VPC?

Two checkouts must not disturb each other: each holds a block of the loopback's 127.N networks for as long as it serves,
by listening at the first address of it. What was once given to somebody stays theirs: names are written into pods.
"""

import json
import os
import socket
import zlib
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.live.network.loopback import Loopback

_LOW, _HIGH, _BLOCK = 32, 240, 8  # N of 127.N; a block holds the stand-ins' network and those of 7 VPCs
_GUARD = 17017
_FIRST, _LAST = 10, 60  # in a subnet: below are AWS's own and the node's, above are the pods'


class Plan:
    """The addresses, kept in a file of the run's folder."""

    def __init__(self, folder: Path) -> None:
        """Take the block of the time before, or a free one. Raises RehearsalError when none is free."""
        self._file = folder / "addresses.json"
        self._given: dict[str, object] = json.loads(self._file.read_text()) if self._file.exists() else {}
        preferred = (
            self._given.get("block") or _LOW + zlib.crc32(os.fsencode(folder)) % ((_HIGH - _LOW) // _BLOCK) * _BLOCK
        )
        blocks = [int(str(preferred)), *range(_LOW, _HIGH, _BLOCK)]
        for block in blocks:
            try:
                self._guard = socket.create_server((f"127.{block}.0.1", _GUARD))
            except OSError:
                continue
            self.block = block
            break
        else:
            raise RehearsalError("no loopback network is free: stop another live rehearsal (make live-stop)")
        if self._given.get("block") not in (None, self.block):
            self._given = {}
        self._given["block"] = self.block
        self._keep()

    def stand_in(self, number: int) -> str:
        """The address on this machine of what belongs to no VPC."""
        return f"127.{self.block}.0.{number}"

    def loopback(self, vpc: str, cidr: str) -> Loopback:
        """The image of a VPC (its id)."""
        numbers = [value for key, value in self._given.items() if key.startswith("vpc ")]
        free = next(n for n in range(self.block + 1, self.block + _BLOCK) if n not in numbers)
        return Loopback.of(cidr, int(str(self._kept(f"vpc {vpc}", free))))

    def address(self, owner: str, cidr: str) -> str:
        """An address in a subnet's block for what stands there (its ARN)."""
        start = ".".join(cidr.split("/", maxsplit=1)[0].split(".")[:3])
        used = set(self._given.values())
        free = next(f"{start}.{n}" for n in range(_FIRST, _LAST) if f"{start}.{n}" not in used)
        return str(self._kept(f"address {owner} in {cidr}", free))

    def close(self) -> None:
        """Give the block back."""
        self._guard.close()

    def _kept(self, key: str, fresh: object) -> object:
        if key not in self._given:
            self._given[key] = fresh
            self._keep()
        return self._given[key]

    def _keep(self) -> None:
        fresh = self._file.with_suffix(".new")
        fresh.write_text(json.dumps(self._given, indent=1))
        fresh.rename(self._file)
