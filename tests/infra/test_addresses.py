"""Does the address plan hold for every network and every set of zones?"""

from dataclasses import astuple
from ipaddress import IPv4Network
from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.network import addresses

networks = st.integers(0, 0xFFFF).map(lambda high: IPv4Network((high << 16, 16)))
slot_sets = st.sets(st.integers(0, 3), min_size=1)


@given(networks, slot_sets)
def test_no_block_overlaps_another_and_all_lie_inside(network: IPv4Network, slots: set[int]) -> None:
    blocks = [block for zone in addresses.plan(network, slots).values() for block in astuple(zone)]
    assert all(block.subnet_of(network) for block in blocks)
    assert not any(one.overlaps(other) for one, other in combinations(blocks, 2))


@given(networks, slot_sets, st.integers(0, 3))
def test_a_new_slot_moves_no_existing_block(network: IPv4Network, slots: set[int], added: int) -> None:
    before = addresses.plan(network, slots)
    after = addresses.plan(network, slots | {added})
    assert {slot: after[slot] for slot in slots} == before


@given(networks, st.integers(0, 3))
def test_a_tier_holds_the_blocks_of_its_slots_and_no_other_tier(network: IPv4Network, slot: int) -> None:
    tiers, zone = astuple(addresses.tiers(network)), astuple(addresses.zone(network, slot))
    assert all(block.subnet_of(tier) for block, tier in zip(zone, tiers, strict=True))
    assert not any(one.overlaps(other) for one, other in combinations(tiers, 2))


def test_the_plan_is_the_documented_one() -> None:
    zone = addresses.zone(IPv4Network("10.30.0.0/16"), 2)
    assert [str(block) for block in astuple(zone)] == [
        "10.30.64.0/19",
        "10.30.132.0/23",
        "10.30.138.0/24",
    ]


@pytest.mark.parametrize(("network", "slot"), [("10.0.0.0/17", 0), ("10.0.0.0/16", 4), ("10.0.0.0/16", -1)])
def test_what_does_not_fit_is_refused(network: str, slot: int) -> None:
    with pytest.raises(ValueError, match=r"must be a /16|a zone slot is one of 0 to 3"):
        addresses.zone(IPv4Network(network), slot)
