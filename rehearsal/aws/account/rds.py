"""What does RDS refuse? Networks, parameter groups, windows and replicas that do not fit; no last snapshot."""

import re

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.values import Value

_INSTANCE = "aws:rds/instance:Instance"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DAY = 24 * 60


def group_is_in_another_network(request: Request) -> Refused | None:
    """A security group outside the VPC of the database's subnet group."""
    group = request.named("aws:rds/subnetGroup:SubnetGroup", "name", request.inputs.get("dbSubnetGroupName"))
    network = group.outputs.get("vpcId") if group else None
    for id in request.every("vpcSecurityGroupIds"):
        security = request.find(id)
        other = security.outputs.get("vpcId") if security else None
        if network and other and other != network:
            says = (
                "The DB instance and EC2 security group are in different VPCs. "
                f"The DB instance is in {network} and the EC2 security group is in {other}"
            )
            return Refused("InvalidVPCNetworkStateFault", says, "vpcSecurityGroupIds")
    return None


def parameter_group_is_of_another_family(request: Request) -> Refused | None:
    """A parameter group for another engine or major version."""
    name, version = request.inputs.get("parameterGroupName"), request.inputs.get("engineVersion")
    group = request.named("aws:rds/parameterGroup:ParameterGroup", "name", name)
    family, engine = (group.outputs.get("family") if group else None), request.inputs.get("engine")
    if not isinstance(family, str) or not isinstance(version, str) or engine not in ("mysql", "mariadb", "postgres"):
        return None
    major = version.split(".")[0] if engine == "postgres" else ".".join(version.split(".")[:2])
    if family == f"{engine}{major}":
        return None
    says = (
        f"The parameter group {name} with DBParameterGroupFamily {family} can't be used for this instance. "
        f"Please use a parameter group with DBParameterGroupFamily {engine}{major}"
    )
    return Refused("InvalidParameterCombination", says, "parameterGroupName")


def windows_overlap(request: Request) -> Refused | None:
    """A backup window inside the maintenance window."""
    backup, maintenance = request.inputs.get("backupWindow"), request.inputs.get("maintenanceWindow")
    times = re.fullmatch(r"(\d\d):(\d\d)-(\d\d):(\d\d)", str(backup))
    days = re.fullmatch(r"(\w{3}):(\d\d):(\d\d)-(\w{3}):(\d\d):(\d\d)", str(maintenance).lower())
    if not times or not days or days[1] not in _DAYS or days[4] not in _DAYS:
        return None
    start, end = _minute(times[1], times[2]), _minute(times[3], times[4])
    first = _DAYS.index(days[1]) * _DAY + _minute(days[2], days[3])
    last = _DAYS.index(days[4]) * _DAY + _minute(days[5], days[6])
    busy = {minute % (7 * _DAY) for minute in range(first, last if last > first else last + 7 * _DAY)}
    length = (end - start) % _DAY
    daily = {(day * _DAY + start + minute) % (7 * _DAY) for day in range(7) for minute in range(length)}
    if not busy & daily:
        return None
    says = f"The backup window and maintenance window must not overlap: {backup} and {maintenance}"
    return Refused("InvalidParameterValue", says, "backupWindow")


def source_cannot_be_replicated(request: Request) -> Refused | None:
    """A replica of a database without backups, or of one whose password Secrets Manager keeps."""
    property = "replicateSourceDb" if request.token == _INSTANCE else "sourceDbInstanceArn"
    source = _instance(request, request.inputs.get(property))
    if source is None:
        return None
    if source.get("backupRetentionPeriod", 0) == 0:
        says = f"Automated backups are not enabled for {source['identifier']}: set its backup retention period"
        return Refused("InvalidDBInstanceState", says, property)
    if property == "replicateSourceDb" and source.get("manageMasterUserPassword"):
        says = f"You can't create a read replica of {source['identifier']}: Secrets Manager manages its master password"
        return Refused("InvalidDBInstanceState", says, property)
    return None


def last_snapshot_has_no_name(request: Request) -> Refused | None:
    """A deletion that shall leave a snapshot, which has no name (the provider's own check)."""
    outputs = request.row.outputs if request.row else {}
    if not outputs or outputs.get("skipFinalSnapshot") or outputs.get("finalSnapshotIdentifier"):
        return None
    if outputs.get("replicateSourceDb"):
        return None
    says = "finalSnapshotIdentifier is required when skipFinalSnapshot is false"
    return Refused("InvalidParameterCombination", says, "finalSnapshotIdentifier")


def _instance(request: Request, name: Value) -> dict[str, Value] | None:
    row = request.find(name) or request.named(_INSTANCE, "identifier", name)
    return row.outputs if row else None


def _minute(hours: str, minutes: str) -> int:
    return int(hours) * 60 + int(minutes)


CHANGE: dict[str, tuple[Rule, ...]] = {
    _INSTANCE: (
        group_is_in_another_network,
        parameter_group_is_of_another_family,
        windows_overlap,
        source_cannot_be_replicated,
    ),
    "aws:rds/instanceAutomatedBackupsReplication:InstanceAutomatedBackupsReplication": (source_cannot_be_replicated,),
}
DELETION: dict[str, tuple[Rule, ...]] = {_INSTANCE: (last_snapshot_has_no_name,)}
