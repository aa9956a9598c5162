"""Which rules does the cluster itself enforce? The admission policies that the policy pack generates, as they are."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes


def load(folder: Path) -> Sequence[Mapping[str, Any]]:
    """The objects of every list in the folder, by file name; OSError or ValueError when one cannot be read."""
    return [item for file in sorted(folder.glob("*.json")) for item in json.loads(file.read_text())["items"]]


def guards(
    name: str, objects: Sequence[Mapping[str, Any]], opts: pulumi.ResourceOptions
) -> list[kubernetes.apiextensions.CustomResource]:
    """Register the objects; nothing that they judge may be created before them.

    They pass through unchanged: they were tried on an API server in exactly this form.
    """
    return [
        kubernetes.apiextensions.CustomResource(
            f"{name}-{item['metadata']['name'].removeprefix('tecnocursos-')}-{_part(item['kind'])}",
            api_version=item["apiVersion"],
            kind=item["kind"],
            metadata=item["metadata"],
            spec=item["spec"],
            opts=opts,
        )
        for item in objects
    ]


def _part(kind: str) -> str:
    return kind.removeprefix("ValidatingAdmissionPolicy").lower() or "policy"
