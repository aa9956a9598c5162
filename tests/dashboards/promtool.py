"""How are rules tried on invented series? With `promtool test rules`, in a folder of the test's own."""

import re
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

EMPTY: list[Any] = []
UNIT = {"m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    return int(duration[:-1]) * UNIT[duration[-1]]


def length(values: str) -> int:
    """How many values promtool's notation stands for."""
    return sum(
        int(m[1]) + (not part.startswith("_")) if (m := re.search(r"x(\d+)$", part)) else 1 for part in values.split()
    )


def firing(alert: str, at: int, labels: Mapping[str, str] | None) -> dict[str, Any]:
    """Expect the alert, with these labels and no other, so many seconds after the start; None expects no alert."""
    samples = EMPTY if labels is None else [{"labels": _selector({"alertname": alert, **labels}), "value": 1}]
    return {
        "expr": f'ALERTS{{alertname="{alert}", alertstate="firing"}}',
        "eval_time": f"{at}s",
        "exp_samples": samples,
    }


def _selector(labels: Mapping[str, str]) -> str:
    pairs = {"alertstate": "firing", **labels}
    return "ALERTS{" + ", ".join(f'{name}="{value}"' for name, value in pairs.items()) + "}"


def check(
    folder: Path, rules: Iterable[tuple[str, str]], every: str, series: Mapping[str, str], **expected: Any
) -> None:
    """Run the rules (pairs of path and text) over the series; expected: promtool's `*_test` lists."""
    names = []
    for path, text in rules:
        (folder / Path(path).name).write_text(text)
        names.append(Path(path).name)
    listed = [{"series": name, "values": values} for name, values in series.items()]
    document = {
        "rule_files": names,
        "evaluation_interval": every,
        "tests": [{"interval": every, "input_series": listed, **expected}],
    }
    (folder / "test.yaml").write_text(yaml.safe_dump(document))
    done = subprocess.run(
        ["promtool", "test", "rules", "test.yaml"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[:3000]
