"""What must hold for the EKS cluster and for machines?"""

from collections.abc import Sequence

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import ABSENT, FALSE, GIVEN, TRUE, at_most, containing, must, one_of

from rules.network import is_world

CLUSTER = "aws:eks/cluster:Cluster"
NODE_GROUP = "aws:eks/nodeGroup:NodeGroup"
LAUNCH_TEMPLATE = "aws:ec2/launchTemplate:LaunchTemplate"
INSTANCE = "aws:ec2/instance:Instance"
VOLUME = "aws:ebs/volume:Volume"
SUBNET = "aws:ec2/subnet:Subnet"
ASSOCIATION = "aws:ec2/routeTableAssociation:RouteTableAssociation"
ROUTE = "aws:ec2/route:Route"
GATEWAY = "aws:ec2/internetGateway:InternetGateway"
NODE_CLASS = "kubernetes:eks.amazonaws.com/v1:NodeClass"
NODE_POOL = "kubernetes:karpenter.sh/v1:NodePool"
NODE_TAGS = ("project", "environment", "cost-centre")
CONTROL_PLANE_LOGS = ("api", "audit", "authenticator", "controllerManager", "scheduler")


@rule(CLUSTER)
def eks_private_endpoint(cluster: Resource, *, public_with_ranges: bool = True) -> Findings:
    """The cluster's API is reached privately; a public endpoint, where allowed at all, is limited to named ranges."""
    yield from must(cluster, "vpcConfig.endpointPrivateAccess", TRUE)
    if cluster.get("vpcConfig.endpointPublicAccess") is False:
        return
    ranges = list(cluster.known("vpcConfig.publicAccessCidrs[*]"))
    if not public_with_ranges or not ranges:
        yield Finding("vpcConfig.endpointPublicAccess", "the cluster's API must not have an open public endpoint")
    for path, cidr in ranges:
        if is_world(cidr):
            yield Finding(path, f"{path} must not be the whole internet")


@rule(CLUSTER)
def eks_secrets_kms(cluster: Resource) -> Findings:
    """Kubernetes secrets are encrypted with a KMS key of ours."""
    yield from must(cluster, "encryptionConfig.resources", containing("secrets"))
    yield from must(cluster, "encryptionConfig.provider.keyArn", GIVEN)


@rule(CLUSTER)
def eks_control_plane_logs(cluster: Resource) -> Findings:
    """All five logs of the control plane are kept."""
    yield from must(cluster, "enabledClusterLogTypes", containing(*CONTROL_PLANE_LOGS))


@rule(CLUSTER)
def eks_supported_version(cluster: Resource, *, versions: Sequence[str] = ("1.35", "1.36")) -> Findings:
    """The Kubernetes version is a supported one, and what follows the end of its support is decided."""
    yield from must(cluster, "version", one_of(*versions))
    yield from must(cluster, "upgradePolicy.supportType", GIVEN)


@rule(CLUSTER)
def eks_access_entries(cluster: Resource) -> Findings:
    """Access is granted by API entries alone, and not to whoever happened to create the cluster."""
    yield from must(cluster, "accessConfig.authenticationMode", one_of("API"))
    yield from must(cluster, "accessConfig.bootstrapClusterCreatorAdminPermissions", FALSE)


@rule(CLUSTER)
def eks_deletion_protection(cluster: Resource) -> Findings:
    """The cluster cannot be deleted by mistake."""
    if not cluster.protect:
        yield from must(cluster, "deletionProtection", TRUE)


@rule(NODE_GROUP, reads=[SUBNET, ASSOCIATION, ROUTE, GATEWAY])
def eks_nodegroup_private_no_ssh(group: Resource, stack: Stack) -> Findings:
    """Nodes live in subnets without a way in from the internet, and nobody logs in to them from everywhere."""
    if group.get("remoteAccess.ec2SshKey"):
        yield from must(group, "remoteAccess.sourceSecurityGroupIds", GIVEN)
    for subnet in stack.of(SUBNET):
        if group.refers("subnetIds[*]", subnet) and is_public(subnet, stack):
            yield Finding("subnetIds", "subnetIds must be subnets without a route to an internet gateway")


def is_public(subnet: Resource, stack: Stack) -> bool:
    """Whether the subnet's route table leads to an internet gateway."""
    return any(
        route.refers("gatewayId", gateway) and _same_table(route, association)
        for association in stack.linked(ASSOCIATION, "subnetId", subnet)
        for route in stack.of(ROUTE)
        for gateway in stack.of(GATEWAY)
    )


def _same_table(route: Resource, association: Resource) -> bool:
    tables = route.property_dependencies.get("routeTableId", ())
    same = set(tables) & set(association.property_dependencies.get("routeTableId", ()))
    return bool(same) or route.get("routeTableId") == association.get("routeTableId") is not None


@rule(LAUNCH_TEMPLATE, INSTANCE)
def imdsv2_required(machine: Resource, *, hop_limit: int = 1) -> Findings:
    """Instance metadata needs a session token, and the answer does not travel into containers."""
    yield from must(machine, "metadataOptions.httpTokens", one_of("required"))
    yield from must(machine, "metadataOptions.httpPutResponseHopLimit", at_most(hop_limit), default=1)


@rule(LAUNCH_TEMPLATE, INSTANCE, VOLUME)
def ebs_encrypted(machine: Resource) -> Findings:
    """Every volume is encrypted."""
    paths = {
        LAUNCH_TEMPLATE: ["blockDeviceMappings[*].ebs.encrypted"],
        INSTANCE: ["rootBlockDevice.encrypted", "ebsBlockDevices[*].encrypted"],
        VOLUME: ["encrypted"],
    }
    for path in paths[machine.type]:
        yield from must(machine, path, TRUE)


@rule(NODE_CLASS)
def nodes_tagged_encrypted(described: Resource, *, tags: Sequence[str] = NODE_TAGS) -> Findings:
    """Nodes that Auto Mode launches carry our tags, have disks with a key of ours, and enforce network policies."""
    yield from must(described, "spec.ephemeralStorage.kmsKeyID", GIVEN)
    yield from must(described, "spec.networkPolicy", one_of("DefaultAllow", "DefaultDeny"))
    for tag in tags:
        yield from must(described, f"spec.tags.{tag}", GIVEN)


@rule(NODE_POOL, CLUSTER)
def nodes_limited(resource: Resource) -> Findings:
    """Nodes come from pools that have a limit: Auto Mode launches as many as pods ask for, whatever they cost."""
    if resource.type == CLUSTER:
        yield from must(resource, "computeConfig.nodePools", ABSENT)
        return
    for limited in ("cpu", "memory"):
        yield from must(resource, f"spec.limits.{limited}", GIVEN)
