"""How do needed actions become statements? By service, each on our resources; what must be conditioned is set apart."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from delivery.engine import DeliveryError
from delivery.permissions.needed import HERE, Facts, Needed

ANY = "Any"
# Whoever may do these without a condition can give themselves more: the account's project writes them by hand.
GUARDED = ("iam:", "kms:CreateGrant")

Scopes = Mapping[str, Sequence[str]]


def scopes(folder: Path = HERE) -> Scopes:
    """Our resources by service."""
    found: Scopes = yaml.safe_load((folder / "scopes.yaml").read_text())
    return found


def statements(needed: Needed, known: Facts, ours: Scopes) -> dict[str, Any]:
    """The result as it is committed. Raises DeliveryError for a service without a scope."""
    guarded = {action for action in needed.write if action.startswith(GUARDED)}
    return {
        "read": _by_service("Read", needed.read, known, ours),
        "write": _by_service("Write", needed.write - guarded, known, ours),
        "guarded": sorted(guarded),
        "withheld": {kind: sorted(actions) for kind, actions in needed.withheld.items()},
    }


def _by_service(word: str, actions: Iterable[str], known: Facts, ours: Scopes) -> list[dict[str, Any]]:
    groups: dict[str, list[str]] = {}
    for action in sorted(actions):
        service = action.partition(":")[0] if known.bound(action) else ANY
        groups.setdefault(service, []).append(action)
    rows = []
    for service, group in sorted(groups.items()):
        if service != ANY and service not in ours:
            raise DeliveryError(f"{group[0]} needs resources: add {service} to delivery/permissions/scopes.yaml")
        sid = word + "".join(part.capitalize() for part in service.split("-"))
        rows.append({"sid": sid, "actions": group, "resources": ["*"] if service == ANY else list(ours[service])})
    return rows
