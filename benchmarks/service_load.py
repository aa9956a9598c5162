"""How are requests made that cost less than what they measure? A keep-alive client on raw sockets, one core at most."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

PATIENCE = 15.0  # seconds an answer may take
Next = Callable[[random.Random], tuple[str, bytes]]


@dataclass
class Outcome:
    """What came back, by kind of request and status; latencies in seconds."""

    seconds: float = 0
    statuses: Counter[str] = field(default_factory=Counter)
    latencies: dict[str, list[float]] = field(default_factory=dict)
    failures: Counter[str] = field(default_factory=Counter)
    failed_at: list[float] = field(default_factory=list)

    @property
    def answered(self) -> int:
        return sum(self.statuses.values())

    def percentile(self, share: float, kind: str | None = None) -> float:
        """Milliseconds below which this share of the answers came."""
        values = sorted(v for k, vs in self.latencies.items() if kind in (None, k) for v in vs)
        return values[min(len(values) - 1, int(len(values) * share))] * 1000 if values else 0.0


class Connection(asyncio.Protocol):
    """One connection that always has one request under way."""

    def __init__(self, load: "Load", seed: int) -> None:
        self.load, self.dice, self.buffer = load, random.Random(seed), b""  # noqa: S311
        self.transport: asyncio.Transport | None = None
        self.kind, self.sent_at, self.waiting = "", 0.0, False
        self.closed = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's are not instances of it
        self.send()

    def send(self) -> None:
        assert self.transport is not None
        if self.load.over():
            self.transport.close()
            return
        self.kind, request = self.load.next(self.dice)
        self.sent_at, self.waiting = time.perf_counter(), True
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        at = head.find(b"content-length: ")
        length = int(head[at + 16 : at + 28].split(b"\r", 1)[0]) if at >= 0 else 0
        if len(self.buffer) < end + 4 + length:
            return
        self.buffer, self.waiting = b"", False
        outcome = self.load.outcome
        outcome.statuses[head[9:12].decode()] += 1
        if head[9:10] == b"5":
            outcome.failed_at.append(time.perf_counter())
        outcome.latencies.setdefault(self.kind, []).append(time.perf_counter() - self.sent_at)
        assert self.transport is not None
        if b"connection: close" in head:
            self.transport.close()
        else:
            self.send()

    def connection_lost(self, _: Exception | None) -> None:
        if self.waiting:
            self.load.outcome.failures["connection lost with a request under way"] += 1
            self.load.outcome.failed_at.append(time.perf_counter())
        self.closed.set()


class Load:
    """Keeps `connections` busy for `seconds`; `address` is asked before every connection, so a client can move away."""

    def __init__(self, address: Callable[[], tuple[str, int]], next_request: Next, connections: int) -> None:
        self.address, self.next, self.connections = address, next_request, connections
        self.outcome, self.until = Outcome(), 0.0
        self.stopped = False

    def over(self) -> bool:
        return self.stopped or time.perf_counter() >= self.until

    async def run(self, seconds: float) -> Outcome:
        started = time.perf_counter()
        self.until = started + seconds
        tasks = [asyncio.create_task(self._keep(number)) for number in range(self.connections)]
        _, late = await asyncio.wait(tasks, timeout=seconds + PATIENCE)
        for task in late:
            self.outcome.failures[f"no answer for {PATIENCE:.0f} seconds"] += 1
            task.cancel()
        self.outcome.seconds = time.perf_counter() - started
        return self.outcome

    async def _keep(self, number: int) -> None:
        loop, turn = asyncio.get_running_loop(), 0
        while not self.over():
            turn += 1
            connection = Connection(self, number * 1000 + turn)
            try:
                await loop.create_connection(lambda made=connection: made, *self.address())  # type: ignore[misc]
            except OSError:
                self.outcome.failures["connection refused"] += 1
                self.outcome.failed_at.append(time.perf_counter())
                await asyncio.sleep(0.02)
                continue
            await connection.closed.wait()


def request(method: str, path: str, token: str = "", body: bytes = b"") -> bytes:
    """The bytes of one request."""
    lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1"]
    if token:
        lines.append(f"authorization: Bearer {token}")
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body
