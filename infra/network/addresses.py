"""Which addresses does each subnet get? Arithmetic alone: no cloud, no order, no state.

A /16 is cut by tier, and inside a tier by zone slot. A block depends on the network and its own slot only, so
a new zone never moves an existing one (list-ordered plans re-create subnets when a zone is added).

    tier            per slot   offset in the /16      room
    private         /19        0.0   .. 127.255       nodes, pods, the internal load balancer
    data            /23        128.0 .. 135.255       database, proxy, cache
    public          /24        136.0 .. 139.255       NAT gateways
                               140.0 .. 255.255       free
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network

SLOTS = range(4)
NETWORK_PREFIX = 16


@dataclass(frozen=True)
class Blocks:
    """One block per tier: of one zone slot, or of all four together."""

    private: IPv4Network
    data: IPv4Network
    public: IPv4Network


def zone(network: IPv4Network, slot: int) -> Blocks:
    """The blocks of one slot; ValueError when the network is not a /16 or the slot is not 0 to 3."""
    if slot not in SLOTS:
        raise ValueError(f"a zone slot is one of {SLOTS.start} to {SLOTS.stop - 1}, not {slot}")
    return _blocks(network, slot, 0)


def tiers(network: IPv4Network) -> Blocks:
    """The blocks that hold every slot of a tier, used or not; ValueError when the network is not a /16."""
    return _blocks(network, 0, 2)


def plan(network: IPv4Network, slots: Collection[int]) -> Mapping[int, Blocks]:
    """The blocks of each slot, by slot; ValueError as for `zone`."""
    return {slot: zone(network, slot) for slot in slots}


def _blocks(network: IPv4Network, slot: int, wider: int) -> Blocks:
    if network.prefixlen != NETWORK_PREFIX:
        raise ValueError(f"the network must be a /{NETWORK_PREFIX}, not a /{network.prefixlen}")

    def block(offset: int, prefix: int) -> IPv4Network:
        size = 1 << (32 - prefix)
        return IPv4Network((int(network.network_address) + (offset << 8) + slot * size, prefix - wider))

    return Blocks(private=block(0, 19), data=block(128, 23), public=block(136, 24))
