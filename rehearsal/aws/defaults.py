"""Which defaults does the provider write into inputs that leave them out?"""

from collections.abc import Mapping

from rehearsal.aws.facts import Rules
from rehearsal.aws.groups import blocks
from rehearsal.aws.naming import overrides
from rehearsal.aws.schema import Resource
from rehearsal.values import Value, Values

_TERRAFORM, _PULUMI = "Managed by Terraform", "Managed by Pulumi"


def defaults_of(resource: Resource, rules: Rules) -> Mapping[str, Value]:
    """Defaults by path; descriptions say that Pulumi manages the resource where the Pulumi layer says so."""
    managed = overrides().managed_by_pulumi.get(resource.token)
    if managed is None:
        return rules.defaults
    return {**rules.defaults, managed: _PULUMI}


def add_defaults(resource: Resource, rules: Rules, inputs: Values) -> None:
    """Write the defaults into every block that is there, except where they would conflict with what is set."""
    excluded = [set(group) for group in (*rules.conflicts, *rules.at_most_one_of, *rules.exactly_one_of)]
    for path, value in defaults_of(resource, rules).items():
        others = {other for group in excluded if path in group for other in group - {path}}
        if any(
            found for other in others for _, block, (name,) in blocks(inputs, [other]) for found in (name in block,)
        ):
            continue
        for _, block, (name,) in blocks(inputs, [path]):
            block.setdefault(name, value)
