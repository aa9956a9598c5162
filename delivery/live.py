"""How is an environment deployed so that it serves? Images of this checkout, values of secrets, then the engine."""

import json
import os
import re
import secrets
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from delivery.engine import DeliveryError, Target, output

_IMAGE = re.compile(r"(?P<registry>[^/\s]+)/(?P<repository>[^@\s]+)@sha256:[0-9a-f]{64}")


def prepare(target: Target, given: Mapping[str, Any]) -> Path:
    """Start what serves, build the images, put in secrets; the overlay that names the images, as a file.

    given: `data/live.yaml`. Raises DeliveryError with the rehearsal's words.
    """
    env = {**os.environ, "KUBERNETES": "live"}
    output([sys.executable, "-m", "rehearsal", "live", "start"], target.root, env)
    config = yaml.safe_load(target.stack_file.read_text())["config"]
    built = {
        repository: output([sys.executable, "-m", "rehearsal", "image", "build", folder], target.root, env).strip()
        for repository, folder in given["images"].items()
    }
    for reference in sorted(set(_references(config))):
        repository = _IMAGE.fullmatch(reference)["repository"]  # type: ignore[index]
        if one := given["stand_ins"].get(repository):
            line = ["rehearsal", "image", "stand-in", reference, str(one["name"]), "--port", str(one["port"])]
            output([sys.executable, "-m", *line], target.root, env)
    for name, value in given["secrets"].items():
        named = name.replace("${environment}", target.environment)
        line = [sys.executable, "-m", "rehearsal", "secret", named, "--ahead"]
        made = value.replace("${random}", secrets.token_urlsafe(32))
        done = subprocess.run(line, cwd=target.root, env=env, input=made, text=True, capture_output=True, check=False)
        if done.returncode:
            raise DeliveryError(done.stderr.strip())
    target.folder.mkdir(parents=True, exist_ok=True)
    overlay = target.folder / "live.json"
    overlay.write_text(json.dumps(_replaced(config, built), indent=1))
    return overlay


def addresses(target: Target) -> str:
    """Where a browser reaches what was deployed."""
    env = {**os.environ, "KUBERNETES": "live"}
    return output([sys.executable, "-m", "rehearsal", "live", "status", "--addresses"], target.root, env)


def lay_over(configuration: Path, overlay: Path) -> None:
    """Merge an overlay into a copy of an environment's configuration; mappings are merged, other values replaced."""
    whole = yaml.safe_load(configuration.read_text())
    whole["config"] = _merged(whole.get("config") or {}, json.loads(overlay.read_text()))
    configuration.write_text(yaml.safe_dump(whole, sort_keys=False))


def _merged(value: Any, over: Any) -> Any:
    if isinstance(value, dict) and isinstance(over, dict):
        return value | {key: _merged(value.get(key), one) for key, one in over.items()}
    return over


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [one for part in value.values() for one in _references(part)]
    if isinstance(value, list):
        return [one for part in value for one in _references(part)]
    return [value] if isinstance(value, str) and _IMAGE.fullmatch(value) else []


def _replaced(config: Mapping[str, Any], built: Mapping[str, str]) -> dict[str, Any]:
    """The top-level values that name an image of ours, with the digest that was built."""

    def change(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: change(one) for key, one in value.items()}
        if isinstance(value, list):
            return [change(one) for one in value]
        found = _IMAGE.fullmatch(value) if isinstance(value, str) else None
        mine = built.get(found["repository"]) if found else None
        return f"{found['registry']}/{mine}" if found and mine else value

    return {key: changed for key, value in config.items() if (changed := change(value)) != value}
