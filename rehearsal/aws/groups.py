"""Do the properties of a resource go together: conflicts, at most one, exactly one, one that needs another?"""

from collections.abc import Callable, Iterator

from rehearsal.answers import Failure
from rehearsal.aws.facts import Rules
from rehearsal.values import UNKNOWN, Path, Value, Values, spell


def check_groups(rules: Rules, inputs: Values, *, at_up: bool) -> Iterator[Failure]:
    """What is wrong between properties; one that is not known yet neither conflicts nor is missing."""
    for table, judge in GROUPS.items():
        for paths in getattr(rules, table):
            if (f"{table}.{'+'.join(paths)}" in rules.refused_at_up) != at_up:
                continue
            for where, block, names in blocks(inputs, paths):
                verdict = judge(block, names)
                if verdict:
                    name, reason = verdict
                    yield Failure(spell((*where, name)), reason)


Verdict = tuple[str, str] | None
"""The property at fault, seen from its block, and the reason."""


def _conflicts(block: Values, names: list[str]) -> Verdict:
    first, second = names
    return (first, f"conflicts with {second}") if _set(block, first) and _set(block, second) else None


def _at_most_one_of(block: Values, names: list[str]) -> Verdict:
    given = [name for name in names if _set(block, name)]
    return (given[0], f"only one of {', '.join(names)} may be set") if len(given) > 1 else None


def _at_least_one_of(block: Values, names: list[str]) -> Verdict:
    there = any(_there(block, name) for name in names)
    return None if there else (names[0], f"one of {', '.join(names)} must be set")


def _exactly_one_of(block: Values, names: list[str]) -> Verdict:
    given = [name for name in names if _set(block, name)]
    if len(given) <= 1 and any(_there(block, name) for name in names):
        return None
    return (given or names)[0], f"exactly one of {', '.join(names)} must be set"


def _required_with(block: Values, names: list[str]) -> Verdict:
    first, *others = names
    missing = [other for other in others if not _there(block, other)]
    return (first, f"needs {', '.join(missing)} to be set, too") if _set(block, first) and missing else None


GROUPS: dict[str, Callable[[Values, list[str]], Verdict]] = {
    "conflicts": _conflicts,
    "at_most_one_of": _at_most_one_of,
    "at_least_one_of": _at_least_one_of,
    "exactly_one_of": _exactly_one_of,
    "required_with": _required_with,
}
"""Facts about several properties of one block, and how each kind is judged."""


def blocks(inputs: Values, paths: list[str]) -> Iterator[tuple[Path, Values, list[str]]]:
    """Each block that holds all of `paths`: where it is, its values, and the paths seen from there."""
    steps = [path.split(".") for path in paths]
    shared = 0
    while all(len(one) > shared + 1 for one in steps) and len({one[shared] for one in steps}) == 1:
        shared += 1
    names = [".".join(one[shared:]) for one in steps]
    for where, block in _descend((), inputs, steps[0][:shared]):
        yield where, block, names


def _descend(where: Path, value: Value, steps: list[str]) -> Iterator[tuple[Path, Values]]:
    if isinstance(value, list):
        for at, one in enumerate(value):
            yield from _descend((*where, at), one, steps)
    elif isinstance(value, dict):
        if not steps:
            yield where, value
        elif steps[0] in value:
            yield from _descend((*where, steps[0]), value[steps[0]], steps[1:])


def _found(value: Value, path: str) -> list[Value]:
    """Everything at `path` below `value`, through lists."""
    found = [value]
    for step in path.removesuffix("[]").split("."):
        opened = [one for item in found for one in (item if isinstance(item, list) else [item])]
        found = [one[step] if isinstance(one, dict) else UNKNOWN for one in opened if one is UNKNOWN or _has(one, step)]
    return found


def _has(value: Value, step: str) -> bool:
    return isinstance(value, dict) and step in value


def _set(block: Values, path: str) -> bool:
    return any(value is not UNKNOWN and value not in ("", []) for value in _found(block, path))


def _there(block: Values, path: str) -> bool:
    return any(value not in ("", []) for value in _found(block, path))
