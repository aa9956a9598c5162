"""What does a pod find in its environment and its volumes? ConfigMaps, Secrets, fields of its own, empty folders.

An emptyDir is a folder that all containers of the pod share and that a restart keeps; it has no wall at its size limit,
as on a node: the agent measures it and evicts the pod that is above.
"""

import base64
import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rehearsal.live.pods.api import ApiServer, Refused
from rehearsal.live.pods.quantities import quantity

Spec = Mapping[str, Any]


class NotThere(Exception):  # noqa: N818 (what is missing, as a container's state says it)
    """Something that the pod names does not exist (yet), or cannot be rehearsed."""


@dataclass(frozen=True)
class Volume:
    """A volume's folder; `limit` in bytes where it may grow only so far."""

    name: str
    folder: Path
    limit: float | None = None


async def environment(api: ApiServer, pod: Spec, container: Spec, address: str) -> dict[str, str]:
    """The container's own variables. Raises NotThere."""
    namespace = pod["metadata"]["namespace"]
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        for kind, reference in (("configmaps", "configMapRef"), ("secrets", "secretRef")):
            if reference in source:
                found |= await _data(api, namespace, kind, source[reference])
    for row in container.get("env", []):
        given = row.get("valueFrom", {})
        if "value" in row or not given:
            found[row["name"]] = row.get("value", "")
        elif "fieldRef" in given:
            found[row["name"]] = _field(pod, address, given["fieldRef"]["fieldPath"])
        elif "resourceFieldRef" in given:
            name = given["resourceFieldRef"]["resource"]
            kind, _, resource = name.partition(".")
            found[row["name"]] = str(int(quantity(container["resources"][kind][resource])))
        else:
            kind = "configmaps" if "configMapKeyRef" in given else "secrets"
            reference = given.get("configMapKeyRef") or given["secretKeyRef"]
            data = await _data(api, namespace, kind, reference)
            if reference["key"] in data:
                found[row["name"]] = data[reference["key"]]
            elif not reference.get("optional"):
                raise NotThere(f"{kind} {reference['name']} has no key {reference['key']}")
    return found


async def volumes(api: ApiServer, pod: Spec, folder: Path) -> dict[str, Volume]:
    """The pod's volumes by name, made where they are missing. Raises NotThere."""
    namespace, found = pod["metadata"]["namespace"], {}
    for row in pod["spec"].get("volumes", []):
        name, place = row["name"], folder / "volumes" / row["name"]
        limit = None
        if "emptyDir" in row:
            place.mkdir(parents=True, exist_ok=True)
            place.chmod(0o1777)
            limit = quantity(row["emptyDir"]["sizeLimit"]) if row["emptyDir"].get("sizeLimit") else None
        elif "configMap" in row:
            _write(place, await _data(api, namespace, "configmaps", row["configMap"]), row["configMap"].get("items"))
        elif "secret" in row:
            reference = {"name": row["secret"]["secretName"], "optional": row["secret"].get("optional")}
            _write(place, await _data(api, namespace, "secrets", reference), row["secret"].get("items"))
        else:
            kind = next((key for key in row if key != "name"), "nothing")
            raise NotThere(f"volume {name} is of kind {kind}, which the live rehearsal does not have")
        found[name] = Volume(name, place, limit)
    return found


def size(folder: Path) -> int:
    """Bytes that the files below a folder take on the disk."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as rows:
                for row in rows:
                    if row.is_dir(follow_symlinks=False):
                        waiting.append(row.path)
                    else:
                        total += row.stat(follow_symlinks=False).st_blocks * 512
        except OSError:  # gone meanwhile
            continue
    return total


async def _data(api: ApiServer, namespace: str, kind: str, reference: Spec) -> dict[str, str]:
    try:
        row = await api.call("GET", f"/api/v1/namespaces/{namespace}/{kind}/{reference['name']}")
    except Refused as error:
        if error.status == 404 and reference.get("optional"):
            return {}
        raise NotThere(f"{kind} {reference['name']}: {error}") from error
    data: dict[str, str] = row.get("data") or {}
    if kind == "secrets":
        return {name: base64.b64decode(value).decode() for name, value in data.items()}
    return data


def _write(place: Path, data: Mapping[str, str], items: list[Spec] | None) -> None:
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    paths = {row["key"]: row["path"] for row in items} if items else {name: name for name in data}
    for key, path in paths.items():
        if key not in data:
            raise NotThere(f"there is no key {key} for the volume's {path}")
        (place / path).parent.mkdir(parents=True, exist_ok=True)
        (place / path).write_text(data[key])


def _field(pod: Spec, address: str, path: str) -> str:
    fields = {
        "metadata.name": pod["metadata"]["name"],
        "metadata.namespace": pod["metadata"]["namespace"],
        "metadata.uid": pod["metadata"]["uid"],
        "spec.nodeName": pod["spec"]["nodeName"],
        "spec.serviceAccountName": pod["spec"].get("serviceAccountName", "default"),
        "status.podIP": address,
    }
    if path in fields:
        return str(fields[path])
    kind, _, key = path.partition("['")
    if kind in ("metadata.labels", "metadata.annotations"):
        return str(pod["metadata"].get(kind.partition(".")[2], {}).get(key.removesuffix("']"), ""))
    raise NotThere(f"field {path} is not known here")
