"""Does every alert of cases.yaml fire when it should, once, with the right text, and end after repair?"""

from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import Field

from dashboards import rules
from dashboards.alerts import alerts
from dashboards.metrics import Model
from tests.dashboards import promtool

HERE = Path(__file__).parent


class Case(Model):
    """One row of cases.yaml; its first lines say what the fields mean."""

    fires: int
    ends: int
    every: str = "1m"
    support_ends: int | None = None
    series: dict[str, str]
    labels: dict[str, str] = Field(default_factory=dict)
    summary: str


CASES = {name: Case.model_validate(row) for name, row in yaml.safe_load((HERE / "cases.yaml").read_text()).items()}


def test_every_alert_has_a_case() -> None:
    assert CASES.keys() == {alert.name for alert in alerts()}


@pytest.mark.parametrize("name", CASES)
def test_fires_once_and_ends(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    by_file = rules.groups(case.support_ends)
    path, rule = next(
        (path, rule) for path, found in by_file.items() for group in found for rule in group.rules if rule.alert == name
    )
    labels, step = {**rule.labels, **case.labels}, promtool.seconds(case.every)
    number = max(map(promtool.length, case.series.values()))
    assert 0 <= case.fires < case.ends <= number, "the series end before the alert does"
    timeline = [
        promtool.firing(name, at * step, labels if case.fires <= at < case.ends else None) for at in range(number)
    ]
    text: dict[str, Any] = {
        "alertname": name,
        "eval_time": f"{case.fires * step}s",
        "exp_alerts": [{"exp_labels": labels, "exp_annotations": {**rule.annotations, "summary": case.summary}}],
    }
    promtool.check(
        tmp_path,
        [(f"{path}.yaml", rules.as_yaml(by_file[path]))],
        case.every,
        case.series,
        promql_expr_test=timeline,
        alert_rule_test=[text],
    )
