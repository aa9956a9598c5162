"""What does the rehearsal know of a resource type: what replaces, what is checked, and from which source?"""

import argparse
import difflib
import json
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from rehearsal.aws import given
from rehearsal.aws.facts import Rules
from rehearsal.aws.formats import FORMATS
from rehearsal.aws.groups import GROUPS
from rehearsal.aws.library import Library
from rehearsal.aws.naming import overrides
from rehearsal.aws.planned import RULES
from rehearsal.aws.schema import Resource
from rehearsal.errors import RehearsalError
from rehearsal.kubernetes import kinds

_SHOWN = 8
_WORDS = {
    "conflicts": "do not go together",
    "at_most_one_of": "at most one of them",
    "at_least_one_of": "at least one of them",
    "exactly_one_of": "exactly one of them",
    "required_with": "the first needs the others",
}
_PLANNED = "terraform-provider-aws v5.43 CustomizeDiff"
_LEVELS = {
    "facts": "the provider's own source was read",
    "schema": "only the SDK's schema and the API's model",
    "unknown": "the installed AWS SDK has no such type",
}


@dataclass(frozen=True)
class Check:
    """One thing that is checked; `at` is "check" (in the preview, too) or "up" (only AWS itself refuses it)."""

    property: str
    expects: str
    at: str
    source: str


@dataclass(frozen=True)
class Explanation:
    """Everything about one type, as `--json` prints it."""

    token: str
    level: str
    replace_on: list[str] = field(default_factory=list)
    replace_sometimes: dict[str, str] = field(default_factory=dict)
    checks: list[Check] = field(default_factory=list)
    keeps: list[str] = field(default_factory=list)
    defaults: dict[str, Any] = field(default_factory=dict)
    named: str = ""
    sources: list[str] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)


def explain(library: Library, token: str) -> Explanation:
    """What is known of `token`; its level is "unknown" when the SDK has no such type."""
    if token.startswith("kubernetes:"):
        return _object(token)
    resource = library.schemas.get(token)
    if resource is None:
        return Explanation(token, "unknown")
    rules = library.facts.get(token)
    checks = [*_types(resource), *_values(rules), *_groups(rules)]
    if token in RULES:
        checks.append(Check("", "rules over several properties (rehearsal/aws/planned.py)", "check", _PLANNED))
    checks += [Check("", _at_most(one), "up", one["source"]) for one in given.facts()["quota"] if one["of"] == token]
    keeps = {name for name, known in resource.inputs.items() if known.computed} | rules.computed - rules.not_computed
    sources = {check.source for check in checks} | set(rules.sources.values())
    return Explanation(
        token,
        rules.level,
        sorted({*rules.replace_on, *(["region"] if resource.regional else [])}),
        dict(rules.replace_sometimes),
        checks,
        sorted(keeps),
        dict(rules.defaults),
        _named(resource),
        sorted(source for source in sources if source),
        sorted(rules.unverified),
    )


def _object(token: str) -> Explanation:
    """A kind of Kubernetes object, as KUBERNETES=schema checks it."""
    _, api_version, kind = token.split(":")
    api_version = api_version.removeprefix("core/")
    known = kinds.has_schema(api_version, kind, None)
    return Explanation(
        token,
        "schema",
        list(kinds.replacing(api_version, kind)),
        checks=[Check("", "the schema that Kubernetes publishes", "check", "kubernetes-validate")] if known else [],
        unverified=list(kinds.only_a_cluster_refuses(api_version, kind)),
    )


def _types(resource: Resource) -> Iterator[Check]:
    required = [name for name, known in resource.inputs.items() if known.required]
    yield Check("", f"types and names of {len(resource.inputs)} inputs", "check", "pulumi_aws")
    if required:
        yield Check(", ".join(required), "must be set", "check", "pulumi_aws")


def _values(rules: Rules) -> Iterator[Check]:
    for table in ("enums", "ranges", "lengths", "patterns", "not_patterns", "formats"):
        for path, value in getattr(rules, table).items():
            at = "up" if f"{table}.{path}" in rules.refused_at_up else "check"
            case = ", in any case" if path in rules.ignore_case else ""
            yield Check(path, _expects(table, value) + case, at, rules.source(f"{table}.{path}"))
        for path, value in rules.up.get(table, {}).items():
            yield Check(path, _expects(table, value), "up", rules.source(f"{table}.{path}"))


