"""Is the capacity arithmetic right for any figures, and does production as committed carry the target load?"""

import json
import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtests import capacity, capacity_page, estate, plans
from loadtests.__main__ import main
from loadtests.capacity import Cost, Pod

ROOT = Path(__file__).resolve().parents[2]
SIZING = plans.read("sizing.yaml")
costs = st.builds(
    Cost, api=st.floats(0.05, 20), database=st.floats(0.01, 5), cache=st.floats(0.005, 1), query=st.floats(0.1, 50)
)
pods = st.builds(Pod, cpu=st.sampled_from([0.25, 0.5, 1.0]), utilisation=st.floats(0.3, 0.9))
rates = st.floats(1, 200_000)


@given(st.floats(0.001, 500), pods, st.integers(2, 4), st.floats(0.3, 1))
def test_what_a_zone_leaves_carries_everything_and_one_pod_fewer_would_not_do(
    cores: float, pod: Pod, zones: int, share: float
) -> None:
    number = capacity.pods_for(cores, pod, zones, share)

    def enough(count: int) -> bool:
        left = count - math.ceil(count / zones)
        return left * share >= cores * (1 - 1e-9) and count * pod.cpu * pod.utilisation >= cores * (1 - 1e-9)

    assert enough(number)
    assert number <= 2 or not enough(number - 1)


@given(rates, rates, costs, pods)
def test_a_higher_rate_never_needs_less(one: float, other: float, cost: Cost, pod: Pod) -> None:
    low, high = (capacity.needs(rate, cost, pod, SIZING) for rate in sorted((one, other)))
    assert low.pods * low.pod.cpu <= high.pods * high.pod.cpu
    assert low.connections_used <= high.connections_used
    assert low.cache_shards <= high.cache_shards
    sizes = [*SIZING["database_classes"], None]
    assert sizes.index(low.database_class) <= sizes.index(high.database_class)


@given(rates, costs, pods)
def test_what_is_chosen_has_the_room_that_is_assumed(rate: float, cost: Cost, pod: Pod) -> None:
    need = capacity.needs(rate, cost, pod, SIZING)
    assert need.cache_shards * SIZING["cache_share"] >= need.cache_cores * (1 - 1e-9)
    if need.database_class is not None:
        size = SIZING["database_classes"][need.database_class]
        assert size["vcpu"] * SIZING["database_share"] >= need.database_cores
        assert capacity.connections(size["memory"], SIZING) >= need.connections_used


@given(st.floats(0.001, 100).map(lambda cores: round(cores, 3)))
def test_a_quantity_of_cpu_is_read_in_both_notations(cores: float) -> None:
    assert estate.cores(f"{round(cores * 1000)}m") == pytest.approx(cores)
    assert estate.cores(f"{cores}") == cores


def test_production_carries_the_target_load_with_one_zone_lost() -> None:
    now, (target, *larger) = capacity_page.production(), SIZING["rates"]
    cost = capacity_page.cost()
    assert target == 1500
    assert estate.changes(capacity.needs(target, cost, now.pod, SIZING), now, SIZING) == []
    for rate in larger:
        settings = {row.setting for row in estate.changes(capacity.needs(rate, cost, now.pod, SIZING), now, SIZING)}
        assert {"autoscaler: most pods", "quota: pods", "quota: CPU, cores"} <= settings


def test_what_is_assumed_of_production_is_what_it_says() -> None:
    now = capacity_page.production()
    assert now.pool_size * 2 == SIZING["pool_connections"]
    memory = SIZING["database_classes"][now.database_class]["memory"]
    assert now.most_pods * SIZING["pool_connections"] <= capacity.connections(memory, SIZING)
    assert now.pool_size <= estate.largest_pool(now.most_pods, now.database_class, SIZING)
    zones = {subnet["availabilityZone"] for subnet in subnets() if "availabilityZone" in subnet}
    zones |= {subnet["availabilityZoneId"] for subnet in subnets() if "availabilityZoneId" in subnet}
    assert len(zones) == SIZING["zones"]
    quota = estate.COLOURS * estate.surged(now.most, now.surge)
    assert now.quota_pods >= quota + now.others_pods
    assert now.quota_cores >= quota * now.pod.cpu + now.others_cores


def subnets() -> list[dict[str, Any]]:
    graph = json.loads((ROOT / "tests/golden/production.json").read_text())
    return [row["inputs"] for row in graph if row["type"] == "aws:ec2/subnet:Subnet"]


@pytest.mark.parametrize(
    ("field", "value", "setting"),
    [
        ("most", 2, "autoscaler: most pods"),
        ("quota_pods", 10, "quota: pods"),
        ("quota_cores", 2.0, "quota: CPU, cores"),
        ("most_pods", 3, "TECNOCURSOS_MOST_PODS"),
        ("pool_size", 64, "TECNOCURSOS_DATABASE__POOL_SIZE, at most"),
    ],
)
def test_a_setting_that_is_too_small_is_named(field: str, value: float, setting: str) -> None:
    now = capacity_page.production()
    small = estate.Shape(**{**vars(now), field: value})
    need = capacity.needs(1500, capacity_page.cost(), now.pod, SIZING)
    assert [row.setting for row in estate.changes(need, small, SIZING)] == [setting]


def test_the_document_is_what_the_figures_say() -> None:
    assert main(["capacity", "--check"]) == 0, "run: python -m loadtests capacity"
