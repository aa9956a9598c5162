"""Which clusters does the world declare, and does an agent run their pods? It is told what surrounds them."""

import asyncio
import json
import sys
from pathlib import Path

from rehearsal.cluster import control_plane, processes
from rehearsal.live.part import Ground
from rehearsal.live.pods.neighbourhood import Endpoint
from rehearsal.live.view import View
from rehearsal.paths import ROOT
from rehearsal.world import Row

_CLUSTER, _SUBNET, _VPC = "aws:eks/cluster:Cluster", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"
_ASSOCIATION = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
_AGENT = "agent"


class Clusters:
    """EKS: one agent per cluster."""

    def __init__(self, ground: Ground, clusters: Path, registry: Path) -> None:
        """`clusters` is the folder of the control planes."""
        self._ground, self._clusters, self._registry = ground, clusters, registry

    async def tell(self, view: View, endpoints: list[tuple[str, Endpoint]]) -> None:
        """Let the agents know what is there; start those that are missing, end those whose cluster is gone."""
        declared = {row.outputs["name"]: row for row in view.all(_CLUSTER)}
        for folder in self._folders():
            if folder.name not in declared:
                await asyncio.to_thread(processes.stop, _AGENT, folder)
        for name, row in declared.items():
            kubeconfig = control_plane.folder_of(self._clusters, name) / "kubeconfig"
            if not kubeconfig.exists():
                continue
            folder = self._ground.folder / "clusters" / name
            folder.mkdir(parents=True, exist_ok=True)
            text = json.dumps(self._surroundings(row, view, endpoints), indent=1)
            surroundings = folder / "surroundings.json"
            if not surroundings.exists() or surroundings.read_text() != text:
                fresh = surroundings.with_suffix(".new")
                fresh.write_text(text)
                fresh.rename(surroundings)
            if not processes.alive(_AGENT, folder):
                module = [sys.executable, "-m", "rehearsal.live.pods.agent"]
                line = [*module, str(kubeconfig), str(surroundings), str(folder)]
                processes.spawn(_AGENT, line, folder, {"PYTHONPATH": str(ROOT)})
                self._ground.say(f"cluster {name}: its agent runs")

    async def close(self) -> None:
        """End the agents, which end their pods."""
        ending = [asyncio.to_thread(processes.stop, _AGENT, folder, 20.0) for folder in self._folders()]
        await asyncio.gather(*ending)

    def _folders(self) -> list[Path]:
        return sorted((self._ground.folder / "clusters").glob("*/"))

    def _surroundings(self, row: Row, view: View, endpoints: list[tuple[str, Endpoint]]) -> dict[str, object]:
        ids = row.outputs["vpcConfig"]["subnetIds"]
        subnets = [one for one in view.all(_SUBNET) if one.id in ids]
        vpc = row.outputs["vpcConfig"].get("vpcId") or (subnets[0].outputs["vpcId"] if subnets else "")
        cidr = next((one.outputs["cidrBlock"] for one in view.all(_VPC) if one.id == vpc), "10.0.0.0/16")
        loopback = self._ground.plan.loopback(vpc, cidr)
        return {
            "vpc": loopback.vpc,
            "network": loopback.network,
            "authority": str(self._ground.authority.certificate),
            "registry": str(self._registry),
            "region": row.outputs["region"],
            "subnets": {one.outputs["availabilityZone"]: one.outputs["cidrBlock"] for one in subnets},
            "endpoints": [
                {"names": one.names, "address": one.address, "port": one.port, "to": one.to}
                for place, one in endpoints
                if place in ("", vpc)
            ],
            "associations": [
                (one.outputs["namespace"], one.outputs["serviceAccount"])
                for one in view.where(_ASSOCIATION, clusterName=row.outputs["name"])
            ],
        }
