"""Where do the pods run? EKS in Auto Mode, access by API entries, and a Kubernetes provider bound to it."""

from dataclasses import dataclass
from ipaddress import IPv4Network
from typing import Any

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from infra.cluster.shape import ClusterShape
from infra.foundation import names, protection, roles, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment
from infra.foundation.iam import Statement, trust
from infra.network.network import Network

CONTROL_PLANE_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
CLUSTER_POLICIES = (
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
)
NODE_POLICIES = ("AmazonEKSWorkerNodeMinimalPolicy", "AmazonEC2ContainerRegistryPullOnly")
API_PORT = 443
ACCESS = "arn:aws:eks::aws:cluster-access-policy/"


@dataclass(frozen=True)
class ClusterArgs:
    """namespace: where the service runs; developers may edit it and nothing else."""

    environment: Environment
    shape: ClusterShape
    network: Network
    keys: Keys
    namespace: str


class Cluster(pulumi.ComponentResource):
    """The cluster; `provider` is the only way to its objects, and exists only while the deployer has access.

    label: of its parts. node_role: what its machines are to AWS.
    """

    label: str
    name: pulumi.Output[str]
    arn: pulumi.Output[str]
    endpoint: pulumi.Output[str]
    security_group_id: pulumi.Output[str]
    kubeconfig: pulumi.Output[str]
    provider: kubernetes.Provider
    resource: aws.eks.Cluster
    node_role: roles.Role

    def __init__(self, name: str, args: ClusterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Cluster", name, None, opts)
        self.label = self._name = name
        self._args = args
        self._child = pulumi.ResourceOptions(parent=self)
        cluster = self._cluster()
        self.resource = cluster
        self.name, self.arn, self.endpoint = cluster.name, cluster.arn, cluster.endpoint
        self.security_group_id = cluster.vpc_config.cluster_security_group_id
        deployer = self._grant("deployer", args.shape.deployer_role, "AmazonEKSClusterAdminPolicy")
        for number, role in enumerate(args.shape.viewer_roles):
            self._grant(f"viewer-{number}", role, "AmazonEKSViewPolicy")
        for number, role in enumerate(args.shape.developer_roles):
            self._grant(f"developer-{number}", role, "AmazonEKSEditPolicy", namespace=args.namespace)
        self.kubeconfig = pulumi.Output.json_dumps(
            kubeconfig(
                names.cluster(args.environment),
                args.environment.region,
                cluster.endpoint,
                cluster.certificate_authority.data,
            )
        )
        admitted = [self._admit(cidr) for cidr in args.shape.api_private_cidrs]
        self.provider = kubernetes.Provider(
            f"{name}-kubernetes",
            kubeconfig=self.kubeconfig,
            # A literal: with it, no change of the kubeconfig replaces the provider and every object behind it.
            cluster_identifier=f"{names.cluster(args.environment)}-1",
            enable_server_side_apply=True,
            # Objects go before the access that can delete them, and before the way to them.
            opts=pulumi.ResourceOptions(parent=self, depends_on=[deployer, *admitted]),
        )
        self.register_outputs({"name": self.name, "endpoint": self.endpoint})

    def _admit(self, cidr: IPv4Network) -> aws.vpc.SecurityGroupIngressRule:
        """Let deployments from these addresses reach the API inside the VPC: its nodes alone do without a rule."""
        return aws.vpc.SecurityGroupIngressRule(
            f"{self._name}-api-from-{cidr.network_address}-{cidr.prefixlen}",
            security_group_id=self.security_group_id,
            description="Deployments reach the API server",
            ip_protocol="tcp",
            from_port=API_PORT,
            to_port=API_PORT,
            cidr_ipv4=str(cidr),
            opts=self._child,
        )

    def _cluster(self) -> aws.eks.Cluster:
        name, args = self._name, self._args
        environment, shape = args.environment, args.shape
        role = roles.create(
            f"{name}-control-plane",
            "EKS runs the control plane and Auto Mode",
            trust("eks.amazonaws.com", tag_session=True),
            self,
            statements=[*_tagging(environment), *_encrypting(environment, args.keys[KeyClass.TRANSIENT].arn)],
            managed=CLUSTER_POLICIES,
        )
        self.node_role = roles.create(
            f"{name}-node",
            "Nodes join the cluster and pull images",
            trust("ec2.amazonaws.com"),
            self,
            managed=NODE_POLICIES,
        )
        logs = aws.cloudwatch.LogGroup(
            f"{name}-logs",
            # EKS creates it itself, unencrypted and for ever, when it is not there first.
            name=f"/aws/eks/{names.cluster(environment)}/cluster",
            retention_in_days=args.environment.log_days,
            kms_key_id=args.keys[KeyClass.OPERATIONS].arn,
            opts=self._child,
        )
        public = [str(cidr) for cidr in shape.api_public_cidrs]
        access: aws.eks.ClusterVpcConfigArgsDict = {
            # Auto Mode puts its nodes into the subnets of the cluster: small ones would starve them.
            "subnet_ids": args.network.private.subnet_ids,
            "endpoint_private_access": True,
            "endpoint_public_access": bool(public),
        }
        if public:
            access["public_access_cidrs"] = public
        return aws.eks.Cluster(
            name,
            name=names.cluster(environment),
            version=shape.version,
            role_arn=role.arn,
            vpc_config=access,
            access_config={"authentication_mode": "API", "bootstrap_cluster_creator_admin_permissions": False},
            encryption_config={"provider": {"key_arn": args.keys[KeyClass.SECRETS].arn}, "resources": ["secrets"]},
            enabled_cluster_log_types=CONTROL_PLANE_LOGS,
            deletion_protection=protection.deletion_protection(environment),
            upgrade_policy={"support_type": "STANDARD"},
            zonal_shift_config={"enabled": True},
            # Auto Mode brings networking, DNS, storage, load balancing and nodes: all three blocks or none.
            bootstrap_self_managed_addons=False,
            # No built-in pools: see nodes.py.
            compute_config={"enabled": True},
            storage_config={"block_storage": {"enabled": True}},
            kubernetes_network_config={
                "ip_family": "ipv4",
                "service_ipv4_cidr": str(shape.service_cidr),
                "elastic_load_balancing": {"enabled": True},
            },
            tags={
                **tags.data(tags.DataClass.INTERNAL, backup="cluster-objects"),
                "standard-support-ends": shape.standard_support_ends.isoformat(),
            },
            opts=protection.stateful(environment, self, [*role.ready, *self.node_role.ready, logs]),
        )

    def _grant(
        self, label: str, role: str, policy: str, namespace: str | None = None
    ) -> aws.eks.AccessPolicyAssociation:
        """Give a role an access policy over the cluster, or over one namespace."""
        name = f"{self._name}-{label}"
        entry = aws.eks.AccessEntry(name, cluster_name=self.name, principal_arn=role, type="STANDARD", opts=self._child)
        scope: aws.eks.AccessPolicyAssociationAccessScopeArgsDict = {"type": "cluster"}
        if namespace is not None:
            scope = {"type": "namespace", "namespaces": [namespace]}
        return aws.eks.AccessPolicyAssociation(
            name,
            cluster_name=self.name,
            principal_arn=entry.principal_arn,
            policy_arn=f"{ACCESS}{policy}",
            access_scope=scope,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[entry]),
        )


