"""How do the parts fit together? Every component of the estate, in the order in which they need each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pulumi

from infra.cluster.cluster import Cluster, ClusterArgs
from infra.cluster.identity import Identity, IdentityArgs
from infra.cluster.nodes import Nodes, NodesArgs
from infra.cluster.permissions import Reach
from infra.data.cache import Cache, CacheArgs
from infra.data.database import Database, DatabaseArgs
from infra.data.media import Media, MediaArgs
from infra.data.media_access import MediaAccess, MediaAccessArgs
from infra.data.queue import Queue, QueueArgs
from infra.data.secrets import Secrets, SecretsArgs
from infra.foundation import names, tags
from infra.foundation.bucket import Lifecycle, PrivateBucket, PrivateBucketArgs
from infra.foundation.encryption import Encryption, EncryptionArgs, KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.log_store import LogStore, LogStoreArgs
from infra.front_door.domain import Domain, DomainArgs
from infra.front_door.edge import Edge, EdgeArgs
from infra.front_door.edge_logs import EdgeLogs, EdgeLogsArgs
from infra.front_door.firewall import Firewall, FirewallArgs
from infra.front_door.load_balancer import LoadBalancer, LoadBalancerArgs
from infra.network.endpoints import Endpoints, EndpointsArgs
from infra.network.network import Network, NetworkArgs
from infra.operations import alarm_table, backup_plan, watching
from infra.operations.alarms import Alarms, AlarmsArgs, Targets
from infra.operations.backup import Backup, BackupArgs
from infra.operations.budget import Budget, BudgetArgs
from infra.operations.metrics import Metrics, MetricsArgs
from infra.operations.notifications import Notifications, NotificationsArgs
from infra.shapes import EstateShape
from infra.workload import admission
from infra.workload.tenancy import capacity

ROOT = Path(__file__).resolve().parent.parent
NAMESPACE = "tecnocursos"


@dataclass(frozen=True)
class Data:
    """Committed files that the estate is made from, read before the first resource is registered."""

    alarms: alarm_table.AlarmTable
    backup: backup_plan.BackupPlan
    cache_access: str
    scrape: str
    watching: watching.Watching
    admission: Sequence[Mapping[str, Any]]


def read() -> Data:
    """The committed files; OSError or pydantic.ValidationError when one is missing or not sound."""
    return Data(
        alarms=alarm_table.load(),
        backup=backup_plan.load(),
        cache_access=(ROOT / "service/cache_access.txt").read_text().strip(),
        scrape=(ROOT / "infra/operations/scrape.yaml").read_text(),
        watching=watching.load(ROOT / "dashboards/generated"),
        admission=admission.load(ROOT / "policies/admission"),
    )


@dataclass(frozen=True)
class Estate:
    """What the service and the exports need of the estate.

    reachable: parts that must be whole before a pod can do its work: its nodes, the ways out of its subnets, and what
    makes the addresses answer that it is given (proxy targets, rules of security groups and access lists).
    """

    environment: Environment
    network: Network
    cluster: Cluster
    nodes: Nodes
    database: Database
    cache: Cache
    queue: Queue
    media: Media
    configuration: PrivateBucket
    secrets: Secrets
    balancer: LoadBalancer
    edge: Edge
    identity: Identity
    metrics: Metrics
    notifications: Notifications
    reachable: Sequence[pulumi.Resource]


def build(environment: Environment, shape: EstateShape, data: Data, opts: pulumi.ResourceOptions) -> Estate:
    """Register the whole estate; `opts` carries the provider."""
    keys = Encryption("encryption", EncryptionArgs(environment, shape.encryption), opts).keys
    logs = LogStore("logs", LogStoreArgs(environment), opts)
    notifications = Notifications("notifications", NotificationsArgs(environment, shape.alarms, keys), opts)
    page, ticket = notifications.page, notifications.ticket
    network = Network("network", NetworkArgs(environment, shape.network, logs), opts)
    endpoints = Endpoints("endpoints", EndpointsArgs(environment, network, shape.network.interface_endpoints), opts)
    cluster = Cluster("cluster", ClusterArgs(environment, shape.cluster, network, keys, NAMESPACE), opts)
    pods = cluster.security_group_id
    nodes = Nodes("nodes", NodesArgs(environment, cluster, network, keys, capacity(shape.workload)), opts)
    secrets = Secrets("secrets", SecretsArgs(environment, keys), opts)
    database = Database("database", DatabaseArgs(environment, shape.database, network, keys, pods, page), opts)
    cache = Cache("cache", CacheArgs(environment, shape.cache, network, keys, pods, ticket, data.cache_access), opts)
    queue = Queue("queue", QueueArgs(environment, shape.queue, keys), opts)
    media = Media("media", MediaArgs(environment, shape.media, keys, logs), opts)
    configuration = _configuration(environment, keys, logs, opts)
    domain = Domain("domain", DomainArgs(shape.edge.domain), opts)
    firewall = Firewall("firewall", FirewallArgs(environment, shape.edge, keys), opts)
    balancer = LoadBalancer(
        "balancer",
        LoadBalancerArgs(
            environment=environment,
            network=network,
            logs=logs,
            certificate_arn=domain.origin_certificate_arn,
            cloudfront_prefix_list=shape.edge.cloudfront_prefix_list,
            cluster_group=pods,
            weights=shape.release.weights,
        ),
        opts,
    )
    edge = Edge("edge", EdgeArgs(environment, shape.edge, domain, balancer, firewall, media), opts)
    EdgeLogs("edge-logs", EdgeLogsArgs(environment, edge.distribution.arn, logs), opts)
    MediaAccess("media-access", MediaAccessArgs(environment, media, keys, edge.distribution.arn), opts)
    reach = Reach(
        environment=environment,
        proxy_id=database.proxy_id,
        master_secret=database.master_secret_arn,
        cache=cache.arn,
        cache_user=cache.user_arn,
        queue=queue.arn,
        media=media.bucket.arn,
        service_secret=secrets.arn,
        media_key=keys[KeyClass.MEDIA].arn,
        queue_key=keys[KeyClass.TRANSIENT].arn,
        secrets_key=keys[KeyClass.SECRETS].arn,
    )
    identity = Identity("identity", IdentityArgs(environment, cluster, NAMESPACE, reach), opts)
    metrics = Metrics(
        "metrics",
        MetricsArgs(environment, shape.metrics, network, cluster, keys, data.scrape, data.watching, notifications),
        opts,
    )
    backup = Backup(
        "backup",
        BackupArgs(
            environment=environment,
            shape=shape.backup,
            plan=data.backup,
            keys=keys,
            alerts=ticket,
            saved={
                "database": database.arn,
                "media": media.bucket.arn,
                "configuration": configuration.arn,
                "cluster-objects": cluster.arn,
            },
            database_subnet_group=database.subnet_group,
        ),
        opts,
    )
    braked = (shape.cluster.deployer_role, *shape.cluster.developer_roles)
    Budget("budget", BudgetArgs(environment, shape.budget, ticket, braked), opts)
    estate = Estate(
        environment=environment,
        network=network,
        cluster=cluster,
        nodes=nodes,
        database=database,
        cache=cache,
        queue=queue,
        media=media,
        configuration=configuration,
        secrets=secrets,
        balancer=balancer,
        edge=edge,
        identity=identity,
        metrics=metrics,
        notifications=notifications,
        reachable=[network, endpoints, database, cache, nodes],
    )
    watched = targets(estate, shape, domain, firewall, backup)
    capacities = {"database-storage": float(shape.database.storage_gib * 2**30)}
    Alarms("alarms", AlarmsArgs(environment, data.alarms, notifications, watched, capacities), opts)
    return estate


def _configuration(environment: Environment, keys: Keys, logs: LogStore, opts: pulumi.ResourceOptions) -> PrivateBucket:
    """Exported stacks and cluster configuration; the backup plan keeps each day's for a year."""
    bucket = PrivateBucket(
        "configuration",
        PrivateBucketArgs(
            environment=environment,
            purpose="configuration",
            lifecycle=Lifecycle(noncurrent_days=365),
            tags={**tags.data(tags.DataClass.INTERNAL, backup="configuration")},
            key_arn=keys[KeyClass.BACKUP].arn,
            access_logs=logs.id,
            depends_on=[logs.ready],
        ),
        opts,
    )
    bucket.restrict()
    return bucket


