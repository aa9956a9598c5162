"""What would an environment register? Runs the real program against a recording monitor and prints its graph as JSON.

    python tests/infra/record.py ENVIRONMENT [KEY=JSON ...]     KEY: dotted, replaces a part of the configuration

Deprecation warnings of the SDKs are errors. Ids and outputs are made up: `<name>-id`, and what the components read.
"""

import json
import runpy
import sys
import warnings
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import yaml
from pulumi.runtime import mocks, rpc, set_all_config

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "tecnocursos"


class Outputs(pulumi.runtime.Mocks):
    """Just enough of the outputs that components read."""

    def new_resource(self, args: pulumi.runtime.MockResourceArgs) -> tuple[str | None, dict[Any, Any]]:
        kind = args.typ.split(":")[-1]
        outputs = {"arn": f"arn:aws:mock:::{args.name}", "name": args.name, **args.inputs}
        if kind == "Vpc":
            outputs["defaultNetworkAclId"] = "acl-default"
        if kind in {"Key", "ReplicaKey"}:
            outputs["keyId"] = f"{args.name}-key"
        if kind == "Bucket":
            outputs["bucketRegionalDomainName"] = f"{args.name}.s3.amazonaws.com"
        if args.typ == "aws:rds/instance:Instance":
            outputs |= {"masterUserSecrets": [{"secretArn": "arn:aws:secretsmanager:mock"}], "resourceId": "db-MOCK"}
        if args.typ == "aws:rds/proxy:Proxy":
            outputs["arn"] = "arn:aws:rds:us-east-1:123456789012:db-proxy:prx-0123456789abcdef0"
            outputs["endpoint"] = "proxy.example"
        if args.typ == "aws:elasticache/replicationGroup:ReplicationGroup":
            outputs["primaryEndpointAddress"] = "cache.example"
        if kind == "Certificate":
            proof = {"resourceRecordName": "_x", "resourceRecordType": "CNAME", "resourceRecordValue": "_y"}
            outputs["domainValidationOptions"] = [proof]
        if args.typ == "aws:eks/cluster:Cluster":
            outputs |= {"endpoint": "https://cluster.example", "certificateAuthority": {"data": "Q0E="}}
            outputs["vpcConfig"] = {**outputs["vpcConfig"], "clusterSecurityGroupId": "sg-cluster"}
        return f"{args.name}-id", outputs

    def call(self, args: pulumi.runtime.MockCallArgs) -> dict[Any, Any]:
        if args.token == "aws:route53/getZone:getZone":
            return {"zoneId": "Z0123456789", **args.args}
        raise AssertionError(f"the program asked AWS while it was being built: {args.token}")


class Recorder(mocks.MockMonitor):
    """Keeps every registration as a row of the graph."""

    def __init__(self) -> None:
        super().__init__(Outputs())
        self.rows: list[dict[str, Any]] = []

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 (the protocol's name)
        response = super().RegisterResource(request)
        self.rows.append(
            {
                "urn": response.urn,
                "type": request.type,
                "name": request.name,
                "parent": request.parent,
                "inputs": rpc.deserialize_properties(request.object),
                "dependencies": sorted(request.dependencies),
                "propertyDependencies": {
                    key: sorted(value.urns) for key, value in request.propertyDependencies.items() if value.urns
                },
                "protect": request.protect,
                "provider": request.provider.split("::")[-2] if request.provider else "",
            }
            | ({"ignoreChanges": sorted(request.ignoreChanges)} if request.ignoreChanges else {})
        )
        return response


def configuration(environment: str, changes: list[str]) -> dict[str, str]:
    """The stack file's configuration with parts replaced, as the engine hands it to the program."""
    values = yaml.safe_load((ROOT / f"stacks/Pulumi.{environment}.yaml").read_text())["config"]
    for change in changes:
        path, _, value = change.partition("=")
        *steps, last = path.split(".")
        part = values
        for index, step in enumerate(steps):
            part = part[f"{PROJECT}:{step}" if index == 0 else step]
        part[last] = json.loads(value)
    return {key: json.dumps(value) for key, value in values.items()}


def record(environment: str, changes: list[str]) -> list[dict[str, Any]]:
    """The graph, sorted by URN."""
    recorder = Recorder()
    set_all_config(configuration(environment, changes))
    pulumi.runtime.set_mocks(recorder.mocks, project=PROJECT, stack=environment, monitor=recorder)
    for module in ("ec2", "s3"):  # deprecated classes warn when their module is imported, not when they are used
        dir(getattr(aws, module).Vpc if module == "ec2" else aws.s3.Bucket)
    warnings.simplefilter("error", DeprecationWarning)

    @pulumi.runtime.test
    def program() -> None:
        runpy.run_path(str(ROOT / "stacks/__main__.py"))

    program()
    return sorted(recorder.rows, key=lambda row: row["urn"])


if __name__ == "__main__":
    json.dump(record(sys.argv[1], sys.argv[2:]), sys.stdout, indent=1, sort_keys=True)
