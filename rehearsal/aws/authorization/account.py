"""What do deployed graphs declare of an account: its roles, its resources' policies, its keys?

A graph is a list of rows with type, inputs and, in `pulumi stack export`, outputs. The graphs that are committed have
inputs only: what a resource is called there is read from who names it.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from rehearsal.aws.authorization.caller import Caller, Kind, Request
from rehearsal.aws.authorization.decision import Decision, Policies, decide
from rehearsal.aws.authorization.document import Policy, parse
from rehearsal.aws.authorization.matching import Context
from rehearsal.aws.authorization.trust import Assumed, Role, assume
from rehearsal.errors import RehearsalError

Row = Mapping[str, Any]
_SECRET = re.compile(r"arn:aws[\w-]*:secretsmanager:[\w-]+:\d{12}:secret:[^\"\\*?]+-\w{6}(?=[\"\\])")
_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


@dataclass(frozen=True)
class Account:
    """One account. Keys of the mappings are ARNs; `encrypted` leads from what is stored to its key."""

    number: str
    region: str
    roles: Mapping[str, Role]
    resources: Mapping[str, Policy]
    keys: Mapping[str, Policy]
    encrypted: Mapping[str, str]
    secrets: frozenset[str]
    pods: Mapping[tuple[str, str], str]  # namespace and service account: the role that EKS hands out
    audiences: Mapping[str, frozenset[str]]  # of each identity provider
    endpoints: Mapping[str, Policy] = field(default_factory=dict)  # by service: of the VPC endpoint on the way

    def policies(self, caller: Caller, resource: str) -> Policies:
        """Everything here that has a say when a caller asks for a resource."""
        role = self.roles.get(caller.role)
        key = resource in self.keys
        return Policies(
            identity=role.policies if role else (),
            boundary=role.boundary if role else None,
            unread=role.unread if role else (),
            resource=self.keys.get(resource) or self.resources.get(_owner(resource)),
            resource_account=self.number if resource.startswith("arn:aws:s3:::") else "",
            resource_decides=key,
        )

    def decide(
        self,
        caller: Caller,
        action: str,
        resource: str = "*",
        context: Context | None = None,
        endpoint: Policy | None = None,
    ) -> Decision:
        """Would the account allow it, directly or on the way through a VPC endpoint?"""
        policies = replace(self.policies(caller, resource), endpoint=endpoint)
        return decide(Request(caller, action, resource, context or {}), policies)

    def assume(self, role: str, caller: Caller, **options: Any) -> Assumed:
        """Take a role (its ARN): see `trust.assume`. A token for another audience is refused by its provider."""
        found = self.roles.get(role)
        if found is None:
            return Assumed(Decision(False, f"refused: there is no role {role} in account {self.number}"))
        if caller.kind is Kind.FEDERATED:
            audience = next((value for key, value in caller.context.items() if key.endswith(":aud")), "")
            if audience not in self.audiences.get(caller.arn, ()):
                return Assumed(Decision(False, f"refused: no provider {caller.arn} takes tokens for {audience!r}"))
        return assume(found, caller, own=self.policies(caller, role), **options)

    def role(self, name: str) -> Role:
        """A role by ARN, by name, or by the part of its name before what Pulumi adds. Raises RehearsalError."""
        last = {arn: arn.rpartition("/")[2] for arn in self.roles}
        found = [arn for arn, its in last.items() if name in (arn, its)]
        found = found or [arn for arn, its in last.items() if its.rpartition("-")[0] == name]
        if len(found) != 1:
            raise RehearsalError(f"no single role {name!r}: there are {', '.join(sorted(last.values()))}")
        return self.roles[found[0]]


def load(paths: Iterable[Path]) -> Account:
    """The account that graphs in files declare together. Raises RehearsalError, PolicyError."""
    rows: list[Row] = []
    for path in paths:
        try:
            found = json.loads(path.read_text())
        except (OSError, ValueError) as error:
            raise RehearsalError(f"{path}: is no graph ({error}): give a committed graph or a stack export") from None
        rows += found if isinstance(found, list) else found["deployment"]["resources"]
    return read(rows)


def read(rows: Sequence[Row]) -> Account:
    """The account that rows declare. Raises RehearsalError when no row tells its number."""
    graph = _Graph(rows)
    return Account(
        number=graph.number,
        region=graph.region,
        roles=dict(graph.roles()),
        resources=dict(graph.resources()),
        keys=dict(graph.keys()),
        encrypted=dict(graph.encrypted()),
        secrets=frozenset(graph.secrets),
        pods={
            (one["namespace"], one["serviceAccount"]): one["roleArn"]
            for one in graph.all("aws:eks/podIdentityAssociation:PodIdentityAssociation")
        },
        audiences={
            one.get("arn")
            or f"arn:aws:iam::{graph.number}:oidc-provider/{one['url'].removeprefix('https://')}": frozenset(
                one["clientIdLists"]
            )
            for one in graph.all(_PROVIDER)
        },
        endpoints=dict(graph.endpoints()),
    )


class _Graph:
    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows
        self.text = json.dumps([_properties(row) for row in rows])
        provider = next((_properties(row) for row in rows if row["type"] == "pulumi:providers:aws"), {})
        found = re.search(r"\d{12}", str(provider.get("allowedAccountIds", ""))) or re.search(
            r"(?<=arn:aws:iam::)\d{12}", self.text
        )
        if found is None:
            raise RehearsalError("the graph does not tell its account: no ARN of IAM and no allowedAccountIds in it")
        self.number, self.region = found[0], str(provider.get("region", "us-east-1"))
        self.secrets = set(_SECRET.findall(self.text))

    def all(self, kind: str) -> list[dict[str, Any]]:
        return [_properties(row) for row in self.rows if row["type"] == kind]

    def roles(self) -> Iterator[tuple[str, Role]]:
        written = {
            one.get("arn") or f"arn:aws:iam::{self.number}:policy{one.get('path', '/')}{one['name']}": parse(
                one["policy"], str(one["name"])
            )
            for one in self.all("aws:iam/policy:Policy")
        }
        inline = self.all("aws:iam/rolePolicy:RolePolicy")
        attached = self.all("aws:iam/rolePolicyAttachment:RolePolicyAttachment")
        for one in self.all("aws:iam/role:Role"):
            name, boundary = one["name"], one.get("permissionsBoundary")
            arns = [
                *(one.get("managedPolicyArns") or ()),
                *(row["policyArn"] for row in attached if row["role"] == name),
            ]
            own = [
                (row["name"], row["policy"])
                for row in (*inline, *(one.get("inlinePolicies") or ()))
                if row.get("role", name) == name and row.get("policy")
            ]
            if boundary and boundary not in written:
                raise RehearsalError(
                    f"role {name}: its boundary {boundary} is not in the graph: give that of the account as well"
                )
            arn = one.get("arn") or f"arn:aws:iam::{self.number}:role{one.get('path', '/')}{name}"
            yield (
                arn,
                Role(
                    arn=arn,
                    trust=parse(one["assumeRolePolicy"], f"the trust policy of {name}"),
                    policies=(
                        *(parse(text, str(called)) for called, text in own),
                        *(written[each] for each in arns if each in written),
                    ),
                    boundary=written[boundary] if boundary else None,
                    tags=one.get("tags") or {},
                    attached=tuple(arns),
                    bounded_by=boundary or "",
                    unread=tuple(each for each in arns if each not in written),
                ),
            )

    def resources(self) -> Iterator[tuple[str, Policy]]:
        for one in self.all("aws:s3/bucketPolicy:BucketPolicy"):
            yield f"arn:aws:s3:::{one['bucket']}", parse(one["policy"], f"bucket {one['bucket']}")
        for one in self.all("aws:sqs/queuePolicy:QueuePolicy"):
            arn = self._queue(one["queueUrl"].rpartition("/")[2], one)
            yield arn, parse(one["policy"], f"queue {arn.rpartition(':')[2]}")
        for kind, prop in (
            ("aws:sns/topicPolicy:TopicPolicy", "arn"),
            ("aws:secretsmanager/secretPolicy:SecretPolicy", "secretArn"),
        ):
            for one in self.all(kind):
                yield one[prop], parse(one["policy"], one[prop].rpartition(":")[2])

    def keys(self) -> Iterator[tuple[str, Policy]]:
        """By ARN. What is called by whom: an alias or a policy names the key's id and depends on its row."""
        named = {}
        for row in self.rows:
            for prop in ("targetKeyId", "keyId"):
                for urn in row.get("propertyDependencies", {}).get(prop) or ():
                    named[urn] = _properties(row)[prop]
        later = {
            (one.get("region") or self.region, one["keyId"]): one["policy"]
            for one in self.all("aws:kms/keyPolicy:KeyPolicy")
        }
        for row in self.rows:
            if row["type"] not in ("aws:kms/key:Key", "aws:kms/replicaKey:ReplicaKey"):
                continue
            one = _properties(row)
            key = one.get("keyId") or named.get(row["urn"], "")
            region = one.get("region") or self.region
            policy = later.get((region, key)) or one.get("policy") or _delegating(self.number)
            yield (
                f"arn:aws:kms:{region}:{self.number}:key/{key}",
                parse(policy, f"key {row['urn'].rpartition('::')[2]}"),
            )

    def encrypted(self) -> Iterator[tuple[str, str]]:
        for one in self.all("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"):
            for rule in one["rules"]:
                if key := rule["applyServerSideEncryptionByDefault"].get("kmsMasterKeyId"):
                    yield f"arn:aws:s3:::{one['bucket']}", key
        for one in self.all("aws:sqs/queue:Queue"):
            if key := one.get("kmsMasterKeyId"):
                yield self._queue(one["name"], one), key
        for one in self.all("aws:sns/topic:Topic"):
            if key := one.get("kmsMasterKeyId"):
                yield f"arn:aws:sns:{one.get('region') or self.region}:{self.number}:{one['name']}", key
        masters = [one.get("masterUserSecretKmsKeyId") for one in self.all("aws:rds/instance:Instance")]
        declared = {one["name"]: one.get("kmsKeyId") for one in self.all("aws:secretsmanager/secret:Secret")}
        for arn in self.secrets:
            name = arn.partition(":secret:")[2].rpartition("-")[0]
            key = masters[0] if name.startswith("rds!") and masters else declared.get(name)
            if key:
                yield arn, key

    def endpoints(self) -> Iterator[tuple[str, Policy]]:
        for one in self.all("aws:ec2/vpcEndpoint:VpcEndpoint"):
            if one.get("policy"):
                service = one["serviceName"].rpartition(".")[2]
                yield service, parse(one["policy"], f"the VPC endpoint of {service}")

    def _queue(self, name: str, one: Mapping[str, Any]) -> str:
        return f"arn:aws:sqs:{one.get('region') or self.region}:{self.number}:{name}"


def _properties(row: Row) -> dict[str, Any]:
    return {**(row.get("inputs") or {}), **(row.get("outputs") or {})}


def _owner(resource: str) -> str:
    """Whose policy speaks for a resource: a bucket's for its objects."""
    return resource.partition("/")[0] if resource.startswith("arn:aws:s3:::") else resource


def _delegating(account: str) -> dict[str, Any]:
    """The policy of a key that is made without one."""
    own = {"AWS": f"arn:aws:iam::{account}:root"}
    statement = {"Sid": "AccountPolicies", "Effect": "Allow", "Principal": own, "Action": "kms:*", "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}
