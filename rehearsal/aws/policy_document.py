"""What text does getPolicyDocument give for its statements? The same that the provider gives, so that it never differs.

The rules are those of terraform-provider-aws (internal/service/iam/policy_document_data_source.go and policy_model.go):
sets in descending order, one element alone, the parts in the provider's order, JSON escaped as Go does.
"""

import json
from typing import Any

from rehearsal.answers import Refused
from rehearsal.values import Value, Values

_ORDER = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
_SETS = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
_PRINCIPALS = {"principals": "Principal", "notPrincipals": "NotPrincipal"}
_LATEST = "2012-10-17"

Statement = dict[str, Any]


def render(arguments: Values) -> Values:
    """The function's result. Raises Refused for ids that repeat and for documents that do not parse."""
    document: dict[str, Any] = {"Version": arguments.get("version") or _LATEST}
    if arguments.get("policyId"):
        document["Id"] = arguments["policyId"]
    own = [_statement(one, document["Version"]) for one in arguments.get("statements") or ()]
    _refuse_repeated(own)
    statements: list[Statement] = []
    for source in arguments.get("sourcePolicyDocuments") or ():
        found = _statements(source, "sourcePolicyDocuments", document)
        _refuse_repeated([*statements, *found])
        statements += found
    statements = _merged(statements, own)
    for source in arguments.get("overridePolicyDocuments") or ():
        statements = _merged(statements, _statements(source, "overridePolicyDocuments", document))
    if statements:
        document["Statement"] = statements
    text = _escaped(json.dumps(document, indent=2, ensure_ascii=False))
    short = _escaped(json.dumps(document, separators=(",", ":"), ensure_ascii=False))
    return {**arguments, "json": text, "minifiedJson": short}


def _statement(given: Values, version: str) -> Statement:
    parts: Statement = {"Effect": given.get("effect") or "Allow"}
    if given.get("sid"):
        parts["Sid"] = given["sid"]
    for name, part in _SETS.items():
        if given.get(name):
            parts[part] = _variables(_set(given[name]), version) if "esource" in name else _set(given[name])
    for name, part in _PRINCIPALS.items():
        if given.get(name):
            parts[part] = _variables(_principals(given[name]), version)
    if given.get("conditions"):
        parts["Condition"] = _variables(_conditions(given["conditions"]), version)
    return {part: parts[part] for part in _ORDER if part in parts}


def _set(values: list[str]) -> Value:
    ordered = sorted(set(values), reverse=True)
    return ordered[0] if len(ordered) == 1 else ordered


def _principals(given: list[Values]) -> Value:
    if [one.get("type") for one in given] == ["*"] and given[0].get("identifiers") == ["*"]:
        return "*"
    by_kind: dict[str, list[str]] = {}
    for one in given:
        by_kind.setdefault(one["type"], []).extend(one["identifiers"])
    return {kind: _set(names) for kind, names in sorted(by_kind.items())}


def _conditions(given: list[Values]) -> Value:
    tests: dict[str, dict[str, list[str]]] = {}
    for one in given:
        tests.setdefault(one["test"], {}).setdefault(one["variable"], []).extend(one["values"])
    return {
        test: {name: values[0] if len(values) == 1 else values for name, values in sorted(variables.items())}
        for test, variables in sorted(tests.items())
    }


def _variables(value: Value, version: str) -> Value:
    """`&{aws:username}` is how the provider spells a policy variable; documents of 2008 have none."""
    if isinstance(value, dict):
        return {key: _variables(item, version) for key, item in value.items()}
    if isinstance(value, list):
        return [_variables(item, version) for item in value]
    if "&{" in value and version == "2008-10-17":
        raise Refused("InvalidParameter", "policy variables need version 2012-10-17", "version")
    return value.replace("&{", "${")


def _statements(text: Value, argument: str, document: dict[str, Any]) -> list[Statement]:
    """The statements of a source document, whose id and newer version the document takes over."""
    if text == "":
        return []
    try:
        source = json.loads(text)
    except (TypeError, ValueError):
        source = None
    if not isinstance(source, dict):
        raise Refused("InvalidParameter", f"{argument} holds a document that is no JSON object", argument)
    if source.get("Id"):
        document["Id"] = source["Id"]
    document["Version"] = max(document["Version"], source.get("Version") or "")
    found = source.get("Statement") or []
    rows = found if isinstance(found, list) else [found]
    return [{part: row[part] for part in _ORDER if part in row} for row in rows if isinstance(row, dict)]


def _merged(statements: list[Statement], newer: list[Statement]) -> list[Statement]:
    """Newer statements take the place of older ones with their id; the rest go to the end."""
    merged = list(statements)
    for one in newer:
        at = next((i for i, old in enumerate(merged) if one.get("Sid") and old.get("Sid") == one["Sid"]), None)
        if at is None:
            merged.append(one)
        else:
            merged[at] = one
    return merged


def _refuse_repeated(statements: list[Statement]) -> None:
    ids = [one["Sid"] for one in statements if one.get("Sid")]
    repeated = next((one for one in ids if ids.count(one) > 1), None)
    if repeated is not None:
        raise Refused(
            "InvalidParameter", f"duplicate Sid ({repeated}). Remove the Sid or ensure the Sid is unique.", "sid"
        )


def _escaped(text: str) -> str:
    return text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e")
