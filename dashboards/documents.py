"""How is YAML written for people? In the order given, with long texts as blocks."""

from typing import Any, ClassVar

import yaml


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


class _Dumper(yaml.SafeDumper):
    yaml_representers: ClassVar[dict[Any, Any]] = {**yaml.SafeDumper.yaml_representers, str: _text}

    def ignore_aliases(self, data: Any) -> bool:
        """Nothing is written as a reference to an earlier place: readers need not know YAML that well."""
        return True


def dump(document: object) -> str:
    """The document's YAML."""
    return yaml.dump(document, Dumper=_Dumper, sort_keys=False, width=10_000, allow_unicode=True)
