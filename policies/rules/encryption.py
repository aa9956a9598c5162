"""What must hold for keys, secrets, images and logs at rest?"""

from pack.catalogue import rule
from pack.documents import statements
from pack.resource import Finding, Findings, Resource, Stack
from pack.vocabulary import FALSE, GIVEN, TRUE, at_least, must, one_of

KEY = "aws:kms/key:Key"
REPLICA_KEY = "aws:kms/replicaKey:ReplicaKey"
KEY_POLICY = "aws:kms/keyPolicy:KeyPolicy"
LOG_GROUP = "aws:cloudwatch/logGroup:LogGroup"
SECRET = "aws:secretsmanager/secret:Secret"  # noqa: S105 - a type of resource
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"
REPOSITORY = "aws:ecr/repository:Repository"
TEMPLATE = "aws:ecr/repositoryCreationTemplate:RepositoryCreationTemplate"


@rule(KEY, REPLICA_KEY, KEY_POLICY)
def kms_rotation(key: Resource, *, deletion_days: int = 7) -> Findings:
    """Keys rotate every year, cannot be deleted overnight and serve nobody outside the account."""
    if key.type == KEY:
        yield from must(key, "enableKeyRotation", TRUE)
    if key.type != KEY_POLICY:
        yield from must(key, "deletionWindowInDays", at_least(deletion_days), default=30)
    yield from must(key, "bypassPolicyLockoutSafetyCheck", FALSE, default=False)
    for statement in statements(key, "policy"):
        if statement.allows and statement.anyone and not statement.conditions:
            yield Finding(statement.path, f"{statement.path} allows everybody without a condition")


@rule(LOG_GROUP)
def log_group_retention_kms(group: Resource, *, retention_days: int = 7) -> Findings:
    """Log groups are kept as long as required, not for ever, and encrypted with a KMS key of ours."""
    yield from must(group, "retentionInDays", at_least(retention_days))
    yield from must(group, "kmsKeyId", GIVEN)


@rule(SECRET, reads=[ROTATION])
def secret_kms_rotation(secret: Resource, stack: Stack) -> Findings:
    """Secrets are encrypted with a KMS key of ours and rotate."""
    yield from must(secret, "kmsKeyId", GIVEN)
    if not any(stack.linked(ROTATION, "secretId", secret)):
        yield Finding("", "the secret has no rotation")


@rule(REPOSITORY, TEMPLATE)
def ecr_immutable_scan_kms(repository: Resource) -> Findings:
    """Images never change under their tag, are scanned when they arrive and encrypted with a KMS key of ours."""
    yield from must(repository, "imageTagMutability", one_of("IMMUTABLE", "IMMUTABLE_WITH_EXCLUSION"))
    if repository.type == REPOSITORY:  # what a template makes is scanned as the registry says
        yield from must(repository, "imageScanningConfiguration.scanOnPush", TRUE)
    configured = list(repository.known("encryptionConfigurations[*].encryptionType"))
    if not configured:
        yield Finding("encryptionConfigurations", "encryptionConfigurations must be set")
    yield from must(repository, "encryptionConfigurations[*].encryptionType", one_of("KMS", "KMS_DSSE"))
