"""Where are images kept? ECR: tags that never move, scanned, copied to a second region, read by who promotes them.

Scanning, replication and the template of replicas are one per account and region: no environment's estate owns them.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.shape import RegistryShape
from infra.foundation import names, protection, roles, tags
from infra.foundation.environment import PROJECT, Environment
from infra.foundation.iam import Statement, account_root, document, of_account, trust
from infra.foundation.keys import EncryptionKey

PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer"]
PUSH = ["ecr:CompleteLayerUpload", "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart"]


@dataclass(frozen=True)
class RegistryArgs:
    """What the registry needs to know."""

    environment: Environment
    shape: RegistryShape
    key: EncryptionKey


class Registry(pulumi.ComponentResource):
    """The repositories of the service's image, and of Grafana's, a copy of the published one."""

    urls: dict[str, pulumi.Output[str]]

    def __init__(self, name: str, args: RegistryArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Registry", name, None, opts)
        self._child = pulumi.ResourceOptions(parent=self)
        aws.ecr.RegistryScanningConfiguration(
            name,
            scan_type="ENHANCED",
            rules=[
                {
                    "scan_frequency": "CONTINUOUS_SCAN",
                    "repository_filters": [{"filter": f"{PROJECT}/*", "filter_type": "WILDCARD"}],
                }
            ],
            opts=self._child,
        )
        ready = [self._replicate(name, args)] if args.shape.replicated else []
        self.urls = {image: self._repository(image, args, ready) for image in names.IMAGES}
        self.register_outputs({})

    def _repository(self, image: str, args: RegistryArgs, ready: Sequence[pulumi.Resource]) -> pulumi.Output[str]:
        repository = aws.ecr.Repository(
            image,
            name=names.repository(image),
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration={"scan_on_push": True},
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.key.arn}],
            force_delete=protection.discard_contents(args.environment),
            tags=tags.data(tags.DataClass.INTERNAL, backup="code"),
            opts=protection.stateful(args.environment, self, ready),
        )
        aws.ecr.LifecyclePolicy(
            image, repository=repository.name, policy=lifecycle(args.shape.kept_images), opts=self._child
        )
        if args.shape.promoted_to:
            aws.ecr.RepositoryPolicy(
                image, repository=repository.name, policy=document(*readers(args.shape.promoted_to)), opts=self._child
            )
        return repository.repository_url

    def _replicate(self, name: str, args: RegistryArgs) -> aws.ecr.ReplicationConfiguration:
        """Copies in the recovery region are encrypted and immutable too: ECR's own defaults are neither."""
        environment = args.environment
        creator = roles.create(
            f"{name}-replicas",
            "ECR makes the repositories that hold replicas",
            trust("ecr.amazonaws.com", of_account(environment.account_id)),
            self,
            statements=[
                Statement(
                    "Replicas",
                    ["ecr:CreateRepository", "ecr:ReplicateImage", "ecr:TagResource"],
                    [f"arn:aws:ecr:{environment.recovery_region}:{environment.account_id}:repository/{PROJECT}/*"],
                ),
                Statement("Key", ["kms:CreateGrant", "kms:DescribeKey", "kms:RetireGrant"], [args.key.replica_arn]),
            ],
        )
        template = aws.ecr.RepositoryCreationTemplate(
            name,
            prefix=f"{PROJECT}/",
            applied_fors=["REPLICATION"],
            description="Replicas are as immutable and as encrypted as what they copy",
            image_tag_mutability="IMMUTABLE",
            encryption_configurations=[{"encryption_type": "KMS", "kms_key": args.key.replica_arn}],
            lifecycle_policy=lifecycle(args.shape.kept_images),
            custom_role_arn=creator.arn,
            resource_tags=tags.data(tags.DataClass.INTERNAL, backup="code"),
            region=environment.recovery_region,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[*creator.ready]),
        )
        return aws.ecr.ReplicationConfiguration(
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
            opts=pulumi.ResourceOptions(parent=self, depends_on=[template]),
        )


def copier(environment: Environment, builder: str) -> list[Statement]:
    """What copies an image by its digest: from the account that built it into this one."""
    own, source = (
        [f"arn:aws:ecr:{environment.region}:{account}:repository/{names.repository(image)}" for image in names.IMAGES]
        for account in (environment.account_id, builder)
    )
    return [
        Statement("LogInToRegistries", ["ecr:GetAuthorizationToken"], ["*"]),
        Statement("PullImages", PULL, sorted({*own, *source})),
        Statement("PushImages", PUSH, own),
    ]


def readers(accounts: Sequence[str]) -> list[Statement]:
    """The accounts that copy an image from here: their deploying roles, and nobody else of theirs.

    ECR refuses a policy that names a role which does not exist yet, so the role is a condition on its account.
    """
    return [
        Statement(
            "Promotion",
            PULL,
            principals={"AWS": [account_root(account) for account in accounts]},
            conditions={
                "ArnLike": {
                    "aws:PrincipalArn": [f"arn:aws:iam::{account}:role/{PROJECT}-*-deploy" for account in accounts]
                }
            },
        )
    ]


def lifecycle(kept: int) -> str:
    """Only newer images push one out, tagged or not: what is deployed by its digest alone is not younger than a tag."""
    rule = {
        "rulePriority": 1,
        "description": "all but the newest images",
        "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": kept},
        "action": {"type": "expire"},
    }
    return json.dumps({"rules": [rule]})
