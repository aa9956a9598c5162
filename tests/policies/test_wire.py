"""Does the pack hold its own on the engine's protocol? Levels, unknowns, configuration, errors."""

import grpc
import pytest
from pulumi.runtime.proto import analyzer_pb2
from wire import UNKNOWN_TEXT, Pack, urn

KEY, SUBNET, VPC = "aws:kms/key:Key", "aws:ec2/subnet:Subnet", "aws:ec2/vpc:Vpc"
FLOW_LOG = "aws:ec2/flowLog:FlowLog"
UNKNOWN_SUBNET = {"type": SUBNET, "urn": urn(SUBNET, "s"), "inputs": {"mapPublicIpOnLaunch": UNKNOWN_TEXT}}


def test_a_broken_rule_is_reported_with_path_and_remedy_but_without_the_value(pack: Pack) -> None:
    pack.configure_stack(preview=True)
    key = {"type": KEY, "urn": urn(KEY, "k"), "inputs": {"enableKeyRotation": True, "deletionWindowInDays": 3.0}}
    (diagnostic,) = [d for d in pack.analyze(key) if d.policyName == "kms-rotation"]
    assert diagnostic.enforcementLevel == analyzer_pb2.MANDATORY
    assert diagnostic.message.startswith("deletionWindowInDays must be at least 7. Set enable_key_rotation=True")


def test_what_a_preview_cannot_know_is_said_once_at_the_end_as_advisory(pack: Pack) -> None:
    pack.configure_stack(preview=True)
    assert [d for d in pack.analyze(UNKNOWN_SUBNET) if d.policyName == "subnet-no-auto-public-ip"] == []
    (said,) = [d for d in pack.analyze_stack([UNKNOWN_SUBNET]) if d.policyName == "subnet-no-auto-public-ip"]
    assert said.enforcementLevel == analyzer_pb2.ADVISORY
    assert said.message.startswith("UNDECIDED until the update runs")
    assert "s (mapPublicIpOnLaunch)" in said.message
    assert said.urn == UNKNOWN_SUBNET["urn"]


def test_what_stays_unknown_in_an_update_is_a_violation(pack: Pack) -> None:
    pack.configure_stack(preview=False)
    (said,) = [d for d in pack.analyze(UNKNOWN_SUBNET) if d.policyName == "subnet-no-auto-public-ip"]
    assert said.enforcementLevel == analyzer_pb2.MANDATORY


def test_a_stack_rule_is_decided_in_a_preview_by_the_links_between_resources(pack: Pack) -> None:
    pack.configure_stack(preview=True)
    vpc = {"type": VPC, "urn": urn(VPC, "main"), "inputs": {"id": UNKNOWN_TEXT}}
    log = {
        "type": FLOW_LOG,
        "urn": urn(FLOW_LOG, "main"),
        "inputs": {"vpcId": UNKNOWN_TEXT},
        "propertyDependencies": {"vpcId": [vpc["urn"]]},
    }
    assert [d for d in pack.analyze_stack([vpc, log]) if d.policyName == "vpc-flow-logs"] == []
    (said,) = [d for d in pack.analyze_stack([vpc]) if d.policyName == "vpc-flow-logs"]
    assert said.urn == vpc["urn"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"kms-rotatoin": {"enforcementLevel": "mandatory"}}, "kms-rotatoin: there is no rule of this name"),
        ({"kms-rotation": {"enforcementLevel": "mandatory", "deletion_dais": 9}}, "deletion_dais"),
        ({"kms-rotation": {"enforcementLevel": "mandatory", "deletion_days": "9"}}, "kms-rotation: deletion_days"),
    ],
)
def test_a_typing_error_in_the_configuration_is_refused_by_name(pack: Pack, given: dict, words: str) -> None:
    with pytest.raises(grpc.RpcError) as refused:
        pack.configure(given)
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT
    assert words in refused.value.details()
