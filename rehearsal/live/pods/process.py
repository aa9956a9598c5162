"""How does one run of a container begin, end and get measured? The process behind a sandbox."""

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from rehearsal.live.pods.sandbox import BLOCK, STATUS, inside

_LEAST_SECONDS = 2.0  # that a kubelet leaves between SIGTERM and SIGKILL, however long preStop took


class ContainerProcess:
    """One run of one container."""

    def __init__(self) -> None:
        self.pid = 0  # of the container's first process, as this machine sees it
        self.started = 0.0
        self.peak = 0  # bytes
        self.killed = ""  # why the agent ended it, as a container's state names reasons
        self._bubblewrap: asyncio.subprocess.Process | None = None
        self._status: asyncio.StreamReader | None = None
        self._go = -1

    async def start(self, line: Sequence[str], log: Path) -> None:
        """Make the sandbox; the container's command waits for `proceed`. Raises OSError with bubblewrap's words."""
        read, write = os.pipe()
        blocked, self._go = os.pipe()
        with log.open("ab") as output:
            numbers = {STATUS: str(write), BLOCK: str(blocked)}
            self._bubblewrap = await asyncio.create_subprocess_exec(
                *(numbers.get(word, word) for word in line),
                pass_fds=(write, blocked),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        os.close(write)
        os.close(blocked)
        self.started = time.monotonic()
        # Kept open: bubblewrap writes the exit code there and dies of SIGPIPE when nobody listens.
        self._status = asyncio.StreamReader()
        protocol = asyncio.StreamReaderProtocol(self._status)
        await asyncio.get_running_loop().connect_read_pipe(lambda: protocol, os.fdopen(read, "rb"))
        told = await self._status.readline()
        if not told:
            await self._bubblewrap.wait()
            said = await asyncio.to_thread(log.read_text, errors="replace")
            raise OSError(said[-500:].strip() or "bubblewrap ended without a word")
        self.pid = json.loads(told)["child-pid"]

    def proceed(self) -> None:
        """The network stands: the container's command may begin."""
        if self._go >= 0:
            with contextlib.suppress(BrokenPipeError):  # it is over already
                os.write(self._go, b"x")
            os.close(self._go)
            self._go = -1

    async def wait(self) -> int:
        """The exit code, as a container's: 128 and the signal's number when one ended it."""
        assert self._bubblewrap is not None  # noqa: S101
        code = await self._bubblewrap.wait()
        return code if code >= 0 else 128 - code

    @property
    def ended(self) -> bool:
        """Is it over?"""
        return self._bubblewrap is None or self._bubblewrap.returncode is not None

    def signal(self, number: int) -> None:
        """To the container's first process: bubblewrap passes nothing on."""
        if self.pid and not self.ended:
            try:
                os.kill(self.pid, number)
            except ProcessLookupError:
                return

    async def stop(self, grace: float, pause: float) -> None:
        """As a kubelet does: preStop (a pause), SIGTERM, and SIGKILL when the grace, which counts both, is over."""
        begun = time.monotonic()
        ending = asyncio.ensure_future(self.wait())
        if pause:
            await asyncio.wait([ending], timeout=min(pause, grace))
        if not ending.done():
            self.signal(signal.SIGTERM)
            self.proceed()
            left = max(grace - (time.monotonic() - begun), _LEAST_SECONDS)
            await asyncio.wait([ending], timeout=left)
        if not ending.done():
            self.killed = self.killed or "Error"
            self.signal(signal.SIGKILL)
        await ending

    def kill(self, reason: str) -> None:
        """End it at once; `reason` is what the container's state will say."""
        self.killed = reason
        self.signal(signal.SIGKILL)
        self.proceed()

    def memory(self) -> int:
        """Bytes that its processes hold now: what a control group would count, without page cache."""
        total = 0
        for pid in _descendants(self.pid):
            try:
                rows = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            except OSError:  # gone meanwhile
                continue
            named = dict(row.split(":", 1) for row in rows[1:])
            total += sum(int(named[kind].split()[0]) * 1024 for kind in ("Private_Dirty", "Shared_Dirty"))
        self.peak = max(self.peak, total)
        return total

    async def run_inside(self, words: Sequence[str], environment: Mapping[str, str], seconds: float) -> tuple[int, str]:
        """Exit code (-1: not in time) and last words of a command in the container."""
        process = await asyncio.create_subprocess_exec(
            *inside(self.pid, words),
            env=dict(environment),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            said, _ = await asyncio.wait_for(process.communicate(), seconds)
        except TimeoutError:
            process.kill()
            await process.wait()
            return -1, f"did not answer within {seconds:g} s"
        return process.returncode or 0, said.decode(errors="replace")[-200:].strip()


def _descendants(pid: int) -> list[int]:
    found, waiting = [], [pid]
    while waiting:
        at = waiting.pop()
        found.append(at)
        try:
            for task in os.listdir(f"/proc/{at}/task"):  # noqa: PTH208
                waiting += map(int, Path(f"/proc/{at}/task/{task}/children").read_text().split())
        except OSError:
            continue
    return found
