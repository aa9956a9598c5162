"""Do the alert managers' configurations hold, and does every alert reach whom the table says?"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards import alertmanager, generated
from dashboards.routing import DEFAULT, INHIBITIONS, ROUTES, Route
from dashboards.rules import every_alert, rule

SECRET = re.compile(r"(api_url|routing_key|service_key|auth_password|bot_token|credentials|password)$")
PLAIN = generated.FOLDER / "alertmanager.yaml"
FIVE_DAYS = 5 * 86400
DEPLOYED = {
    "@TOPIC_PAGE@": "arn:aws:sns:us-east-1:123456789012:page",
    "@TOPIC_TICKET@": "arn:aws:sns:us-east-1:123456789012:ticket",
    "@REGION@": "us-east-1",
}


def seconds(duration: str) -> int:
    return int(duration[:-1]) * {"s": 1, "m": 60, "h": 3600, "d": 86400}[duration[-1]]


def managed(tmp_path: Path) -> Path:
    """The managed definition's inner text, with what the deployment puts in."""
    text = yaml.safe_load((generated.FOLDER / "managed/alertmanager.yaml").read_text())["alertmanager_config"]
    for placeholder, value in DEPLOYED.items():
        assert placeholder in text
        text = text.replace(placeholder, value)
    assert "@" not in text
    path = tmp_path / "managed.yaml"
    path.write_text(text)
    return path


def amtool(*arguments: str) -> str:
    done = subprocess.run(["amtool", *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def first(labels: dict[str, str]) -> Route:
    """The route of the table that decides."""
    for route in ROUTES:
        if all(labels.get(name) == value for name, value in route.match.items()) and (
            not route.areas or labels["area"] in route.areas
        ):
            return route
    raise AssertionError(f"no route for {labels}")


def test_configurations_are_valid(tmp_path: Path) -> None:
    assert "SUCCESS" in amtool("check-config", str(PLAIN))
    assert "SUCCESS" in amtool("check-config", str(managed(tmp_path)))


def test_every_alert_is_routed_as_the_table_says(tmp_path: Path) -> None:
    kinds = {}
    for alert in every_alert():
        made = rule(alert)
        labels = {"alertname": alert.name, **made.labels}
        kinds.setdefault((alert.severity, alert.area, alert.name == "Watchdog"), labels)
    topics = managed(tmp_path)
    for labels in kinds.values():
        route, said = first(labels), [f"{name}={value}" for name, value in labels.items()]
        assert amtool("config", "routes", "test", f"--config.file={PLAIN}", *said).strip() == route.name
        receiver = route.topic or alertmanager.DISCARD
        assert amtool("config", "routes", "test", f"--config.file={topics}", *said).strip() == receiver


def test_an_unknown_alert_wakes_somebody() -> None:
    assert amtool("config", "routes", "test", f"--config.file={PLAIN}", "alertname=New").strip() == DEFAULT == "page"


def _walk(node: Any, key: str = "") -> Any:
    if isinstance(node, dict):
        for name, child in node.items():
            yield from _walk(child, name)
    elif isinstance(node, list):
        for child in node:
            yield from _walk(child, key)
    else:
        yield key, node


def test_secrets_are_files_only() -> None:
    keys = [key for key, _ in _walk(yaml.safe_load(PLAIN.read_text()))]
    assert not [key for key in keys if SECRET.search(key)]
    assert {"routing_key_file", "api_url_file", "auth_password_file", "credentials_file"} <= set(keys)


def test_the_managed_definition_keeps_within_the_service_limits(tmp_path: Path) -> None:
    document = yaml.safe_load(managed(tmp_path).read_text())
    assert not {"global", "templates"} & document.keys()
    for receiver in document["receivers"]:
        assert receiver.keys() <= {"name", "sns_configs"}
        for sns in receiver.get("sns_configs", []):
            assert sns["sigv4"]["region"] == "us-east-1" and not {"api_url", "http_config"} & sns.keys()
    assert all(seconds(route["repeat_interval"]) <= FIVE_DAYS for route in document["route"]["routes"])


@pytest.mark.parametrize("inhibition", INHIBITIONS, ids=lambda inhibition: inhibition.why)
def test_inhibitions_name_alerts_that_exist(inhibition: Any) -> None:
    def matching(labels: dict[str, str]) -> set[str]:
        found = [{"alertname": alert.name, **rule(alert).labels} for alert in every_alert()]
        return {one["alertname"] for one in found if all(re.fullmatch(v, one.get(k, "")) for k, v in labels.items())}

    sources, targets = matching(inhibition.source), matching(inhibition.target)
    assert sources and targets
    if inhibition.source.get("alertname"):
        assert not sources & targets, "an alert must not silence itself"
    for name in filter(
        None, [*inhibition.source.get("alertname", "").split("|"), *inhibition.target.get("alertname", "").split("|")]
    ):
        assert matching({"alertname": name}), name
