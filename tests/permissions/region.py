"""What answers a pod of a graph? AWS's endpoints, the database proxy and the cache, under their own names."""

import asyncio
import contextlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from rehearsal.live.stand_ins.authority import Authority
from rehearsal.live.stand_ins.cache.endpoint import CacheEndpoint, Group
from rehearsal.live.stand_ins.cache.server import CacheServer
from rehearsal.live.stand_ins.database.proxy import DatabaseProxy, Proxy
from rehearsal.live.stand_ins.database.server import DatabaseServer
from tests.permissions.endpoints import MASTER, Endpoints
from tests.permissions.pods import Container
from tests.service.servers import free_port

CONNECTIONS = "1000"  # of the database: an instance class of the estate has as many


class Region(Endpoints):
    """The stand-ins of one graph, below a folder; `hosts` leads from AWS's names and ports to this machine's."""

    def __init__(self, rows: Sequence[Mapping[str, Any]], folder: Path) -> None:
        super().__init__(rows)
        self.folder = folder
        self.authority = Authority(folder / "authority")
        self.hosts: dict[str, int] = {}
        self._database = DatabaseServer(folder / "database")
        self._password = secrets.token_hex(16)
        self._cache = CacheServer(folder / "cache", self._password)

    @contextlib.contextmanager
    def around(self, container: Container) -> Iterator[None]:
        """Everything that this container's settings name is there while the block runs."""
        region, user = self.account.region, self.one("aws:elasticache/user:User")
        names = [f"*.{region}.amazonaws.com", f"*.s3.{region}.amazonaws.com", "*.s3.amazonaws.com"]
        with self.running(self.authority.server(*names)):
            self.hosts |= {f"{name}:443": self.port for name in names}
            try:
                self._database.start(None, (MASTER["username"], MASTER["password"]), {"max_connections": CONNECTIONS})
                self._cache.start({user["userName"]: user["accessString"]}, 64)
                settings = container.environment
                tasks = [
                    self._listen(settings["TECNOCURSOS_DATABASE__URL"], self._database_proxy()),
                    self._listen(settings["TECNOCURSOS_CACHE__URL"], self._cache_endpoint()),
                ]
                yield
                for task in tasks:
                    self.do(_ended(task))
            finally:
                self._cache.stop()
                self._database.stop()

    @property
    def socket(self) -> str:
        """Of the database server, for its root."""
        return str(self._database.socket)

    def _listen(self, url: str, stand_in: DatabaseProxy | CacheEndpoint) -> "asyncio.Task[None]":
        parts, port = urlsplit(url), free_port()
        assert parts.hostname and parts.port
        self.hosts[f"{parts.hostname}:{parts.port}"] = port
        tls = self.authority.server(parts.hostname)

        async def begin() -> "asyncio.Task[None]":
            return asyncio.create_task(stand_in.serve("127.0.0.1", port, tls))

        return self.do(begin())

    def _database_proxy(self) -> DatabaseProxy:
        declared, text = self.one("aws:rds/proxy:Proxy"), json.dumps([row["inputs"] for row in self.rows])
        (resource,), (target,) = (set(re.findall(rf"(?<=dbuser:){kind}-\w+", text)) for kind in ("prx", "db"))
        arns = [one["secretArn"] for one in declared["auths"]]
        proxy = Proxy(
            name=declared["name"],
            account=self.account.number,
            region=self.account.region,
            resource_id=resource,
            role=declared["roleArn"],
            requires_tls=declared["requireTls"],
            iam=declared["defaultAuthScheme"] == "IAM_AUTH",
            secrets=frozenset(arns),
            target_id=target,
            master=(MASTER["username"], MASTER["password"], arns[0]),
        )
        place, key = self._database.socket, secrets.token_bytes(32)
        return DatabaseProxy(lambda: proxy, self.judgement, lambda: place, key, self.log.append)

    def _cache_endpoint(self) -> CacheEndpoint:
        name = self.one("aws:elasticache/replicationGroup:ReplicationGroup")["replicationGroupId"]
        users = frozenset({self.one("aws:elasticache/user:User")["userName"]})
        group = Group(name, f"arn:aws:elasticache:{self.account.region}:{self.account.number}", users)
        place = self._cache.socket
        return CacheEndpoint(lambda: group, self.judgement, lambda: place, self._password, self.log.append)


async def _ended(task: "asyncio.Task[None]") -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
