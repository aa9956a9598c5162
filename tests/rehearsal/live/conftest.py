"""An account as a graph declares it: two roles of pods, a queue, a bucket and a secret, each with its key."""

import json
from typing import Any

import pytest

from rehearsal.aws.authorization.account import Account, read

NUMBER, REGION = "123456789012", "us-east-1"
SECRET = f"arn:aws:secretsmanager:{REGION}:{NUMBER}:secret:app/settings-AbCdEf"
QUEUE = f"arn:aws:sqs:{REGION}:{NUMBER}:jobs"
BUCKET = "arn:aws:s3:::media"
KEY = f"arn:aws:kms:{REGION}:{NUMBER}:key/mrk-1"


def row(kind: str, called: str, **inputs: Any) -> dict[str, Any]:
    return {"type": kind, "urn": f"urn:pulumi:dev::x::{kind}::{called}", "inputs": inputs}


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **one} for one in statements]})


def role(name: str, *statements: dict[str, Any]) -> list[dict[str, Any]]:
    trust = document({
        "Principal": {"Service": "pods.eks.amazonaws.com"},
        "Action": ["sts:AssumeRole", "sts:TagSession"],
        "Condition": {"StringEquals": {"aws:RequestTag/kubernetes-service-account": name,
                                       "aws:RequestTag/eks-cluster-name": "school"}},
    })  # fmt: skip
    return [
        row("aws:iam/role:Role", name, name=name, assumeRolePolicy=trust),
        row("aws:iam/rolePolicy:RolePolicy", name, name=name, role=name, policy=document(*statements)),
        row("aws:eks/podIdentityAssociation:PodIdentityAssociation", name, namespace="app", serviceAccount=name,
            roleArn=f"arn:aws:iam::{NUMBER}:role/{name}"),
    ]  # fmt: skip


def use_key(service: str, *actions: str) -> dict[str, Any]:
    via = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
    return {"Sid": f"Key{service}", "Action": [f"kms:{one}" for one in actions], "Resource": KEY, "Condition": via}


@pytest.fixture(scope="session")
def account() -> Account:
    objects = {
        "Sid": "Objects",
        "Action": ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
        "Resource": f"{BUCKET}/*",
    }
    key = row("aws:kms/key:Key", "k", policy=document(
        {"Sid": "Account", "Principal": {"AWS": f"arn:aws:iam::{NUMBER}:root"}, "Action": "kms:*", "Resource": "*"}
    )) | {"outputs": {"keyId": "mrk-1"}}  # fmt: skip
    return read([
        row("pulumi:providers:aws", "aws", allowedAccountIds=json.dumps([NUMBER]), region=REGION),
        *role("full", objects,
              {"Sid": "List", "Action": "s3:ListBucket", "Resource": BUCKET},
              {"Sid": "Secret", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET},
              {"Sid": "Jobs", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage"], "Resource": QUEUE},
              use_key("s3", "Decrypt", "GenerateDataKey"), use_key("sqs", "Decrypt", "GenerateDataKey"),
              use_key("secretsmanager", "Decrypt")),
        *role("keyless", objects,
              {"Sid": "Secret", "Action": "secretsmanager:GetSecretValue", "Resource": SECRET},
              {"Sid": "Jobs", "Action": ["sqs:SendMessage"], "Resource": QUEUE}),
        *role("blind", objects, use_key("s3", "Decrypt", "GenerateDataKey")),
        key,
        row("aws:sqs/queue:Queue", "jobs", name="jobs", kmsMasterKeyId=KEY),
        row("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration", "media",
            bucket="media", rules=[{"applyServerSideEncryptionByDefault": {"kmsMasterKeyId": KEY}}]),
        row("aws:secretsmanager/secret:Secret", "settings", name="app/settings", kmsKeyId=KEY),
    ])  # fmt: skip
