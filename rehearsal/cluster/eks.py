"""What does the emulated EKS hand out? A control plane's endpoint and CA at creation, a token on request."""

import base64
from collections.abc import Iterable
from dataclasses import dataclass

from rehearsal.cluster import control_plane
from rehearsal.cluster.binaries import clusters
from rehearsal.cluster.binaries import control_plane as programs
from rehearsal.paths import current_mode


@dataclass(frozen=True)
class Access:
    """The outputs of an EKS cluster: `endpoint` as https address, `authority` as base64 of the CA's PEM."""

    endpoint: str
    authority: str


def create(name: str, region: str, zones: Iterable[str]) -> Access:
    """Start the cluster's control plane (a half-made one is finished) and return when its nodes are Ready.

    Raises control_plane.ClusterError with the reason when it cannot start.
    """
    root = clusters()
    placed = tuple(sorted(set(zones))) or (f"{region}a",)
    pretended = current_mode() != "live"
    cluster = control_plane.start(root, programs(), name, region=region, zones=placed, pretended=pretended)
    pem = control_plane.certificate(control_plane.folder_of(root, name))
    return Access(cluster.endpoint, base64.b64encode(pem.encode()).decode())


def token(name: str) -> str:
    """The deployer's token; a control plane that is not running is started first (its endpoint is in a stack's state).

    Raises control_plane.ClusterError when there is no such cluster or it cannot start.
    """
    root = clusters()
    known = control_plane.load(control_plane.folder_of(root, name))
    if known is None:
        raise control_plane.ClusterError(f"there is no cluster {name} in this rehearsal: deploy the stack that has it")
    return control_plane.start(root, programs(), name, region=known.region, zones=known.zones).token


def delete(name: str) -> None:
    """Stop the control plane and forget everything in it; nothing happens when it is already gone."""
    root = clusters()
    if control_plane.load(control_plane.folder_of(root, name)):
        control_plane.stop(root, name, forget=True)
