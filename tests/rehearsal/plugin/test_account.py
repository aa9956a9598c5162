"""Does the account refuse what AWS refuses across resources, and nothing else?"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from rehearsal.answers import Object, Refused, Urn
from rehearsal.aws.account import shared
from rehearsal.aws.context import Context
from rehearsal.aws.library import Library
from rehearsal.aws.lifecycle import Lifecycle
from rehearsal.aws.schema import Type, open_schemas
from rehearsal.values import Properties
from rehearsal.world import World
from tests.rehearsal.plugin.cases import CASES, DELETIONS, Case

Made = dict[str, tuple[str, Object]]


class Account:
    """An account in a world of its own, without a process around it."""

    def __init__(self, library: Library, worlds: Path) -> None:
        self._lifecycle = Lifecycle(library, Context("us-east-1"), World(worlds, "demo/dev"))

    def create(self, token: str, inputs: dict[str, Any], name: str) -> Object:
        return self._lifecycle.create(self._urn(token, name), Properties(inputs))

    def update(self, token: str, old: Object, inputs: dict[str, Any]) -> Object:
        return self._lifecycle.update(self._urn(token, "it"), old, Properties(inputs))

    def delete(self, token: str, old: Object) -> None:
        self._lifecycle.delete(self._urn(token, "it"), old)

    def read(self, token: str, old: Object) -> Object | None:
        return self._lifecycle.read(self._urn(token, "it"), old.id, old)

    def build(self, given: Mapping[str, tuple[str, dict[str, Any]]]) -> Made:
        made: Made = {}
        for name, (token, inputs) in given.items():
            made[name] = (token, self.create(token, resolved(inputs, made), name))
        return made

    @staticmethod
    def _urn(token: str, name: str) -> Urn:
        return Urn.parse(f"urn:pulumi:dev::demo::{token}::{name}")


def resolved(value: Any, made: Made) -> Any:
    if isinstance(value, dict):
        return {key: resolved(item, made) for key, item in value.items()}
    if isinstance(value, list):
        return [resolved(item, made) for item in value]
    if isinstance(value, str):
        return re.sub(r"@(\w+)(?:\.(\w+))?", lambda match: _reference(match, made), value)
    return value


def _reference(match: re.Match[str], made: Made) -> str:
    if match[1] not in made:
        return match[0]
    _, found = made[match[1]]
    return str(found.outputs.values[match[2]]) if match[2] else found.id


@pytest.fixture(scope="module")
def library(schemas: None) -> Library:
    return Library.open()


@pytest.fixture
def account(library: Library, tmp_path: Path) -> Account:
    return Account(library, tmp_path)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_request_is_refused_with_the_code_of_aws_and_its_correction_accepted(account: Account, case: Case) -> None:
    made = account.build(case.given)
    with pytest.raises(Refused) as refused:
        account.create(case.token, resolved(case.wrong, made), "wrong")
    assert refused.value.code == case.code
    right = resolved({**case.wrong, **case.right}, made)
    created = account.create(case.token, right, "right")
    account.update(case.token, created, right)


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_an_update_is_judged_like_a_creation(account: Account, case: Case) -> None:
    if "region" in case.right:  # it replaces
        return
    made = account.build(case.given)
    created = account.create(case.token, resolved({**case.wrong, **case.right}, made), "right")
    if created.id in {one.id for _, one in made.values()}:
        return  # AWS took it for the same object
    with pytest.raises(Refused):
        account.update(case.token, created, resolved(case.wrong, made))
    found = account.read(case.token, created)
    assert found is not None and found.outputs == created.outputs


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_nothing_is_refused_for_what_the_world_does_not_know(account: Account, case: Case) -> None:
    refused = None
    try:
        account.create(case.token, case.wrong, "alone")
    except Refused as error:
        refused = error
    assert (refused is not None) == (case.by_itself or not case.given), refused


@pytest.mark.parametrize(("code", "given", "target"), DELETIONS.values(), ids=DELETIONS.keys())
def test_a_deletion_is_refused_until_nothing_needs_the_object(
    account: Account, code: str, given: dict[str, tuple[str, dict[str, Any]]], target: str
) -> None:
    made = account.build(given)
    token, old = made[target]
    with pytest.raises(Refused) as refused:
        account.delete(token, old)
    assert refused.value.code == code
    assert account.read(token, old) is not None
    if len(given) == 1:
        free = {"deletionProtection": False, "skipFinalSnapshot": True}
        old = account.update(token, old, {name: free.get(name, value) for name, value in given[target][1].items()})
    for name in reversed(list(made)[list(made).index(target) + 1 :]):
        account.delete(*made[name])
    account.delete(token, old)
    assert account.read(token, old) is None


def test_the_engine_is_told_code_type_name_and_property_but_no_secret(plugin: Any) -> None:
    vpc, _ = plugin.create("aws:ec2/vpc:Vpc", {"cidrBlock": "10.0.0.0/16"})
    inputs = {"vpcId": vpc, "cidrBlock": "10.77.0.0/24"}
    with pytest.raises(plugin.Error) as refused:
        plugin.create("aws:ec2/subnet:Subnet", inputs, name="outside")
    for part in ("creating aws:ec2/subnet:Subnet outside", "InvalidSubnet.Range", "10.77.0.0/24", "cidrBlock"):
        assert part in refused.value.details()
    with pytest.raises(plugin.Error) as refused:
        plugin.create("aws:ec2/subnet:Subnet", inputs, secrets=[("cidrBlock",)])
    assert "10.77.0.0/24" not in refused.value.details() and "InvalidSubnet.Range" in refused.value.details()


def test_the_shared_rules_name_types_and_properties_of_the_sdk() -> None:
    schemas = open_schemas()
    for token, path in shared.tokens():
        resource = schemas.get(token)
        assert resource is not None, token
        fields = {**resource.outputs, **resource.inputs}
        for step in path.split("."):
            assert step in fields, (token, path)
            kind: Type | None = fields[step].type
            while kind is not None and kind.kind in {"list", "map"}:
                kind = kind.element
            fields = dict(schemas.fields(kind.cls)) if kind is not None and kind.cls else {}
