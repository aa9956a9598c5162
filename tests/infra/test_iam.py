"""Are policy documents what was asked for, and nothing that no policy may say?"""

import json
from typing import Any

import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infra.foundation.iam import Statement, document, of_account, trust

words = st.text("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ", min_size=1, max_size=12)


def rendered(output: pulumi.Output[str]) -> Any:
    values: list[str] = []
    pulumi.runtime.test(lambda: output.apply(values.append))()
    return json.loads(values[0])


@given(st.lists(words, min_size=1, max_size=4, unique=True), st.lists(words, min_size=1), st.lists(words))
def test_a_document_says_what_its_statements_say(sids: list[str], actions: list[str], resources: list[str]) -> None:
    actions = [f"s3:{action}" for action in actions]
    read = rendered(document(*(Statement(sid, actions, resources) for sid in sids)))
    assert read["Version"] == "2012-10-17"
    expected = {"Effect": "Allow", "Action": actions} | ({"Resource": resources} if resources else {})
    assert read["Statement"] == [{"Sid": sid} | expected for sid in sids]


def test_resources_that_are_not_known_yet_are_filled_in() -> None:
    arn = pulumi.Output.from_input("arn:aws:s3:::media")
    read = rendered(document(Statement("Read", ["s3:GetObject"], [pulumi.Output.concat(arn, "/*")])))
    assert read["Statement"] == [
        {"Sid": "Read", "Effect": "Allow", "Action": ["s3:GetObject"], "Resource": ["arn:aws:s3:::media/*"]}
    ]


def test_a_service_assumes_a_role_for_this_account_only() -> None:
    (statement,) = rendered(trust("eks.amazonaws.com", of_account("123456789012"), tag_session=True))["Statement"]
    assert statement == {
        "Sid": "ServiceAssumes",
        "Effect": "Allow",
        "Principal": {"Service": ["eks.amazonaws.com"]},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {"aws:SourceAccount": "123456789012"}},
    }


@pytest.mark.parametrize(
    ("sid", "actions", "message"),
    [
        ("All", ["*"], "allows every action"),
        ("All", ["*:Get*"], "allows every action"),
        ("None", [], "has no actions"),
        ("a b", ["s3:GetObject"], "letters and digits"),
    ],
)
def test_what_no_policy_may_say_is_refused(sid: str, actions: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Statement(sid, actions)


def test_two_statements_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="must differ: Read, Read"):
        document(Statement("Read", ["s3:GetObject"]), Statement("Read", ["s3:ListBucket"]))
