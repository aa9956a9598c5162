"""What does this environment's configuration say? The only reader of `pulumi.Config`.

One structured object per concern in stacks/Pulumi.<environment>.yaml. Everything is checked here, before a resource
is registered: a problem names the file, the field and what to write.
"""

import json
from collections.abc import Mapping
from typing import Any, Literal

import pulumi
from pulumi.runtime import config as runtime_config
from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

from infra.foundation.environment import PROJECT, Environment
from infra.foundation.shape import Place
from infra.shapes import EstateShape


class SettingsError(pulumi.RunError):
    """The configuration cannot be used; the message lists every problem."""


class Settings(EstateShape):
    """One environment, whole."""

    name: Literal["dev", "staging", "production"] = Field(
        # No key of a configuration file can be spelt like this.
        alias="(stack)",
        description="a stack of one of these names: one file per environment, one stack per file",
    )
    place: Place = Field(description="account, regions and protection")

    @property
    def environment(self) -> Environment:
        """The facts every component shares."""
        place = self.place
        return Environment(
            name=self.name,
            account_id=place.account_id,
            region=place.region,
            recovery_region=place.recovery_region,
            log_days=self.logs.retention_days,
            protected=place.protected,
        )


def load() -> Settings:
    """The settings of the current stack; SettingsError when they are not complete and sound."""
    return parse(pulumi.get_stack(), runtime_config.get_config_env() | runtime_config.CONFIG.get())


def parse(stack: str, configuration: Mapping[str, Any]) -> Settings:
    """Settings from raw configuration (`project:key` to JSON text or value); SettingsError as for `load`."""
    own = {
        key.removeprefix(f"{PROJECT}:"): value for key, value in configuration.items() if key.startswith(f"{PROJECT}:")
    }
    values = {key: _decoded(value) for key, value in own.items()} | {"(stack)": stack}
    try:
        return Settings.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = [_problem(details) for details in error.errors(include_url=False, include_input=False)]
        raise SettingsError(
            f"stacks/Pulumi.{stack}.yaml cannot be used; nothing was changed:\n" + "\n".join(problems)
        ) from None


def _decoded(value: Any) -> Any:
    """Structured configuration arrives as JSON text."""
    try:
        return json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        return value


def _problem(details: ErrorDetails) -> str:
    path = list(details["loc"])
    name = ".".join(str(step) for step in path)
    field = f"{PROJECT}:{name}" if name else PROJECT
    message = details["msg"].removeprefix("Value error, ")
    if details["type"] == "extra_forbidden":
        return f"  {field}: unknown key; remove it or correct its spelling"
    meaning = _meaning(path)
    remedy = f"; write {meaning}" if meaning else ""
    return f"  {field}: {'missing' if details['type'] == 'missing' else message}{remedy}"


def _meaning(path: list[str | int]) -> str:
    """The description of the field that a path leads to."""
    model: type[BaseModel] | None = Settings
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
