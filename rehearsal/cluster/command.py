"""`python -m rehearsal cluster`: which control planes are there, start one, stop one or all, why something hangs."""

import argparse
import json
import sys
import time
from dataclasses import asdict
from pathlib import Path

from rehearsal.cluster import binaries, control_plane, images, reasons
from rehearsal.cluster.api import ApiError
from rehearsal.errors import RehearsalError


def main(argv: list[str]) -> int:
    """Exit code 0; RehearsalError when a cluster cannot start or is unknown."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal cluster", description=__doc__)
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("list", help="name, endpoint, processes and zones of every cluster")
    begin = actions.add_parser("start", help="start or repair one and print its kubeconfig's path")
    begin.add_argument("name", nargs="?", default="standalone")
    begin.add_argument("--region", default="us-east-1")
    end = actions.add_parser("stop", help="end its processes; its objects are kept unless --forget")
    end.add_argument("names", nargs="*", help="default: all")
    end.add_argument("--forget", action="store_true", help="remove its folder too")
    pulled = actions.add_parser("images", help="digests that cannot be pulled: nobody has pushed them yet")
    pulled.add_argument("--missing", nargs="+", default=[], metavar="DIGEST", help="sha256:..., as if never pushed")
    pulled.add_argument("--pushed", nargs="+", default=[], metavar="DIGEST", help="somebody pushes them now")
    why = actions.add_parser("reasons", help="why objects do not come up, one line per cause; nothing when all is well")
    why.add_argument("names", nargs="*", help="default: all that run")
    why.add_argument("--json", action="store_true", help="a list of {cluster, namespace, about, kind, message}")
    options = parser.parse_args(argv)
    root = binaries.clusters()
    try:
        if options.action == "list":
            return _list()
        if options.action == "images":
            return _images(root, options.missing, options.pushed)
        if options.action == "reasons":
            return _reasons(options.names, options.json)
        if options.action == "stop":
            for name in options.names or [cluster.name for cluster in control_plane.known(root)]:
                control_plane.stop(root, name, options.forget)
                _say(f"{name}: {'removed' if options.forget else 'stopped'}")
            return 0
        started = time.monotonic()
        zones = tuple(f"{options.region}{letter}" for letter in "abc")
        control_plane.start(root, binaries.control_plane(), options.name, region=options.region, zones=zones, say=_say)
        _say(
            f"ready after {time.monotonic() - started:.1f} s; "
            f"stop it with: python -m rehearsal cluster stop {options.name}"
        )
        sys.stdout.write(f"{control_plane.folder_of(root, options.name) / 'kubeconfig'}\n")
    except control_plane.ClusterError as error:
        raise RehearsalError(str(error)) from error
    return 0


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")


def _reasons(names: list[str], as_json: bool) -> int:
    root = binaries.clusters()
    rows = []
    for name in names or [
        cluster.name for cluster in control_plane.known(root) if control_plane.running(root / cluster.name)
    ]:
        folder = control_plane.folder_of(root, name)
        cluster = control_plane.load(folder)
        if cluster is None:
            raise control_plane.ClusterError(f"there is no cluster {name}; list shows what there is")
        try:
            rows += [(name, reason) for reason in reasons.ask(control_plane.api(folder, cluster))]
        except (OSError, ApiError) as error:
            raise control_plane.ClusterError(f"cluster {name} does not answer: {error}") from error
    if as_json:
        sys.stdout.write(json.dumps([{"cluster": name, **asdict(reason)} for name, reason in rows]) + "\n")
    else:
        sys.stdout.writelines(f"{name}: {reason}\n" for name, reason in rows)
    return 0


def _images(root: Path, missing: list[str], pushed: list[str]) -> int:
    before = images.missing(root)
    now = images.tell(root, (before | set(missing)) - set(pushed))
    if now != before:
        control_plane.pull_again(root, binaries.control_plane())
    sys.stdout.writelines(f"{digest}\n" for digest in sorted(now))
    return 0


def _list() -> int:
    root = binaries.clusters()
    clusters = control_plane.known(root)
    for cluster in clusters:
        parts = control_plane.running(root / cluster.name)
        state = "running" if len(parts) == len(cluster.parts) else "partly running" if parts else "stopped"
        ids = " ".join(f"{name}={pid}" for name, pid in parts.items())
        line = f"{cluster.name}  {cluster.endpoint}  {state}  zones {', '.join(cluster.zones)}  {ids}"
        sys.stdout.write(line.rstrip() + "\n")
    if not clusters:
        _say("no clusters")
    return 0
