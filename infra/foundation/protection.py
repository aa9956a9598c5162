"""What keeps a stateful resource from being deleted? Pulumi's `protect`, AWS's own flag and a final snapshot.

An environment that is `protected` has all of them; taking them off is one reviewed change of its `protected` field,
deployed before anything can be destroyed.
"""

from collections.abc import Sequence

import pulumi

from infra.foundation.environment import Environment


def stateful(
    environment: Environment, parent: pulumi.Resource, depends_on: Sequence[pulumi.Resource] = ()
) -> pulumi.ResourceOptions:
    """Options of a child that holds data or keys."""
    return pulumi.ResourceOptions(parent=parent, protect=environment.protected, depends_on=list(depends_on))


def deletion_protection(environment: Environment) -> bool:
    """AWS's own flag, for the services that have one."""
    return environment.protected


def discard_contents(environment: Environment) -> bool:
    """Whether a bucket, repository or vault may be deleted together with what is in it."""
    return not environment.protected


def final_snapshot(environment: Environment, name: str) -> str | None:
    """The snapshot that is taken when the resource is deleted; None where its data is disposable."""
    return f"{name}-final" if environment.protected else None
