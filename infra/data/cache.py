"""Where are sessions, rate limits and cached pages kept? ElastiCache for Valkey, one plain client everywhere."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.data.shape import CacheShape
from infra.foundation import names, protection, security_groups, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.security_groups import Rule
from infra.network.network import CACHE_PORT, Network

ENGINE_VERSION = "8.2"
FAMILY = "valkey8"
LOG_KINDS = ("slow-log", "engine-log")


@dataclass(frozen=True)
class CacheArgs:
    """clients: the security group of the pods. access: what the service's user may send, as an ACL rule string."""

    environment: Environment
    shape: CacheShape
    network: Network
    keys: Keys
    clients: pulumi.Input[str]
    alerts: pulumi.Input[str]
    access: str


class Cache(pulumi.ComponentResource):
    """The replication group (cluster mode off) and its only user, who logs in by IAM."""

    identifier: str
    arn: pulumi.Output[str]
    host: pulumi.Output[str]
    user: str
    user_arn: pulumi.Output[str]

    def __init__(self, name: str, args: CacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Cache", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        environment, shape = args.environment, args.shape
        self.identifier = names.resource(environment, name)
        self.user = names.resource(environment, "service")
        user = aws.elasticache.User(
            f"{name}-service",
            engine="valkey",
            # ElastiCache takes an IAM login only where both are the same.
            user_id=self.user,
            user_name=self.user,
            access_string=args.access,
            authentication_mode={"type": "iam"},
            opts=child,
        )
        users = aws.elasticache.UserGroup(
            name, engine="valkey", user_group_id=self.identifier, user_ids=[user.user_id], opts=child
        )
        group = security_groups.create(name, args.network.vpc_id, "The cache", child)
        security_groups.seal(
            name, group, child, ingress=[Rule("pods", "Valkey from the cluster's pods", CACHE_PORT, group=args.clients)]
        )
        subnets = aws.elasticache.SubnetGroup(
            name, description="The data tier", subnet_ids=args.network.data.subnet_ids, opts=child
        )
        parameters = aws.elasticache.ParameterGroup(
            name,
            family=FAMILY,
            description="Only keys that expire are evicted when memory runs out",
            parameters=[{"name": "maxmemory-policy", "value": "volatile-lru"}],
            opts=child,
        )
        logs = [
            aws.cloudwatch.LogGroup(
                f"{name}-{kind}",
                name=f"/aws/elasticache/{self.identifier}/{kind}",
                retention_in_days=args.environment.log_days,
                kms_key_id=args.keys[KeyClass.OPERATIONS].arn,
                opts=child,
            )
            for kind in LOG_KINDS
        ]
        replicated = shape.replicas > 0
        cluster = aws.elasticache.ReplicationGroup(
            name,
            replication_group_id=self.identifier,
            description="Sessions, rate limits, cached pages",
            engine="valkey",
            engine_version=ENGINE_VERSION,
            node_type=shape.node_type,
            cluster_mode="disabled",
            num_cache_clusters=1 + shape.replicas,
            automatic_failover_enabled=replicated,
            multi_az_enabled=replicated,
            port=CACHE_PORT,
            at_rest_encryption_enabled=True,
            kms_key_id=args.keys[KeyClass.TRANSIENT].arn,
            transit_encryption_enabled=True,
            transit_encryption_mode="required",
            user_group_ids=[users.user_group_id],
            subnet_group_name=subnets.name,
            security_group_ids=[group.id],
            parameter_group_name=parameters.name,
            snapshot_retention_limit=shape.snapshot_days,
            snapshot_window="02:00-03:00",
            maintenance_window="sun:06:00-sun:07:00",
            final_snapshot_identifier=protection.final_snapshot(environment, self.identifier),
            auto_minor_version_upgrade=True,
            apply_immediately=not environment.protected,
            notification_topic_arn=args.alerts,
            log_delivery_configurations=[
                {
                    "destination": log.name,
                    "destination_type": "cloudwatch-logs",
                    "log_format": "json",
                    "log_type": kind,
                }
                for kind, log in zip(LOG_KINDS, logs, strict=True)
            ],
            tags=tags.data(tags.DataClass.PERSONAL, backup="cache" if shape.snapshot_days else "none"),
            opts=protection.stateful(environment, self),
        )
        self.arn, self.host, self.user_arn = cluster.arn, cluster.primary_endpoint_address, user.arn
        self.register_outputs({"host": self.host})

    def members(self, shape: CacheShape) -> list[str]:
        """The names of the nodes, which metrics are reported by."""
        return [f"{self.identifier}-{number:03d}" for number in range(1, 2 + shape.replicas)]
