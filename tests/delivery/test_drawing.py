"""Does the drawing show what the graph says: parts in their zones and tiers, and flows that the rules allow?"""

import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
import stream

from delivery import architecture, drawing, layout, publish

GOLDEN = sorted((Path(__file__).parents[1] / "golden").glob("*.json"))


def row(token: str, name: str, inputs: dict[str, Any] | None = None, **links: list[str]) -> dict[str, Any]:
    return {
        "urn": stream.urn(token, name),
        "type": token,
        "name": name,
        "parent": stream.STACK,
        "inputs": inputs or {},
        "propertyDependencies": links,
    }


def drawn(*rows: dict[str, Any]) -> architecture.Diagram:
    return architecture.diagram(rows, publish.data("architecture"))


@pytest.fixture
def small() -> tuple[dict[str, Any], ...]:
    group, cluster = "aws:ec2/securityGroup:SecurityGroup", "aws:eks/cluster:Cluster"
    rule, nets = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule", "aws:rds/subnetGroup:SubnetGroup"
    data = row(
        stream.SUBNET, "data-a", {"availabilityZoneId": "az1", "cidrBlock": "10.0.2.0/24", "tags": {"tier": "data"}}
    )
    return (
        row("pulumi:providers:aws", "aws", {"region": "eu-west-1"}),
        data,
        row(nets, "db", {"name": "db"}, subnetIds=[data["urn"]]),
        row(group, "db"),
        row(stream.DATABASE, "main", {"dbSubnetGroupName": "db"}, vpcSecurityGroupIds=[stream.urn(group, "db")]),
        row(cluster, "main"),
        row(
            rule,
            "from-pods",
            {"ipProtocol": "tcp", "fromPort": 3306},
            securityGroupId=[stream.urn(group, "db")],
            referencedSecurityGroupId=[stream.urn(cluster, "main")],
        ),
        row(stream.BUCKET, "copy", {"region": "eu-west-2"}),
    )


def test_a_card_stands_in_the_tier_and_zones_of_its_subnets(small: tuple[dict[str, Any], ...]) -> None:
    (database,) = (card for card in drawn(*small).cards if card.title == "RDS for MySQL")
    assert (database.tier, database.zones) == ("data", ("az1",))


def test_a_rule_between_groups_is_a_flow_with_its_port(small: tuple[dict[str, Any], ...]) -> None:
    assert [(flow.source, flow.text) for flow in drawn(*small).flows] == [("pods", "tcp 3306")]


def test_what_is_in_another_region_stands_in_the_recovery_frame(small: tuple[dict[str, Any], ...]) -> None:
    shown = drawn(*small)
    assert shown.recovery == "eu-west-2"
    assert [card.lines for card in shown.cards if card.place == "recovery"] == [("copy",)]


def test_nothing_to_draw_draws_nothing() -> None:
    assert drawing.svg(drawn()) == ""


def test_names_are_escaped(small: tuple[dict[str, Any], ...]) -> None:
    shown = drawing.svg(drawn(*small, row(stream.BUCKET, "<script>&")))
    assert "<script>" not in shown
    ET.fromstring(shown)  # noqa: S314 (our own text)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_an_environment_fits_and_no_card_covers_another(file: Path) -> None:
    shown = drawn(*json.loads(file.read_text()))
    sheet = layout.layout(shown)
    boxes = [sheet.cards[card.key] for card in shown.cards]
    for index, one in enumerate(boxes):
        assert one.x >= 0 and one.right <= layout.WIDTH
        for other in boxes[index + 1 :]:
            apart = one.right <= other.x or other.right <= one.x or one.bottom <= other.y or other.bottom <= one.y
            assert apart, (one, other)
    picture = drawing.svg(shown)
    ET.fromstring(picture)  # noqa: S314 (our own text)
    assert not re.search(r'(href|src)="|url\((?!#)', picture)


@pytest.mark.parametrize("file", GOLDEN, ids=lambda file: file.stem)
def test_the_committed_drawing_is_the_one_that_the_graph_gives(file: Path) -> None:
    picture = file.parents[2] / "docs/architecture" / f"{file.stem}.svg"
    assert picture.read_text() == publish.draw(json.loads(file.read_text())), "run `make docs`"
