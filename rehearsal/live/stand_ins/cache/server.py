"""Which server stands for a replication group? A Valkey or Redis on a socket, with the users' own access strings."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from rehearsal.cluster import processes
from rehearsal.errors import RehearsalError

_NAME = "cache"


class CacheServer:
    """One group's server below a folder."""

    def __init__(self, folder: Path, password: str) -> None:
        self._folder, self._password = folder, password
        self.socket = folder / "cache.sock"

    def start(self, users: Mapping[str, str], megabytes: int = 200) -> None:
        """Start it where it does not run, with these access strings by user. Raises RehearsalError."""
        program = shutil.which("valkey-server") or shutil.which("redis-server")
        if program is None:
            raise RehearsalError("ElastiCache needs: apt-get install --no-install-recommends redis-server")
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        rules = ["user default off", *(f"user {name} {access} >{self._password}" for name, access in users.items())]
        access = self._folder / "users.acl"
        access.touch(mode=0o600)
        access.write_text("\n".join(rules) + "\n")
        if processes.alive(_NAME, self._folder):
            return
        line = [program, "--port", "0", "--unixsocket", str(self.socket), "--save", "", "--appendonly", "no"]
        line += ["--maxmemory", f"{megabytes}mb", "--aclfile", str(access), "--dir", str(self._folder)]
        processes.spawn(_NAME, line, self._folder)

    def stop(self) -> None:
        """End it; what it held is gone, as with a node."""
        processes.stop(_NAME, self._folder)

    def remove(self) -> None:
        """End it and forget it."""
        self.stop()
        shutil.rmtree(self._folder, ignore_errors=True)
