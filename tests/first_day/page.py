"""How do people read the table of faults? `python -m tests.first_day.page` renews it in docs/first-day.md."""

from collections.abc import Iterator
from pathlib import Path

import yaml

from tests.infra.record import ROOT

PAGE = ROOT / "docs/first-day.md"
BEGIN, END = "<!-- faults: begin, made from tests/first_day/faults.yaml -->\n", "<!-- faults: end -->\n"


def renewed() -> str:
    """The page with the table as the data have it."""
    before, _, rest = PAGE.read_text().partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}{''.join(_lines())}{END}{after}"


def _lines() -> Iterator[str]:
    table = yaml.safe_load(Path(__file__).with_name("faults.yaml").read_text())
    for kind, holds in table["kinds"].items():
        faults = [fault for fault in table["faults"] if fault["kind"] == kind]
        if not faults:
            continue
        yield f"\n**{holds}**\n\n| what was wrong | what catches it |\n|---|---|\n"
        for fault in faults:
            yield f"| {' '.join(fault['says'].split())} | {_named(fault['caught_by'])} |\n"


def _named(caught_by: str) -> str:
    kind, _, name = caught_by.partition(":")
    if kind == "rule":
        return f"rule `{name.partition('@')[0]}`"
    path, _, test = caught_by.partition("::")
    return f"`{path}`, {test.partition('[')[0].removeprefix('test_').replace('_', ' ')}"


if __name__ == "__main__":
    PAGE.write_text(renewed())
