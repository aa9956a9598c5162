"""How does ElastiCache let somebody in? TLS, then AUTH (alone or in HELLO) with an IAM token; the rest are bytes.

ElastiCache user guide, "Authenticating with IAM". The token must be for this group and user, the caller allowed to
connect to both, the user in the group's user group. Behind it a Valkey or Redis holds the user's access string.
"""

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rehearsal.live.network.pod_network import pipe
from rehearsal.live.stand_ins.judge import Denied, Judge

Command = list[bytes]


@dataclass(frozen=True)
class Group:
    """One replication group as it is declared: names of users with IAM, and the group's id and ARN prefix."""

    name: str
    prefix: str  # arn:aws:elasticache:REGION:ACCOUNT
    users: frozenset[str]


class CacheEndpoint:
    """The primary endpoint of a group; `backend` is the server's socket, `password` its users' local one."""

    def __init__(
        self,
        look: Callable[[], Group],
        judge: Judge,
        backend: Callable[[], Path],
        password: str,
        say: Callable[[str], None],
    ) -> None:
        self._look, self._judge, self._backend, self._password, self._say = look, judge, backend, password, say
        self._clients: set[asyncio.Task[None]] = set()

    async def serve(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        """Accept until cancelled."""
        async with await asyncio.start_server(self._begin, address, port, ssl=tls) as server:
            try:
                await server.serve_forever()
            finally:
                self.drop()

    def drop(self) -> None:
        """End every connection, as a failover does."""
        for task in self._clients:
            task.cancel()

    def _begin(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._client(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            back_reader, back_writer = await asyncio.open_unix_connection(str(self._backend()))
        except OSError as error:
            self._say(f"cache {self._look().name}: the server does not answer: {error}")
            writer.close()
            return
        down = asyncio.create_task(pipe(back_reader, writer))
        try:
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                while not await self._admitted(await decode(reader), writer, back_writer):
                    pass
                await asyncio.gather(pipe(reader, back_writer), down)
        finally:
            down.cancel()
            back_writer.close()
            writer.close()

    async def _admitted(self, command: Command, writer: asyncio.StreamWriter, back: asyncio.StreamWriter) -> bool:
        """Pass one command on, with the local password in a token's place; True when it was a good AUTH."""
        words = [part.upper() for part in command]
        at = words.index(b"AUTH") if b"AUTH" in words[:3] else -1
        good = False
        if at >= 0:
            user = command[at + 1].decode() if len(command) > at + 2 else "default"
            token = command[at + 2] if len(command) > at + 2 else command[-1]
            try:
                self._check(user, token.decode())
            except Denied as denied:
                self._say(f"cache {self._look().name}: {user} refused: {denied}")
                writer.write(b"-WRONGPASS invalid username-password pair or user is disabled.\r\n")
                await writer.drain()
                return False
            command[at + 2] = self._password.encode()
            good = True
        back.write(encode(command))
        await back.drain()
        return good

    def _check(self, user: str, token: str) -> None:
        group = self._look()
        caller, asked = self._judge.connection(token, "elasticache")
        named = token.partition("/")[0]
        if named != group.name or asked.get("User") != user or asked.get("Action") != "connect":
            raise Denied(f"the token is for user {asked.get('User')} of {named}")
        if user not in group.users:
            raise Denied(f"{user} is not in the group's user group")
        for resource in (f"{group.prefix}:replicationgroup:{group.name}", f"{group.prefix}:user:{user}"):
            self._judge.check(caller, "elasticache:Connect", resource)


def encode(command: Command) -> bytes:
    """A command as RESP."""
    return b"*%d\r\n" % len(command) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in command)


async def decode(reader: asyncio.StreamReader) -> Command:
    """The next command. Raises IncompleteReadError at the end."""
    line = await reader.readuntil(b"\r\n")
    if not line.startswith(b"*"):
        return line.split()
    parts = []
    for _ in range(int(line[1:])):
        size = int((await reader.readuntil(b"\r\n"))[1:])
        parts.append((await reader.readexactly(size + 2))[:-2])
    return parts
