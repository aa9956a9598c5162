"""What must hold for every pod, whatever creates it?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource
from pack.vocabulary import ABSENT, FALSE, GIVEN, TRUE, containing, must, one_of

DEPLOYMENT = "kubernetes:apps/v1:Deployment"
STATEFUL_SET = "kubernetes:apps/v1:StatefulSet"
DAEMON_SET = "kubernetes:apps/v1:DaemonSet"
# Where the pod's specification stands in each kind that makes pods.
SPECIFICATION = {
    "kubernetes:core/v1:Pod": "spec",
    DEPLOYMENT: "spec.template.spec",
    STATEFUL_SET: "spec.template.spec",
    DAEMON_SET: "spec.template.spec",
    "kubernetes:apps/v1:ReplicaSet": "spec.template.spec",
    "kubernetes:batch/v1:Job": "spec.template.spec",
    "kubernetes:batch/v1:CronJob": "spec.jobTemplate.spec.template.spec",
}
PODS = tuple(SPECIFICATION)
SERVING = (DEPLOYMENT, STATEFUL_SET, DAEMON_SET)  # run for ever, so somebody must notice when they do not
REGISTRIES = ("*.dkr.ecr.*.amazonaws.com/*",)
ZONE = "topology.kubernetes.io/zone"
FIRST_UNRESERVED_ID = 10001  # above the ids that machines and images give to their own users


def containers(workload: Resource, *kinds: str) -> Iterator[str]:
    """The path of each container; of all kinds when none is named."""
    for kind in kinds or ("containers", "initContainers", "ephemeralContainers"):
        for place, _ in workload.each(f"{SPECIFICATION[workload.type]}.{kind}[*]"):
            yield place


def effective(workload: Resource, container: str, setting: str) -> Any:
    """A security setting of a container: its own, else the pod's."""
    own = workload.get(f"{container}.securityContext.{setting}")
    return own if own is not None else workload.get(f"{SPECIFICATION[workload.type]}.securityContext.{setting}")


@rule(*PODS)
def pod_not_privileged(workload: Resource) -> Findings:
    """No container is privileged."""
    for container in containers(workload):
        yield from must(workload, f"{container}.securityContext.privileged", FALSE, default=False)


@rule(*PODS)
def pod_no_host_namespaces(workload: Resource) -> Findings:
    """No pod shares processes, interprocess communication or network with its node."""
    for name in ("hostPID", "hostIPC", "hostNetwork"):
        yield from must(workload, f"{SPECIFICATION[workload.type]}.{name}", FALSE, default=False)


@rule(*PODS)
def pod_no_host_path_port(workload: Resource) -> Findings:
    """No pod reaches the files or takes a port of its node."""
    yield from must(workload, f"{SPECIFICATION[workload.type]}.volumes[*].hostPath", ABSENT)
    for container in containers(workload):
        yield from must(workload, f"{container}.ports[*].hostPort", ABSENT)


@rule(*PODS)
def pod_no_privilege_escalation(workload: Resource) -> Findings:
    """No process gains more privileges than its parent."""
    for container in containers(workload):
        yield from must(workload, f"{container}.securityContext.allowPrivilegeEscalation", FALSE)


@rule(*PODS)
def pod_run_as_non_root(workload: Resource) -> Findings:
    """Containers run as a user and group that are neither root nor anybody on the node."""
    for container in containers(workload):
        if effective(workload, container, "runAsNonRoot") is not True:
            yield Finding(f"{container}.securityContext.runAsNonRoot", f"{container} must run as non-root")
        for name in ("runAsUser", "runAsGroup"):
            identity = effective(workload, container, name)
            if not isinstance(identity, int) or identity < FIRST_UNRESERVED_ID:
                place = f"{container}.securityContext.{name}"
                yield Finding(place, f"{place} must be at least {FIRST_UNRESERVED_ID}, here or for the pod")


@rule(*PODS)
def pod_drop_capabilities(workload: Resource) -> Findings:
    """Containers give up every Linux capability; only binding a low port may be taken back."""
    for container in containers(workload):
        yield from must(workload, f"{container}.securityContext.capabilities.drop", containing("ALL"))
        yield from must(workload, f"{container}.securityContext.capabilities.add[*]", one_of("NET_BIND_SERVICE"))


@rule(*PODS)
def pod_seccomp(workload: Resource) -> Findings:
    """The kernel refuses unusual system calls."""
    for container in containers(workload):
        if effective(workload, container, "seccompProfile.type") not in ("RuntimeDefault", "Localhost"):
            place = f"{container}.securityContext.seccompProfile"
            yield Finding(place, f"{place} must be RuntimeDefault, here or for the pod")


