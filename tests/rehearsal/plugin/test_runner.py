"""Does an API server answer only a deployer that its endpoint and its groups admit?"""

import ipaddress
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal import runner as place
from rehearsal.aws.api_server import Runner, refusal
from rehearsal.errors import RehearsalError
from rehearsal.world import Row, World
from tests.rehearsal.plugin.test_kubernetes import NAMESPACE, kubeconfig

ADDRESS, SUBNET = "10.30.64.10", "10.30.0.0/20"
PRIVATE = {"endpointPublicAccess": False, "endpointPrivateAccess": True}
INGRESS = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule"
TLS = {"ipProtocol": "tcp", "fromPort": 443, "toPort": 443}


class Cloud:
    """A VPC with a cluster, and what a test puts beside them."""

    def __init__(self, worlds: Path) -> None:
        self.world = World(worlds)
        self.put("aws:ec2/vpc:Vpc", "vpc-own", cidrBlock="10.30.0.0/16")
        self.put("aws:ec2/vpc:Vpc", "vpc-far", cidrBlock="10.99.0.0/16")
        self.put("aws:ec2/subnet:Subnet", "subnet-1", vpcId="vpc-own", cidrBlock=SUBNET)
        self.put("aws:ec2/subnet:Subnet", "subnet-build", vpcId="vpc-own", cidrBlock="10.30.64.0/24")

    def put(self, token: str, id: str, **outputs: Any) -> Row:
        row = Row(token, "us-east-1", id, f"urn:pulumi:dev::demo::{token}::{id}", {}, {"arn": f"arn:{id}", **outputs})
        self.world.put(row)
        return row

    def cluster(self, **settings: Any) -> Row:
        config = {"subnetIds": ["subnet-1"], "vpcId": "vpc-own", "clusterSecurityGroupId": "sg-own", **settings}
        return self.put("aws:eks/cluster:Cluster", "one", name="one", endpoint="https://one", vpcConfig=config)

    def admit(self, id: str = "r", group: str = "sg-own", **rule: Any) -> None:
        self.put(INGRESS, id, **{"securityGroupId": group, **TLS, **rule})

    def says(self, cluster: Row, address: str) -> str | None:
        return refusal(cluster, Runner(ipaddress.ip_address(address)), self.world)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cloud:
    monkeypatch.setenv("REHEARSAL_WORLD", str(tmp_path / "world"))
    return Cloud(tmp_path / "world")


def test_a_public_endpoint_answers_the_addresses_it_is_open_to(cloud: Cloud) -> None:
    assert (
        cloud.says(cloud.cluster(), "198.51.100.7") is None
    )  # EKS opens it to everybody when the program says nothing
    limited = cloud.cluster(publicAccessCidrs=["203.0.113.0/24"])
    assert cloud.says(limited, "203.0.113.10") is None
    said = cloud.says(limited, "198.51.100.7")
    assert said is not None and said.startswith("dial tcp 3.") and "203.0.113.0/24 only" in said
    inside = cloud.says(limited, ADDRESS)
    assert inside is not None and "public only" in inside


def test_a_private_endpoint_answers_inside_with_a_rule(cloud: Cloud) -> None:
    cluster = cloud.cluster(**PRIVATE)
    outside = cloud.says(cluster, "203.0.113.10")
    assert outside is not None and "REHEARSAL_RUNNER" in outside and "endpoint is private" in outside
    seen = ipaddress.ip_address(outside.removeprefix("dial tcp ").partition(":")[0])
    assert seen in ipaddress.ip_network(SUBNET) and outside.startswith(f"dial tcp {seen}:443: i/o timeout")
    without = cloud.says(cluster, ADDRESS)
    assert without is not None and "no rule of its security groups (sg-own) lets 10.30.64.10 in on port 443" in without
    for number, wrong in enumerate(
        ({"fromPort": 80, "toPort": 80}, {"cidrIpv4": "10.30.0.0/24"}, {"ipProtocol": "udp", "cidrIpv4": "10.0.0.0/8"})
    ):
        cloud.admit(f"wrong-{number}", **{"cidrIpv4": "10.30.64.0/24", **wrong})
    cloud.admit("elsewhere", group="sg-other", cidrIpv4="10.30.64.0/24")
    assert cloud.says(cluster, ADDRESS) is not None
    cloud.admit(cidrIpv4="10.30.64.0/24")
    assert cloud.says(cluster, ADDRESS) is None


def test_another_network_answers_once_it_is_connected(cloud: Cloud) -> None:
    cluster = cloud.cluster(**PRIVATE)
    cloud.admit(cidrIpv4="10.99.0.0/16")
    said = cloud.says(cluster, "10.99.0.5")
    assert said is not None and "vpc-far, which nothing connects with vpc-own" in said
    nowhere = cloud.says(cluster, "192.168.1.5")
    assert nowhere is not None and "no VPC" in nowhere
    cloud.put("aws:ec2/vpcPeeringConnection:VpcPeeringConnection", "pcx-1", vpcId="vpc-far", peerVpcId="vpc-own")
    assert cloud.says(cluster, "10.99.0.5") is None


