"""Who is each pod to AWS? One role per workload, taken by its service account through EKS Pod Identity."""

from collections.abc import Mapping
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.cluster import permissions
from infra.cluster.cluster import Cluster
from infra.cluster.permissions import Reach, Workload
from infra.foundation import names, roles
from infra.foundation.environment import Environment
from infra.foundation.iam import Conditions, trust


@dataclass(frozen=True)
class IdentityArgs:
    """namespace: where the service accounts are."""

    environment: Environment
    cluster: Cluster
    namespace: str
    reach: Reach


class Identity(pulumi.ComponentResource):
    """The roles by workload: what depends on the component comes after their policies and associations."""

    roles: Mapping[Workload, roles.Role]

    def __init__(self, name: str, args: IdentityArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Identity", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.roles = {
            workload: roles.create(
                f"{name}-{workload}",
                f"The service's {workload}",
                trust("pods.eks.amazonaws.com", only(args.environment, args.namespace, workload), tag_session=True),
                self,
                statements=statements,
            )
            for workload, statements in permissions.of(args.reach).items()
        }
        for workload, role in self.roles.items():
            aws.eks.PodIdentityAssociation(
                f"{name}-{workload}",
                cluster_name=args.cluster.name,
                namespace=args.namespace,
                service_account=workload,
                role_arn=role.arn,
                opts=child,
            )
        self.register_outputs({})


def only(environment: Environment, namespace: str, service_account: str) -> Conditions:
    """One service account of one cluster; EKS passes these tags with every session."""
    return {
        "StringEquals": {
            "aws:SourceAccount": environment.account_id,
            "aws:RequestTag/eks-cluster-name": names.cluster(environment),
            "aws:RequestTag/kubernetes-namespace": namespace,
            "aws:RequestTag/kubernetes-service-account": service_account,
        }
    }
