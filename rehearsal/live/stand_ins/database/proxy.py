"""How does RDS Proxy let somebody in? MySQL's handshake over TLS, an IAM token or the master's secret, then bytes.

RDS user guide, "Connecting to a database through RDS Proxy" and "IAM authentication". Behind it stands a MariaDB on a
socket of the file system. Its accounts have passwords that only this proxy can derive: `CREATE USER ... IDENTIFIED WITH
AWSAuthenticationPlugin` is rewritten on the way to such a password, which is all that stands for that plugin.
Not rehearsed: pooling and pinning (every client has a connection of its own), and the time that borrowing may take.
"""

import asyncio
import contextlib
import hashlib
import hmac
import re
import secrets
import socket
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rehearsal.live.network.pod_network import pipe
from rehearsal.live.stand_ins.database import wire
from rehearsal.live.stand_ins.database.wire import Login, RefusedError, Wire
from rehearsal.live.stand_ins.judge import Denied, Judge

_VERSION = "8.4.7"
_QUERY = b"\x03"
_AWS_PLUGIN = re.compile(rb"IDENTIFIED\s+WITH\s+AWSAuthenticationPlugin\s+AS\s+'RDS'", re.IGNORECASE)
_ACCOUNT = re.compile(rb"\s*(?:CREATE|ALTER)\s+USER\s+(?:IF\s+(?:NOT\s+)?EXISTS\s+)?[`']([^`']+)[`']", re.IGNORECASE)
_DENIED, _INSECURE, _UNAVAILABLE = (1045, "28000"), (3159, "HY000"), (9501, "HY000")


@dataclass(frozen=True)
class Proxy:
    """One proxy as it is declared; ids and ARNs are outputs of the world."""

    name: str
    account: str
    region: str
    resource_id: str  # prx-...
    role: str
    requires_tls: bool
    iam: bool
    secrets: frozenset[str]  # ARNs of its auth entries
    target_id: str | None  # db-..., the instance's resource id; None until a target is registered
    master: tuple[str, str, str] | None  # user, password, the secret's ARN; where an auth entry names it


