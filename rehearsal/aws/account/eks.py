"""What does EKS refuse, and who else needs a role that trusts the service? Roles and Auto Mode's three switches."""

from rehearsal.answers import Refused
from rehearsal.aws.account.documents import statements
from rehearsal.aws.account.request import Request, Rule
from rehearsal.values import Value, at

_CLUSTER = "aws:eks/cluster:Cluster"
_ROLE = "aws:iam/role:Role"
_TRUSTED = {
    _CLUSTER: ("roleArn", "eks.amazonaws.com", "InvalidParameterException"),
    "aws:eks/nodeGroup:NodeGroup": ("nodeRoleArn", "ec2.amazonaws.com", "InvalidParameterException"),
    "aws:eks/podIdentityAssociation:PodIdentityAssociation": (
        "roleArn",
        "pods.eks.amazonaws.com",
        "InvalidParameterException",
    ),
    "aws:lambda/function:Function": ("role", "lambda.amazonaws.com", "InvalidParameterValueException"),
    "aws:backup/selection:Selection": ("iamRoleArn", "backup.amazonaws.com", "InvalidParameterValueException"),
    "aws:s3/bucketReplicationConfig:BucketReplicationConfig": ("role", "s3.amazonaws.com", "InvalidRequest"),
}
"""Types that take a role: its property, the service that must be trusted, the code of the refusal."""


def role_does_not_trust_the_service(request: Request) -> Refused | None:
    """A role of this world that the service may not assume."""
    property, service, code = _TRUSTED[request.token]
    arn = request.inputs.get(property)
    role = request.find(arn)
    if role is None or role.token != _ROLE:
        return None
    for statement in statements(role.outputs.get("assumeRolePolicy")):
        principal = statement.get("Principal")
        services = principal.get("Service") if isinstance(principal, dict) else principal
        trusted = services if isinstance(services, list) else [services]
        if statement.get("Effect") == "Allow" and (service in trusted or "*" in trusted):
            return None
    says = (
        f"Role with arn: {arn}, could not be assumed because the trusted entity is not correct: it must trust {service}"
    )
    return Refused(code, says, property)


def auto_mode_is_half_on(request: Request) -> Refused | None:
    """Auto Mode's compute, load balancing and block storage, of which some are on and some off."""
    switches: dict[str, Value] = {
        "computeConfig.enabled": at(request.inputs, ("computeConfig", "enabled")),
        "kubernetesNetworkConfig.elasticLoadBalancing.enabled": at(
            request.inputs, ("kubernetesNetworkConfig", "elasticLoadBalancing", "enabled")
        ),
        "storageConfig.blockStorage.enabled": at(request.inputs, ("storageConfig", "blockStorage", "enabled")),
    }
    states = {bool(value) for value in switches.values()}
    if len(states) == 1:
        return None
    off = ", ".join(name for name, value in switches.items() if not value)
    says = (
        f"For EKS Auto Mode, please ensure that all required configs are either fully enabled or fully disabled: {off}"
    )
    return Refused("InvalidParameterException", says, "computeConfig")


CHANGE: dict[str, tuple[Rule, ...]] = dict.fromkeys(_TRUSTED, (role_does_not_trust_the_service,)) | {
    _CLUSTER: (role_does_not_trust_the_service, auto_mode_is_half_on),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
