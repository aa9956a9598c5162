"""What can go wrong in a rendering, whose turn is it to act, and in which words is an author told?"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib.resources import files
from typing import Any, Self

import yaml

LANGUAGES = ("en", "pt")
_MOST_TOLD = 5


@cache
def _wording() -> dict[str, dict[str, list[str]]]:
    text = (files("service.render") / "wording.yaml").read_text(encoding="utf-8")
    words: dict[str, dict[str, list[str]]] = yaml.safe_load(text)
    return words


def language_of(tag: str) -> str:
    """In which of LANGUAGES somebody reads whose language tag this is."""
    return "pt" if tag.lower().startswith("pt") else "en"


@dataclass(frozen=True)
class Problem:
    """`kind` is one of wording.yaml; `place` leads to what is at fault, such as ("scenes", 1, "bullets", 0)."""

    kind: str
    place: tuple[str | int, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> bool:
        """Are there words for it?"""
        return self.kind in _wording()["kinds"]

    def sentence(self, language: str = "en") -> str:
        """What is wrong and how to mend it, without the place."""
        shown = {name: _shown(value, language) for name, value in self.values.items()}
        return _wording()["kinds"][self.kind][LANGUAGES.index(language)].format(**shown)

    def told(self, language: str = "en") -> str:
        """The same after its place; authors do not count the cover, which comes first."""
        names = _wording()["places"]
        words: list[str] = []
        for before, part in zip((None, *self.place), self.place, strict=False):
            kind = {("scenes", 0): "cover", ("bullets", part): "bullet"}.get((str(before), part), "scene")
            if before == "line":
                kind = "line"
            if isinstance(part, int):
                words[-1] = names[kind][LANGUAGES.index(language)].format(part + (before == "bullets"))
            else:
                words.append(names[part][LANGUAGES.index(language)] if part in names else part)
        return ": ".join([*[", ".join(words)][: bool(words)], self.sentence(language)])


def _shown(value: object, language: str) -> str:
    if isinstance(value, int):
        return f"{value:,}".replace(",", "." if language == "pt" else ",")
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


class CourseError(ValueError):
    """The course or one of its images is at fault; it tells the author where and how to mend it."""

    language = "en"  # in which `str` tells it

    def __init__(self, *problems: Problem) -> None:
        super().__init__(*problems)
        self.problems = problems

    def to(self, tag: str) -> Self:
        """Tell it to somebody with this language tag."""
        self.language = language_of(tag)
        return self

    @classmethod
    def of(cls, kind: str, *place: str | int, **values: object) -> Self:
        """One problem."""
        return cls(Problem(kind, place, values))

    def inside(self, *place: str | int) -> "CourseError":
        """The same problems, of a part of something larger."""
        return CourseError(*(replace(problem, place=(*place, *problem.place)) for problem in self.problems))

    def naming(self, names: Mapping[str, str]) -> "CourseError":
        """The same with the author's own names of images."""
        renamed = ({k: names.get(str(v), v) for k, v in problem.values.items()} for problem in self.problems)
        return CourseError(*map(lambda p, values: replace(p, values=values), self.problems, renamed))

    def told(self, language: str = "en") -> str:
        """All of it, or the first few, in one line."""
        words = [problem.told(language) for problem in self.problems]
        return "; ".join([*words[:_MOST_TOLD], *["..."][: len(words) > _MOST_TOLD]])

    def __str__(self) -> str:
        return self.told(self.language)


def problems_of(errors: Iterable[Any]) -> list[Problem]:
    """What pydantic found, as problems; the refused values are not among them."""
    return [Problem(row["type"], tuple(row["loc"]), row.get("ctx", {})) for row in errors]


class RenderError(RuntimeError):
    """The machine is at fault (a tool failed, ran out of time or made a bad file); trying again may help."""


class ProviderError(RenderError):
    """A provider of speech or text failed; another one may do."""
