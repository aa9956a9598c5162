"""What does EKS Auto Mode bring to every cluster? Its custom resource definitions and classes, as AWS documents them.

Sources: Amazon EKS user guide, "EKS Auto Mode" (create-node-class, create-node-pool, auto-elb, sample-storage-workload)
and the Karpenter v1 API. Fields that the guide does not name are accepted: a false refusal is worse than a missed one.
"""

from typing import Any

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
NUMBER: Schema = {"type": "integer"}
FLAG: Schema = {"type": "boolean"}
TEXTS: Schema = {"type": "array", "items": TEXT}
LABELS: Schema = {"type": "object", "additionalProperties": TEXT}
ANY: Schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
QUANTITY: Schema = {"x-kubernetes-int-or-string": True}


def record(required: tuple[str, ...] = (), **fields: Schema) -> Schema:
    """An object schema with named fields."""
    return {"type": "object", "properties": fields, **({"required": list(required)} if required else {})}


def several(item: Schema) -> Schema:
    """A list schema."""
    return {"type": "array", "items": item}


def one_of(*values: str) -> Schema:
    """A text schema with a closed list of values."""
    return {"type": "string", "enum": list(values)}


SELECTOR = several(record(id=TEXT, name=TEXT, tags=LABELS))
REQUIREMENTS = several(
    record(
        ("key", "operator"),
        key=TEXT,
        operator=one_of("In", "NotIn", "Exists", "DoesNotExist", "Gt", "Lt"),
        values=TEXTS,
        minValues=NUMBER,
    )
)
TAINTS = several(
    record(("key", "effect"), key=TEXT, value=TEXT, effect=one_of("NoSchedule", "PreferNoSchedule", "NoExecute"))
)

TARGET_GROUP_BINDING = record(
    ("serviceRef", "targetGroupARN"),
    serviceRef=record(("name", "port"), name=TEXT, port=QUANTITY),
    targetGroupARN={"type": "string", "pattern": "^arn:aws[a-z-]*:elasticloadbalancing:.+:targetgroup/.+$"},
    targetType=one_of("instance", "ip"),
    ipAddressType=one_of("ipv4", "ipv6"),
    vpcID=TEXT,
    nodeSelector=ANY,
    networking=record(
        ingress=several(
            record(
                ("from", "ports"),
                **{
                    "from": several(
                        record(ipBlock=record(("cidr",), cidr=TEXT), securityGroup=record(("groupID",), groupID=TEXT))
                    )
                },
                ports=several(record(port=QUANTITY, protocol=one_of("TCP", "UDP"))),
            )
        )
    ),
)
NODE_CLASS = record(
    role=TEXT,
    instanceProfile=TEXT,
    subnetSelectorTerms=SELECTOR,
    securityGroupSelectorTerms=SELECTOR,
    podSubnetSelectorTerms=SELECTOR,
    podSecurityGroupSelectorTerms=SELECTOR,
    networkPolicy=one_of("DefaultAllow", "DefaultDeny"),
    networkPolicyEventLogs=one_of("Enabled", "Disabled"),
    snatPolicy=one_of("Random", "Disabled"),
    ephemeralStorage=record(size=TEXT, iops=NUMBER, throughput=NUMBER, kmsKeyID=TEXT),
    advancedNetworking=ANY,
    capacityReservationSelectorTerms=several(record(id=TEXT, tags=LABELS)),
    tags=LABELS,
)
NODE_POOL = record(
    ("template",),
    template=record(
        ("spec",),
        metadata=record(labels=LABELS, annotations=LABELS),
        spec=record(
            ("nodeClassRef", "requirements"),
            nodeClassRef=record(("group", "kind", "name"), group=TEXT, kind=TEXT, name=TEXT),
            requirements=REQUIREMENTS,
            taints=TAINTS,
            startupTaints=TAINTS,
            expireAfter=TEXT,
            terminationGracePeriod=TEXT,
        ),
    ),
    disruption=record(
        consolidationPolicy=one_of("WhenEmpty", "WhenEmptyOrUnderutilized"),
        consolidateAfter=TEXT,
        budgets=several(record(nodes=TEXT, schedule=TEXT, duration=TEXT, reasons=TEXTS)),
    ),
    limits={"type": "object", "additionalProperties": QUANTITY},
    weight=NUMBER,
)
INGRESS_CLASS_PARAMS = record(
    scheme=one_of("internal", "internet-facing"),
    group=record(name=TEXT),
    certificateARNs=TEXTS,
    subnets=ANY,
    ipAddressType=TEXT,
    loadBalancerAttributes=several(record(key=TEXT, value=TEXT)),
    targetType=one_of("instance", "ip"),
    namespaceSelector=ANY,
    tags=several(record(key=TEXT, value=TEXT)),
)

