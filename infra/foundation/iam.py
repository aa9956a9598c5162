"""How is an IAM policy document written? Typed statements in, JSON out; refuses what no policy here may say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import pulumi

Text = pulumi.Input[str]
Conditions = Mapping[str, Mapping[str, Text | Sequence[Text]]]
Principals = Mapping[Literal["Service", "AWS", "Federated"], Sequence[Text]]
VERSION = "2012-10-17"
ANYONE: Principals = {"AWS": ["*"]}


@dataclass(frozen=True)
class Statement:
    """One statement of a policy document.

    sid: what it is for, letters and digits only. principals: by kind, for resource and trust policies.
    ValueError: an Allow of every action or of every service's action, a statement without actions.
    """

    sid: str
    actions: Sequence[str]
    resources: Sequence[Text] = ()
    principals: Principals = field(default_factory=dict)
    conditions: Conditions = field(default_factory=dict)
    effect: Literal["Allow", "Deny"] = "Allow"

    def __post_init__(self) -> None:
        if not self.sid.isalnum():
            raise ValueError(f"statement id {self.sid!r} must be letters and digits")
        if not self.actions:
            raise ValueError(f"statement {self.sid} has no actions")
        if self.effect == "Allow" and any(action.startswith("*") for action in self.actions):
            raise ValueError(f"statement {self.sid} allows every action: name the service's actions")

    def render(self) -> dict[str, Any]:
        """The statement as AWS writes it; empty parts are left out."""
        parts: dict[str, Any] = {
            "Sid": self.sid,
            "Effect": self.effect,
            "Principal": {kind: list(names) for kind, names in self.principals.items()},
            "Action": list(self.actions),
            "Resource": list(self.resources),
            "Condition": {operator: dict(test) for operator, test in self.conditions.items()},
        }
        return {key: value for key, value in parts.items() if value}


def document(*statements: Statement) -> pulumi.Output[str]:
    """A policy document as JSON; ValueError when two statements share an id."""
    ids = [statement.sid for statement in statements]
    if len(set(ids)) != len(ids):
        raise ValueError(f"statement ids must differ: {', '.join(ids)}")
    return pulumi.Output.json_dumps({"Version": VERSION, "Statement": [statement.render() for statement in statements]})


def trust(service: str, conditions: Conditions | None = None, *, tag_session: bool = False) -> pulumi.Output[str]:
    """Lets one AWS service assume a role. A role can only be passed to a service inside its own account.

    conditions: narrower still, where the service is documented to send what they test (EC2, EKS, Backup, S3 and the
    database proxy send nothing: a condition would shut them out). tag_session: EKS and its pods pass session tags.
    """
    actions = ["sts:AssumeRole", "sts:TagSession"] if tag_session else ["sts:AssumeRole"]
    return document(Statement("ServiceAssumes", actions, (), {"Service": [service]}, conditions or {}))


def of_account(account_id: str) -> Conditions:
    """Only on behalf of a resource in this account (no confused deputy)."""
    return {"StringEquals": {"aws:SourceAccount": account_id}}


def account_root(account_id: str) -> str:
    """The ARN that delegates to the account's own IAM policies."""
    return f"arn:aws:iam::{account_id}:root"
