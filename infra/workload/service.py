"""What objects make the service run? One component behind the estate's outputs."""

from dataclasses import dataclass

import pulumi
import pulumi_kubernetes as kubernetes

from infra.estate import NAMESPACE, Estate


@dataclass(frozen=True)
class ServiceArgs:
    """What the service needs: the estate's typed outputs."""

    estate: Estate


class Service(pulumi.ComponentResource):
    """The service's namespace and everything in it."""

    namespace: pulumi.Output[str]

    def __init__(self, name: str, args: ServiceArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:workload:Service", name, None, opts)
        # When the cluster goes, its objects go with it: nothing to call, nothing to wait for.
        inside = pulumi.ResourceOptions(
            parent=self, provider=args.estate.cluster.provider, deleted_with=args.estate.cluster.resource
        )
        namespace = kubernetes.core.v1.Namespace(
            f"{name}-namespace",
            metadata={
                "name": NAMESPACE,
                "labels": {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")},
            },
            opts=inside,
        )
        self.namespace = namespace.metadata.name
        self.register_outputs({"namespace": self.namespace})
