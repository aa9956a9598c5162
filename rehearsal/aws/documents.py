"""Do two documents mean the same: JSON in another spelling, IAM policies in another order?"""

import functools
import json
import re
from typing import Any

_ROOT = re.compile(r"arn:aws[\w-]*:iam::(\d{12}):root")
_LISTS = ("Action", "NotAction", "Resource", "NotResource")
_PRINCIPALS = ("Principal", "NotPrincipal")


@functools.lru_cache(maxsize=512)
def canonical(text: str) -> str:
    """A spelling that all texts with the same meaning share; text that is no document stays as it is."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    try:
        document = json.loads(text)
        if isinstance(document, dict) and "Statement" in document:
            document = _policy(document)
        return json.dumps(document, sort_keys=True)
    except (ValueError, RecursionError):
        return text


def is_document(text: Any) -> bool:
    """Whether `text` is a JSON object or list written as text."""
    return isinstance(text, str) and canonical(text) is not text and text.lstrip().startswith(("{", "["))


def _policy(document: dict[str, Any]) -> dict[str, Any]:
    """A policy whose lists are sorted: AWS compares them as sets, and one element like the element alone."""
    statements = document["Statement"]
    rows = [_statement(one) for one in (statements if isinstance(statements, list) else [statements])]
    return {**document, "Statement": sorted(rows, key=_sortable)}


def _statement(statement: Any) -> Any:
    if not isinstance(statement, dict):
        return statement
    row = {key: value for key, value in statement.items() if not (key == "Sid" and value == "")}
    for key in _LISTS:
        if key in row:
            row[key] = _set(row[key])
    for key in _PRINCIPALS:
        if key in row:
            row[key] = _principal(row[key])
    if isinstance(row.get("Condition"), dict):
        row["Condition"] = {
            operator: {key: _set(value) for key, value in keys.items()} if isinstance(keys, dict) else keys
            for operator, keys in row["Condition"].items()
        }
    return row


def _principal(principal: Any) -> Any:
    if not isinstance(principal, dict):
        return {"AWS": ["*"]} if principal == "*" else principal
    return {kind: sorted({_ROOT.sub(r"\1", one) for one in _set(value)}) for kind, value in principal.items()}


def _set(value: Any) -> list[str]:
    items = value if isinstance(value, list) else [value]
    return sorted({one if isinstance(one, str) else json.dumps(one) for one in items})


def _sortable(value: Any) -> str:
    return json.dumps(value, sort_keys=True)
