"""How does a pod get a network of its own without root? Sockets made inside its namespace, served from outside.

The container begins with an empty network: 0.0.0.0 and every port are its own. Outward, each way that its policies
allow is listened for inside, at the real address, and passed on; what is not allowed is refused, for nobody listens.
Inward, whoever connects to the pod's address on this machine reaches the same port inside, from the source's address.
"""

import array
import asyncio
import contextlib
import json
import socket
import sys
from collections.abc import Callable, Coroutine, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Destination = Callable[[], tuple[str, int] | None]
"""Where a way leads at this moment; None when nothing answers there."""
Admits = Callable[[str, int], str | None]
"""The source (an address inside) that a caller from this address of the machine has, for a port; None: refused."""

_CHUNK = 65536
_SPARE = 8


@dataclass(frozen=True)
class Way:
    """One address and port that the pod may connect to."""

    address: str
    port: int
    to: Destination = field(compare=False)


class PodNetwork:
    """The network of one pod, from the moment its first process exists."""

    def __init__(self, pid: int, address: str, local: str, admits: Admits) -> None:
        """`address` is the pod's own inside, `local` its image on this machine's loopback."""
        self._pid, self._address, self._local, self._admits = pid, address, local, admits
        self._ways: dict[Way, asyncio.Server] = {}
        self._inward: list[asyncio.Server] = []
        self._spare: dict[str, list[socket.socket]] = {}
        self._addresses: set[str] = set()
        self._lock, self._changing = asyncio.Lock(), asyncio.Lock()
        self._streams: set[asyncio.Task[None]] = set()

    async def open(self, ways: Iterable[Way], ports: Iterable[int]) -> None:
        """Returns when everything is listened for. Raises OSError."""
        self._channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._channel.setblocking(False)
        script = Path(__file__).with_name("join.py")
        self._helper = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-I", "-S", str(script), str(theirs.fileno()), str(self._pid)),
            pass_fds=(theirs.fileno(),),
            stdin=asyncio.subprocess.DEVNULL,
            start_new_session=True,
        )
        theirs.close()
        await self._ask(addresses=[self._address])
        await self.allow(ways)
        for port in ports:
            serve = self._serving(port)
            self._inward.append(await asyncio.start_server(serve, self._local, port, backlog=200))

    async def allow(self, ways: Iterable[Way]) -> None:
        """From now on these ways and no others; connections under way are left alone."""
        wanted = set(ways)
        async with self._changing:
            for way in set(self._ways) - wanted:
                self._ways.pop(way).close()
            fresh = sorted(wanted - set(self._ways), key=lambda way: (way.address, way.port))
            if not fresh:
                return
            addresses = sorted({way.address for way in fresh} - self._addresses)
            listeners = await self._ask(addresses=addresses, listen=[[way.address, way.port] for way in fresh])
            self._addresses.update(addresses)
            for way, listener in zip(fresh, listeners, strict=True):
                self._ways[way] = await asyncio.start_server(self._leading(way.to), sock=listener)

    async def dial(self, port: int, source: str | None = None) -> socket.socket:
        """A connection to a port of the pod, from an address inside its network. Raises OSError."""
        key = source or ""
        if not self._spare.get(key):
            if source is not None and source not in self._addresses:
                await self._ask(addresses=[source])
                self._addresses.add(source)
            self._spare[key] = await self._ask(dial=[source] * _SPARE)
        dialling = self._spare[key].pop()
        try:
            await asyncio.get_running_loop().sock_connect(dialling, (self._address if source else "127.0.0.1", port))
        except BaseException:
            dialling.close()
            raise
        return dialling

    async def close(self) -> None:
        """Nothing is listened for any more; connections end."""
        for server in (*self._ways.values(), *self._inward):
            server.close()
        for stream in self._streams:
            stream.cancel()
        for sockets in self._spare.values():
            for one in sockets:
                one.close()
        if hasattr(self, "_helper"):
            self._channel.close()
            await self._helper.wait()

    async def _ask(self, **request: object) -> list[socket.socket]:
        loop = asyncio.get_running_loop()
        async with self._lock:
            await loop.sock_sendall(self._channel, json.dumps(request).encode())
            readable = loop.create_future()
            loop.add_reader(self._channel, _done, readable)
            try:
                await readable
            finally:
                loop.remove_reader(self._channel)
            size = socket.CMSG_SPACE(4 * 253)  # SCM_MAX_FD
            data, rights, _, _ = self._channel.recvmsg(1 << 16, size)
        if not data:
            raise OSError("the pod's network has ended")
        numbers = array.array("i")
        for _, _, content in rights:
            numbers.frombytes(content)
        sockets = [socket.socket(fileno=number) for number in numbers]
        if error := json.loads(data).get("error"):
            raise OSError(error)
        return sockets

    def _leading(self, to: Destination) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        async def pass_on(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            place = to()
            try:
                if place is None:
                    raise ConnectionRefusedError
                back = await asyncio.open_connection(*place)
            except OSError:
                writer.transport.abort()  # a reset, as near as it gets to "connection refused"
                return
            await both(reader, writer, *back)

        return self._kept(pass_on)

    def _serving(self, port: int) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        async def pass_in(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            source = self._admits(writer.get_extra_info("peername")[0], port)
            try:
                if source is None:
                    raise ConnectionRefusedError
                back = await asyncio.open_connection(sock=await self.dial(port, source))
            except OSError:
                writer.transport.abort()
                return
            await both(reader, writer, *back)

        return self._kept(pass_in)

    def _kept(
        self, serve: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Coroutine[Any, Any, None]]
    ) -> Callable[[asyncio.StreamReader, asyncio.StreamWriter], None]:
        def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(serve(reader, writer))
            self._streams.add(task)
            task.add_done_callback(self._streams.discard)

        return begin


def _done(waited: "asyncio.Future[None]") -> None:
    if not waited.done():
        waited.set_result(None)


async def both(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    back_reader: asyncio.StreamReader,
    back_writer: asyncio.StreamWriter,
) -> None:
    """Pass bytes both ways until both ends have said that they are done."""
    try:
        await asyncio.gather(pipe(reader, back_writer), pipe(back_reader, writer))
    finally:
        for one in (writer, back_writer):
            one.close()


async def pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass bytes one way; the end is passed on, a reset too."""
    try:
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.transport.abort()
        return
    with contextlib.suppress(OSError):
        if writer.can_write_eof():
            writer.write_eof()