def targets(estate: Estate, shape: EstateShape, domain: Domain, firewall: Firewall, backup: Backup) -> Targets:
    """What the alarms can watch, by the keys that alarms.yaml uses."""
    nodes = {node[-3:]: node for node in estate.cache.members(shape.cache)}
    return {
        "database": {"": estate.database.identifier},
        "database-proxy": {"": estate.database.proxy_name},
        "cache-node": nodes,
        "cache-replica": dict(list(nodes.items())[1:]),
        "queue": {"": estate.queue.name},
        "queue-dead": {"": estate.queue.dead_name},
        "balancer": {"": estate.balancer.metric_name},
        "target-group": {colour: group.arn_suffix for colour, group in estate.balancer.target_groups.items()},
        "distribution": {"": estate.edge.distribution.id},
        "probe": {"": estate.edge.health_check_id},
        "firewall": {"": firewall.metric_name},
        "certificate": {"viewer": domain.viewer_certificate_arn, "origin": domain.origin_certificate_arn},
        "nat": {str(slot): gateway.id for slot, gateway in estate.network.nat_gateways.items()},
        "workspace": {"": estate.metrics.workspace_id},
        "cluster": {"": names.cluster(estate.environment)},
        "vault": {"": backup.vault_name},
        "media": {"": estate.media.bucket.id},
        "media-copy": {} if estate.media.copy is None else {"": estate.media.copy.id},
    }
