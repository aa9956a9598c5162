"""What does a valid request look like? The body that an operation's own examples make."""

from typing import Any


def example_body(document: dict[str, Any], operation: dict[str, Any]) -> Any:
    """None for an operation without a body."""
    if "requestBody" not in operation:
        return None
    return _example(document, operation["requestBody"]["content"]["application/json"]["schema"])


def _example(document: dict[str, Any], schema: dict[str, Any]) -> Any:
    if "examples" in schema:
        return schema["examples"][0]
    if "$ref" in schema:
        return _example(document, document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]])
    if "enum" in schema:
        return schema["enum"][0]
    if "anyOf" in schema:
        return _example(document, schema["anyOf"][0])
    return {name: _example(document, part) for name, part in schema.get("properties", {}).items()}
