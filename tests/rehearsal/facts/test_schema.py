"""Does the schema file say what the SDK says, also where the generator had to rename?"""

import importlib
import inspect
from pathlib import Path

import pulumi
import pytest
from pulumi import _types

from rehearsal.aws import schema, sdk


def test_every_type_of_the_sdk_is_there(schemas: schema.Schemas) -> None:
    tokens = schemas.tokens()
    assert len(tokens) > 1700
    assert all(schemas.get(token) is not None for token in tokens)
    assert schemas.get("aws:nothing/thing:Thing") is None


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("module", ["cloudwatch", "ec2", "lambda_", "s3"])
def test_names_are_those_that_the_sdk_sends(schemas: schema.Schemas, module: str) -> None:
    """The SDK's own runtime metadata is the oracle: Python name to wire name, for resources and nested classes."""
    folder = sdk.folder() / module
    prefix = f"aws:{module.removesuffix('_')}/"
    tokens = {token.split(":")[-1]: token for token in schemas.tokens() if token.startswith(prefix)}
    seen = set()
    for path in folder.glob("*.py"):
        loaded = importlib.import_module(f"pulumi_aws.{module}.{path.stem}")
        for name, cls in inspect.getmembers(loaded, inspect.isclass):
            if _types.is_input_type(cls) and path.stem == "_inputs":
                fields = schemas.fields(f"{module}.{name}")
                assert set(fields) == set(_types.input_type_py_to_pulumi_names(cls).values()), name
            elif name in tokens and issubclass(cls, pulumi.CustomResource):
                args = getattr(loaded, f"{name}InitArgs", None) or getattr(loaded, f"{name}Args")
                resource = schemas.get(tokens[name])
                assert resource is not None, name
                assert set(resource.inputs) == set(_types.input_type_py_to_pulumi_names(args).values()), name
                assert set(resource.outputs) == set(_types.resource_py_to_pulumi_names(cls).values()) - {"id", "urn"}
                seen.add(name)
    assert seen == set(tokens)


def test_required_computed_and_secret(schemas: schema.Schemas) -> None:
    subnet = schemas.get("aws:ec2/subnet:Subnet")
    database = schemas.get("aws:rds/instance:Instance")
    assert subnet is not None and database is not None
    assert subnet.inputs["vpcId"].required
    assert not subnet.inputs["cidrBlock"].required
    assert subnet.inputs["availabilityZone"].computed
    assert not subnet.inputs["mapPublicIpOnLaunch"].computed
    assert "password" in database.secrets
    assert database.outputs["endpoint"].type.kind == "string"


def test_types(schemas: schema.Schemas) -> None:
    role = schemas.get("aws:iam/role:Role")
    group = schemas.get("aws:ec2/securityGroup:SecurityGroup")
    entry = schemas.get("aws:ec2/managedPrefixListEntry:ManagedPrefixListEntry")
    assert role is not None and group is not None and entry is not None
    assert role.inputs["assumeRolePolicy"].type.kind == "json"
    assert "Statement" in schemas.fields(str(role.inputs["assumeRolePolicy"].type.cls))
    element = group.inputs["ingress"].type.element
    assert element is not None and element.cls == "ec2.SecurityGroupIngressArgs"
    assert schemas.fields(element.cls)["fromPort"].type == schema.Type("int")
    assert entry.inputs["prefixListId"].required  # the SDK calls this one's arguments InitArgs
    with pytest.raises(KeyError):
        schemas.fields("ec2.NothingArgs")


def test_an_interrupted_build_leaves_nothing(tmp_path: Path) -> None:
    def stop(line: str) -> None:
        raise KeyboardInterrupt(line)

    package = tmp_path / "pulumi_aws"
    (package / "sqs").mkdir(parents=True)
    (package / "sqs" / "queue.py").write_text("")
    target = tmp_path / "cache" / "schema.sqlite"
    with pytest.raises(KeyboardInterrupt):
        schema.build(package, target, stop)
    assert not list(target.parent.iterdir())
    with pytest.raises(schema.SchemaMissingError, match="python -m rehearsal setup"):
        schema.Schemas(target)


def test_a_type_that_the_reader_does_not_know_stops_the_build(tmp_path: Path) -> None:
    (tmp_path / "new.py").write_text(
        "@pulumi.input_type\nclass AArgs:\n  @pulumi.getter\n  def a(self) -> Tuple[int, int]: ...\n"
    )
    with pytest.raises(ValueError, match="Tuple"):
        sdk.read(tmp_path, tmp_path)
