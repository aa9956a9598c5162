"""What is each thing called in AWS? Only what must keep its name: state, and what other systems look up.

Everything else is auto-named by Pulumi, so that a replacement can exist beside the resource it replaces.
"""

from infra.foundation.environment import PROJECT, Environment

STATE = "state"
"""The purpose of the bucket that holds an account's Pulumi state."""
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


def path(environment: Environment, *parts: str) -> str:
    """A slash-separated name of an environment (secrets)."""
    return "/".join([PROJECT, environment.name, *parts])
