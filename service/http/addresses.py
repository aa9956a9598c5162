"""Which address does a request come from? The peer's, or what configured proxies say in a header.

Either X-Forwarded-For, or a header that the outermost proxy sets itself, whoever stands between it and this service.
"""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


class Addresses:
    """Believes `header` from the configured proxies only.

    viewer_header: a header whose value is ADDRESS:PORT of the caller. CloudFront's writes IPv6 without brackets.
    Without one X-Forwarded-For is read from the right, over the proxies: everything left of them can be forged.
    """

    def __init__(self, proxies: Sequence[Network], viewer_header: str | None = None) -> None:
        self._proxies = tuple(proxies)
        self._trusted = lru_cache(4096)(self._is_proxy)
        self._viewer = viewer_header is not None
        self.header = (viewer_header or "x-forwarded-for").lower().encode()

    def of(self, peer: str, told: str | None) -> str:
        """The caller by what the header told, else the peer; IPv6 callers count by their /64."""
        if told is None or not self._trusted(peer):
            return subject(peer)
        if self._viewer:
            viewer = told.rpartition(":")[0].strip("[] ")
            return subject(peer if _parse(viewer) is None else viewer)
        for part in reversed(told.split(",")):
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
