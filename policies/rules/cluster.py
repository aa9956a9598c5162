"""What must hold for the EKS cluster and its nodes?"""

from pack.catalogue import rule
from pack.resource import Finding, Findings, Resource
from pack.vocabulary import TRUE, must

CLUSTER = "aws:eks/cluster:Cluster"
WORLD = ("0.0.0.0/0", "::/0")


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
        if cidr in WORLD:
            yield Finding(path, f"{path} must not be the whole internet")
