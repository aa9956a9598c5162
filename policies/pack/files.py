"""How is one of the pack's YAML files read? As it stands, or with one line that says where it is wrong."""

from pathlib import Path
from typing import Any

import yaml


def read(path: Path) -> Any:
    """The content. Raises ValueError naming the file and the line when it is not YAML."""
    try:
        return yaml.safe_load(path.read_text())
    except yaml.MarkedYAMLError as wrong:
        line = wrong.problem_mark.line + 1 if wrong.problem_mark else 1
        raise ValueError(f"{path.name}:{line}: not YAML: {wrong.problem}") from None
