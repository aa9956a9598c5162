"""Would AWS do this? Asks every rule that knows the type; the first refusal counts."""

from collections.abc import Iterable

from rehearsal.answers import Refused
from rehearsal.aws.account import (
    acm,
    cloudfront,
    documents,
    ec2,
    eks,
    elasticache,
    elb,
    kms,
    messaging,
    quotas,
    rds,
    route53,
    s3,
    shared,
)
from rehearsal.aws.account.request import Request, Rule, plain

_CREATION = (
    shared.is_taken,
    shared.is_split_over_networks,
    shared.covers_too_few_zones,
    shared.has_key_of_another_region,
    quotas.is_exhausted,
)
_DELETION = (shared.is_protected, shared.is_in_use)
_SERVICES = (acm, cloudfront, documents, ec2, eks, elasticache, elb, kms, messaging, rds, route53, s3)


def change(request: Request) -> Refused | None:
    """The refusal of a creation or an update, if AWS refuses it."""
    return _first(
        request, (*_CREATION, *(rule for one in _SERVICES for rule in one.CHANGE.get(plain(request.token), ())))
    )


def deletion(request: Request) -> Refused | None:
    """The refusal of a deletion, if AWS refuses it."""
    return _first(
        request, (*_DELETION, *(rule for one in _SERVICES for rule in one.DELETION.get(plain(request.token), ())))
    )


def _first(request: Request, rules: Iterable[Rule]) -> Refused | None:
    return next((refused for refused in (rule(request) for rule in rules) if refused is not None), None)
