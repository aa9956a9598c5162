"""What must hold for keys?"""

from pack.catalogue import rule
from pack.resource import Findings, Resource
from pack.vocabulary import FALSE, TRUE, at_least, must

KEY = "aws:kms/key:Key"


@rule(KEY)
def kms_rotation(key: Resource, *, deletion_days: int = 7) -> Findings:
    """Keys rotate every year and cannot be deleted overnight."""
    yield from must(key, "enableKeyRotation", TRUE)
    yield from must(key, "deletionWindowInDays", at_least(deletion_days), default=30)
    yield from must(key, "bypassPolicyLockoutSafetyCheck", FALSE, default=False)
