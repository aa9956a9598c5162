"""At which level and with which options does each rule run? Defaults, profiles and what the engine passes on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jsonschema

from pack import files
from pack.catalogue import SEVERITIES, Rule
from pack.evaluate import Setting

LEVELS = ("advisory", "mandatory", "disabled")
_STRICT = {"critical": "mandatory", "high": "mandatory", "medium": "advisory", "low": "advisory"}


def environments(folder: Path) -> list[str]:
    """The environments that have a profile; `retiring` is laid over one of them."""
    return sorted(path.stem for path in folder.glob("*.yaml") if path.stem != "retiring")


def defaults(rules: Mapping[str, Rule]) -> dict[str, Setting]:
    """What holds without configuration: high and critical rules are mandatory, options as the rule declares them."""
    return {rule.name: Setting(_STRICT[rule.severity], _defaults(rule)) for rule in rules.values()}


def merged(rules: Mapping[str, Rule], given: Mapping[str, Any]) -> dict[str, Setting]:
    """Defaults overlaid with `{rule: level | {enforcementLevel, option: value}}`.

    Raises ValueError naming the rule, and the option where one is at fault.
    """
    result = defaults(rules)
    for name, value in given.items():
        if name not in rules:
            raise ValueError(f"{name}: there is no rule of this name")
        options = {"enforcementLevel": value} if isinstance(value, str) else dict(value)
        level = options.pop("enforcementLevel", result[name].level)
        if level not in LEVELS:
            raise ValueError(f"{name}.enforcementLevel: must be {', '.join(LEVELS)}")
        schema = {"type": "object", "properties": rules[name].options, "additionalProperties": False}
        for error in jsonschema.Draft202012Validator(schema).iter_errors(options):
            raise ValueError(f"{name}: {error.json_path.removeprefix('$.')}: {error.message}")
        result[name] = Setting(level, {**result[name].options, **options})
    return result


def profile(path: Path, rules: Mapping[str, Rule], *overlays: Path) -> dict[str, Setting]:
    """The settings of a profile file: `levels` by severity, then its `rules`, then those of the overlays.

    Raises ValueError naming file and rule when one of them is wrong.
    """
    text = files.read(path)
    if not isinstance(text, dict) or text.keys() != {"levels", "rules"} or text["levels"].keys() != set(SEVERITIES):
        raise ValueError(f"{path.name}: must have levels ({', '.join(SEVERITIES)}) and rules")
    given: dict[str, dict[str, Any]] = {
        rule.name: {"enforcementLevel": text["levels"][rule.severity]} for rule in rules.values()
    }
    for source, chosen in [(path, text["rules"])] + [(o, files.read(o)["rules"]) for o in overlays]:
        for name, value in chosen.items():
            if name not in rules:
                raise ValueError(f"{source.name}: {name}: there is no rule of this name")
            given[name].update({"enforcementLevel": value} if isinstance(value, str) else value)
    try:
        return merged(rules, given)
    except ValueError as wrong:
        raise ValueError(f"{path.name}: {wrong}") from None


def _defaults(rule: Rule) -> dict[str, Any]:
    return {name: schema["default"] for name, schema in rule.options.items()}
