"""Which databases and proxies does the world declare, and do they run? A server per instance, a listener per proxy."""

import asyncio
import secrets
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.live.part import Ground, Serving, placed
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.stand_ins.database.proxy import DatabaseProxy, Proxy
from rehearsal.live.stand_ins.database.server import DatabaseServer
from rehearsal.live.stand_ins.judge import Judge
from rehearsal.live.stand_ins.secret_values import SecretValues
from rehearsal.live.view import View
from rehearsal.world import Row

_INSTANCE, _PROXY, _TARGET = "aws:rds/instance:Instance", "aws:rds/proxy:Proxy", "aws:rds/proxyTarget:ProxyTarget"
_PARAMETERS = "aws:rds/parameterGroup:ParameterGroup"
_PORT = 3306
_GIB = {"micro": 1, "small": 2, "medium": 4, "large": 8}


class Databases:
    """RDS."""

    def __init__(self, ground: Ground, judge: Judge, values: SecretValues) -> None:
        self._ground, self._judge, self._values = ground, judge, values
        self._view = View()
        self._servers: dict[str, DatabaseServer] = {}  # by the instance's ARN
        self._proxies: dict[str, DatabaseProxy] = {}  # by the proxy's ARN
        self._serving = Serving(ground.say)
        self._key = _kept_key(ground.folder / "databases.key")

    async def settle(self, view: View) -> None:
        """Servers first: a proxy without one refuses."""
        self._view = view
        instances = {row.outputs["arn"]: row for row in view.all(_INSTANCE)}
        for arn in set(self._servers) - set(instances):
            await asyncio.to_thread(self._servers.pop(arn).remove)
            self._ground.say(f"database {arn.rpartition(':')[2]} is removed")
        for arn, row in instances.items():
            if arn not in self._servers:
                await self._start(arn, row)
        proxies = {row.outputs["arn"]: row for row in view.all(_PROXY)}
        for arn in set(self._proxies) - set(proxies):
            del self._proxies[arn]
            await self._serving.end(arn)
        for arn, row in proxies.items():
            if arn not in self._proxies:
                self._listen(arn, row)

    def endpoints(self, view: View) -> list[tuple[str, Endpoint]]:
        """Every proxy, in the first of its subnets."""
        found = []
        for row in view.all(_PROXY):
            if (place := placed(self._ground, view, row.outputs["arn"], row.outputs["vpcSubnetIds"])) is not None:
                names = (row.outputs["endpoint"],)
                found.append((place.vpc, Endpoint(names, place.address, _PORT, (place.local, _PORT))))
        return found

    def server(self, identifier: str) -> DatabaseServer:
        """The server of an instance. Raises RehearsalError when there is none."""
        row = self._view.find(_INSTANCE, identifier=identifier)
        if row is None or row.outputs["arn"] not in self._servers:
            raise RehearsalError(f"there is no database {identifier}")
        return self._servers[row.outputs["arn"]]

    async def close(self) -> None:
        """Stop every listener and server."""
        await self._serving.end_all()
        await asyncio.gather(*(asyncio.to_thread(one.stop) for one in self._servers.values()))

    async def _start(self, arn: str, row: Row) -> None:
        begun = asyncio.get_running_loop().time()
        server = DatabaseServer(self._ground.folder / "db" / row.outputs["resourceId"][-10:])
        group = self._view.find(_PARAMETERS, name=row.outputs.get("parameterGroupName"))
        parameters = {"max_connections": str(connections(row.outputs["instanceClass"]))}
        parameters |= {
            one["name"]: str(one["value"]) for one in (group.outputs.get("parameters") or [] if group else [])
        }
        try:
            await asyncio.to_thread(server.start, row.outputs.get("dbName"), self._master(row), parameters)
        except RehearsalError as error:
            self._ground.say(f"database {row.id}: {error}")
            return
        self._servers[arn] = server
        self._ground.say(f"database {row.id} answers after {asyncio.get_running_loop().time() - begun:.1f} s")

    def _master(self, row: Row) -> tuple[str, str]:
        """User and password; RDS keeps a managed password in a secret that it makes itself."""
        user = row.outputs["username"]
        managed = row.outputs.get("masterUserSecrets") or []
        if not managed:
            return user, row.inputs.get("password") or secrets.token_urlsafe(20)
        return user, self._values.master(managed[0]["secretArn"], user)

    def _listen(self, arn: str, row: Row) -> None:
        place = placed(self._ground, self._view, arn, row.outputs["vpcSubnetIds"])
        if place is None:
            return
        proxy = DatabaseProxy(
            lambda: self._declared(arn), self._judge, lambda: self._backend(arn), self._key, self._ground.say
        )
        self._proxies[arn] = proxy
        tls = self._ground.authority.server(row.outputs["endpoint"])
        self._serving.begin(arn, proxy.serve(place.local, _PORT, tls))

    def _declared(self, arn: str) -> Proxy:
        row = self._view.find(_PROXY, arn=arn)
        if row is None:
            return Proxy(
                "gone", "", "", "", "", requires_tls=True, iam=False, secrets=frozenset(), target_id=None, master=None
            )
        instance = self._target(row)
        auths = row.outputs.get("auths") or []
        named = frozenset(one["secretArn"] for one in auths if one.get("secretArn"))
        master = None
        if instance is not None:
            managed = (instance.outputs.get("masterUserSecrets") or [{}])[0].get("secretArn")
            if managed in named:
                master = (*self._master(instance), managed)
        iam = row.outputs.get("defaultAuthScheme") == "IAM_AUTH" or any(
            one.get("iamAuth") == "REQUIRED" for one in auths
        )
        _, _, _, region, account, _, resource = arn.split(":")
        return Proxy(
            name=row.outputs["name"],
            account=account,
            region=region,
            resource_id=resource,
            role=row.outputs["roleArn"],
            requires_tls=bool(row.outputs.get("requireTls")),
            iam=iam,
            secrets=named,
            target_id=instance.outputs["resourceId"] if instance else None,
            master=master,
        )

    def _target(self, proxy: Row) -> Row | None:
        target = self._view.find(_TARGET, dbProxyName=proxy.outputs["name"], region=proxy.outputs["region"])
        if target is None:
            return None
        return self._view.find(
            _INSTANCE, identifier=target.outputs.get("dbInstanceIdentifier"), region=proxy.outputs["region"]
        )

    def _backend(self, arn: str) -> Path | None:
        row = self._view.find(_PROXY, arn=arn)
        instance = self._target(row) if row else None
        server = self._servers.get(instance.outputs["arn"]) if instance else None
        return server.socket if server else None


def connections(instance_class: str) -> int:
    """How many connections RDS lets an instance have by default: its memory in bytes by 12,582,880.

    RDS user guide, "Maximum number of database connections" (MySQL); memory by class as "DB instance classes" lists it.
    """
    _, family, size = instance_class.split(".")
    gib = _GIB.get(size) or int(size.removesuffix("xlarge") or 1) * 16
    return gib * (2 if family[0] in "rx" else 1) * 2**30 // 12_582_880


def _kept_key(file: Path) -> bytes:
    """What derives local passwords must outlive a restart over the same data."""
    if not file.exists():
        file.touch(mode=0o600)
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()
