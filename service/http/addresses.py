"""Which address does a request come from? The peer's, or what configured proxies say in X-Forwarded-For."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


class Addresses:
    """Reads X-Forwarded-For from the right, over the configured proxies only: everything left of them can be forged."""

    def __init__(self, proxies: Sequence[Network]) -> None:
        self._proxies = tuple(proxies)
        self._trusted = lru_cache(4096)(self._is_proxy)

    def of(self, peer: str, forwarded: str | None) -> str:
        """The nearest address that is not a configured proxy; IPv6 callers count by their /64."""
        if forwarded is None or not self._trusted(peer):
            return subject(peer)
        for part in reversed(forwarded.split(",")):
            candidate = part.strip()
            if _parse(candidate) is None:
                break
            peer = candidate
            if not self._trusted(candidate):
                break
        return subject(peer)

    def _is_proxy(self, address: str) -> bool:
        parsed = _parse(address)
        return parsed is not None and any(parsed in network for network in self._proxies)


@lru_cache(4096)
def subject(address: str) -> str:
    """What is counted: an IPv4 address, or the /64 that a single IPv6 customer owns."""
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((int(parsed) >> 64 << 64, 64)))
    return address if parsed is not None else "unknown"


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address)
    except ValueError:
        return None
    return parsed.ipv4_mapped or parsed if isinstance(parsed, IPv6Address) else parsed
