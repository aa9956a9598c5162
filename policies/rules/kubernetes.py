"""What must hold for namespaces, access, networking and the other Kubernetes objects?"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import ABSENT, GIVEN, at_least, must, no, number, one_of

from rules.pods import DEPLOYMENT, PODS, SPECIFICATION, STATEFUL_SET

NAMESPACE = "kubernetes:core/v1:Namespace"
SERVICE = "kubernetes:core/v1:Service"
CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
QUOTA = "kubernetes:core/v1:ResourceQuota"
LIMITS = "kubernetes:core/v1:LimitRange"
ACCOUNT = "kubernetes:core/v1:ServiceAccount"
NETWORK_POLICY = "kubernetes:networking.k8s.io/v1:NetworkPolicy"
INGRESS = "kubernetes:networking.k8s.io/v1:Ingress"
AUTOSCALER = "kubernetes:autoscaling/v2:HorizontalPodAutoscaler"
BUDGET = "kubernetes:policy/v1:PodDisruptionBudget"
ROLES = ("kubernetes:rbac.authorization.k8s.io/v1:Role", "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole")
BINDINGS = (
    "kubernetes:rbac.authorization.k8s.io/v1:RoleBinding",
    "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
)
NAMESPACED = (*PODS, SERVICE, CONFIG_MAP, QUOTA, LIMITS, ACCOUNT, NETWORK_POLICY, INGRESS, AUTOSCALER, BUDGET)
CLUSTER = "aws:eks/cluster:Cluster"
SWITCH = "enable-network-policy-controller"
AWAITED = ("kube-system/amazon-vpc-cni",)
SHARED_NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease")
LABELS = ("app.kubernetes.io/name", "app.kubernetes.io/part-of", "app.kubernetes.io/managed-by")
ESCALATING = ("*", "escalate", "bind", "impersonate")
EVERYBODY = ("system:masters", "system:anonymous", "system:unauthenticated", "system:authenticated")
SNIPPET = "snippet"


@rule(*ROLES, *BINDINGS)
def rbac_least_privilege(resource: Resource) -> Findings:
    """No role can give itself more, read every secret or do everything; nobody is bound to one that can."""
    yield from must(resource, "rules[*].verbs[*]", no(one_of(*ESCALATING)))
    yield from must(resource, "rules[*].resources[*]", no(one_of("*")))
    yield from must(resource, "roleRef.name", no(one_of("cluster-admin")))
    yield from must(resource, "subjects[*].name", no(one_of(*EVERYBODY)))
    for place, granted in resource.known("rules[*]"):
        named = isinstance(granted, Mapping) and _list(granted.get("resourceNames"))
        if isinstance(granted, Mapping) and "secrets" in _list(granted.get("resources")) and not named:
            yield Finding(f"{place}.resourceNames", f"{place} reaches every secret: resourceNames must be set")


@rule(*NAMESPACED)
def no_default_namespace(resource: Resource, *, awaited: Sequence[str] = AWAITED) -> Findings:
    """Objects live in a namespace of ours, unless AWS looks for them by name in one of its own."""
    if f"{resource.get('metadata.namespace')}/{resource.get('metadata.name')}" in awaited:
        return
    if resource.get("metadata.namespace") in (None, "", *SHARED_NAMESPACES):
        yield Finding("metadata.namespace", "metadata.namespace must be a namespace of its own")


@rule(NAMESPACE, reads=[QUOTA, LIMITS])
def namespace_guarded(namespace: Resource, stack: Stack) -> Findings:
    """A namespace enforces the restricted Pod Security Standard, a quota and limits."""
    if _labels(namespace).get("pod-security.kubernetes.io/enforce") != "restricted":
        yield Finding("metadata.labels", "metadata.labels must set pod-security.kubernetes.io/enforce to restricted")
    for kind in (QUOTA, LIMITS):
        if not any(stack.linked(kind, "metadata.namespace", namespace)):
            yield Finding("", f"the namespace has no {kind.rpartition(':')[2]}")


@rule(NAMESPACE, reads=[NETWORK_POLICY])
def network_default_deny(namespace: Resource, stack: Stack) -> Findings:
    """In a namespace nothing is reachable, in either direction, that a policy does not allow."""
    closed = {
        kind
        for policy in stack.linked(NETWORK_POLICY, "metadata.namespace", namespace)
        if not policy.get("spec.podSelector.matchLabels") and not policy.get("spec.podSelector.matchExpressions")
        for kind in ("Ingress", "Egress")
        if kind in _list(policy.get("spec.policyTypes")) and not policy.get(f"spec.{kind.lower()}")
    }
    for kind in ("Ingress", "Egress"):
        if kind not in closed:
            yield Finding("", f"the namespace has no policy that denies {kind.lower()} for all its pods")


@rule(NETWORK_POLICY, reads=[CLUSTER, CONFIG_MAP])
def network_policy_enforced(policy: Resource, stack: Stack) -> Findings:
    """On EKS Auto Mode a network policy comes after the switch that enforces it."""
    auto = [cluster for cluster in stack.of(CLUSTER) if cluster.get("computeConfig.enabled") is True]
    switches = [
        switch
        for switch in stack.of(CONFIG_MAP)
        if f"{switch.get('metadata.namespace')}/{switch.get('metadata.name')}" in AWAITED
        and switch.get(f"data.{SWITCH}") == "true"
    ]
    if auto and not any(switch.urn in stack.before(policy) for switch in switches):
        yield Finding("", f"nothing enforces it: kube-system/amazon-vpc-cni must set {SWITCH} to true before")


@rule(DEPLOYMENT, STATEFUL_SET, reads=[BUDGET, AUTOSCALER])
def disruption_budget(workload: Resource, stack: Stack, *, replicas: int = 1) -> Findings:
    """A workload has enough replicas and a budget that lets a node be drained without stopping it."""
    scalers = [scaler for scaler in stack.of(AUTOSCALER) if _scales(scaler, workload)]
    least = max((number(place) or 0 for place in _replicas(workload, scalers)), default=1)
    if least < replicas:
        yield Finding("spec.replicas", f"there must be at least {replicas} replicas")
    labels = workload.get("spec.template.metadata.labels") or {}
    budgets = [budget for budget in stack.of(BUDGET) if _selects(budget, labels)]
    if not budgets:
        yield Finding("", "the workload has no PodDisruptionBudget")
    for budget in budgets:
        if _evictable(budget, least) < 1:
            yield Finding("spec", "the budget must leave at least one pod that may be evicted", budget.urn)


@rule(AUTOSCALER, reads=[DEPLOYMENT, STATEFUL_SET])
def autoscaler_bounds(scaler: Resource, stack: Stack, *, minimum: int = 2) -> Findings:
    """An autoscaler has room to scale, a target that exists, and is alone in setting its replicas."""
    yield from must(scaler, "spec.minReplicas", at_least(minimum), default=1)
    if (number(scaler.get("spec.minReplicas")) or 1) >= (number(scaler.get("spec.maxReplicas")) or 0):
        yield Finding("spec.maxReplicas", "spec.maxReplicas must be above spec.minReplicas")
    targets = [workload for workload in stack.of(DEPLOYMENT, STATEFUL_SET) if _scales(scaler, workload)]
    if not targets:
        yield Finding("spec.scaleTargetRef", "spec.scaleTargetRef must name a workload of this stack")
    for target in targets:
        # With the field ignored, a number is only where the autoscaler starts.
        if "spec.replicas" not in target.ignore_changes:
            yield from must(target, "spec.replicas", ABSENT)
        yield from must(target, f"{SPECIFICATION[target.type]}.containers[*].resources.requests.cpu", GIVEN)


@rule(INGRESS)
def ingress_tls(ingress: Resource) -> Findings:
    """An ingress names its hosts, speaks TLS only, says where it faces and carries no snippets of configuration."""
    annotations = ingress.get("metadata.annotations") or {}
    yield from must(ingress, "spec.rules[*].host", GIVEN)
    if isinstance(annotations, Mapping):
        if not ingress.get("spec.tls") and not annotations.get("alb.ingress.kubernetes.io/certificate-arn"):
            yield Finding("spec.tls", "spec.tls must be set, or the annotation certificate-arn")
        redirects = ("alb.ingress.kubernetes.io/ssl-redirect", "nginx.ingress.kubernetes.io/force-ssl-redirect")
        if not any(annotations.get(key) for key in redirects):
            yield Finding("metadata.annotations", f"metadata.annotations must set {redirects[0]}")
        if ingress.get("spec.ingressClassName") == "alb" and not annotations.get("alb.ingress.kubernetes.io/scheme"):
            yield Finding("metadata.annotations", "metadata.annotations must set alb.ingress.kubernetes.io/scheme")
        for key in annotations:
            if str(key).endswith(SNIPPET):
                yield Finding(f"metadata.annotations.{key}", f"{key} lets its author run code in the proxy")


@rule(SERVICE)
def service_not_exposed(service: Resource, *, exposed: Sequence[str] = ()) -> Findings:
    """Services are reachable inside the cluster only; the way in is the load balancer that the estate owns."""
    if service.get("metadata.name") not in exposed:
        yield from must(service, "spec.type", one_of("ClusterIP", "ExternalName"), default="ClusterIP")
    yield from must(service, "spec.externalIPs", ABSENT)


@rule("kubernetes:*")
def no_bare_pods_no_beta_api(resource: Resource) -> Findings:
    """Nothing is a pod without a controller, and nothing depends on an API that may change."""
    if resource.type == "kubernetes:core/v1:Pod":
        yield Finding("", "a bare pod is not restarted elsewhere when its node goes; use a Deployment or a Job")
    group, _, version = resource.type.split(":")[1].partition("/")
    built_in = "." not in group or group.endswith(".k8s.io")
    if built_in and re.fullmatch(r"v\d+(?:alpha|beta)\d+", version):
        yield Finding("apiVersion", "apiVersion must be a stable one")


@rule(*NAMESPACED, NAMESPACE)
def recommended_labels(resource: Resource, *, labels: Sequence[str] = LABELS) -> Findings:
    """Objects carry the labels by which tools and people find them."""
    missing = [label for label in labels if not _labels(resource).get(label)]
    if missing:
        yield Finding("metadata.labels", f"metadata.labels must have {', '.join(missing)}")


def _labels(resource: Resource) -> Mapping[str, Any]:
    labels = resource.get("metadata.labels")
    return labels if isinstance(labels, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _scales(scaler: Resource, workload: Resource) -> bool:
    kind = workload.type.rpartition(":")[2]
    return scaler.get("spec.scaleTargetRef.kind") == kind and scaler.refers("spec.scaleTargetRef.name", workload)


def _replicas(workload: Resource, scalers: Sequence[Resource]) -> Iterator[Any]:
    own = workload.get("spec.replicas")
    if own is not None:
        yield own
    for scaler in scalers:
        yield scaler.get("spec.minReplicas") or 1


def _selects(budget: Resource, labels: Any) -> bool:
    wanted = budget.get("spec.selector.matchLabels")
    return isinstance(labels, Mapping) and isinstance(wanted, Mapping) and wanted.items() <= labels.items()


def _evictable(budget: Resource, replicas: float) -> float:
    """How many pods may go at once with this many running. A percentage rounds up, as the controller does it."""

    def count(value: Any) -> float:
        share = re.fullmatch(r"(\d+)%", str(value))
        return -(-replicas * int(share[1]) // 100) if share else number(value) or 0

    most = budget.get("spec.maxUnavailable")
    return count(most) if most is not None else replicas - count(budget.get("spec.minAvailable"))
