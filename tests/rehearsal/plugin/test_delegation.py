"""Is a certificate issued only when the internet finds its proof, as ACM does it?"""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.answers import Object, Refused, Urn
from rehearsal.aws.context import Context
from rehearsal.aws.delegation import Internet, Registrar, lies_in, plain
from rehearsal.aws.library import Library
from rehearsal.aws.lifecycle import Lifecycle
from rehearsal.values import Properties
from rehearsal.world import World

ZONE, RECORD = "aws:route53/zone:Zone", "aws:route53/record:Record"
CERTIFICATE, WAIT = "aws:acm/certificate:Certificate", "aws:acm/certificateValidation:CertificateValidation"


class Account:
    """One account of the cloud."""

    def __init__(self, worlds: Path, number: str) -> None:
        self.world = World(worlds, number)
        self._lifecycle = Lifecycle(Library.open(), Context("us-east-1", number), self.world)

    def create(self, token: str, label: str, /, **inputs: Any) -> Object:
        urn = Urn.parse(f"urn:pulumi:{self.world.account}::demo::{token}::{label}")
        return self._lifecycle.create(urn, Properties(inputs))

    def zone(self, name: str, label: str = "", **more: Any) -> Object:
        return self.create(ZONE, label or name, name=name, **more)

    def record(self, zone: Object, name: str, kind: str, *values: str) -> None:
        self.create(
            RECORD, f"{zone.id}{name}{kind}", zoneId=zone.id, name=name, type=kind, ttl=300, records=list(values)
        )

    def prove(self, zone: Object, name: str) -> str:
        """A certificate whose validation record stands in the zone: its ARN."""
        certificate = self.create(CERTIFICATE, f"{zone.id}{name}", domainName=name, validationMethod="DNS")
        for option in certificate.outputs.values["domainValidationOptions"]:
            parts = [option[f"resourceRecord{part}"] for part in ("Name", "Type", "Value")]
            self.record(zone, *parts)
        return certificate.id

    def wait(self, arn: str) -> None:
        self.create(WAIT, f"wait-{arn}", certificateArn=arn)


@pytest.fixture
def accounts(schemas: None, tmp_path: Path) -> Callable[[str], Account]:
    return lambda number: Account(tmp_path, number)


def servers(zone: Object) -> list[str]:
    return list(zone.outputs.values["nameServers"])


def test_a_zone_to_which_nothing_leads_proves_nothing(accounts: Callable[[str], Account], tmp_path: Path) -> None:
    account = accounts("111111111111")
    zone = account.zone("example.com")
    arn = account.prove(zone, "www.example.com")
    with pytest.raises(Refused) as refused:
        account.wait(arn)
    said = str(refused.value)
    assert "last state: 'PENDING_VALIDATION', timeout: 1h15m0s" in said and arn in said
    assert "python -m rehearsal delegate example.com" in said and servers(zone)[0] in said
    Registrar(tmp_path).tell("Example.com.", servers(zone))
    account.wait(arn)


def test_a_child_zone_is_reached_through_its_parent_in_any_account(
    accounts: Callable[[str], Account], tmp_path: Path
) -> None:
    company, team = accounts("111111111111"), accounts("222222222222")
    above, below = company.zone("example.com"), team.zone("dev.example.com")
    arn = team.prove(below, "dev.example.com")
    Registrar(tmp_path).tell("example.com", servers(above))
    Registrar(tmp_path).tell("dev.example.com", servers(below))  # nobody asks the registrar about it
    with pytest.raises(Refused, match="give it an NS record dev"):
        team.wait(arn)
    company.record(above, "dev.example.com", "NS", *servers(below))
    team.wait(arn)


def test_servers_of_a_zone_that_was_made_again_lead_nowhere(accounts: Callable[[str], Account], tmp_path: Path) -> None:
    account = accounts("111111111111")
    first = account.zone("example.com", "first")
    Registrar(tmp_path).tell("example.com", servers(first))
    second = account.zone("example.com", "second")
    with pytest.raises(Refused, match="leads to other name servers"):
        account.wait(account.prove(second, "example.com"))
    account.wait(account.prove(first, "example.com"))


