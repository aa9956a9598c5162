"""Where are the service's own secrets kept? In Secrets Manager, where people put the values: this program has none."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from infra.foundation import names, protection, tags
from infra.foundation.encryption import KeyClass, Keys
from infra.foundation.environment import Environment


@dataclass(frozen=True)
class SecretsArgs:
    """What the secret needs to know."""

    environment: Environment
    keys: Keys


class Secrets(pulumi.ComponentResource):
    """One JSON secret with the service's keys, readable in the recovery region too."""

    arn: pulumi.Output[str]
    name: str

    def __init__(self, name: str, args: SecretsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:infra:Secrets", name, None, opts)
        environment = args.environment
        self.name = names.path(environment, "service")
        secret = aws.secretsmanager.Secret(
            name,
            name=self.name,
            description="Token keys and API keys of outside providers, as one JSON object",
            kms_key_id=args.keys[KeyClass.SECRETS].arn,
            replicas=[{"region": environment.recovery_region, "kms_key_id": args.keys[KeyClass.SECRETS].replica_arn}],
            # A deleted name stays taken for as long: disposable environments come back at once.
            recovery_window_in_days=30 if environment.protected else 0,
            tags=tags.data(tags.DataClass.SECRET),
            opts=protection.stateful(environment, self),
        )
        self.arn = secret.arn
        self.register_outputs({"arn": self.arn})
