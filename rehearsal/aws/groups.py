"""Do the properties of a resource go together: conflicts, at most one, exactly one, one that needs another?"""

from collections.abc import Iterator

from rehearsal.answers import Failure
from rehearsal.aws.facts import Rules
from rehearsal.values import UNKNOWN, Path, Value, Values, spell


def check_groups(rules: Rules, inputs: Values, *, at_up: bool) -> Iterator[Failure]:
    """What is wrong between properties; one that is not known yet neither conflicts nor is missing."""
    for first, second in _asked(rules, "conflicts", rules.conflicts, at_up):
        for where, block, (one, other) in blocks(inputs, [first, second]):
            if _set(block, one) and _set(block, other):
                yield Failure(spell((*where, one)), f"conflicts with {spell((*where, other))}")
    for paths in _asked(rules, "at_most_one_of", rules.at_most_one_of, at_up):
        for where, block, names in blocks(inputs, paths):
            given = [name for name in names if _set(block, name)]
            if len(given) > 1:
                yield Failure(spell((*where, given[0])), f"only one of {', '.join(names)} may be set")
    for paths in _asked(rules, "exactly_one_of", rules.exactly_one_of, at_up):
        for where, block, names in blocks(inputs, paths):
            given = [name for name in names if _set(block, name)]
            if len(given) > 1 or not any(_there(block, name) for name in names):
                yield Failure(spell((*where, (given or names)[0])), f"exactly one of {', '.join(names)} must be set")
    for first, *needed in _asked(rules, "required_with", rules.required_with, at_up):
        for where, block, (one, *others) in blocks(inputs, [first, *needed]):
            missing = [other for other in others if not _there(block, other)]
            if _set(block, one) and missing:
                yield Failure(spell((*where, one)), f"needs {', '.join(missing)} to be set, too")


def _asked(rules: Rules, table: str, groups: list[list[str]], at_up: bool) -> Iterator[list[str]]:
    return (paths for paths in groups if (f"{table}.{'+'.join(paths)}" in rules.refused_at_up) == at_up)


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
    return any(value is not UNKNOWN and value not in ("", [], {}) for value in _found(block, path))


def _there(block: Values, path: str) -> bool:
    return any(value is UNKNOWN or value not in ("", [], {}) for value in _found(block, path))
