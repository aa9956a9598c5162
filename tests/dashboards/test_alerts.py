"""Does every alert say what a person needs, and can its text be filled in?"""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

from dashboards import catalogue, generated
from dashboards.alerts import Alert, alerts, support_ends
from dashboards.rules import every_alert, groups

LABEL = re.compile(r"\$labels\.(\w+)")
AMP_RULES = 20  # rules in a group; quotas of Amazon Managed Service for Prometheus


@pytest.mark.parametrize(
    "alert", [pytest.param(alert, id=f"{alert.name}-{i}") for i, alert in enumerate(every_alert())]
)
def test_text_uses_labels_that_the_expression_leaves(alert: Alert) -> None:
    there = catalogue.labels(alert.expression) | alert.labels.keys()
    assert set(LABEL.findall(alert.summary)) <= there
    assert alert.summary and alert.description and not alert.summary.endswith(".")


def test_names_are_unique_except_for_windows_of_an_objective() -> None:
    counts = Counter(alert.name for alert in every_alert())
    assert {name for name, number in counts.items() if number > 1} == {
        "AvailabilityBudgetBurn", "LatencyBudgetBurn", "VideosBudgetBurn",
    }  # fmt: skip


def test_groups_fit_into_managed_prometheus() -> None:
    for found in groups().values():
        for group in found:
            assert len(group.rules) <= AMP_RULES, group.name
    for path, text in generated.committed().items():
        if path.startswith("rules/"):
            assert len(text.encode()) < 2**20 and yaml.safe_load(text)["groups"]


def test_support_ends_with_the_first_environment(tmp_path: Path) -> None:
    for name, day in (("dev", "2027-01-01"), ("production", "2026-12-31")):
        text = yaml.safe_dump({"config": {"tecnocursos:cluster": {"standard_support_ends": day}}})
        (tmp_path / f"Pulumi.{name}.yaml").write_text(text)
    assert support_ends(tmp_path) == 1798675200  # date -d 2026-12-31T00:00Z +%s


def test_the_day_is_in_the_rules() -> None:
    ending = next(alert for alert in alerts() if alert.name == "KubernetesSupportEnding")
    assert ending.expression.startswith(f"vector({support_ends()}) - time()")


def test_a_template_in_a_description_is_refused() -> None:
    with pytest.raises(ValueError, match="templates belong into the summary"):
        Alert(name="Some", area="api", severity="page", wait="1m", expression="up", summary="x", description="{{ x }}")
