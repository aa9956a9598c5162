"""What is each thing called in AWS? Only what must keep its name: state, and what other systems look up.

Everything else is auto-named by Pulumi, so that a replacement can exist beside the resource it replaces.
"""

from typing import Literal

from infra.foundation.environment import PROJECT, Environment

STATE = "state"
"""The purpose of the bucket that holds an account's Pulumi state."""
ACCOUNT_PATH = "/account/"
"""The path of what the account's project makes for the estate to pass on, not to change."""
IMAGES = ("service", "grafana")
"""The repositories of images; Grafana's is a copy of the published one."""


def cluster(environment: Environment) -> str:
    """The EKS cluster."""
    return environment.prefix


def resource(environment: Environment, purpose: str) -> str:
    """A stateful resource whose name is unique in its account and region (database, cache, queue, vault)."""
    return f"{environment.prefix}-{purpose}"


def bucket(environment: Environment, purpose: str) -> str:
    """A bucket: unique in the world, hence the account id."""
    return f"{environment.prefix}-{purpose}-{environment.account_id}"


def key_alias(environment: Environment, data_class: str) -> str:
    """The alias of a KMS key."""
    return f"alias/{environment.prefix}-{data_class}"


def repository(image: str) -> str:
    """A repository of images, the same in every account: the release's image differs by its account only."""
    return f"{PROJECT}/{image}"


def account_role(environment: Environment, purpose: str) -> str:
    """A role of the account's own project: who deploys, looks, recovers. Named, since others refer to it."""
    return f"{environment.prefix}-{purpose}"


def identity_path(environment: Environment) -> str:
    """The path of every role and policy that the estate creates: who deploys it may touch no others."""
    return f"/{PROJECT}/{environment.name}/"


def boundary(environment: Environment, purpose: str = "workload") -> str:
    """The ARN of a permissions boundary: that of the estate's roles, or of the pipeline's."""
    return f"arn:aws:iam::{environment.account_id}:policy/{environment.prefix}-{purpose}-boundary"


def brake(environment: Environment, kind: Literal["role", "policy"]) -> str:
    """The ARN of the role that attaches the budget's brake, or of the policy that is attached."""
    return f"arn:aws:iam::{environment.account_id}:{kind}{ACCOUNT_PATH}{environment.prefix}-brake"


def path(environment: Environment, *parts: str) -> str:
    """A slash-separated name of an environment (secrets)."""
    return "/".join([PROJECT, environment.name, *parts])
