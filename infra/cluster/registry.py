"""Where are images kept? ECR: tags that never move, scanned, with room to roll back."""

import json
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.cluster.shape import RegistryShape
from infra.foundation import protection, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import PROJECT, Environment

SERVICE, GRAFANA = f"{PROJECT}/service", f"{PROJECT}/grafana"
UNTAGGED_DAYS = 7


@dataclass(frozen=True)
class RegistryArgs:
    """What the registry needs to know."""

    environment: Environment
    shape: RegistryShape
    keys: Keys


class Registry(pulumi.ComponentResource):
    """The repositories of the service's image, and of Grafana's, a copy of the published one."""

    url: pulumi.Output[str]
    arn: pulumi.Output[str]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Registry", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        environment, shape = args.environment, args.shape
        service = self._repository(name, SERVICE, args)
        self._repository(f"{name}-grafana", GRAFANA, args)
        aws.ecr.RegistryScanningConfiguration(
            name,
            scan_type="ENHANCED",
            rules=[
                {
                    "scan_frequency": "CONTINUOUS_SCAN",
                    "repository_filters": [{"filter": f"{PROJECT}/*", "filter_type": "WILDCARD"}],
                }
            ],
            opts=child,
        )
        if shape.replicated:
            aws.ecr.ReplicationConfiguration(
                name,
                replication_configuration={
                    "rules": [
                        {
                            "destinations": [
                                {"region": environment.recovery_region, "registry_id": environment.account_id}
                            ],
                            "repository_filters": [{"filter": f"{PROJECT}/", "filter_type": "PREFIX_MATCH"}],
                        }
                    ]
                },
                opts=child,
            )
        self.url, self.arn = service.repository_url, service.arn
        self.register_outputs({"url": self.url})

    def _repository(self, name: str, called: str, args: RegistryArgs) -> aws.ecr.Repository:
        repository = aws.ecr.Repository(
            name,
            name=called,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.keys[KeyClass.OPERATIONS].arn}],
            force_delete=protection.discard_contents(args.environment),
            tags=tags.data(tags.DataClass.INTERNAL, backup="code"),
            opts=protection.stateful(args.environment, self),
        )
        aws.ecr.LifecyclePolicy(
            name,
            repository=repository.name,
            policy=json.dumps({"rules": lifecycle(args.shape.kept_images)}),
            opts=pulumi.ResourceOptions(parent=self),
        )
        return repository


def lifecycle(kept: int) -> list[dict[str, object]]:
    """Untagged images go after a week; of the tagged ones the newest are kept."""
    return [
        {
            "rulePriority": 1,
            "description": "untagged images",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        },
        {
            "rulePriority": 2,
            "description": "all but the newest images",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": kept},
            "action": {"type": "expire"},
        },
    ]
