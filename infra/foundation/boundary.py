"""What can no role of the estate ever exceed? A boundary of the account's project, set on all at once.

A stack transformation does it, so no component can forget it: the deployer is only allowed to create roles with this
boundary and below this path (bootstrap/pipeline.py).
"""

import pulumi
from pulumi.runtime import register_stack_transformation

from infra.foundation import names
from infra.foundation.environment import Environment

ROLE, POLICY = "aws:iam/role:Role", "aws:iam/policy:Policy"


def bind(environment: Environment) -> None:
    """From now on every role and policy of this stack lies below the environment's path, roles within the boundary."""
    path, boundary = names.identity_path(environment), names.boundary(environment)

    def bound(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        if args.type_ == ROLE:
            props = {**args.props, "path": path, "permissions_boundary": boundary}
        elif args.type_ == POLICY:
            props = {**args.props, "path": path}
        else:
            return None
        return pulumi.ResourceTransformationResult(props, args.opts)

    register_stack_transformation(bound)
