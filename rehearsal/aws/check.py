"""Would the AWS provider take these inputs? Converts, names, adds defaults, and says what it refuses and why."""

from rehearsal.answers import Checked, Failure, Refused
from rehearsal.aws.context import Context
from rehearsal.aws.convert import Conversion
from rehearsal.aws.defaults import add_defaults
from rehearsal.aws.groups import check_groups
from rehearsal.aws.library import Library
from rehearsal.aws.naming import Autonaming, NameTooLongError, overrides
from rehearsal.aws.planned import check_plan
from rehearsal.values import Values


def check(
    library: Library,
    token: str,
    news: Values,
    *,
    olds: Values,
    name: str,
    random_seed: bytes,
    context: Context,
    autonaming: Autonaming | None = None,
) -> Checked:
    """The inputs as the provider keeps them, and at most one failure for each property.

    `olds` are the inputs of the resource that is there (empty for a new one), `name` is the last part of its URN,
    `autonaming` what the project's configuration says of names.
    """
    resource = library.schemas.get(token)
    if resource is None:
        return Checked(news, (Failure("", f"the installed AWS SDK has no resource type {token}"),))
    rules = library.facts.get(token)
    completed = dict(news)
    failures: dict[str, Failure] = {}
    naming = overrides().naming(resource)
    if naming is not None and not completed.keys() & {naming.property, f"{naming.property}Prefix"}:
        try:
            completed |= naming.choose(completed, olds, name, random_seed, autonaming)
        except NameTooLongError as error:
            failures[naming.property] = Failure(naming.property, str(error))
    if resource.regional:
        completed.setdefault("region", context.region)
    constraints = library.constraints(token, at_up=False)
    if naming is not None and naming.made(completed.get(naming.property), name):  # nobody wrote it
        constraints = {path: some for path, some in constraints.items() if path != naming.property}
    conversion = Conversion(library.schemas, constraints, failures)
    inputs = conversion.fields(resource.inputs, completed, (), "")
    for failure in (*check_groups(rules, inputs, at_up=False), *check_plan(token, inputs)):
        failures.setdefault(failure.property, failure)
    if failures:
        return Checked(inputs, tuple(failures.values()))
    add_defaults(resource, rules, inputs)
    return Checked(inputs)


def refused_at_up(library: Library, token: str, inputs: Values) -> tuple[Refused, ...]:
    """What the provider lets pass and AWS itself refuses when the resource is created or changed."""
    resource = library.schemas.get(token)
    if resource is None:
        return ()
    rules = library.facts.get(token)
    limits = Conversion(library.schemas, library.constraints(token, at_up=True), types=False)
    limits.fields(resource.inputs, inputs, (), "")
    code = rules.up.get("code", "ValidationException")
    return tuple(
        Refused(code, f"{failure.property}: {failure.reason}", failure.property)
        for failure in (*limits.failures.values(), *check_groups(rules, inputs, at_up=True))
    )