def test_a_transit_gateway_connects_as_well(cloud: Cloud) -> None:
    cluster = cloud.cluster(**PRIVATE)
    cloud.admit(cidrIpv4="10.99.0.0/16")
    attachment = "aws:ec2transitgateway/vpcAttachment:VpcAttachment"
    cloud.put(attachment, "a", vpcId="vpc-far", transitGatewayId="tgw-1")
    assert cloud.says(cluster, "10.99.0.5") is not None
    cloud.put(attachment, "b", vpcId="vpc-own", transitGatewayId="tgw-1")
    assert cloud.says(cluster, "10.99.0.5") is None


def test_a_build_machine_is_admitted_by_its_group(cloud: Cloud) -> None:
    cluster = cloud.cluster(**PRIVATE)
    cloud.admit(referencedSecurityGroupId="sg-build")
    assert cloud.says(cluster, ADDRESS) is not None
    networked = {"vpcId": "vpc-own", "subnets": ["subnet-build"], "securityGroupIds": ["sg-build"]}
    cloud.put("aws:codebuild/project:Project", "runner", vpcConfig=networked)
    assert cloud.says(cluster, ADDRESS) is None
    assert cloud.says(cluster, "10.30.0.10") is not None  # another subnet than the machine's


def test_objects_of_a_cluster_that_does_not_answer_are_refused_as_the_provider_does(
    cloud: Cloud, start: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.cluster(**PRIVATE)
    monkeypatch.setenv("REHEARSAL_RUNNER", ADDRESS)
    kubernetes = start("rehearsal.kubernetes", "4.25.0", kubeconfig=kubeconfig("https://one"))
    inputs = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"}}
    with pytest.raises(kubernetes.Error) as refused:
        kubernetes.create(NAMESPACE, inputs)
    for part in ("configured Kubernetes cluster is unreachable", 'Get "https://one/openapi/v2', ":443: i/o timeout"):
        assert part in refused.value.details()
    cloud.admit(cidrIpv4="10.30.64.0/24")
    id, outputs = kubernetes.create(NAMESPACE, inputs)
    cloud.world.remove(cloud.world.called("r")[0])
    with pytest.raises(kubernetes.Error, match="i/o timeout"):
        kubernetes.delete(NAMESPACE, id, outputs)  # the way in must go last


def test_no_token_is_handed_out_where_the_cluster_does_not_answer(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    cloud.cluster(**PRIVATE)
    monkeypatch.setenv("REHEARSAL_RUNNER", "203.0.113.10")
    line = [sys.executable, "-I", "-m", "rehearsal.cluster.aws_cli", "eks", "get-token", "--cluster-name", "one"]
    asked = subprocess.run(line, capture_output=True, text=True, check=False)
    assert asked.returncode == 1 and ":443: i/o timeout" in asked.stderr and asked.stdout == ""


def test_the_command_says_where_the_runner_stands(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REHEARSAL_RUNNER", raising=False)
    cloud.cluster(publicAccessCidrs=["203.0.113.0/24"])

    def runner(*words: str) -> subprocess.CompletedProcess[str]:
        line = [sys.executable, "-m", "rehearsal", "runner", *words]
        return subprocess.run(line, capture_output=True, text=True, check=False)

    moved = runner("198.51.100.7")
    assert moved.returncode == 1 and "198.51.100.7 (the internet)" in moved.stdout and "i/o timeout" in moved.stdout
    assert runner().stdout == moved.stdout
    monkeypatch.setenv("REHEARSAL_RUNNER", "203.0.113.0/24")
    admitted = runner()
    assert admitted.returncode == 0 and "203.0.113.1" in admitted.stdout and "one: answers it" in admitted.stdout
    wrong = runner("here")
    assert wrong.returncode == 1 and "ADDRESS is 'here'" in wrong.stderr and "Traceback" not in wrong.stderr


@given(st.text(max_size=20))
def test_any_text_is_an_address_or_refused_by_the_name_of_its_source(text: str) -> None:
    try:
        parsed = place.parse(text, "REHEARSAL_RUNNER")
    except RehearsalError as error:
        assert "REHEARSAL_RUNNER" in str(error)
    else:
        assert ipaddress.ip_address(str(parsed.address)) == parsed.address


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_range_stands_for_a_host_of_it(address: ipaddress.IPv4Address, prefix: int) -> None:
    network = ipaddress.ip_network(f"{address}/{prefix}", strict=False)
    assert place.parse(str(network), "it").address in network
    assert place.parse(str(address), "it").address == address
