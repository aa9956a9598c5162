"""How do workflows become somebody in AWS? GitHub signs who they are; no key is kept anywhere.

A role is bound to this repository and to one environment of it. Repositories older than July 2026 are called by their
name, newer ones by name and number (`repo:owner@1/name@2:...`): both spellings are accepted, each compared whole.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from bootstrap.shape import GithubShape
from infra.foundation.iam import Statement, document

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True)
class FederationArgs:
    """Which repository's workflows are known."""

    github: GithubShape


class Federation(pulumi.ComponentResource):
    """The identity provider, and the trust that roles of workflows need."""

    def __init__(self, name: str, args: FederationArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("tecnocursos:account:Federation", name, None, opts)
        self._github = args.github
        self._issuer = aws.iam.OpenIdConnectProvider(
            name, url=f"https://{ISSUER}", client_id_lists=[AUDIENCE], opts=pulumi.ResourceOptions(parent=self)
        )
        self.register_outputs({})

    def trust(self, environment: str) -> pulumi.Output[str]:
        """Trust in jobs of one environment of the repository. GitHub asks that environment's reviewers before."""
        return document(
            Statement(
                "WorkflowAssumes",
                ["sts:AssumeRoleWithWebIdentity"],
                principals={"Federated": [self._issuer.arn]},
                conditions={
                    "StringEquals": {f"{ISSUER}:aud": AUDIENCE, f"{ISSUER}:sub": subjects(self._github, environment)}
                },
            )
        )


def subjects(github: GithubShape, environment: str) -> Sequence[str]:
    """Both spellings of the claim `sub` of a job that runs in this environment."""
    owner, _, name = github.repository.partition("/")
    return [
        f"repo:{github.repository}:environment:{environment}",
        f"repo:{owner}@{github.owner_id}/{name}@{github.repository_id}:environment:{environment}",
    ]
