"""Which containers does a graph start, as whom, and with which settings?"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Row = Mapping[str, Any]
GOLDEN = Path(__file__).resolve().parents[1] / "golden"
ENVIRONMENTS = ("dev", "staging", "production")
IMAGE = "/tecnocursos/service@"


@dataclass(frozen=True)
class Container:
    """One container of a pod template: of the service's image, or of another one."""

    owner: str  # the object that makes the pods
    namespace: str
    service_account: str
    image: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    ports: Mapping[str, int]

    @property
    def of_service(self) -> bool:
        """Whether it runs the service's image."""
        return IMAGE in self.image

    @property
    def command(self) -> str:
        """The service's command."""
        return self.arguments[0]


def graphs(environment: str) -> list[dict[str, Any]]:
    """The rows of an account: of its own project and of the estate."""
    files = (GOLDEN / f"bootstrap-{environment}.json", GOLDEN / f"{environment}.json")
    return [row for file in files for row in json.loads(file.read_text())]


def containers(rows: Sequence[Row]) -> Iterator[Container]:
    """Every container of every pod that the graph makes."""
    maps = {
        (row["inputs"]["metadata"]["namespace"], row["inputs"]["metadata"]["name"]): row["inputs"].get("data", {})
        for row in rows
        if row["type"] == "kubernetes:core/v1:ConfigMap"
    }
    for row in rows:
        spec = row["inputs"].get("spec") if row["type"].startswith("kubernetes:") else None
        if not isinstance(spec, Mapping):
            continue
        spec = spec["jobTemplate"]["spec"] if "jobTemplate" in spec else spec
        pod = spec.get("template", {}).get("spec")
        if not pod or "containers" not in pod:  # node pools have templates, too
            continue
        place = row["inputs"]["metadata"]["namespace"]
        for one in pod["containers"]:
            environment: dict[str, str] = {}
            for source in one.get("envFrom", ()):
                environment |= maps[place, source["configMapRef"]["name"]]
            environment |= {each["name"]: each["value"] for each in one.get("env", ()) if "value" in each}
            yield Container(
                row["inputs"]["metadata"]["name"],
                place,
                pod.get("serviceAccountName", "default"),
                one["image"],
                tuple(one.get("args", ())),
                environment,
                {port["name"]: port["containerPort"] for port in one.get("ports", ())},
            )
