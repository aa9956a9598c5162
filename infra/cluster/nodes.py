"""Which machines do pods run on? A node class and node pools of our own, and the switch that enforces network policies.

Auto Mode's built-in pools know neither our tags nor a key of ours, have no limit, and only one architecture.
Sources: Amazon EKS user guide, "Create a Node Class", "Create a Node Pool", "Use Network Policies with EKS Auto Mode".
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.cluster.cluster import ACCESS, Cluster
from infra.foundation import tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.network.network import Network

CLASS = "tecnocursos"
PURPOSE = "tecnocursos.example/purpose"  # label and taint of the nodes
SERVING, RENDERING = "serving", "rendering"
# Auto Mode brings neither: autoscalers need the first, alerts on pods the second. EKS user guide, "Community add-ons".
ADDONS = ("metrics-server", "kube-state-metrics")
DISK = "100Gi"
# Spot may be taken back after two minutes: for what can be done again. Where there is none, nodes are bought as others.
CAPACITY = {SERVING: ["on-demand"], RENDERING: ["spot", "on-demand"]}
ARCHITECTURES = ["arm64", "amd64"]  # Graviton is the cheaper one; images are built for both
FAMILIES, OLDER_THAN = ["c", "m", "r"], "5"  # general machines of generation 6 and later
NODE_DAYS = 14  # then a node is replaced by one with the current image; Auto Mode's own limit is 21
LABELS = {
    "app.kubernetes.io/name": "nodes",
    "app.kubernetes.io/part-of": "tecnocursos",
    "app.kubernetes.io/managed-by": "pulumi",
}


@dataclass(frozen=True)
class Capacity:
    """The most that a pool may grow to: millicores and MiB."""

    cpu: int
    memory: int


@dataclass(frozen=True)
class NodesArgs:
    """capacity: by pool. It is the brake on what nodes may cost: AWS Budgets' own stops people, not Auto Mode."""

    environment: Environment
    cluster: Cluster
    network: Network
    keys: Keys
    capacity: Mapping[str, Capacity]


class Nodes(pulumi.ComponentResource):
    """Node class, node pools, the add-ons that run on them, and the switch. Pods and network policies come after it."""

    def __init__(self, name: str, args: NodesArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Nodes", name, None, opts)
        self._name, self._args = name, args
        cluster = args.cluster
        entry = aws.eks.AccessEntry(
            name,
            cluster_name=cluster.name,
            principal_arn=cluster.node_role.arn,
            type="EC2",
            opts=pulumi.ResourceOptions(parent=self),
        )
        joining = aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=cluster.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"{ACCESS}AmazonEKSAutoNodePolicy",
            access_scope={"type": "cluster"},
            opts=pulumi.ResourceOptions(parent=self),
        )
        inside = pulumi.ResourceOptions(
            parent=self, provider=cluster.provider, deleted_with=cluster.resource, depends_on=[joining]
        )
        switch = kubernetes.core.v1.ConfigMap(
            f"{name}-network-policies",
            metadata={"name": "amazon-vpc-cni", "namespace": "kube-system", "labels": LABELS},
            data={"enable-network-policy-controller": "true"},
            opts=inside,
        )
        described = self._class(pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[switch])))
        pools = [self._pool(purpose, described, inside) for purpose in args.capacity]
        for addon in ADDONS:
            aws.eks.Addon(
                f"{cluster.label}-{addon}",
                cluster_name=cluster.name,
                addon_name=addon,
                # Without a version EKS takes the cluster's default one: an upgrade of the cluster is not held up by it.
                resolve_conflicts_on_create="OVERWRITE",
                resolve_conflicts_on_update="OVERWRITE",
                # An add-on is there once its pods run, and they need a node.
                opts=pulumi.ResourceOptions(parent=cluster, depends_on=pools),
            )
        self.register_outputs({})

    def _class(self, opts: pulumi.ResourceOptions) -> kubernetes.apiextensions.CustomResource:
        args = self._args
        return kubernetes.apiextensions.CustomResource(
            f"{self._name}-class",
            api_version="eks.amazonaws.com/v1",
            kind="NodeClass",
            metadata={"name": CLASS, "labels": LABELS},
            spec={
                "role": args.cluster.node_role.name,
                "subnetSelectorTerms": [{"id": subnet} for subnet in args.network.private.subnet_ids],
                "securityGroupSelectorTerms": [{"id": args.cluster.security_group_id}],
                "ephemeralStorage": {"size": DISK, "kmsKeyID": args.keys[KeyClass.TRANSIENT].arn},
                "networkPolicy": "DefaultAllow",
                "networkPolicyEventLogs": "Enabled",
                "tags": dict(tags.default_tags(args.environment)),
            },
            opts=opts,
        )

    def _pool(
        self, purpose: str, described: pulumi.Resource, inside: pulumi.ResourceOptions
    ) -> kubernetes.apiextensions.CustomResource:
        most = self._args.capacity[purpose]
        wanted = {
            "kubernetes.io/arch": ("In", ARCHITECTURES),
            "karpenter.sh/capacity-type": ("In", CAPACITY[purpose]),
            "eks.amazonaws.com/instance-category": ("In", FAMILIES),
            "eks.amazonaws.com/instance-generation": ("Gt", [OLDER_THAN]),
        }
        taints = [{"key": PURPOSE, "value": purpose, "effect": "NoSchedule"}] if purpose == RENDERING else []
        return kubernetes.apiextensions.CustomResource(
            f"{self._name}-{purpose}",
            api_version="karpenter.sh/v1",
            kind="NodePool",
            metadata={"name": purpose, "labels": LABELS},
            spec={
                "template": {
                    "metadata": {"labels": {PURPOSE: purpose}},
                    "spec": {
                        "nodeClassRef": {"group": "eks.amazonaws.com", "kind": "NodeClass", "name": CLASS},
                        "requirements": [
                            {"key": key, "operator": operator, "values": values}
                            for key, (operator, values) in wanted.items()
                        ],
                        "taints": taints,
                        "expireAfter": f"{NODE_DAYS * 24}h",
                        "terminationGracePeriod": "10m",
                    },
                },
                "disruption": {"consolidationPolicy": "WhenEmptyOrUnderutilized", "consolidateAfter": "5m"},
                "limits": {"cpu": f"{most.cpu}m", "memory": f"{most.memory}Mi"},
            },
            opts=pulumi.ResourceOptions.merge(inside, pulumi.ResourceOptions(depends_on=[described])),
        )
