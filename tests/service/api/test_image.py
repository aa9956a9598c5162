"""Are image and compose file what they say? Checked as text and by the compose schema; neither can run here."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from service import __main__ as cli
from service.settings import Settings
from service.settings_reference import rows

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text())
    return loaded


def test_compose_meets_its_schema() -> None:
    checker = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*checker, str(ROOT / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compose_has_the_parts_of_production(compose: dict[str, Any]) -> None:
    parts = {"proxy", "api", "worker", "sweeper", "database", "replica", "cache", "prometheus", "grafana"}
    assert parts <= set(compose["services"])
    assert compose["services"]["api"]["deploy"]["replicas"] >= 2


def test_compose_names_only_commands_and_settings_that_exist(
    compose: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        cli.main(["--help"])
    text = capsys.readouterr().out
    known = {name for name, *_ in rows(Settings)} | {"TECNOCURSOS_SECRETS_DIR", "TMPDIR"}
    ours = [part for part in compose["services"].values() if part.get("image") == "tecnocursos"]
    assert len(ours) == 5
    for part in ours:
        named = part["command"][0] if "command" in part else re.findall(r"-m service (\S+);", part["entrypoint"][-1])[0]
        assert re.search(rf"^\s+{re.escape(named)}\s", text, re.MULTILINE), named
        assert set(part["environment"]) <= known
        assert part["read_only"] and part["cap_drop"] == ["ALL"]


def test_compose_refers_to_what_it_defines_and_secrets_reach_read_only_parts(compose: dict[str, Any]) -> None:
    for name, part in compose["services"].items():
        for kind in ("secrets", "configs", "networks"):
            named = {one["source"] if isinstance(one, dict) else one for one in part.get(kind, ())}
            assert named <= set(compose[kind]), f"{name}: {kind}"
        assert {volume.partition(":")[0] for volume in part.get("volumes", ())} <= set(compose["volumes"]), name
        assert set(part.get("depends_on", ())) <= set(compose["services"]), name
        if part.get("read_only"):  # Compose refuses others: they would be copied into the container's root
            assert all("file" in compose["secrets"][secret] for secret in part.get("secrets", ())), name
            assert "configs" not in part, name


def test_compose_gives_each_part_the_time_that_it_takes_to_leave(compose: dict[str, Any]) -> None:
    known = Settings()
    assert int(compose["services"]["api"]["stop_grace_period"].removesuffix("s")) > known.leaving_seconds


def test_what_prometheus_scrapes_is_served(compose: dict[str, Any]) -> None:
    scraped = yaml.safe_load(compose["configs"]["prometheus"]["content"])["scrape_configs"]
    for job in (found for row in scraped for found in row["dns_sd_configs"]):
        options = cli.parser().parse_args(compose["services"][job["names"][0]]["command"])
        assert (options.host, options.metrics_port) == ("0.0.0.0", job["port"])  # noqa: S104 (of the container)


def test_compose_holds_no_secret_and_publishes_on_loopback_only(compose: dict[str, Any]) -> None:
    text = (ROOT / "compose.yaml").read_text()
    assert not re.search(
        r"(?i)password[\"']?\s*[:=]\s*[\"']?[a-z0-9]{6,}", re.sub(r"\$\{[^}]*\}|/run/\S+|[A-Z_]+_PASSWORD", "", text)
    )
    for part in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in part.get("ports", []))


def test_the_image_is_built_in_stages_without_root_from_a_base_that_can_be_pinned(compose: dict[str, Any]) -> None:
    lines = (ROOT / "service/Dockerfile").read_text().splitlines()
    stages = [line for line in lines if line.startswith("FROM ")]
    assert len(stages) == 2 and all("${BASE}" in stage for stage in stages)
    user = next(line.split()[1] for line in reversed(lines) if line.startswith("USER "))
    assert int(user.split(":")[0]) >= 10_000
    text = "\n".join(lines)
    made = re.search(r"install --directory --owner (\d+) --group \d+ (.+)", text)
    assert made is not None and made[1] == user.split(":")[0], "a volume takes over its folder's owner"
    mounted = {volume.partition(":")[2] for volume in compose["services"]["worker"]["volumes"]}
    assert mounted == set(made[2].split())
    assert "apt-get" not in text, "everything is a locked Python package"
    assert "--require-hashes" in text and "latest" not in text and "curl" not in text
    assert re.search(r"^CMD \[\"api\"", text, re.MULTILINE)
