"""What is the service called on the internet? A zone for its name, and the delegation of the names below it.

Every environment owns its zone. Whoever serves the name above it is told the zone's name servers (an output); where
that is another of our accounts, its settings hold them: no account looks into another one's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.shape import ZoneShape
from infra.foundation import protection
from infra.foundation.environment import Environment

DELEGATION_TTL_SECONDS = 3600


@dataclass(frozen=True)
class ZoneArgs:
    """domain: the service's name."""

    environment: Environment
    shape: ZoneShape
    domain: str


class Zone(pulumi.ComponentResource):
    """The zone and the name servers that the name above it must lead to."""

    id: pulumi.Output[str]
    name_servers: pulumi.Output[Sequence[str]]

    def __init__(self, name: str, args: ZoneArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Zone", name, None, opts)
        zone = aws.route53.Zone(
            name,
            name=args.domain,
            comment=f"{args.environment.prefix}: the service's name",
            enable_accelerated_recovery=True,
            force_destroy=protection.discard_contents(args.environment),
            opts=protection.stateful(args.environment, self),
        )
        self.id, self.name_servers = zone.zone_id, zone.name_servers
        for domain, servers in args.shape.delegations.items():
            aws.route53.Record(
                f"{name}-{domain}",
                zone_id=zone.zone_id,
                name=domain,
                type="NS",
                ttl=DELEGATION_TTL_SECONDS,
                records=list(servers),
                opts=pulumi.ResourceOptions(parent=self),
            )
        self.register_outputs({"nameServers": self.name_servers})