class DatabaseProxy:
    """One listener. `look` tells what is declared now, `backend` the server's socket, `key` derives passwords."""

    def __init__(
        self,
        look: Callable[[], Proxy],
        judge: Judge,
        backend: Callable[[], Path | None],
        key: bytes,
        say: Callable[[str], None],
    ) -> None:
        self._look, self._judge, self._backend, self._key, self._say = look, judge, backend, key, say
        self._clients: set[asyncio.Task[None]] = set()

    async def serve(self, address: str, port: int, tls: ssl.SSLContext) -> None:
        """Accept until cancelled."""
        loop = asyncio.get_running_loop()
        with socket.create_server((address, port), backlog=200) as listener:
            listener.setblocking(False)
            try:
                while True:
                    client, _ = await loop.sock_accept(listener)
                    task = asyncio.create_task(self._client(client, tls))
                    self._clients.add(task)
                    task.add_done_callback(self._clients.discard)
            finally:
                self.drop()

    def drop(self) -> None:
        """End every connection, as a failover does."""
        for task in self._clients:
            task.cancel()

    def password(self, user: str) -> str:
        """The local password of an account that IAM opens."""
        return hmac.new(self._key, user.encode(), hashlib.sha256).hexdigest()

    async def _client(self, client: socket.socket, tls: ssl.SSLContext) -> None:
        loop = asyncio.get_running_loop()
        client.setblocking(False)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        writer: asyncio.StreamWriter | None = None
        try:
            nonce = bytes(byte % 94 + 33 for byte in secrets.token_bytes(20))
            await loop.sock_sendall(client, wire.framed(wire.greeting(nonce, _VERSION), 0))
            # Exactly the request for TLS: the client's first TLS bytes may be right behind it.
            request = await _exactly(loop, client, wire.TLS_REQUEST)
            if not int.from_bytes(request[4:8], "little") & wire.TLS or request[:3] != b"\x20\0\0":
                refused = RefusedError.made(*_INSECURE, "Connections using insecure transport are prohibited", "no TLS")
                self._say(f"database {self._look().name}: refused: {refused}")
                await loop.sock_sendall(client, wire.framed(refused.packet, 2))
                return
            reader = asyncio.StreamReader()
            protocol = asyncio.StreamReaderProtocol(reader)
            transport, _ = await loop.connect_accepted_socket(lambda: protocol, client, ssl=tls)
            writer = asyncio.StreamWriter(transport, protocol, reader, loop)
            await self._log_in(Wire(reader, writer, 2), nonce)
        except (OSError, asyncio.IncompleteReadError) as error:
            self._say(f"database: a connection ended: {error!r}")
        finally:
            (writer or client).close()

    async def _log_in(self, client: Wire, nonce: bytes) -> None:
        login = Login.read(await client.read())
        proxy = self._look()
        try:
            if proxy.target_id is None:
                raise RefusedError.made(*_UNAVAILABLE, "Timed-out waiting to acquire database connection", "no target")
            if proxy.master is not None and login.user == proxy.master[0]:
                password = await self._by_secret(client, proxy, login, nonce)
            else:
                password = await self._by_token(client, proxy, login.user)
            server, accepted = await self._server(login, password)
        except RefusedError as refused:
            self._say(f"database {proxy.name}: {login.user} refused: {refused}")
            client.send(refused.packet)
            await client.writer.drain()
            return
        client.send(accepted)
        try:
            await asyncio.gather(self._upward(client, server), pipe(server.reader, client.writer))
        finally:
            server.writer.close()

    async def _by_secret(self, client: Wire, proxy: Proxy, login: Login, nonce: bytes) -> str:
        assert proxy.master is not None  # noqa: S101
        user, password, arn = proxy.master
        self._own(proxy, "secretsmanager:GetSecretValue", arn, user)
        proof = login.proof
        if login.plugin != wire.SHA2:
            client.send(bytes([wire.SWITCH]) + wire.SHA2 + b"\0" + nonce + b"\0")
            proof = await client.read()
        if not hmac.compare_digest(proof, wire.sha2_proof(password, nonce)):
            raise _denied(user, "the password is wrong")
        client.send(bytes([wire.MORE, 3]))
        return password

    async def _by_token(self, client: Wire, proxy: Proxy, user: str) -> str:
        if not proxy.iam:
            raise _denied(user, "the proxy takes no IAM tokens")
        client.send(bytes([wire.SWITCH]) + wire.CLEAR + b"\0")
        token = (await client.read()).rstrip(b"\0").decode()
        try:
            caller, asked = self._judge.connection(token, "rds-db")
            if asked.get("DBUser") != user or asked.get("Action") != "connect":
                raise Denied(f"the token is for user {asked.get('DBUser')}")
            self._judge.check(caller, "rds-db:connect", self._user(proxy, proxy.resource_id, user))
        except Denied as denied:
            raise _denied(user, str(denied)) from None
        self._own(proxy, "rds-db:connect", self._user(proxy, str(proxy.target_id), user), user)
        return self.password(user)

    def _user(self, proxy: Proxy, owner: str, user: str) -> str:
        return f"arn:aws:rds-db:{proxy.region}:{proxy.account}:dbuser:{owner}/{user}"

    def _own(self, proxy: Proxy, action: str, resource: str, user: str) -> None:
        """The proxy's own role must be allowed too: it is who goes to the instance and to the secret."""
        try:
            self._judge.check(self._judge.role(proxy.role), action, resource)
        except Denied as denied:
            raise _denied(user, f"the proxy's role: {denied}") from None

    async def _server(self, login: Login, password: str) -> tuple[Wire, bytes]:
        place = self._backend()
        if place is None:
            raise RefusedError.made(*_UNAVAILABLE, "Timed-out waiting to acquire database connection", "no server")
        try:
            server = Wire(*await asyncio.open_unix_connection(str(place)))
        except OSError as error:
            text = "Timed-out waiting to acquire database connection"
            raise RefusedError.made(*_UNAVAILABLE, text, f"the instance does not answer: {error}") from error
        nonce, offered = wire.offered(await server.read())
        server.send(login.response(offered, login.user, wire.native_proof(password, nonce)))
        answer = await server.read()
        if answer[0] == wire.SWITCH:
            _, at = wire.text(answer, 1)
            server.send(wire.native_proof(password, answer[at : at + 20]))
            answer = await server.read()
        if answer[0] == wire.ERROR:
            server.writer.close()
            raise RefusedError(answer, answer[9:].decode(errors="replace"))
        return server, answer

    async def _upward(self, client: Wire, server: Wire) -> None:
        with contextlib.suppress(OSError, asyncio.IncompleteReadError):
            while True:
                head = await client.reader.readexactly(4)
                body = await client.reader.readexactly(int.from_bytes(head[:3], "little"))
                if body[:1] == _QUERY and _AWS_PLUGIN.search(body):
                    body = self._mapped(body)
                    head = len(body).to_bytes(3, "little") + head[3:]
                server.writer.write(head + body)
                await server.writer.drain()
        server.writer.close()

    def _mapped(self, body: bytes) -> bytes:
        named = _ACCOUNT.match(body[1:])
        if named is None:
            return body
        secret = self.password(named[1].decode()).encode()
        mapped = _AWS_PLUGIN.sub(b"IDENTIFIED BY '" + secret + b"'", body)
        return mapped.replace(b" REQUIRE SSL", b"")  # TLS ends here, and is required here


def _denied(user: str, reason: str) -> RefusedError:
    """What a client sees, whatever the reason."""
    return RefusedError.made(*_DENIED, f"Access denied for user '{user}'@'rehearsal' (using password: YES)", reason)


async def _exactly(loop: asyncio.AbstractEventLoop, client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = await loop.sock_recv(client, size - len(data))
        if not more:
            raise asyncio.IncompleteReadError(data, size)
        data += more
    return data
