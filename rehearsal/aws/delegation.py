"""Does a name resolve on the internet? Records count only in a zone to which the zones above it lead.

The parent of a zone is either in the emulated cloud, in any account, and then its NS record leads to the zone; or it is
elsewhere, at a registrar or with another provider of DNS, and then a person tells it the zone's name servers
(`python -m rehearsal delegate`), or a registered domain of the program does.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import RehearsalError
from rehearsal.files import replace_text
from rehearsal.values import Value
from rehearsal.world import Row, World

ZONE, RECORD = "aws:route53/zone:Zone", "aws:route53/record:Record"
_DOMAINS = ("aws:route53domains/registeredDomain:RegisteredDomain", "aws:route53domains/domain:Domain")


def plain(name: Value) -> str:
    """A domain name in one spelling: small letters, no dot at the end."""
    return str(name).rstrip(".").lower()


def lies_in(name: str, zone: str) -> bool:
    """Whether a name is the zone's own or below it."""
    return name == zone or name.endswith(f".{zone}")


@dataclass(frozen=True)
class Internet:
    """What the internet sees of the emulated cloud: every account's public zones, and what registrars were told."""

    cloud: World
    told: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, world: World) -> "Internet":
        """As it is now; `world` may be one account's."""
        return cls(world.everywhere(), Registrar(world.file.parent).told())

    def zones(self) -> list[Row]:
        """All public zones."""
        return [row for row in self.cloud.rows(ZONE) if not row.outputs.get("vpcs")]

    def undelegated(self, zone: Row) -> str | None:
        """Why nothing leads to a zone; None when something does."""
        name, own = plain(zone.outputs.get("name")), set(map(plain, zone.outputs.get("nameServers") or ()))
        parent = self._parent(name)
        if parent is not None:
            led = {
                server
                for row in self._records(parent, name, "NS")
                for server in map(plain, row.inputs.get("records") or ())
            }
            where = f"zone {plain(parent.outputs.get('name'))} ({parent.id})"
        else:
            led, where = self._registered(name), "its registrar, or whoever serves the zone above it,"
        if led and led <= own:
            return None
        servers = " ".join(sorted(own))
        if parent is not None:
            remedy = f"give it an NS record {name} with {servers}"
        else:
            remedy = f"tell it {servers}, here with: python -m rehearsal delegate {name}"
        problem = f"leads to other name servers ({', '.join(sorted(led))})" if led else "does not lead to it"
        return f"zone {name} ({zone.id}) is not delegated: {where} {problem}: {remedy}"

    def unresolved(self, name: Value, kind: Value, value: Value) -> str | None:
        """Why a record with this value is not found; None when it is."""
        wanted = plain(name)
        above = [zone for zone in self.zones() if lies_in(wanted, plain(zone.outputs.get("name")))]
        reasons = {zone.id: self.undelegated(zone) for zone in above}
        reached = [zone for zone in above if reasons[zone.id] is None]
        if not reached:
            return next(filter(None, reasons.values()), f"no public zone holds {wanted}")
        serving = max(reached, key=lambda zone: len(plain(zone.outputs.get("name"))))
        values = [plain(one) for row in self._records(serving, wanted, kind) for one in row.inputs.get("records") or ()]
        if plain(value) in values:
            return None
        held = [zone for zone in above if self._records(zone, wanted, kind)]
        where = f"zone {plain(serving.outputs.get('name'))} ({serving.id}), which answers for it,"
        hint = next((reasons[zone.id] for zone in held if reasons[zone.id]), None)
        return hint or f"{where} has no {kind} record {wanted} with {value}"

    def _parent(self, name: str) -> Row | None:
        """The nearest delegated zone above a name."""
        above = [zone for zone in self.zones() if name.endswith(f".{plain(zone.outputs.get('name'))}")]
        reached = [zone for zone in above if self.undelegated(zone) is None]
        return max(reached, key=lambda zone: len(plain(zone.outputs.get("name"))), default=None)

    def _records(self, zone: Row, name: str, kind: Value) -> list[Row]:
        rows = self.cloud.rows(RECORD, zoneId=zone.id, type=kind)
        return [row for row in rows if plain(row.outputs.get("fqdn") or row.inputs.get("name")) == name]

    def _registered(self, name: str) -> set[str]:
        """The name servers that a registrar was told, by a person or by a registered domain."""
        domains = [row for row in self.cloud.rows(*_DOMAINS) if plain(row.outputs.get("domainName")) == name]
        servers = {plain(one.get("name")) for row in domains for one in row.outputs.get("nameServers") or ()}
        return servers or set(map(plain, self.told.get(name, ())))


@dataclass(frozen=True)
class Registrar:
    """What people told registrars, in a file beside the worlds: the name servers of zones whose parent is elsewhere."""

    worlds: Path

    @property
    def file(self) -> Path:
        """Where it is kept."""
        return self.worlds / "delegations.json"

    def told(self) -> dict[str, list[str]]:
        """Name servers by zone. Raises RehearsalError when the file is not sound."""
        try:
            return dict(json.loads(self.file.read_text()))
        except FileNotFoundError:
            return {}
        except ValueError as error:
            raise RehearsalError(f"{self.file} is no JSON object of zones and their name servers: remove it") from error

    def tell(self, zone: str, servers: Sequence[str]) -> None:
        """Delegate a zone to these name servers; to none: nothing leads to it any more."""
        told = self.told() | {plain(zone): sorted(map(plain, servers))}
        kept = {name: ones for name, ones in sorted(told.items()) if ones}
        replace_text(self.file, json.dumps(kept, indent=2) + "\n")