def _expects(table: str, value: Any) -> str:
    if table == "enums":
        more = f" and {len(value) - _SHOWN} more" if len(value) > _SHOWN else ""
        return "one of " + ", ".join(map(str, value[:_SHOWN])) + more
    if table in {"ranges", "lengths"}:
        low, high = ("..." if bound is None else bound for bound in value)
        return f"{low} to {high}" + (" characters or items" if table == "lengths" else "")
    if table == "formats":
        return FORMATS[value][1]
    return ("matches " if table == "patterns" else "does not match ") + " and ".join(value)


def _at_most(quota: Mapping[str, Any]) -> str:
    place = "account" if quota.get("everywhere") else "region"
    same = "".join(f" and {name}" for name in quota.get("per", ()))
    return f"at most {quota['limit']} for each {place}{same}, a quota of a used account"


def _groups(rules: Rules) -> Iterator[Check]:
    for table in GROUPS:
        for paths in getattr(rules, table):
            fact = f"{table}.{'+'.join(paths)}"
            at = "up" if fact in rules.refused_at_up else "check"
            yield Check(", ".join(paths), _WORDS[table], at, rules.source(fact))


def _named(resource: Resource) -> str:
    naming = overrides().naming(resource)
    if naming is None:
        return ""
    limit = f", at most {naming.maximum} characters" if naming.maximum else ""
    suffix = f", {naming.suffix} with {naming.suffix_when}" if naming.suffix else ""
    digits = (
        f" and {naming.random} random {'letters' if naming.letters else 'hexadecimal digits'}" if naming.random else ""
    )
    return f"{naming.property}: {naming.prefix}the resource's name, {naming.separator!r}{digits}{limit}{suffix}"


def lines(one: Explanation) -> Iterator[str]:
    """The view for a person."""
    emulated = not one.token.startswith("kubernetes:")
    yield f"{one.token}  [{one.level}: {_LEVELS[one.level] if emulated else 'what Kubernetes publishes of its kinds'}]"
    yield from _listed("replaced when these change", one.replace_on)
    yield from _listed("replaced sometimes", [f"{path}: {words}" for path, words in one.replace_sometimes.items()])
    if emulated and one.level == "schema" and not set(one.replace_on) - {"region"}:
        yield "  nothing is known of replacement: other changes are shown as changes in place"
    for at, title in (("check", "checked in the preview"), ("up", "refused by AWS at `up`")):
        yield from _listed(title, [f"{one.property or '(all)'}: {one.expects}" for one in one.checks if one.at == at])
    yield from _listed("AWS keeps its own value when left out", one.keeps)
    yield from _listed("defaults", [f"{path} = {json.dumps(value)}" for path, value in one.defaults.items()])
    yield from _listed("named when the program does not", [one.named] if one.named else [])
    title = "unverified (CloudFormation's word, not the provider's)" if emulated else "only a real API server refuses"
    yield from _listed(title, one.unverified)
    yield from _listed("sources", one.sources)


def _listed(title: str, items: list[str]) -> Iterator[str]:
    if items:
        yield f"  {title}"
        yield from (f"    {item}" for item in items)


def main(argv: list[str]) -> int:
    """`python -m rehearsal explain TOKEN... [--json]`. Raises RehearsalError for a type that the SDK does not have."""
    parser = argparse.ArgumentParser(prog="python -m rehearsal explain", description=__doc__)
    parser.add_argument("tokens", nargs="+", metavar="TOKEN", help="a type token such as aws:sqs/queue:Queue")
    parser.add_argument("--json", action="store_true", help="one JSON list instead of text")
    options = parser.parse_args(argv)
    library = Library.open()
    found = [explain(library, token) for token in options.tokens]
    for one in found:
        if one.level == "unknown" and not options.json:
            near = difflib.get_close_matches(one.token, library.schemas.tokens(), 3, 0.6)
            hint = f"; did you mean {' or '.join(near)}?" if near else ""
            raise RehearsalError(f"the installed AWS SDK has no resource type {one.token}{hint}")
    if options.json:
        sys.stdout.write(json.dumps([asdict(one) for one in found], indent=2) + "\n")
    else:
        sys.stdout.write("\n\n".join("\n".join(lines(one)) for one in found) + "\n")
    return 0
