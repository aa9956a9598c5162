"""Which rules are there? Functions of rules/*.py joined with their metadata in rules/*.yaml."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, get_args, get_origin

from pack import files
from pack.resource import Findings

Check = Callable[..., Findings]
ROOT = Path(__file__).resolve().parent.parent
SEVERITIES = ("low", "medium", "high", "critical")
_KINDS = {bool: "boolean", int: "integer", str: "string", Sequence: "array"}
_MARK = "_rule"
_METADATA = {"severity", "why", "remedy", "link", "scanners"}


@dataclass(frozen=True)
class Registration:
    """What the code says of a rule: types it judges (or patterns of them), types it reads besides, the pure check."""

    types: tuple[str, ...]
    reads: tuple[str, ...]
    forbids: bool
    check: Check


@dataclass(frozen=True)
class Rule(Registration):
    """One rule: how it is run, and what a person needs to know."""

    name: str
    what: str
    severity: str
    why: str
    remedy: str
    link: str
    scanners: tuple[str, ...]
    controls: tuple[str, ...]
    options: Mapping[str, Mapping[str, Any]]

    def applies(self, type_: str) -> bool:
        """Whether it judges resources of this type."""
        return any(fnmatchcase(type_, pattern) for pattern in self.types)

    @property
    def of_stack(self) -> bool:
        """Whether the check also takes the stack."""
        return bool(self.reads)


def rule(*types: str, reads: Sequence[str] = (), forbids: bool = False) -> Callable[[Check], Check]:
    """Mark `check(resource, *, option=default ...)` as a rule over resource types.

    With `reads`, the other types that the rule looks at, it is `check(resource, stack, ...)` and runs once the whole
    stack is known. `forbids`: the types must not occur at all. The rule's name is the function's with dashes, its
    summary the docstring, its options the keyword-only parameters.
    """

    def register(check: Check) -> Check:
        setattr(check, _MARK, Registration(types, tuple(reads), forbids, check))
        return check

    return register


def _registered() -> dict[str, Registration]:
    """Every marked function of the modules in rules/, by rule name."""
    import rules  # noqa: PLC0415 - the rules import this module for the decorator

    modules = [importlib.import_module(f"rules.{module.name}") for module in pkgutil.iter_modules(rules.__path__)]
    marked = [found for module in modules for found in vars(module).values() if hasattr(found, _MARK)]
    return {found.__name__.replace("_", "-"): getattr(found, _MARK) for found in marked}


def _options(check: Check) -> dict[str, dict[str, Any]]:
    """The JSON schema of each option, read from the annotations and defaults of the keyword-only parameters."""
    schema = {}
    for name, parameter in inspect.signature(check).parameters.items():
        if parameter.kind is parameter.KEYWORD_ONLY:
            kind = get_origin(parameter.annotation) or parameter.annotation
            listed = kind is Sequence
            schema[name] = {"type": _KINDS[kind], "default": list(parameter.default) if listed else parameter.default}
            if listed:
                schema[name]["items"] = {"type": _KINDS[get_args(parameter.annotation)[0]]}
    return schema


def controls(root: Path = ROOT) -> dict[str, list[str]]:
    """Rule -> controls it serves ("CIS AWS 3.7"), inverted from compliance/*.yaml."""
    found: dict[str, list[str]] = {}
    for path in sorted((root / "compliance").glob("*.yaml")):
        framework = files.read(path)
        for identity, requirement in framework["requirements"].items():
            for name in (*requirement.get("rules", ()), *requirement.get("own_reading", ())):
                found.setdefault(name, []).append(f"{framework['label']} {identity}")
    return found


@cache
def load() -> Mapping[str, Rule]:
    """All rules by name, in the order of the metadata files. Raises ValueError when code and metadata disagree."""
    registered, served, catalogue = _registered(), controls(), {}
    for path in sorted((ROOT / "rules").glob("*.yaml")):
        for name, facts in files.read(path).items():
            if name not in registered:
                raise ValueError(f"{path.name}: {name} has metadata but no function")
            if wrong := _METADATA ^ facts.keys():
                raise ValueError(f"{path.name}: {name}: missing or unknown fields: {', '.join(sorted(wrong))}")
            code = registered[name]
            catalogue[name] = Rule(
                **vars(code),
                name=name,
                what=" ".join((code.check.__doc__ or "").split()),
                severity=facts["severity"],
                why=facts["why"],
                remedy=facts["remedy"],
                link=facts["link"],
                scanners=tuple(facts["scanners"]),
                controls=tuple(served.get(name, ())),
                options=_options(code.check),
            )
    if missing := registered.keys() - catalogue.keys():
        raise ValueError(f"rules without metadata: {', '.join(sorted(missing))}")
    return catalogue
