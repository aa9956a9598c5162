"""Builds engine events as the engine writes them, for tests that need a situation which no small program produces."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from delivery import events, publish
from delivery.model import Outcome, Run
from delivery.outcome import outcome

STACK = "urn:pulumi:dev::demo::pulumi:pulumi:Stack::demo-dev"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", "ciphertext": "[secret]"}
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
DATABASE = "aws:rds/instance:Instance"
BUCKET = "aws:s3/bucket:Bucket"
SUBNET = "aws:ec2/subnet:Subnet"


def urn(token: str, name: str) -> str:
    return f"urn:pulumi:dev::demo::{token}::{name}"


def state(token: str, name: str, parent: str = STACK, **more: Any) -> dict[str, Any]:
    custom = not token.startswith(("tecnocursos:", "pulumi:pulumi:"))
    return {"type": token, "urn": urn(token, name), "custom": custom, "parent": parent, "inputs": {}} | more


def step(kind: str, op: str, token: str, name: str, **more: Any) -> dict[str, Any]:
    """One step event. more: old and new states, detailedDiff and so on; both states are there unless given as None."""
    sides: dict[str, Any] = {"old": state(token, name), "new": state(token, name)}
    if op == "create":
        sides["old"] = None
    if op == "delete":
        sides["new"] = None
    metadata = {"op": op, "urn": urn(token, name), "type": token, "detailedDiff": None} | sides | more
    return {kind: {"metadata": metadata}}


def planned(op: str, token: str, name: str, **more: Any) -> list[dict[str, Any]]:
    """What the engine writes about one resource that it handles without trouble."""
    return [step(kind, op, token, name, **more) for kind in ("resourcePreEvent", "resOutputsEvent")]


def replaced(token: str, name: str, path: str) -> list[dict[str, Any]]:
    """The three steps of a replacement that `path` forces."""
    diff = {path: {"diffKind": "update-replace", "inputDiff": True}}
    return [
        one
        for op in ("create-replacement", "replace", "delete-replaced")
        for one in planned(op, token, name, detailedDiff=diff, keys=[path])
    ]


def stack(**outputs: Any) -> list[dict[str, Any]]:
    """The stack resource with what the program exports."""
    token = "pulumi:pulumi:Stack"
    return planned("same", token, "demo-dev", new=state(token, "demo-dev", parent="", outputs=outputs))


def finding(rule: str, about: str, message: str, level: str = "mandatory") -> dict[str, Any]:
    return {
        "policyEvent": {
            "policyName": rule,
            "resourceUrn": about,
            "message": f"What the rule is for.\n{message}\n",
            "enforcementLevel": level,
            "severity": "high",
        }
    }


def failure(about: str, message: str) -> dict[str, Any]:
    return {"diagnosticEvent": {"urn": about, "message": message, "severity": "error"}}


def ending(*, preview: bool = True, result: str = "succeeded", **counts: int) -> dict[str, Any]:
    summary = {"isPreview": preview, "result": result, "resourceChanges": counts, "durationSeconds": 3}
    return {"summaryEvent": summary}


def lines(*parts: Mapping[str, Any] | Iterable[Mapping[str, Any]]) -> list[str]:
    flat = [one for part in parts for one in ([part] if isinstance(part, Mapping) else part)]
    return [json.dumps({"sequence": number, "timestamp": 0} | one) for number, one in enumerate(flat)]


def show(text: Iterable[str], *, operation: str = "preview", code: int = 0) -> Outcome:
    """The picture that these lines give."""
    run = Run(operation, "demo", "dev", code, True, datetime(2026, 11, 24, 12, 0, tzinfo=UTC), 4.2)
    return outcome(run, events.read(text), publish.data("stateful"))
