"""Which programs make `KUBERNETES=real`, and where are they? Kubernetes 1.36, etcd, KWOK, the official provider."""

import os
from dataclasses import dataclass
from pathlib import Path

from rehearsal.engine.golang import GoPrograms, ensure
from rehearsal.paths import ROOT, Paths

KUBERNETES_VERSION = "v1.36.2"
PROVIDER_VERSION = "4.25.0"
_HERE = ROOT / "rehearsal" / "cluster"
_STRIP = "-w -s"

PROVIDER = GoPrograms(
    name="pulumi-resource-kubernetes",
    module=_HERE / "go-provider",
    programs=("pulumi-resource-kubernetes",),
    cost="6 minutes the first time",
    flags=(
        f"-ldflags={_STRIP} -X github.com/pulumi/pulumi-kubernetes/provider/v4/pkg/version.Version={PROVIDER_VERSION}",
    ),
    copied=tuple(
        ("github.com/pulumi/pulumi-kubernetes/provider/v4", f"cmd/pulumi-resource-kubernetes/{name}.json")
        for name in ("schema", "terraform-mapping")
    ),
)
CONTROL_PLANE = GoPrograms(
    name="kubernetes-control-plane",
    module=_HERE / "go-control-plane",
    programs=("kube-apiserver", "kube-controller-manager", "kube-scheduler"),
    cost="5 minutes and 2 GB of memory the first time",
    flags=(
        f"-ldflags={_STRIP} -X k8s.io/component-base/version.gitVersion={KUBERNETES_VERSION}"
        " -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=36"
        f" -X k8s.io/client-go/pkg/version.gitVersion={KUBERNETES_VERSION}",
    ),
)
STORE_AND_NODES = GoPrograms(
    name="etcd-kwok",
    module=_HERE / "go-etcd-kwok",
    programs=("server", "kwok"),
    cost="2 minutes the first time",
    flags=(f"-ldflags={_STRIP}",),
)


@dataclass(frozen=True)
class Binaries:
    """Paths of the control plane's programs, by the names they are known by."""

    paths: dict[str, Path]

    def __getitem__(self, name: str) -> str:
        return str(self.paths[name])


def built() -> bool:
    """Whether nothing needs to be built any more."""
    return all(programs.built() for programs in (PROVIDER, CONTROL_PLANE, STORE_AND_NODES))


def provider() -> Path:
    """The official provider's executable, built where it is missing (RehearsalError when it cannot be)."""
    return ensure(PROVIDER) / "pulumi-resource-kubernetes"


def control_plane() -> Binaries:
    """The control plane's programs, built where they are missing (RehearsalError when they cannot be)."""
    plane, store = ensure(CONTROL_PLANE), ensure(STORE_AND_NODES)
    own = {name: plane / name for name in CONTROL_PLANE.programs}
    # `go install` names etcd's executable after its folder.
    return Binaries(own | {"etcd": store / "server", "kwok": store / "kwok"})


def clusters() -> Path:
    """The folder of this mode's clusters: beside the world that REHEARSAL_WORLD names."""
    world = os.environ.get("REHEARSAL_WORLD")
    if world:
        return Path(world).parent / "clusters"
    paths = Paths.current()
    return (paths.base / "real" if paths.mode == "schema" else paths.base) / "clusters"
