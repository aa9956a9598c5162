"""Does an environment live in the rehearsal cloud from its first deployment to its end, through the real engine?"""

from pathlib import Path

import pytest

from .environment import Environment


@pytest.mark.parametrize("name", ["dev", "staging"])
def test_an_environment_deploys_settles_and_goes(name: str, tmp_path: Path) -> None:
    environment = Environment(name, tmp_path)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("preview", "--expect-no-changes")
    assert environment.world()
    environment.works("destroy", "--yes", "--skip-preview")
    assert environment.world() == []


def test_production_goes_only_when_its_protection_is_taken_off_on_purpose(tmp_path: Path) -> None:
    environment = Environment("production", tmp_path)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("preview", "--expect-no-changes")
    before = environment.world()

    refused = environment.engine("destroy", "--yes")
    assert refused.returncode != 0
    assert "cannot be deleted" in refused.stdout + refused.stderr
    assert environment.world() == before

    renamed = environment.engine("preview", project=environment.renamed())
    shown = renamed.stdout + renamed.stderr
    assert renamed.returncode != 0
    assert "rds:Instance orders create" in shown, shown
    assert "Database$aws:rds/instance:Instance::database" in shown and "cannot be deleted" in shown

    environment.configure("place", "protected", value=False)
    environment.works("up", "--yes", "--skip-preview")
    environment.works("destroy", "--yes", "--skip-preview")
    assert environment.world() == []


def test_a_configuration_that_is_not_sound_stops_before_the_first_resource(tmp_path: Path) -> None:
    environment = Environment("dev", tmp_path)
    environment.configure("network", "cidr", "10.20.0.0/16")
    environment.configure("database", "typo", 1)
    refused = environment.engine("up", "--yes", "--skip-preview")
    shown = refused.stdout + refused.stderr
    assert refused.returncode != 0
    assert "stacks/Pulumi.dev.yaml cannot be used; nothing was changed" in shown, shown
    assert "tecnocursos:database.typo: unknown key" in shown
    assert "overlaps the reserved network 10.20.0.0/16" in shown
    assert "Traceback" not in shown
    assert environment.world() == []
