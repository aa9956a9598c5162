"""How does one cluster's control plane start, recover and stop? etcd, API server, controllers, scheduler, KWOK.

A cluster is a folder named after it. Its `cluster.json` holds what must outlive the processes: the API port (it stands
in the stack's state as the endpoint), the token and the zones. Starting is idempotent: what runs is kept, what died is
started again over the same etcd data, and a half-started cluster is finished. Everything listens on loopback only.
"""

import contextlib
import fcntl
import json
import re
import secrets
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.cluster import auto_mode, images, processes
from rehearsal.cluster.api import Api
from rehearsal.cluster.binaries import Binaries

PARTS = ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok")
NODES_PER_ZONE = 2
PATIENCE = 60.0  # seconds that one part may take to answer; 3 are usual


class ClusterError(Exception):
    """The control plane cannot start or is not there; the text says why and what to do."""


@dataclass(frozen=True)
class Cluster:
    """What is kept of a cluster: `port` is the API server's on 127.0.0.1."""

    name: str
    region: str
    zones: tuple[str, ...]
    port: int
    token: str
    pretended: bool = True  # whether KWOK plays nodes and pods; else an agent runs them

    @property
    def parts(self) -> tuple[str, ...]:
        """Its processes, in the order in which they start."""
        return PARTS if self.pretended else PARTS[:-1]

    @property
    def endpoint(self) -> str:
        """The address as EKS would return it."""
        return f"https://127.0.0.1:{self.port}"


def folder_of(root: Path, name: str) -> Path:
    """The cluster's folder below `root`; raises ClusterError for a name that EKS would refuse."""
    if not re.fullmatch(r"[0-9A-Za-z][0-9A-Za-z_-]{0,99}", name):
        raise ClusterError(f"cluster name {name!r} is not one: letters, digits, - and _, at most 100")
    return root / name


def load(folder: Path) -> Cluster | None:
    """The cluster whose folder this is, or None when there is none."""
    try:
        row = json.loads((folder / "cluster.json").read_text())
    except FileNotFoundError:
        return None
    return Cluster(**{**row, "zones": tuple(row["zones"])})


def certificate(folder: Path) -> str:
    """The cluster's CA certificate (PEM)."""
    return (folder / "certs/apiserver.crt").read_text()


def api(folder: Path, cluster: Cluster) -> Api:
    """A client of the cluster's API server."""
    return Api(cluster.endpoint, certificate(folder), cluster.token)


def running(folder: Path) -> dict[str, int]:
    """Ids of the parts that live."""
    return {name: pid for name in PARTS if (pid := processes.alive(name, folder))}


