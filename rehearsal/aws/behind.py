"""What runs, or lives, behind an emulated object? A control plane behind an EKS cluster, and the objects in it."""

from rehearsal.answers import Refused
from rehearsal.aws.computed import Find
from rehearsal.aws.context import Context
from rehearsal.paths import real_api_server
from rehearsal.values import Values, at
from rehearsal.world import Row, World

_CLUSTER = "aws:eks/cluster:Cluster"


def create(token: str, inputs: Values, find: Find, here: Context) -> Values:
    """Start what belongs to an object that is about to be created; returns the outputs that it gives the object.

    Raises Refused when it cannot start.
    """
    if token != _CLUSTER or not real_api_server():
        return {}
    from rehearsal.cluster import control_plane, eks  # noqa: PLC0415 - only real clusters pay for it

    subnets = [find(id) for id in at(inputs, ("vpcConfig", "subnetIds")) or []]
    zones = [subnet.outputs["availabilityZone"] for subnet in subnets if subnet]
    try:
        access = eks.create(str(inputs["name"]), here.region, zones)
    except control_plane.ClusterError as error:
        raise Refused("ServerException", str(error)) from error
    return {"endpoint": access.endpoint, "certificateAuthority": {"data": access.authority}}


def outputs(row: Row) -> Values:
    """The outputs that an object has from what runs behind it, for an update to keep."""
    names = ("endpoint", "certificateAuthority") if row.token == _CLUSTER else ()
    return {name: row.outputs[name] for name in names if name in row.outputs}


def delete(row: Row, world: World) -> None:
    """End what belonged to an object that was deleted: a cluster takes everything in it along."""
    if row.token != _CLUSTER:
        return
    world.forget(row.outputs.get("endpoint", ""))
    if real_api_server():
        from rehearsal.cluster import eks  # noqa: PLC0415

        eks.delete(str(row.inputs["name"]))