def kubeconfig(cluster: str, region: str, endpoint: pulumi.Input[str], authority: pulumi.Input[str]) -> dict[str, Any]:
    """A kubeconfig that asks AWS for a token at each use: none that could expire or leak is kept in state."""
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {"server": endpoint, "certificate-authority-data": authority}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": cluster}}],
        "current-context": cluster,
        "users": [
            {
                "name": cluster,
                "user": {
                    "exec": {
                        "apiVersion": "client.authentication.k8s.io/v1beta1",
                        "command": "aws",
                        "args": ["eks", "get-token", "--cluster-name", cluster, "--region", region, "--output", "json"],
                        "interactiveMode": "Never",
                    }
                },
            }
        ],
    }


def _tagging(environment: Environment) -> list[Statement]:
    """Auto Mode refuses to create instances, volumes and interfaces with tags of ours unless its role may set them.

    Source: Amazon EKS user guide, "Custom AWS tags for EKS Auto resources".
    """
    keys = {"aws:RequestTag/eks:eks-cluster-name": "${aws:PrincipalTag/eks:eks-cluster-name}"}
    region, account = environment.region, environment.account_id
    ec2 = f"arn:aws:ec2:{region}:{account}"
    return [
        Statement(
            "Compute",
            ["ec2:CreateFleet", "ec2:RunInstances", "ec2:CreateLaunchTemplate"],
            [f"{ec2}:*", f"arn:aws:ec2:{region}::image/*", f"arn:aws:ec2:{region}::snapshot/*"],
            conditions={"StringEquals": keys},
        ),
        Statement(
            "Storage",
            ["ec2:CreateVolume", "ec2:CreateSnapshot"],
            [f"{ec2}:volume/*", f"arn:aws:ec2:{region}::snapshot/*"],
            conditions={"StringEquals": keys},
        ),
        Statement(
            "Networking",
            ["ec2:CreateNetworkInterface"],
            [f"{ec2}:network-interface/*", f"{ec2}:subnet/*", f"{ec2}:security-group/*"],
            conditions={"StringEquals": keys},
        ),
    ]


def _encrypting(environment: Environment, key: pulumi.Input[str]) -> list[Statement]:
    """Auto Mode launches nodes whose volumes have a key of ours: EC2 uses it on behalf of the cluster's role.

    Source: Amazon EC2 user guide, "Requirements for Amazon EBS encryption".
    """
    via = {"StringEquals": {"kms:ViaService": f"ec2.{environment.region}.amazonaws.com"}}
    use = [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:GenerateDataKeyWithoutPlaintext",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo",
    ]
    return [
        Statement("NodeVolumes", [f"kms:{action}" for action in use], [key], conditions=via),
        Statement(
            "NodeVolumesOfEc2",
            ["kms:CreateGrant"],
            [key],
            conditions={**via, "Bool": {"kms:GrantIsForAWSResource": "true"}},
        ),
    ]
