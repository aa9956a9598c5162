"""What is known of a kind: its published schema, whether it lives in a namespace, which fields cannot change in place?

Kinds without a published schema (custom resources) are taken as they are.
"""

import functools
import tomllib
from collections.abc import Collection, Iterator, Mapping
from importlib import resources
from typing import Any

from rehearsal.answers import Failure
from rehearsal.values import Values, has_unknown, spell


def is_namespaced(kind: str) -> bool:
    """Whether objects of a built-in kind live in a namespace."""
    return kind not in _table()["cluster_scoped"]


def replacing(api_version: str, kind: str, mutable: Collection[str] = ()) -> tuple[str, ...]:
    """Paths whose change, or any below them, replaces an object; `mutable` kinds may change their data in place."""
    name = f"{api_version} {kind}"
    own = _table()["replaces_mutable" if kind in mutable else "replaces"].get(name, ())
    return ("metadata.name", "metadata.namespace", *own)


def has_schema(api_version: str, kind: str, version: str | None) -> bool:
    """Whether a schema of this kind is published."""
    return _validator(api_version, kind, version or _newest()) is not None


def only_a_cluster_refuses(api_version: str, kind: str) -> tuple[str, ...]:
    """What a real API server refuses of a kind and this plugin cannot know."""
    table = _table()["only_a_cluster_refuses"]
    own = table.get(f"{api_version} {kind}", ()) if has_schema(api_version, kind, None) else table["custom"]
    return (*own, *table["*"])


def failures(inputs: Values, version: str | None) -> list[Failure]:
    """What the published schema of this Kubernetes version (None: the newest) refuses; unknowns are passed over.

    Messages name fields and what is expected, never a value: a Secret's data must not be repeated.
    """
    refused = [error for error in _errors(inputs, version) if error.validator != "additionalProperties"]
    return [
        Failure(spell(tuple(error.absolute_path)), _reason(error))
        for error in refused
        if not has_unknown(error.instance)
    ]


def unknown_fields(inputs: Values, version: str | None) -> list[str]:
    """Paths that the published schema does not have. The API server drops them and warns: the provider asks it to."""
    return sorted(
        spell((*error.absolute_path, name))
        for error in _errors(inputs, version)
        if error.validator == "additionalProperties"
        for name in set(error.instance) - set(error.schema.get("properties", {}))
    )


def _errors(inputs: Values, version: str | None) -> Iterator[Any]:
    validator = _validator(str(inputs.get("apiVersion")), str(inputs.get("kind")), version or _newest())
    return validator.iter_errors(inputs) if validator else iter(())


def _reason(error: Any) -> str:
    expected = error.validator_value
    match error.validator:
        case "required":
            return "required field is missing: " + ", ".join(name for name in expected if name not in error.instance)
        case "type":
            return f"must be {expected if isinstance(expected, str) else ' or '.join(expected)}"
        case "enum":
            return "must be one of " + ", ".join(map(str, expected))
        case keyword:
            return f"does not fit the schema ({keyword})"


@functools.cache
def _table() -> Mapping[str, Any]:
    return tomllib.loads(resources.files("rehearsal.kubernetes").joinpath("kinds.toml").read_text())


@functools.cache
def _newest() -> str:
    from kubernetes_validate.utils import latest_version  # noqa: PLC0415 - these packages cost 0.2 s: not at start

    return str(latest_version())


@functools.cache
def _definitions(folder: str) -> Any:
    from kubernetes_validate.utils import schema_contents  # noqa: PLC0415
    from referencing import Registry, Resource  # noqa: PLC0415

    contents = schema_contents(f"{folder}/_definitions.json", folder)
    return Resource.from_contents(contents) @ Registry()


@functools.cache
def _validator(api_version: str, kind: str, version: str) -> Any:
    from jsonschema import Draft202012Validator  # noqa: PLC0415
    from kubernetes_validate.utils import all_versions, schema_contents  # noqa: PLC0415

    published = next((one for one in all_versions() if one.startswith(f"{version}.")), _newest())
    folder = f"kubernetes-json-schema/v{published}-local-strict"
    group, _, name = api_version.rpartition("/")
    file = f"{kind}-{group.split('.')[0]}-{name}" if group else f"{kind}-{name}"
    try:
        schema = schema_contents(f"{folder}/{file.lower()}.json", published)
    except FileNotFoundError:
        return None
    if api_version not in schema["properties"]["apiVersion"].get("enum", ()):
        return None  # a custom resource whose group begins like a built-in one's
    return Draft202012Validator(schema, registry=_definitions(folder))
