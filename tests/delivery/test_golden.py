"""Does a golden graph change only with the environment, without secrets, and does it catch a lost alias?"""

from typing import Any

import stream
from hypothesis import given
from hypothesis import strategies as st

from delivery import golden, publish

HEX = st.text("0123456789abcdef", min_size=7, max_size=7)


def exported(token: str, name: str, inputs: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"urn": stream.urn(token, name), "type": token, "inputs": inputs, "parent": stream.STACK} | more


@given(HEX, HEX)
def test_a_generated_name_is_the_same_in_every_run_wherever_it_is_quoted(first: str, second: str) -> None:
    def run(end: str) -> list[golden.Row]:
        name = f"media-{end}"
        return golden.canonical(
            [
                exported(stream.BUCKET, "media", {"bucket": name}),
                exported("aws:iam/rolePolicy:RolePolicy", "reader", {"policy": f"arn:aws:s3:::{name}/*"}),
            ]
        )

    assert run(first) == run(second)
    assert run(first)[0]["inputs"]["policy"] == "arn:aws:s3:::media-0000000/*"


def test_a_generated_name_of_a_kubernetes_object_is_the_same_in_every_run_too() -> None:
    def run(end: str) -> list[golden.Row]:
        name = f"settings-{end}"
        pods = {"spec": {"envFrom": [{"configMapRef": {"name": name}}]}}
        return golden.canonical(
            [
                exported("kubernetes:core/v1:ConfigMap", "settings", {"metadata": {"name": name}}),
                exported("kubernetes:apps/v1:Deployment", "api", pods),
            ]
        )

    assert run("362ea6de") == run("6f4a2ec8")


def test_secrets_and_the_ids_of_providers_are_left_out() -> None:
    provider = "urn:pulumi:dev::demo::pulumi:providers:aws::aws::2f0c-4711"
    row = exported(stream.DATABASE, "main", {"password": stream.SECRET, "__internal": {}}, provider=provider)
    (settled,) = golden.canonical([row])
    assert settled["inputs"] == {"password": "[secret]"}
    assert settled["provider"] == "aws"


def test_a_rename_without_alias_is_a_loss_and_is_named_first() -> None:
    before = golden.canonical(
        [exported(stream.DATABASE, "main", {}), exported(stream.SUBNET, "a", {"cidrBlock": "10.0.0.0/24"})]
    )
    after = golden.canonical(
        [exported(stream.DATABASE, "primary", {}), exported(stream.SUBNET, "a", {"cidrBlock": "10.0.1.0/24"})]
    )
    assert list(golden.differences(before, after, publish.data("stateful"))) == [
        "deleted: aws:rds:Instance main (what is lost: the database; renamed? then give it an alias)",
        "created: aws:rds:Instance primary",
        "changed: aws:ec2:Subnet a: cidrBlock",
    ]
