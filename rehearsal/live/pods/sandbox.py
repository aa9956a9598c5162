"""How does one container become a process? A bubblewrap command made from its pod's spec.

User, read-only root, no capabilities, own process, network, IPC and host name spaces; nothing of the machine is seen
but programs and libraries, read-only. What is not confined: processor time (niceness by the request) and memory (it is
measured, and what is above its limit is killed): both would need control groups, which are not everybody's.
"""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.live.pods.image import Image
from rehearsal.live.pods.quantities import quantity

Spec = Mapping[str, Any]
STATUS, BLOCK = "{status}", "{block}"
TRUSTED = ("/etc/ssl/certs/ca-certificates.crt",)
"""Where programs look for public authorities; the packages of Python bring copies of their own (`_BUNDLES`)."""
_BUNDLES = ("botocore/cacert.pem", "certifi/cacert.pem", "pip/_vendor/certifi/cacert.pem")
_DEVICES = ("null", "zero", "full", "random", "urandom")
_SYSTEM = ("ld.so.cache", "fonts", "localtime", "alternatives", "mime.types")


@dataclass(frozen=True)
class Ground:
    """What a sandbox stands on: files of this pod, volumes by mount path (folder, writable), the trusted authority."""

    hosts: Path
    etc: Path
    authority: Path
    volumes: Mapping[str, tuple[Path, bool]]


def command(
    pod: str, spec: Spec, container: Spec, *, image: Image, environment: Mapping[str, str], ground: Ground
) -> list[str]:
    """bubblewrap and its arguments, with STATUS and BLOCK in the place of two descriptors."""
    own: Spec = {**spec.get("securityContext", {}), **container.get("securityContext", {})}
    uid, gid = own.get("runAsUser", 0), own.get("runAsGroup", 0)
    _accounts(ground.etc, uid, gid)
    line = [
        *("nice", "-n", str(_niceness(container))),
        *("bwrap", "--unshare-user", "--unshare-pid", "--unshare-ipc", "--unshare-uts", "--unshare-net"),
        *("--unshare-cgroup-try", "--as-pid-1", "--die-with-parent", "--new-session", "--cap-drop", "ALL"),
        *("--uid", str(uid), "--gid", str(gid), "--hostname", pod[:63], "--clearenv"),
        *("--json-status-fd", STATUS, "--block-fd", BLOCK),
        *_root(image),
        *("--perms", "0755", "--dir", "/etc", "--proc", "/proc"),
    ]
    for name in _DEVICES:  # no --dev: it makes a second user namespace, which exec probes cannot enter
        line += ["--dev-bind", f"/dev/{name}", f"/dev/{name}"]
    line += ["--perms", "1777", "--size", str(64 * 2**20), "--tmpfs", "/dev/shm"]  # noqa: S108
    for source, target in image.binds:
        line += ["--ro-bind", source, target]
    for target in (*TRUSTED, *_bundles(image)):
        line += ["--ro-bind", str(ground.authority), target]
    for name in ("passwd", "group", "nsswitch.conf", "resolv.conf"):
        line += ["--ro-bind", str(ground.etc / name), f"/etc/{name}"]
    line += ["--ro-bind", str(ground.hosts), "/etc/hosts"]
    for path, (folder, writable) in ground.volumes.items():
        line += ["--bind" if writable else "--ro-bind", str(folder), path]
    if own.get("readOnlyRootFilesystem"):
        line += ["--remount-ro", "/"]
    for name, value in {**image.environment, **environment, "HOSTNAME": pod}.items():
        line += ["--setenv", name, value]
    words = [*(container.get("command") or image.entrypoint)]
    given = container.get("args")
    words += given if given is not None else [] if container.get("command") else image.command
    return [*line, "--chdir", container.get("workingDir") or image.folder, "--", *words]


def _root(image: Image) -> Iterator[str]:
    """The image's own files, or this machine's programs and libraries where the image is a recipe."""
    if image.root is not None:
        yield from ("--bind", image.root, "/")
        return
    yield from ("--ro-bind", "/usr", "/usr")
    for link in ("bin", "sbin", "lib", "lib32", "lib64"):
        if os.path.islink(f"/{link}"):  # noqa: PTH114
            yield from ("--symlink", os.readlink(f"/{link}"), f"/{link}")  # noqa: PTH115
    for name in _SYSTEM:
        yield from ("--ro-bind-try", f"/etc/{name}", f"/etc/{name}")
    base = Path(sys.base_prefix).resolve()
    if not base.is_relative_to("/usr"):  # the interpreter behind the packages' environment
        yield from ("--ro-bind", str(base), str(base))


def _bundles(image: Image) -> Iterator[str]:
    for source, target in image.binds:
        for site in Path(source).glob("lib/python3*/site-packages"):
            for bundle in _BUNDLES:
                if (site / bundle).exists():
                    yield f"{target}/{(site / bundle).relative_to(source)}"


def _accounts(etc: Path, uid: int, gid: int) -> None:
    etc.mkdir(parents=True, exist_ok=True)
    own = f"pod:x:{uid}:{gid}::/nonexistent:/usr/sbin/nologin\n" if uid else ""
    (etc / "passwd").write_text(f"root:x:0:0:root:/root:/bin/sh\n{own}")
    (etc / "group").write_text("root:x:0:\n" + (f"pod:x:{gid}:\n" if gid else ""))
    (etc / "nsswitch.conf").write_text("hosts: files\npasswd: files\ngroup: files\n")
    (etc / "resolv.conf").write_text("")


def _niceness(container: Spec) -> int:
    """A tenth of a core yields to half a core, and that to a whole one."""
    cores = quantity(container.get("resources", {}).get("requests", {}).get("cpu", "1"))
    return 10 if cores <= 0.1 else 0 if cores >= 1 else 5


def inside(pid: int, words: Sequence[str]) -> list[str]:
    """The command that runs another one in a container (its first process's id)."""
    return ["nsenter", "-t", str(pid), "-U", "-m", "-n", "-p", "-i", "-u", "--preserve-credentials", "--", *words]
