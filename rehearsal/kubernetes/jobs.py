"""What does a Job meet as soon as it is created? Its pod runs at once, and a Job that has failed stays failed."""

import json
from collections.abc import Iterator
from typing import Any

from rehearsal.values import Value, Values, at
from rehearsal.world import Row, World

_PROXY, _TARGET = "aws:rds/proxy:Proxy", "aws:rds/proxyTarget:ProxyTarget"
_CONFIG_MAP = "kubernetes:core/v1:ConfigMap"


def failure(job: Values, server: str, cloud: World) -> str | None:
    """Why the Job fails for good, in the provider's words; None when nothing is known against it."""
    if job.get("kind") != "Job":
        return None
    given = "\n".join(_given(job, server, cloud))
    for proxy in cloud.rows(_PROXY):
        endpoint = proxy.outputs.get("endpoint")
        if isinstance(endpoint, str) and endpoint in given and not _available(proxy, cloud):
            metadata = job["metadata"]
            name = "/".join(str(metadata[part]) for part in ("namespace", "name") if metadata.get(part))
            return (
                f'the Kubernetes API server reported that "{name}" failed to fully initialize or become live: '
                "[BackoffLimitExceeded] Job has reached the specified backoff limit: it is given the endpoint of proxy "
                f"{proxy.outputs.get('name')}, which has no available target yet: let it come after the proxy's target"
            )
    return None


def _given(job: Values, server: str, cloud: World) -> Iterator[str]:
    """Everything that the containers are told: arguments, variables, and the settings that they are taken from."""
    pod = at(job, ("spec", "template", "spec")) or {}
    yield json.dumps(pod)
    namespace = at(job, ("metadata", "namespace"))
    for name in _settings(pod):
        for row in cloud.rows(_CONFIG_MAP):
            metadata = row.outputs.get("metadata") or {}
            if row.region == server and (metadata.get("namespace"), metadata.get("name")) == (namespace, name):
                yield json.dumps(row.outputs.get("data"))


def _settings(pod: Values) -> set[Value]:
    containers: list[Any] = [*(pod.get("containers") or ()), *(pod.get("initContainers") or ())]
    return {at(source, ("configMapRef", "name")) for one in containers for source in one.get("envFrom") or ()}


def _available(proxy: Row, cloud: World) -> bool:
    """Whether a database that exists is registered with the proxy."""
    targets = cloud.rows(_TARGET, dbProxyName=proxy.outputs.get("name"))
    databases = {
        row.outputs.get(name) for row in cloud.rows("aws:rds/instance:Instance") for name in ("identifier", "id")
    }
    databases |= {row.outputs.get("clusterIdentifier") for row in cloud.rows("aws:rds/cluster:Cluster")}
    named = ("dbInstanceIdentifier", "dbClusterIdentifier")
    return any(row.outputs.get(name) in databases - {None} for row in targets for name in named)
