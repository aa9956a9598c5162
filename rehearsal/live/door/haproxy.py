"""How does HAProxy take a new configuration without losing a request? A new process takes the sockets over."""

import asyncio
import contextlib
import os
import shutil
from pathlib import Path

from rehearsal.cluster import processes
from rehearsal.errors import RehearsalError

_NAME = "haproxy"
_PATIENCE = 10.0


class HAProxy:
    """One HAProxy below a folder; earlier processes end when their last request has."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.socket, self.state = folder / "haproxy.sock", folder / "servers.state"
        self._configuration = ""

    async def take(self, configuration: str) -> bool:
        """Serve with this configuration; False when it is the present one. Raises RehearsalError in HAProxy's words."""
        running = processes.alive(_NAME, self._folder)
        if configuration == self._configuration and running:
            return False
        program = shutil.which("haproxy") or shutil.which("haproxy", path="/usr/sbin")
        if program is None:
            raise RehearsalError("the front door needs: apt-get install --no-install-recommends haproxy")
        self._folder.mkdir(parents=True, exist_ok=True)
        file = self._folder / "haproxy.cfg"
        file.write_text(configuration)
        check = await asyncio.create_subprocess_exec(
            program, "-c", "-f", str(file), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        said, _ = await check.communicate()
        if check.returncode:
            raise RehearsalError(f"haproxy refuses {file}: {said.decode(errors='replace')[-1500:]}")
        takeover: list[str] = []
        if running:
            # The new process begins with what the old one knows of its servers' health.
            self.state.write_text(await self.tell("show servers state"))
            takeover = ["-x", str(self.socket), "-sf", str(running)]
        else:
            self.state.write_text("")
            self.socket.unlink(missing_ok=True)
        processes.spawn(_NAME, [program, "-db", "-f", str(file), *takeover], self._folder)
        await self._answers()
        self._configuration = configuration
        return True

    async def tell(self, *commands: str) -> str:
        """What the runtime interface answers. Raises OSError when it does not."""
        reader, writer = await asyncio.open_unix_connection(str(self.socket))
        try:
            writer.write((";".join(commands) + "\n").encode())
            await writer.drain()
            return (await reader.read()).decode()
        finally:
            writer.close()

    async def healthy(self) -> set[tuple[str, str]]:
        """(backend, server) of every server whose checks pass."""
        rows = [line.split(",") for line in (await self.tell("show stat")).splitlines() if line and line[0] != "#"]
        return {(row[0], row[1]) for row in rows if row[17].startswith("UP")}

    def stop(self) -> None:
        """End the present process."""
        processes.stop(_NAME, self._folder, 5.0)

    async def _answers(self) -> None:
        """Until the new process answers: until then commands would reach the one before it."""
        pid = processes.alive(_NAME, self._folder)
        async with asyncio.timeout(_PATIENCE):
            while True:
                with contextlib.suppress(OSError):
                    if f"Pid: {pid}\n" in await self.tell("show info"):
                        return
                if not pid or not os.path.exists(f"/proc/{pid}"):  # noqa: PTH110, ASYNC240
                    raise RehearsalError(f"haproxy ends: {processes.tail(_NAME, self._folder)}")
                await asyncio.sleep(0.05)
