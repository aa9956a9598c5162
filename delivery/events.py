"""What does the engine's event log say? Lines of JSON in, typed events out; a damaged line is counted, not fatal."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic.alias_generators import to_camel


class _Event(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, frozen=True, extra="ignore")

    @field_validator("*", mode="before")
    @classmethod
    def _null_is_absent(cls, value: Any, info: Any) -> Any:
        return cls.model_fields[info.field_name].get_default(call_default_factory=True) if value is None else value


class State(_Event):
    """A resource before or after a step. Secrets are masked by the engine; unknown values are its marker."""

    type: str = ""
    id: str = ""
    parent: str = ""
    custom: bool = False
    protect: bool = False
    inputs: Mapping[str, Any] = Field(default_factory=dict)
    outputs: Mapping[str, Any] = Field(default_factory=dict)


class Difference(_Event):
    """How one property changes; `diff_kind` ends in `-replace` when that alone replaces the resource."""

    diff_kind: str = ""


class Step(_Event):
    """One step of the engine on one resource; `op` is its word for it, such as `create-replacement`."""

    op: str
    urn: str
    type: str = ""
    old: State | None = None
    new: State | None = None
    keys: tuple[str, ...] = ()
    diffs: tuple[str, ...] = ()
    detailed_diff: Mapping[str, Difference] = Field(default_factory=dict)


class _StepEvent(_Event):
    metadata: Step


class Diagnostic(_Event):
    """A message of the engine, a provider or the program."""

    message: str = ""
    severity: str = ""
    urn: str = ""


class Policy(_Event):
    """Something that a rule said about a resource, or about the stack when `resource_urn` is empty."""

    message: str = ""
    policy_name: str = ""
    policy_pack_name: str = ""
    enforcement_level: str = ""
    severity: str = ""
    resource_urn: str = ""


class Analyzed(_Event):
    """Which rules looked at a resource."""

    resource_urn: str = ""
    passed: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class Summary(_Event):
    """How the operation ended."""

    is_preview: bool = False
    result: str = ""
    duration_seconds: int = 0
    resource_changes: Mapping[str, int] = Field(default_factory=dict)


class Line(_Event):
    """One line of the log: exactly one of these is set, or none for kinds that nobody here reads."""

    timestamp: int = 0
    resource_pre_event: _StepEvent | None = None
    res_outputs_event: _StepEvent | None = None
    res_op_failed_event: _StepEvent | None = None
    diagnostic_event: Diagnostic | None = None
    policy_event: Policy | None = None
    policy_analyze_summary_event: Analyzed | None = None
    policy_analyze_stack_summary_event: Analyzed | None = None
    summary_event: Summary | None = None


@dataclass(frozen=True)
class Log:
    """The readable lines, and how many could not be read (the last one, where the engine was killed while writing)."""

    lines: tuple[Line, ...]
    damaged: int


def read(lines: Iterable[str]) -> Log:
    """The log from its lines; never raises on their content."""
    good: list[Line] = []
    damaged = 0
    for line in lines:
        try:
            good.append(Line.model_validate_json(line))
        except ValidationError:
            damaged += 1
    return Log(tuple(good), damaged)
