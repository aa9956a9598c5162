"""How do tracked stack files stay as they were, when every plain `pulumi` command writes the salt of its secrets there?

The checkpoint remembers the salt too, so what stands in the file can go; the engine also sets the file's spaces anew.
"""

import re
from collections.abc import Mapping
from pathlib import Path

import yaml

SALT = re.compile(r"^encryptionsalt:.*\n?", re.MULTILINE)


def stack_files(folder: Path) -> dict[Path, str]:
    """Path and text of every stack's configuration of the project around this folder; none outside a project."""
    for place in (folder, *folder.parents):
        project = place / "Pulumi.yaml"
        if project.is_file():
            settings = yaml.safe_load(project.read_text()) or {}
            configured = place / str(settings.get("stackConfigDir") or ".")
            return {file: file.read_text() for file in sorted(configured.glob("Pulumi.*.yaml"))}
    return {}


def restore(before: Mapping[Path, str]) -> None:
    """Take out the salts that were not there before, and give a file its spaces back where nothing else changed."""
    for file, text in before.items():
        if not file.exists() or SALT.search(text):
            continue
        now = file.read_text()
        if SALT.search(now):
            bare = SALT.sub("", now)
            file.write_text(text if yaml.safe_load(bare) == yaml.safe_load(text) else bare)
