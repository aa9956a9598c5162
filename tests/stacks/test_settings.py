"""Is every mistake in a stack file answered with the file, the field and what to write?"""

import copy
import json
from collections.abc import Iterator
from ipaddress import IPv4Network
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from stacks import settings

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "production")


def configuration(environment: str) -> dict[str, Any]:
    """The estate's part of the file: the account's project reads its own (tests/bootstrap)."""
    values: dict[str, Any] = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())["config"]
    return {key: value for key, value in values.items() if key.startswith("tecnocursos:")}


def parse(environment: str, values: dict[str, Any]) -> settings.Settings:
    return settings.parse(environment, {key: json.dumps(value) for key, value in values.items()})


def fields(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every key in the configuration."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in items:
        if isinstance(value, dict):
            yield (*path, key)
        yield from fields(part, (*path, key))


def at(values: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        values = values[step]
    return values


# Their keys are the colours that are deployed: none is required by name.
FREE = [("tecnocursos:release", name) for name in ("weights", "images")]
PRODUCTION_FIELDS = [path for path in fields(configuration("production")) if path[:-1] not in FREE]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_committed_files_are_sound(environment: str) -> None:
    assert parse(environment, configuration(environment)).environment.name == environment


@pytest.mark.parametrize("path", PRODUCTION_FIELDS, ids=lambda path: ".".join(map(str, path)))
def test_a_field_that_production_forgets_is_named_with_its_meaning(path: tuple[Any, ...]) -> None:
    values = copy.deepcopy(configuration("production"))
    del at(values, path[:-1])[path[-1]]
    with pytest.raises(settings.SettingsError) as caught:
        parse("production", values)
    spelt = ".".join(str(step) for step in path)
    assert f"stacks/Pulumi.production.yaml cannot be used; nothing was changed:\n  {spelt}: missing; write " in str(
        caught.value
    )


@pytest.mark.parametrize("path", [(), *{path[:-1] for path in PRODUCTION_FIELDS}], ids=str)
def test_an_unknown_key_is_named(path: tuple[Any, ...]) -> None:
    values = copy.deepcopy(configuration("staging"))
    at(values, path)["tecnocursos:typo" if not path else "typo"] = 1
    with pytest.raises(settings.SettingsError, match=r"typo: unknown key; remove it or correct its spelling"):
        parse("staging", values)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("network.cidr", "10.20.0.0/16", "overlaps the reserved network 10.20.0.0/16: choose another /16"),
        ("network.cidr", "10.10.0.0/20", "must be a private /16"),
        ("network.cidr", "8.8.0.0/16", "must be a private /16"),
        ("network.cidr", "10.10.1.0/16", "tecnocursos:network.cidr: "),
        ("network.zones", [{"slot": 0, "zone_id": "use1-az1"}], "two to four zones"),
        (
            "network.zones",
            [{"slot": 0, "zone_id": "use1-az1"}, {"slot": 0, "zone_id": "use1-az2"}],
            "zones must have different slots",
        ),
        ("network.nat", "both", "write single (cheap) or per-zone (survives a zone)"),
        ("network", "10.10.0.0/16", "tecnocursos:network: "),
        ("cluster.service_cidr", "10.30.0.0/20", "cluster.service_cidr 10.30.0.0/20 overlaps 10.30.0.0/16"),
        ("cluster.api_public_cidrs", ["0.0.0.0/0"], "never to the world"),
        ("cluster.api_private_cidrs", ["8.8.0.0/16"], "private ones, at most a /16 each"),
        ("place.runner", "198.51.100.7", "cluster.api_public_cidrs does not admit place.runner 198.51.100.7"),
        ("place.runner", "10.10.0.9", "cluster.api_private_cidrs does not admit place.runner 10.10.0.9"),
        ("place.runner", "here", "where deployments run"),
        ("cluster.version", 1.36, "the Kubernetes minor version, quoted"),
        ("cluster.deployer_role", "admin", "the ARN of the role that runs deployments"),
        ("media.recovery_lock_days", 30, "recovery_lock_days locks the copies: set replicated to true"),
        ("place.account_id", 123456789012, "the twelve digits of the AWS account, quoted"),
        ("place.recovery_region", "us-east-1", "recovery_region must be another region"),
        ("place.protected", "yes", "true where stateful resources must refuse deletion"),
    ],
)
def test_a_wrong_value_is_answered_with_a_remedy(field: str, value: Any, message: str) -> None:
    values = configuration("dev")
    concern, *rest = field.split(".")
    if rest:
        values[f"tecnocursos:{concern}"][rest[0]] = value
    else:
        values[f"tecnocursos:{concern}"] = value
    with pytest.raises(settings.SettingsError) as caught:
        parse("dev", values)
    assert str(caught.value).startswith("stacks/Pulumi.dev.yaml cannot be used; nothing was changed:\n  tecnocursos")
    assert message in str(caught.value)


def test_an_error_never_repeats_a_value() -> None:
    values = configuration("dev")
    values["tecnocursos:place"]["account_id"] = "hunter2-not-for-logs"
    values["tecnocursos:cluster"]["deployer_role"] = "hunter2-not-for-logs"
    with pytest.raises(settings.SettingsError) as caught:
        parse("dev", values)
    assert "hunter2" not in str(caught.value)


def test_a_stack_of_another_name_is_refused() -> None:
    with pytest.raises(settings.SettingsError, match="a stack of one of these names"):
        parse("playground", configuration("dev"))


def test_the_environments_never_overlap_and_reserve_each_other() -> None:
    networks = {name: parse(name, configuration(name)).network for name in ENVIRONMENTS}
    assert not any(one.cidr.overlaps(other.cidr) for one, other in combinations(networks.values(), 2))
    for name, network in networks.items():
        others: set[IPv4Network] = {other.cidr for key, other in networks.items() if key != name}
        assert others <= set(network.reserved_cidrs)
