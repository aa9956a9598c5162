"""Which caches does the world declare, and do they run? A server per replication group, behind its primary endpoint."""

import asyncio
import secrets
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.live.part import Ground, Place, Serving, placed
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.stand_ins.cache.endpoint import CacheEndpoint, Group
from rehearsal.live.stand_ins.cache.server import CacheServer
from rehearsal.live.stand_ins.judge import Judge
from rehearsal.live.view import View
from rehearsal.world import Row

_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
_USER, _USERS = "aws:elasticache/user:User", "aws:elasticache/userGroup:UserGroup"
_SUBNETS = "aws:elasticache/subnetGroup:SubnetGroup"


class Caches:
    """ElastiCache."""

    def __init__(self, ground: Ground, judge: Judge) -> None:
        self._ground, self._judge = ground, judge
        self._view = View()
        self._servers: dict[str, CacheServer] = {}
        self._listening: dict[str, CacheEndpoint] = {}
        self._serving = Serving(ground.say)
        self._password = secrets.token_hex(16)

    async def settle(self, view: View) -> None:
        """Bring servers and endpoints into line."""
        self._view = view
        groups = {row.outputs["arn"]: row for row in view.all(_GROUP)}
        for arn in set(self._servers) - set(groups):
            await self._serving.end(arn)
            self._listening.pop(arn, None)
            await asyncio.to_thread(self._servers.pop(arn).remove)
        for arn, row in groups.items():
            if arn not in self._servers:
                await self._start(arn, row)

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """The primary endpoint of every group; the reader endpoint leads to the same server."""
        found = []
        for row in view.all(_GROUP):
            if (place := self._place(row, view)) is not None:
                names = (row.outputs["primaryEndpointAddress"], row.outputs["readerEndpointAddress"])
                port = int(row.outputs["port"])
                endpoint = Endpoint(tuple(name for name in names if name), place.address, port, (place.local, port))
                found.append((place.vpc, endpoint))
        return found

    def server(self, name: str) -> tuple[CacheServer, CacheEndpoint]:
        """Server and endpoint of a group. Raises RehearsalError when there is none."""
        row = self._view.find(_GROUP, replicationGroupId=name)
        if row is None or row.outputs["arn"] not in self._servers:
            raise RehearsalError(f"there is no cache {name}")
        return self._servers[row.outputs["arn"]], self._listening[row.outputs["arn"]]

    def users(self, row: Row) -> dict[str, str]:
        """Access strings by user name, of the group's user groups."""
        ids = {
            user
            for group in self._view.all(_USERS)
            if group.outputs["userGroupId"] in (row.outputs.get("userGroupIds") or [])
            for user in group.outputs.get("userIds") or []
        }
        return {
            user.outputs["userName"]: user.outputs["accessString"]
            for user in self._view.all(_USER)
            if user.outputs["userId"] in ids
        }

    async def close(self) -> None:
        """Stop every listener and server."""
        await self._serving.end_all()
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in self._servers.values()))

    async def _start(self, arn: str, row: Row) -> None:
        place = self._place(row, self._view)
        if place is None:
            return
        # A socket's path has 107 characters at most.
        server = CacheServer(self._ground.folder / "cache" / Path(row.id).name[-20:], self._password)
        try:
            await asyncio.to_thread(server.stop)  # one of a region before this has another password
            await asyncio.to_thread(server.start, self.users(row))
        except RehearsalError as error:
            self._ground.say(f"cache {row.id}: {error}")
            return
        self._servers[arn] = server
        endpoint = CacheEndpoint(
            lambda: self._declared(arn), self._judge, lambda: server.socket, self._password, self._ground.say
        )
        self._listening[arn] = endpoint
        tls = self._ground.authority.server(row.outputs["primaryEndpointAddress"], row.outputs["readerEndpointAddress"])
        self._serving.begin(arn, endpoint.serve(place.local, int(row.outputs["port"]), tls))
        self._ground.say(f"cache {row.id} answers")

    def _declared(self, arn: str) -> Group:
        row = self._view.find(_GROUP, arn=arn)
        users = frozenset(self.users(row)) if row else frozenset()
        return Group(arn.rpartition(":")[2], arn.rpartition(":replicationgroup:")[0], users)

    def _place(self, row: Row, view: View) -> Place | None:
        group = view.find(_SUBNETS, name=row.outputs.get("subnetGroupName"))
        return placed(self._ground, view, row.outputs["arn"], group.outputs["subnetIds"] if group else [])
