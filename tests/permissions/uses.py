"""What does a command use, as permissions on what its pod's settings name?"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import yaml

from rehearsal.aws.authorization.account import Account
from rehearsal.live.stand_ins.aws import calls
from rehearsal.live.stand_ins.aws.calls import Need
from rehearsal.live.stand_ins.aws.judgement import Answer
from tests.permissions.pods import Container

HERE = Path(__file__).parent
USES: Mapping[str, list[str]] = yaml.safe_load((HERE / "uses.yaml").read_text())
IDLE: Mapping[str, Mapping[str, str]] = yaml.safe_load((HERE / "idle.yaml").read_text())
SETTING = "TECNOCURSOS_"
PAIRS = {"secretsmanager": "SecretARN", "s3": "aws:s3:arn", "sqs": "aws:sqs:arn"}


def targets(container: Container, account: Account, proxy: str) -> dict[str, list[str]]:
    """The ARNs behind what a pod is given, by what they are to it. `proxy` is the database proxy's id."""
    given = {name.removeprefix(SETTING): value for name, value in container.environment.items()}
    place = f"{account.region}:{account.number}"
    user = given["DATABASE__URL"].partition("://")[2].partition("@")[0]
    queue = given["WORKER__QUEUE_URL"].rpartition("/")[2]
    return {
        "settings": [calls.secret_arn(given["AWS_SECRET"], account)],
        "master": [value for value in container.arguments if value.startswith("arn:aws:secretsmanager:")],
        "database": [f"arn:aws:rds-db:{place}:dbuser:{proxy}/{user}"],
        "cache": [
            f"arn:aws:elasticache:{place}:replicationgroup:{given['CACHE__NAME']}",
            f"arn:aws:elasticache:{place}:user:{given['CACHE__USER']}",
        ],
        "media": [f"arn:aws:s3:::{given['MEDIA__BUCKET']}"],
        "queue": [f"arn:aws:sqs:{place}:{queue}"],
    }


def needs(container: Container, account: Account, proxy: str) -> Iterator[Need]:
    """Every permission that a container's command takes, and those that follow for the keys."""
    found = targets(container, account, proxy)
    for use in USES[container.command]:
        action, _, name = use.partition(" ")
        service = action.partition(":")[0]
        for arn in found[name]:
            resource = f"{arn}/any/object" if service == "s3" and not action.endswith("ListBucket") else arn
            yield Need(action, resource, {"aws:SecureTransport": "true", "s3:TlsVersion": "1.3"})
            if service in PAIRS:
                yield from calls.key_needs(action, service, arn, account, (PAIRS[service], arn))


def seen(answers: Iterable[Answer], container: Container, account: Account, proxy: str) -> list[str]:
    """What a container's role was allowed, in the table's words; what it did to keys follows from these."""
    role = account.pods[container.namespace, container.service_account]
    by_arn = {arn: name for name, arns in targets(container, account, proxy).items() for arn in arns}
    return sorted(
        {
            f"{one.action} {by_arn.get(_whole(one.resource), one.resource)}"
            for one in answers
            if one.decision.allowed and one.caller.role == role and not one.action.startswith("kms:")
        }
    )


def _whole(arn: str) -> str:
    """The bucket of an object; anything else as it is."""
    return arn.partition("/")[0] if arn.startswith("arn:aws:s3:::") else arn
