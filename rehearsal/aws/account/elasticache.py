"""What does ElastiCache refuse? Networks, parameter groups and users that do not fit the cache."""

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule

_GROUP = "aws:elasticache/replicationGroup:ReplicationGroup"
_USER = "aws:elasticache/user:User"


def group_is_in_another_network(request: Request) -> Refused | None:
    """A security group outside the VPC of the cache's subnet group."""
    subnets = request.named("aws:elasticache/subnetGroup:SubnetGroup", "name", request.inputs.get("subnetGroupName"))
    network = subnets.outputs.get("vpcId") if subnets else None
    for id in request.every("securityGroupIds"):
        security = request.find(id)
        other = security.outputs.get("vpcId") if security else None
        if network and other and other != network:
            says = f"The cache is in {network}, but security group {id} is in {other}"
            return Refused("InvalidParameterCombination", says, "securityGroupIds")
    return None


def parameter_group_is_of_another_family(request: Request) -> Refused | None:
    """A parameter group for another engine or major version."""
    name, version = request.inputs.get("parameterGroupName"), request.inputs.get("engineVersion")
    group = request.named("aws:elasticache/parameterGroup:ParameterGroup", "name", name)
    family, engine = (group.outputs.get("family") if group else None), request.inputs.get("engine", "redis")
    if not isinstance(family, str) or not isinstance(version, str):
        return None
    expected = f"{engine}{version.split('.')[0]}"
    if family in {expected, f"{expected}.x"}:
        return None
    says = f"Expected a parameter group of family {expected} but found one of family {family}: {name}"
    return Refused("InvalidParameterCombination", says, "parameterGroupName")


def users_need_encryption(request: Request) -> Refused | None:
    """Access control by users without encryption in transit."""
    if request.every("userGroupIds") and request.inputs.get("transitEncryptionEnabled") is not True:
        says = "User group based access control requires encryption-in-transit to be enabled on the replication group"
        return Refused("InvalidParameterCombination", says, "userGroupIds")
    return None


def users_do_not_fit_together(request: Request) -> Refused | None:
    """Users of one name, users of another engine, and Redis groups without the default user; all users known."""
    engine = str(request.inputs.get("engine", "redis")).lower()
    users = [request.named(_USER, "userId", id) for id in request.every("userIds")]
    known = [user for user in users if user is not None]
    names = [str(user.outputs.get("userName")) for user in known]
    doubled = next((name for name in names if names.count(name) > 1), None)
    if doubled:
        return Refused("DuplicateUserName", f"Two users of the group have the user name {doubled}", "userIds")
    stranger = next((user for user in known if str(user.outputs.get("engine", engine)).lower() != engine), None)
    if stranger is not None and engine == "redis":
        says = f"User {stranger.id} is for engine {stranger.outputs.get('engine')}, the group for {engine}"
        return Refused("InvalidParameterValue", says, "userIds")
    if engine == "redis" and len(known) == len(users) and "default" not in names:
        says = "The user group needs to contain a user with the user name default"
        return Refused("DefaultUserRequired", says, "userIds")
    return None


CHANGE: dict[str, tuple[Rule, ...]] = {
    _GROUP: (group_is_in_another_network, parameter_group_is_of_another_family, users_need_encryption),
    "aws:elasticache/userGroup:UserGroup": (users_do_not_fit_together,),
}
DELETION: dict[str, tuple[Rule, ...]] = {}
