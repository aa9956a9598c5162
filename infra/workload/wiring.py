"""How do the workloads find the estate? Its outputs as their settings: addresses and names, no secret."""

import json
from ipaddress import IPv4Network

import pulumi

from infra.data.database import DATABASE_NAME, MASTER
from infra.estate import NAMESPACE, Data, Estate
from infra.front_door.edge import VIEWER_HEADER
from infra.network import addresses
from infra.operations import watching
from infra.shapes import EstateShape
from infra.workload import leaving, pods
from infra.workload.flows import CACHE_PORT, MYSQL_PORT, Neighbours
from infra.workload.grafana import GrafanaArgs
from infra.workload.service import ServiceArgs
from infra.workload.shape import COLOURS

APPLICATION, MIGRATOR = "service", "migrator"  # users of the database; infra.database.USERS
POOL_SIZE = 5  # connections of each of a pod's two pools; a test holds all pods' against what the instance class gives
AUTHORITIES = "/etc/ssl/certs/ca-certificates.crt"  # of the image: Amazon Trust Services signs the proxy and the cache
DNS = 10  # the cluster's DNS service is the tenth address of the service network; EKS user guide, "CoreDNS"


def service_args(estate: Estate, shape: EstateShape, data: Data) -> ServiceArgs:
    """Everything the service needs of the estate."""
    tiers = addresses.tiers(shape.network.cidr)
    return ServiceArgs(
        cluster=estate.cluster,
        namespace=NAMESPACE,
        shape=shape.workload,
        release=shape.release,
        neighbours=Neighbours(balancer=[tiers.private], data=[tiers.data], dns=dns(shape)),
        settings=settings(estate, shape),
        secret_name=estate.secrets.name,
        migrator_settings={"DATABASE__URL": database_url(estate, MIGRATOR)},
        bootstrap_arguments=[
            "--master-user",
            MASTER,
            "--master-secret",
            estate.database.master_secret_arn,
            "--migrator",
            MIGRATOR,
        ],
        admission=data.admission,
        target_groups={colour: group.arn for colour, group in estate.balancer.target_groups.items()},
        nodes=[estate.nodes],
        first=[*estate.reachable, estate.identity],
        front_door=[estate.balancer],
    )


def dns(shape: EstateShape) -> IPv4Network:
    """The address of the cluster's DNS service."""
    return IPv4Network((int(shape.cluster.service_cidr.network_address) + DNS, 32))


def grafana_args(estate: Estate, shape: EstateShape, data: Data) -> GrafanaArgs:
    """Everything Grafana needs of the estate."""
    region = estate.environment.region
    return GrafanaArgs(
        environment=estate.environment,
        cluster=estate.cluster,
        image=shape.metrics.grafana_image,
        sources=watching.filled(data.watching.sources, PROMETHEUS_URL=estate.metrics.endpoint, REGION=region),
        provider=data.watching.provider,
        boards=data.watching.boards,
        workspace=estate.metrics.arn,
        dns=dns(shape),
        rollout_seconds=shape.workload.rollout_seconds,
        nodes=[estate.nodes],
        first=estate.reachable,
    )


def settings(estate: Estate, shape: EstateShape) -> dict[str, pulumi.Input[str]]:
    """The service's settings by name, as `python -m service settings` lists them."""
    environment = estate.environment
    tiers = addresses.tiers(shape.network.cidr)
    return {
        "ENVIRONMENT": environment.name,
        "REGION": environment.region,
        "DRAIN_SECONDS": str(leaving.DRAIN_SECONDS),
        "STOP_SECONDS": str(leaving.STOP_SECONDS),
        "MOST_PODS": str(len(COLOURS) * shape.workload.api.most + shape.workload.worker.most),
        "DATABASE__URL": database_url(estate, APPLICATION),
        "DATABASE__AUTHENTICATION": "iam",
        "DATABASE__POOL_SIZE": str(POOL_SIZE),
        "DATABASE__CERTIFICATE_AUTHORITY": AUTHORITIES,
        "CACHE__URL": pulumi.Output.concat("rediss://", estate.cache.host, f":{CACHE_PORT}/0"),
        "CACHE__AUTHENTICATION": "iam",
        "CACHE__USER": estate.cache.user,
        "CACHE__NAME": estate.cache.identifier,
        "MEDIA__BUCKET": estate.media.bucket.id,
        "SECURITY__CORS_ORIGINS": json.dumps([f"https://{shape.edge.domain}"]),
        # The balancer lives in the private tier. Who stands before it may be an address of CloudFront's or an interface
        # in our own subnets; CloudFront says itself who its viewer is.
        "SECURITY__TRUSTED_PROXIES": json.dumps([str(tiers.private)]),
        "SECURITY__VIEWER_HEADER": VIEWER_HEADER,
        "WORKER__BROKER": "sqs://",
        "WORKER__QUEUE_URL": estate.queue.url,
        "WORKER__CACHE_BYTES": str(pods.WORKER_CACHE_BYTES),
        "WORKER__FOLDER": "/tmp/work",  # noqa: S108 (a volume of the pod's own)
    }


def database_url(estate: Estate, user: str) -> pulumi.Output[str]:
    """Where a user finds the database: always through the proxy."""
    return pulumi.Output.concat(f"mysql+asyncmy://{user}@", estate.database.host, f":{MYSQL_PORT}/{DATABASE_NAME}")
