"""How are the facts of one resource type gathered from several sources, and written down once?"""

from collections import Counter
from typing import Any

from rehearsal.aws.constraints import compile_constraints
from rehearsal.aws.convert import scalar
from rehearsal.aws.facts import Rules
from rehearsal.aws.schema import Property, Resource, Schemas, Type

BY_PATH = ("enums", "ranges", "lengths", "patterns", "not_patterns", "formats", "defaults")
EACH = ("enums", "ranges", "patterns", "not_patterns", "formats")
"""Facts about a list are facts about each of its elements, except for lengths: they count."""
LISTS = ("replace_on", "computed", "not_computed", "ignore_case", "unverified", "refused_at_up")
GROUPS = ("conflicts", "at_most_one_of", "at_least_one_of", "exactly_one_of", "required_with")


class Row:
    """The facts of one type while they are gathered: the first source of a fact wins."""

    def __init__(self, schemas: Schemas, resource: Resource, dropped: Counter[str]) -> None:
        self._schemas, self._resource, self._dropped = schemas, resource, dropped
        self.facts: dict[str, Any] = {}
        self.code = ""
        self.checked: set[str] = set()
        self.wrong: set[tuple[str, ...]] = set()
        self.sources: dict[str, str] = {}

    def property(self, path: str) -> Property | None:
        """The property that `path` names, None where the SDK has none."""
        fields, found = self._resource.inputs, None
        for name in path.removesuffix("[]").split("."):
            found = fields.get(name)
            if found is None:
                return None
            kind = self._inner(found)
            fields = self._schemas.fields(kind.cls) if kind.cls else {}
        return found

    def put(self, table: str, path: str, value: Any, source: str) -> None:
        """A fact about one property."""
        path = self.spelled(table, plain(path))
        known = self.property(path)
        if known is None:
            self._dropped[table] += 1
        elif table in EACH and self._inner(known).kind == "object":
            self._dropped[f"{table} of a whole block"] += 1
        elif path not in self.facts.setdefault(table, {}):
            self.facts[table][path] = value
            self.sources[f"{table}.{path}"] = source

    @staticmethod
    def _inner(known: Property) -> Type:
        kind = known.type
        while kind.element is not None:
            kind = kind.element
        return kind

    def spelled(self, table: str, path: str) -> str:
        """`path` as `table` has it: facts about a list of values are about each of them."""
        known = self.property(path)
        each = known is not None and table in EACH and known.type.kind == "list" and not path.endswith("[]")
        return f"{path}[]" if each else path

    def knows(self, path: str) -> bool:
        """Whether any fact limits the value at `path`."""
        return any({path, f"{path}[]"} & self.facts.get(table, {}).keys() for table in BY_PATH if table != "defaults")

    def add(self, table: str, path: str, source: str) -> None:
        """A property that belongs to a list such as `replace_on`."""
        path = plain(path)
        subject = path.split(".", 1)[1] if table == "refused_at_up" else path
        if path in self.checked:
            return
        if table != "refused_at_up" and self.property(subject) is None:
            self._dropped[table] += 1
        elif path not in self.facts.setdefault(table, []):
            self.facts[table].append(path)
            if table != "refused_at_up":
                self.sources.setdefault(f"{table}.{path}", source)

    def group(self, table: str, paths: list[str], source: str) -> None:
        """A fact about several properties."""
        paths = [plain(path) for path in paths]
        if tuple(paths) in self.wrong:
            return
        if len(set(paths)) < 2 or any(self.property(path) is None for path in paths):
            self._dropped[table] += 1
        elif paths not in self.facts.setdefault(table, []):
            self.facts[table].append(paths)
            self.sources[f"{table}.{'+'.join(paths)}"] = source

    def settle_defaults(self) -> None:
        """Defaults get the type of their property; a limit that a default would break was read wrongly."""
        limits = {
            table: {path: value for path, value in self.facts.get(table, {}).items() if value is not None}
            for table in EACH
        }
        constraints = compile_constraints(Rules(**limits), at_up=False)  # type: ignore[arg-type]  # by table name
        for path, value in list(self.facts.get("defaults", {}).items()):
            known = self.property(path)
            if known is None or value is None or known.type.kind in {"list", "map", "object", "any", "asset"}:
                continue
            self.facts["defaults"][path] = scalar(known.type.kind, value)
            if value != "" and any(constraint(value) for constraint in constraints.get(path, ())):
                for table in EACH:
                    if self.facts.get(table, {}).pop(path, None) is not None:
                        self._dropped[f"{table} that the default breaks"] += 1

    def compact(self, token: str) -> dict[str, Any]:
        """The row as it is committed: keys sorted, the most frequent source written once as `*`."""
        facts: dict[str, Any] = {}
        for table, value in self.facts.items():
            kept = sorted(value) if isinstance(value, list) else value
            if isinstance(value, dict):
                kept = {path: one for path, one in value.items() if one is not None}
            if kept:
                facts[table] = kept
        tally = Counter(self.sources.values())
        common = tally.most_common(1)[0][0] if tally else ""
        sources = {fact: source for fact, source in sorted(self.sources.items()) if source != common}
        return {"token": token, **dict(sorted(facts.items())), "sources": {"*": common, **sources}}


def plain(path: str) -> str:
    """`rules[].filters[]` as the facts file spells it: `rules.filters[]`."""
    last = "[]" if path.endswith("[]") else ""
    return path.removesuffix("[]").replace("[]", "") + last
