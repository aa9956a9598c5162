"""May this address be put under load? Loopback always, others by the list targets.yaml, nothing else ever."""

from collections.abc import Sequence
from ipaddress import ip_address
from urllib.parse import urlsplit


class TargetError(Exception):
    """An address that may not be loaded; the message says why and what to do."""


def checked(url: str, allowed: Sequence[str]) -> str:
    """The address without a path, when it is on loopback or in `allowed` (host or host:port). Raises TargetError."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise TargetError(f"target {url!r} is no URL: {error}") from error
    if parts.scheme not in ("http", "https") or not host:
        raise TargetError(f"target {url!r}: write it as http://HOST[:PORT] or https://HOST[:PORT]")
    if parts.username or parts.password or parts.query or parts.fragment or parts.path.strip("/"):
        raise TargetError(f"target {url!r}: only scheme, host and port, without credentials, path or query")
    if not _loopback(host) and host not in allowed and f"{host}:{port}" not in allowed:
        known = ", ".join(["loopback", *allowed])
        raise TargetError(f"target {host!r} may not be loaded: allowed are {known} (loadtests/targets.yaml)")
    return f"{parts.scheme}://{parts.netloc}"


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
