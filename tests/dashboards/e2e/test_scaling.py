"""Does scaling shorten every duration and leave everything else alone?"""

import pytest
import yaml

from tests.dashboards.e2e.processes import GENERATED
from tests.dashboards.e2e.scaling import DURATION, FIELDS, RANGE, scaled, shorter


@pytest.mark.parametrize(
    ("before", "after"),
    [("1m", "1000ms"), ("30s", "500ms"), ("1h30m", "90000ms"), ("0s", "0ms"), ("30d", "43200000ms")],
)
def test_durations(before: str, after: str) -> None:
    assert shorter(before, 60) == after


def test_only_durations_change() -> None:
    kept = {"record": "slo:error_ratio:rate5m", "labels": {"long": "1h"}}
    rule = {**kept, "expr": 'a:rate5m{x="5m"} > 60 and b[5m:30s]', "for": "2m"}
    assert scaled({"groups": [rule]}, 60) == {
        "groups": [{**kept, "expr": 'a:rate5m{x="5m"} > 60 and b[5000ms:500ms]', "for": "2000ms"}]
    }


def test_every_generated_file_is_the_same_after_scaling_by_one() -> None:
    """Up to how durations are written: nothing is lost on the way."""

    def plain(node: object) -> object:
        if isinstance(node, dict):
            return {k: shorter(v, 1) if k in FIELDS else plain(v) for k, v in node.items()}
        if isinstance(node, list):
            return [plain(child) for child in node]
        return (
            RANGE.sub(lambda r: DURATION.sub(lambda d: shorter(d[0], 1), r[0]), node) if isinstance(node, str) else node
        )

    for path in [*GENERATED.glob("rules/*.yaml"), GENERATED / "alertmanager.yaml"]:
        document = yaml.safe_load(path.read_text())
        assert plain(scaled(document, 1)) == plain(document), path.name
