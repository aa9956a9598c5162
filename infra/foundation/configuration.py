"""How does a stack file become settings? Checked whole, before a resource is registered, with every mistake named.

A problem says the file, the field and what to write. The programs' settings are the only readers of `pulumi.Config`.
"""

import json
from collections.abc import Mapping
from typing import Any, TypeVar

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from infra.foundation.shape import EnvironmentShape

Settings = TypeVar("Settings", bound=EnvironmentShape)


class SettingsError(pulumi.RunError):
    """The configuration cannot be used; the message lists every problem."""


def load(model: type[Settings], project: str, shared: Mapping[str, str] | None = None) -> Settings:
    """The settings of the current stack; SettingsError when they are not complete and sound. See `parse`."""
    raw = runtime_config.get_config_env() | runtime_config.CONFIG.get()
    return parse(model, project, pulumi.get_stack(), raw, shared)


def parse(
    model: type[Settings],
    project: str,
    stack: str,
    configuration: Mapping[str, Any],
    shared: Mapping[str, str] | None = None,
) -> Settings:
    """Settings from raw configuration (`project:key` to JSON text or value); SettingsError as for `load`.

    shared: fields that another project's key holds, with that project: one file says each thing once for both.
    """
    spelt = {field: f"{other}:{field}" for field, other in (shared or {}).items()}
    own = {key.removeprefix(f"{project}:"): key for key in configuration if key.startswith(f"{project}:")}
    keys = own | {field: key for field, key in spelt.items() if key in configuration}
    values = {field: _decoded(configuration[key]) for field, key in keys.items()} | {"(stack)": stack}
    try:
        return model.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = [
            _problem(model, project, spelt, details) for details in error.errors(include_url=False, include_input=False)
        ]
        raise SettingsError(
            f"stacks/Pulumi.{stack}.yaml cannot be used; nothing was changed:\n" + "\n".join(problems)
        ) from None


def _decoded(value: Any) -> Any:
    """Structured configuration arrives as JSON text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return value


def _problem(model: type[BaseModel], project: str, spelt: Mapping[str, str], details: ErrorDetails) -> str:
    path = list(details["loc"])
    first, rest = str(path[0]) if path else "", [str(step) for step in path[1:]]
    field = ".".join([spelt.get(first, f"{project}:{first}"), *rest]) if path else project
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        return f"  {field}: unknown key; remove it or correct its spelling"
    meaning = _meaning(model, path)
    remedy = f"; write {meaning}" if meaning else ""
    return f"  {field}: {'missing' if details['type'] == 'missing' else message}{remedy}"


def _meaning(settings: type[BaseModel], path: list[str | int]) -> str:
    """The description of the field that a path leads to."""
    model: type[BaseModel] | None = settings
    meaning = ""
    for step in path:
        if isinstance(step, int) or model is None:
            continue
        info = next((field for name, field in model.model_fields.items() if step in (name, field.alias)), None)
        if info is None:
            break
        meaning = info.description or meaning
        model = _model_in(info.annotation)
    return meaning


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The model that an annotation is, or holds many of."""
    candidates = [annotation, *getattr(annotation, "__args__", ())]
    found = [item for item in candidates if isinstance(item, type) and issubclass(item, BaseModel)]
    return found[0] if found else None