@rule(*PODS)
def pod_read_only_root(workload: Resource) -> Findings:
    """Containers cannot change their own image's files."""
    for container in containers(workload):
        yield from must(workload, f"{container}.securityContext.readOnlyRootFilesystem", TRUE)


@rule(*PODS)
def pod_resources(workload: Resource) -> Findings:
    """Containers reserve processor and memory, and get no more memory than they reserve."""
    for container in containers(workload, "containers", "initContainers"):
        for name in ("requests.cpu", "requests.memory", "limits.memory"):
            yield from must(workload, f"{container}.resources.{name}", GIVEN)
        asked, most = (workload.get(f"{container}.resources.{name}.memory") for name in ("requests", "limits"))
        if asked and most and asked != most:
            place = f"{container}.resources.limits.memory"
            yield Finding(place, f"{place} must equal the request, or the node runs out of what it promised")


@rule(*PODS)
def pod_image_digest(workload: Resource, *, registries: Sequence[str] = REGISTRIES) -> Findings:
    """Images come from our registries and are named by digest."""
    for container in containers(workload):
        place = f"{container}.image"
        image = str(workload.get(place))
        if not re.fullmatch(r"[^@\s]+@sha256:[0-9a-f]{64}", image):
            yield Finding(place, f"{place} must name a sha256 digest")
        if not any(fnmatchcase(image, pattern) for pattern in registries):
            yield Finding(place, f"{place} must come from an allowed registry")


@rule(*SERVING)
def pod_probes(workload: Resource) -> Findings:
    """Kubernetes can tell whether a container lives and, where it has ports, whether it may get requests."""
    for container in containers(workload, "containers"):
        yield from must(workload, f"{container}.livenessProbe", GIVEN)
        if workload.get(f"{container}.ports"):
            yield from must(workload, f"{container}.readinessProbe", GIVEN)


@rule(*PODS)
def pod_service_account(workload: Resource) -> Findings:
    """Pods run under a service account of their own and carry no token for the Kubernetes API."""
    specification = SPECIFICATION[workload.type]
    yield from must(workload, f"{specification}.automountServiceAccountToken", FALSE)
    account = workload.get(f"{specification}.serviceAccountName")
    if account in (None, "", "default"):
        yield Finding(f"{specification}.serviceAccountName", "serviceAccountName must be an account of its own")


@rule(DEPLOYMENT, STATEFUL_SET)
def pod_spread_over_zones(workload: Resource) -> Findings:
    """Replicas are spread over availability zones."""
    specification = SPECIFICATION[workload.type]
    anti = f"{specification}.affinity.podAntiAffinity"
    keys = [
        key
        for path in (
            f"{specification}.topologySpreadConstraints[*].topologyKey",
            f"{anti}.requiredDuringSchedulingIgnoredDuringExecution[*].topologyKey",
            f"{anti}.preferredDuringSchedulingIgnoredDuringExecution[*].podAffinityTerm.topologyKey",
        )
        for _, key in workload.known(path)
    ]
    if ZONE not in keys:
        place = f"{specification}.topologySpreadConstraints"
        yield Finding(place, f"{place} must have the key {ZONE}")


@rule(*PODS, "kubernetes:core/v1:Secret", "kubernetes:core/v1:ConfigMap")
def secrets_not_in_env(resource: Resource) -> Findings:
    """Secrets are neither environment variables nor values in the program or in a ConfigMap."""
    if resource.type in SPECIFICATION:
        for container in containers(resource):
            yield from must(resource, f"{container}.env[*].valueFrom.secretKeyRef", ABSENT)
            yield from must(resource, f"{container}.envFrom[*].secretRef", ABSENT)
    elif resource.type.endswith(":Secret"):
        yield from must(resource, "stringData", ABSENT)
        yield from must(resource, "data", ABSENT)
    else:
        data = resource.get("data")
        for key in data if isinstance(data, Mapping) else ():
            if SENSITIVE.search(str(key)):
                yield Finding(f"data.{key}", f"data.{key} is named like a secret; a ConfigMap is readable by many")


SENSITIVE = re.compile(
    r"(?:^|[_.-])(?:password|passwd|passphrase|secret|token|credentials?"
    r"|(?:api|private|secret|access|signing|encryption)[_.-]?key)$",
    re.IGNORECASE,
)
