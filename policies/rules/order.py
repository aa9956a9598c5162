"""What must be there before a pod starts? Everything behind the addresses it is given, and what its role may do."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import Predicate, must

from rules.pods import PODS, SPECIFICATION

CLUSTER = "aws:eks/cluster:Cluster"
ADDON = "aws:eks/addon:Addon"
NODE_POOL = "kubernetes:karpenter.sh/v1:NodePool"
ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
ROLE_POLICIES = (
    ("aws:iam/rolePolicy:RolePolicy", "role"),
    ("aws:iam/rolePolicyAttachment:RolePolicyAttachment", "role"),
)
# Resources that an address lies in or leads to: they are followed to find what else must be there.
PLACES = frozenset(
    (
        "aws:ec2/subnet:Subnet",
        "aws:ec2/routeTable:RouteTable",
        "aws:ec2/securityGroup:SecurityGroup",
        "aws:rds/instance:Instance",
        "aws:rds/subnetGroup:SubnetGroup",
        "aws:elasticache/subnetGroup:SubnetGroup",
    )
)
# Resources that make reachable what their property names: without them the name resolves and nobody answers.
WAYS = (
    ("aws:rds/proxyTarget:ProxyTarget", "dbProxyName"),
    ("aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup", "dbProxyName"),
    ("aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "securityGroupId"),
    ("aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule", "securityGroupId"),
    ("aws:ec2/networkAcl:NetworkAcl", "subnetIds"),
    ("aws:ec2/networkAclRule:NetworkAclRule", "networkAclId"),
    ("aws:ec2/routeTableAssociation:RouteTableAssociation", "subnetId"),
    ("aws:ec2/route:Route", "routeTableId"),
)
BINDING = "kubernetes:eks.amazonaws.com/v1:TargetGroupBinding"
SERVICE = "kubernetes:core/v1:Service"
LISTENER = "aws:lb/listener:Listener"


@rule(*PODS, reads=[CLUSTER, ASSOCIATION, *(kind for kind, _ in (*ROLE_POLICIES, *WAYS))])
def pod_after_what_it_uses(workload: Resource, stack: Stack) -> Findings:
    """A pod comes after its role's policies and after everything that makes an address it is given answer."""
    earlier = stack.before(workload)
    wanted = [*_ways(stack, _given(workload, stack)), *_permissions(workload, stack)]
    late = sorted({resource.name for resource in wanted if resource.urn not in earlier})
    if late:
        yield Finding("", f"the pod does not wait for {', '.join(late)}")


@rule(*PODS, reads=[BINDING, SERVICE, LISTENER])
def pod_after_its_binding(workload: Resource, stack: Stack) -> Findings:
    """A pod behind a load balancer comes after its binding, which gives it its readiness gate, and the listener."""
    labels = _mapping(workload.get("spec.template.metadata.labels"))
    earlier = stack.before(workload)
    for service in stack.of(SERVICE):
        chosen = _mapping(service.get("spec.selector"))
        same = service.get("metadata.namespace") == workload.get("metadata.namespace")
        if not same or not chosen or not chosen.items() <= labels.items():
            continue
        for binding in stack.linked(BINDING, "spec.serviceRef.name", service):
            groups = set(binding.property_dependencies.get("spec", ()))
            listeners = [
                one for one in stack.of(LISTENER) if groups & set(one.property_dependencies.get("defaultActions", ()))
            ]
            for wanted in (service, binding, *listeners):
                if wanted.urn not in earlier:
                    yield Finding("", f"the pod does not wait for {wanted.name}")


def _given(workload: Resource, stack: Stack) -> list[Resource]:
    """Where the pod runs and what it is told: the cluster's subnets, and the AWS resources behind its settings."""
    found = [subnet for cluster in stack.of(CLUSTER) for subnet in stack.named_by(cluster, "vpcConfig")]
    seen, waiting = {workload.urn}, [workload]
    while waiting:
        for target in stack.named_by(waiting.pop()):
            if target.urn in seen:
                continue
            seen.add(target.urn)
            (waiting if target.type.startswith("kubernetes:") else found).append(target)
    return found


def _ways(stack: Stack, given: Iterable[Resource]) -> Iterator[Resource]:
    """What makes these resources reachable: rules, routes, targets, and the same of what those lead to."""
    seen, waiting = set[str](), list(given)
    while waiting:
        resource = waiting.pop()
        if resource.urn in seen:
            continue
        seen.add(resource.urn)
        waiting += [target for target in stack.named_by(resource) if target.type in PLACES]
        for kind, path in WAYS:
            for way in stack.linked(kind, path, resource):
                yield way
                waiting.append(way)


def _permissions(workload: Resource, stack: Stack) -> Iterator[Resource]:
    """What lets the pod's service account take its role, and the role do its work."""
    account = workload.get(f"{SPECIFICATION[workload.type]}.serviceAccountName")
    for association in stack.of(ASSOCIATION):
        if association.get("serviceAccount") != account:
            continue
        if association.get("namespace") != workload.get("metadata.namespace"):
            continue
        yield association
        for role in stack.named_by(association, "roleArn"):
            yield from (policy for kind, path in ROLE_POLICIES for policy in stack.linked(kind, path, role))


@rule(*PODS, ADDON, reads=[NODE_POOL])
def pod_after_its_nodes(resource: Resource, stack: Stack) -> Findings:
    """What runs on nodes comes after the pools that bring them."""
    earlier = stack.before(resource)
    late = [pool.name for pool in stack.of(NODE_POOL) if pool.urn not in earlier]
    if late:
        yield Finding("", f"it does not wait for {', '.join(late)}")


@rule("kubernetes:batch/v1:Job")
def job_run_again(job: Resource) -> Findings:
    """A Job that failed is replaced by the next deployment: Kubernetes itself never runs it again."""
    yield from must(job, "metadata.annotations", Predicate("with pulumi.com/replaceUnready", _replaced))


def _replaced(annotations: object) -> bool:
    return isinstance(annotations, Mapping) and annotations.get("pulumi.com/replaceUnready") == "true"


def _mapping(value: Any) -> Mapping[str, Any]:
    """A value that should be a mapping; what is none has nothing in it."""
    return value if isinstance(value, Mapping) else {}