def test_a_reusable_delegation_set_keeps_the_name_servers(accounts: Callable[[str], Account], tmp_path: Path) -> None:
    account = accounts("111111111111")
    shared = account.create("aws:route53/delegationSet:DelegationSet", "set")
    Registrar(tmp_path).tell("example.com", servers(shared))
    account.wait(account.prove(account.zone("example.com", delegationSetId=shared.id), "example.com"))


def test_a_domain_registered_by_the_program_is_its_own_registrar(accounts: Callable[[str], Account]) -> None:
    account = accounts("111111111111")
    zone = account.zone("example.com")
    named = [{"name": server} for server in servers(zone)]
    domain = "aws:route53domains/registeredDomain:RegisteredDomain"
    account.create(domain, "domain", domainName="example.com", nameServers=named)
    account.wait(account.prove(zone, "example.com"))


def test_private_zones_and_missing_or_other_records_prove_nothing(
    accounts: Callable[[str], Account], tmp_path: Path
) -> None:
    account = accounts("111111111111")
    private = account.zone("example.com", "private", vpcs=[{"vpcId": "vpc-1"}])
    with pytest.raises(Refused, match="no public zone holds"):
        account.wait(account.prove(private, "example.com"))
    zone = account.zone("example.com")
    Registrar(tmp_path).tell("example.com", servers(zone))
    bare = account.create(CERTIFICATE, "bare", domainName="example.com", validationMethod="DNS")
    with pytest.raises(Refused, match="has no CNAME record"):
        account.wait(bare.id)
    by_mail = account.create(CERTIFICATE, "mail", domainName="example.com", validationMethod="EMAIL")
    account.wait(by_mail.id)


names = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=4).map(
    lambda labels: ".".join([*labels, "com"])
)


@given(names, names)
def test_a_name_lies_in_a_zone_label_by_label(name: str, zone: str) -> None:
    labels, above = name.split("."), zone.split(".")
    assert lies_in(plain(name.upper() + "."), plain(zone)) == (labels[-len(above) :] == above)


@given(st.lists(st.booleans(), min_size=1, max_size=4))
def test_a_chain_of_zones_leads_as_far_as_each_link_does(tmp_path_factory: Any, links: list[bool]) -> None:
    worlds = tmp_path_factory.mktemp("chain")
    world = World(worlds, "111111111111")
    account = Account(worlds, "111111111111")
    zones, name = [], "com"
    for depth, link in enumerate(links):
        name = f"d{depth}.{name}"
        zones.append(account.zone(name))
        if link and depth == 0:
            Registrar(worlds).tell(name, servers(zones[0]))
        elif link:
            account.record(zones[depth - 1], name, "NS", *servers(zones[depth]))
    internet = Internet.of(world)
    rows = {row.id: row for row in internet.zones()}
    reached = [internet.undelegated(rows[zone.id]) is None for zone in zones]
    assert reached == [all(links[: depth + 1]) for depth in range(len(links))]


def test_the_command_tells_and_withdraws(
    accounts: Callable[[str], Account], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("REHEARSAL_WORLD", str(tmp_path))
    zone = accounts("111111111111").zone("example.com")

    def delegate(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "rehearsal", "delegate", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    assert "is not delegated" in delegate().stdout
    assert delegate("example.com").returncode == 0
    assert json.loads(Registrar(tmp_path).file.read_text()) == {"example.com": sorted(servers(zone))}
    assert f"({zone.id}) is delegated" in delegate().stdout
    assert delegate("example.com", "--withdraw").returncode == 0 and "is not delegated" in delegate().stdout
    unknown = delegate("example.org")
    assert unknown.returncode == 1 and "example.org" in unknown.stderr and "Traceback" not in unknown.stderr
    Registrar(tmp_path).file.write_text("{")
    broken = delegate()
    assert broken.returncode == 1 and "delegations.json" in broken.stderr


def test_one_record_proves_a_domain_for_all_certificates_of_an_account(accounts: Callable[[str], Account]) -> None:
    mine, other = accounts("111111111111"), accounts("222222222222")

    def asked(account: Account, domain: str, label: str) -> str:
        made = account.create(CERTIFICATE, label, domainName=domain, validationMethod="DNS")
        (option,) = made.outputs.values["domainValidationOptions"]
        return str(option["resourceRecordName"] + option["resourceRecordValue"])

    assert asked(mine, "example.com", "viewer") == asked(mine, "*.example.com", "origin")
    assert asked(mine, "example.com", "third") != asked(other, "example.com", "viewer")