DEFINITIONS = (
    ("eks.amazonaws.com", "TargetGroupBinding", "targetgroupbindings", "Namespaced", TARGET_GROUP_BINDING),
    ("eks.amazonaws.com", "IngressClassParams", "ingressclassparams", "Cluster", INGRESS_CLASS_PARAMS),
    ("eks.amazonaws.com", "NodeClass", "nodeclasses", "Cluster", NODE_CLASS),
    ("karpenter.sh", "NodePool", "nodepools", "Cluster", NODE_POOL),
)


def definition(group: str, kind: str, plural: str, scope: str, spec: Schema) -> tuple[str, dict[str, Any]]:
    """The collection's path and the CustomResourceDefinition of one kind, version v1."""
    fields = record(("spec",), spec={**spec, "x-kubernetes-preserve-unknown-fields": True}, status=ANY)
    names = {"kind": kind, "listKind": f"{kind}List", "plural": plural, "singular": kind.lower()}
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": fields},
        "subresources": {"status": {}},
    }
    return "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "names": names, "scope": scope, "versions": [version]},
    }


def classes() -> list[tuple[str, dict[str, Any]]]:
    """The storage driver and class and the ingress class that the guide uses, as (collection path, object)."""
    return [
        (
            "/apis/storage.k8s.io/v1/csidrivers",
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "CSIDriver",
                "metadata": {"name": "ebs.csi.eks.amazonaws.com"},
                "spec": {"attachRequired": True, "podInfoOnMount": False},
            },
        ),
        (
            "/apis/storage.k8s.io/v1/storageclasses",
            {
                "apiVersion": "storage.k8s.io/v1",
                "kind": "StorageClass",
                "metadata": {"name": "auto-ebs-sc"},
                "provisioner": "ebs.csi.eks.amazonaws.com",
                "volumeBindingMode": "WaitForFirstConsumer",
                "parameters": {"type": "gp3", "encrypted": "true"},
            },
        ),
        (
            "/apis/networking.k8s.io/v1/ingressclasses",
            {
                "apiVersion": "networking.k8s.io/v1",
                "kind": "IngressClass",
                "metadata": {"name": "alb"},
                "spec": {"controller": "eks.amazonaws.com/alb"},
            },
        ),
    ]


def objects() -> list[tuple[str, dict[str, Any]]]:
    """Everything to apply when a cluster is created, in order, as (collection path, object)."""
    return [definition(*row) for row in DEFINITIONS] + classes()


def node(name: str, zone: str, region: str) -> dict[str, Any]:
    """One node of the `general-purpose` pool as Auto Mode labels it."""
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "kubernetes.io/arch": "arm64",
                "topology.kubernetes.io/zone": zone,
                "topology.kubernetes.io/region": region,
                "node.kubernetes.io/instance-type": "m7g.2xlarge",
                "eks.amazonaws.com/compute-type": "auto",
                "karpenter.sh/nodepool": "general-purpose",
                "karpenter.sh/capacity-type": "on-demand",
            },
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "spec": {"providerID": f"aws:///{zone}/i-{name[-17:].replace('-', '0')}"},
    }
