"""Is a mistake in what both projects read answered with the key that the file holds?"""

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from bootstrap import settings
from infra.foundation.configuration import SettingsError

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "production")


def configuration(environment: str) -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())["config"]
    return values


def parse(environment: str, values: dict[str, Any]) -> settings.Settings:
    return settings.parse(environment, {key: json.dumps(value) for key, value in values.items()})


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_committed_files_are_sound_for_the_account_too(environment: str) -> None:
    assert parse(environment, configuration(environment)).environment.name == environment


def test_what_the_estate_says_for_both_is_named_as_the_file_spells_it() -> None:
    values = configuration("dev")
    del values["tecnocursos:place"]
    with pytest.raises(SettingsError, match="tecnocursos:place: missing; write account, regions"):
        parse("dev", values)


def test_no_account_keeps_its_state_in_another_ones_bucket() -> None:
    values = configuration("dev")
    values["tecnocursos:place"]["backend"] = configuration("production")["tecnocursos:place"]["backend"]
    with pytest.raises(SettingsError, match="must be s3://tecnocursos-dev-state-111122223333"):
        parse("dev", values)
