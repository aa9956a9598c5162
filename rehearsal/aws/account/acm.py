"""When does ACM issue a certificate? When the internet finds the record that proves the domain."""

from rehearsal.answers import Refused
from rehearsal.aws.account.request import Request, Rule
from rehearsal.aws.delegation import Internet

_VALIDATION = "aws:acm/certificateValidation:CertificateValidation"
_WAITED = "timeout while waiting for state to become 'ISSUED' (last state: 'PENDING_VALIDATION', timeout: 1h15m0s)"
"""What the provider says after the time that it waits by default; the rehearsal says it at once."""


def domain_is_not_proven(request: Request) -> Refused | None:
    """A wait for a certificate whose validation record nobody finds: it would never end well."""
    certificate = request.find(request.inputs.get("certificateArn"))
    if certificate is None or certificate.outputs.get("validationMethod") != "DNS":
        return None
    internet = Internet.of(request.inventory.world)
    for option in certificate.outputs.get("domainValidationOptions") or ():
        parts = (option.get(f"resourceRecord{part}") for part in ("Name", "Type", "Value"))
        reason = internet.unresolved(*parts)
        if reason is not None:
            return Refused(f"waiting for ACM Certificate ({certificate.id}) to be issued", f"{_WAITED}: {reason}")
    return None


CHANGE: dict[str, tuple[Rule, ...]] = {_VALIDATION: (domain_is_not_proven,)}
DELETION: dict[str, tuple[Rule, ...]] = {}