@contextlib.contextmanager
def _locked(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def _pick(low: int, high: int, count: int) -> list[int]:
    """Free ports, below the range from which the kernel lends ports to outgoing connections."""
    picked: list[int] = []
    while len(picked) < count:
        port = low + secrets.randbelow(high - low)
        if port not in picked and _free(port):
            picked.append(port)
    return picked


def start(
    root: Path,
    binaries: Binaries,
    name: str,
    *,
    region: str,
    zones: tuple[str, ...],
    pretended: bool = True,
    say: Callable[[str], None] = lambda _: None,
) -> Cluster:
    """Start or repair the cluster and return when its API answers and its nodes, where it plays them, are Ready.

    Raises ClusterError when a part ends, does not answer, or the cluster's port is somebody else's.
    """
    folder = folder_of(root, name)
    with _locked(folder):
        cluster = load(folder)
        if cluster is None:
            cluster = Cluster(name, region, zones, _pick(16000, 32000, 1)[0], secrets.token_hex(16), pretended)
            text = json.dumps(asdict(cluster))
            (folder / "cluster.json.new").touch(mode=0o600)
            (folder / "cluster.json.new").write_text(text)
            (folder / "cluster.json.new").rename(folder / "cluster.json")
        if set(running(folder)) == set(cluster.parts) and api(folder, cluster).ready():
            return cluster
        _stop_parts(folder)
        # A killed server's last threads hold its port a moment longer than its id.
        deadline = time.monotonic() + 5
        while not _free(cluster.port) and time.monotonic() < deadline:
            time.sleep(0.05)
        if not _free(cluster.port):
            raise ClusterError(
                f"port {cluster.port}, the endpoint of cluster {name}, is taken by another process; "
                "end that process, or destroy the stack that owns the cluster"
            )
        say(f"control plane of {name} starts on 127.0.0.1:{cluster.port}")
        try:
            _start_parts(folder, binaries, cluster)
        except BaseException:
            _stop_parts(folder)
            raise
        return cluster


def _start_parts(folder: Path, binaries: Binaries, cluster: Cluster) -> None:
    client, peer, manager, scheduler = _pick(16000, 32000, 4)
    if not (folder / "sa.key").exists():
        (folder / "sa.key.new").touch(mode=0o600)
        (folder / "sa.key.new").write_bytes(_signing_key())
        (folder / "sa.key.new").rename(folder / "sa.key")
    (folder / "tokens.csv").touch(mode=0o600)
    (folder / "tokens.csv").write_text(f"{cluster.token},deployer,1,system:masters\n")

    def run(part: str, *flags: str) -> None:
        processes.spawn(part, [binaries[part], *flags], folder)

    etcd = f"http://127.0.0.1:{client}"
    run(
        "etcd",
        "--data-dir=etcd",
        f"--listen-client-urls={etcd}",
        f"--advertise-client-urls={etcd}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--force-new-cluster",
        "--unsafe-no-fsync",
        "--log-level=warn",
    )
    run(
        "kube-apiserver",
        f"--etcd-servers={etcd}",
        "--cert-dir=certs",
        "--bind-address=127.0.0.1",
        "--advertise-address=127.0.0.1",
        f"--secure-port={cluster.port}",
        "--service-account-issuer=https://kubernetes.default.svc",
        "--service-account-key-file=sa.key",
        "--service-account-signing-key-file=sa.key",
        "--token-auth-file=tokens.csv",
        "--authorization-mode=Node,RBAC",
        "--service-cluster-ip-range=172.20.0.0/16",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--profiling=false",
    )
    certified = folder / "certs/apiserver.crt"
    _wait(folder, "kube-apiserver", lambda: certified.exists() and api(folder, cluster).ready())
    server = api(folder, cluster)
    (folder / "kubeconfig").touch(mode=0o600)
    (folder / "kubeconfig").write_text(kubeconfig(folder, cluster))
    for path, body in auto_mode.objects():
        server.apply(path, body)
    loopback = ("--kubeconfig=kubeconfig", "--leader-elect=false", "--bind-address=127.0.0.1")
    run(
        "kube-controller-manager",
        *loopback,
        f"--secure-port={manager}",
        "--service-account-private-key-file=sa.key",
        "--root-ca-file=certs/apiserver.crt",
        "--use-service-account-credentials=false",
    )
    run("kube-scheduler", *loopback, f"--secure-port={scheduler}")
    if not cluster.pretended:
        return
    _start_kwok(folder, binaries, server)
    wanted = {f"{zone}-{number}": zone for zone in cluster.zones for number in range(1, NODES_PER_ZONE + 1)}
    for name, zone in wanted.items():
        server.apply("/api/v1/nodes", auto_mode.node(f"node-{name}", zone, cluster.region))
    _wait(folder, "kwok", lambda: len(ready_nodes(server)) >= len(wanted))


def _start_kwok(folder: Path, binaries: Binaries, server: Api) -> None:
    (folder / "stages.yaml").write_text(
        images.played(Path(__file__).with_name("stages.yaml").read_text(), folder.parent)
    )
    # KWOK waits for the leases of the process before it to run out (40 s), and no pod gets a status until then.
    server.call("DELETE", "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases")
    flags = (
        "--kubeconfig=kubeconfig",
        "--manage-all-nodes=true",
        "--config=stages.yaml",
        f"--server-address=127.0.0.1:{_pick(16000, 32000, 1)[0]}",
        "--node-lease-duration-seconds=40",
    )
    processes.spawn("kwok", [binaries["kwok"], *flags], folder)


def pull_again(root: Path, binaries: Binaries) -> None:
    """Let every running cluster see which images there are now."""
    for cluster in known(root):
        folder = root / cluster.name
        with _locked(folder):
            if "kwok" in running(folder):
                processes.stop("kwok", folder)
                _start_kwok(folder, binaries, api(folder, cluster))


def _signing_key() -> bytes:
    """A private key (PEM) for service account tokens."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def ready_nodes(server: Api) -> list[str]:
    """Names of the nodes whose Ready condition is True."""
    return [
        item["metadata"]["name"]
        for item in server.call("GET", "/api/v1/nodes")["items"]
        for condition in item.get("status", {}).get("conditions", [])
        if condition["type"] == "Ready" and condition["status"] == "True"
    ]


def _wait(folder: Path, part: str, done: Callable[[], bool]) -> None:
    """Until `done`; raises ClusterError with the part's last words when it or etcd ends or PATIENCE runs out."""
    deadline = time.monotonic() + PATIENCE
    while not done():
        for name in ("etcd", part):
            if not processes.alive(name, folder):
                raise ClusterError(f"{name} ended while it started:\n{processes.tail(name, folder)}")
        if time.monotonic() > deadline:
            raise ClusterError(f"{part} does not answer after {PATIENCE:.0f} s:\n{processes.tail(part, folder)}")
        time.sleep(0.05)


def kubeconfig(folder: Path, cluster: Cluster) -> str:
    """A kubeconfig for a person (JSON is YAML): administrator by token."""
    return json.dumps(
        {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": cluster.name,
                    "cluster": {
                        "server": cluster.endpoint,
                        "certificate-authority": str((folder / "certs/apiserver.crt").resolve()),
                    },
                }
            ],
            "users": [{"name": "deployer", "user": {"token": cluster.token}}],
            "contexts": [{"name": cluster.name, "context": {"cluster": cluster.name, "user": "deployer"}}],
            "current-context": cluster.name,
        },
        indent=1,
    )


def _stop_parts(folder: Path) -> None:
    # In reverse order, each waited for: an API server whose etcd is gone lingers and keeps its port.
    for name in reversed(PARTS):
        processes.stop(name, folder)


def stop(root: Path, name: str, forget: bool = False) -> None:
    """Stop the cluster's processes; `forget` removes its folder too (the cluster is deleted)."""
    folder = folder_of(root, name)
    if load(folder) is None:
        raise ClusterError(f"there is no cluster {name}; python -m rehearsal cluster list shows what there is")
    with _locked(folder):
        _stop_parts(folder)
        if forget:
            shutil.rmtree(folder)


def known(root: Path) -> list[Cluster]:
    """All clusters below `root`, by name."""
    return [cluster for folder in sorted(root.glob("*/")) if (cluster := load(folder))]
