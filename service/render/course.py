"""What is a course, and how much of it do we accept?"""

import re
import unicodedata
from collections.abc import Callable
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

Language = Literal["pt-br", "pt", "en-us", "es", "es-419"]

MAX_COURSE_CHARACTERS = 60_000  # about 70 minutes of speech
_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}
_IMAGE_NAME = re.compile(r"(?!/)(?:(?!\.)[\w .()-]{1,100}/){0,4}(?!\.)[\w .()-]{1,100}")


def clean(text: str) -> str:
    """Text in composed form (NFC) with single spaces and without control or invisible characters."""
    spaced = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(c for c in spaced if unicodedata.category(c) not in _CONTROL).split())


def _image_name(name: str) -> str:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", name):
        raise ValueError("images are not fetched from addresses: upload the image and give its name")
    if not _IMAGE_NAME.fullmatch(name):
        raise ValueError("an image is a relative file name of letters, digits, spaces, . - _ ( ) without '..'")
    return name


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Title = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_cleaned)]
Bullet = Annotated[str, StringConstraints(min_length=1, max_length=200), BeforeValidator(_cleaned)]
Caption = Annotated[str, StringConstraints(max_length=160), BeforeValidator(_cleaned)]
Narration = Annotated[str, StringConstraints(max_length=5_000), BeforeValidator(_cleaned)]
ImageName = Annotated[str, AfterValidator(_image_name)]


def scene_name(number: int) -> str:
    """How a scene is called in messages: authors do not count the cover, which comes first."""
    return f"scene {number}" if number else "the cover"


def explain(error: ValidationError, name: Callable[[int], str] = scene_name) -> str:
    """What is wrong with a course, in words for its author; `name` says how a scene is called."""
    problems: list[str] = []
    for problem in error.errors(include_url=False, include_input=False):
        message = problem["msg"].removeprefix("Value error, ")
        match problem["loc"]:
            case ("scenes", int(number), *rest):
                problems.append(f"{', '.join([name(number), *map(str, rest)])}: {message}")
            case ("title",) | ("scenes",) if len(error.errors()) > 1:
                pass  # an echo of what is wrong inside a scene
            case location:
                problems.append(": ".join([*map(str, location), message]))
    return "; ".join(problems[:5]) + ("; ..." if len(problems) > 5 else "")


class Scene(BaseModel):
    """One slide and what is said over it. Without narration the title and the bullets are read out."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    bullets: tuple[Bullet, ...] = Field(default=(), max_length=8)
    narration: Narration = ""
    image: ImageName | None = None
    caption: Caption = ""

    @property
    def speech(self) -> str:
        """What the narrator reads."""
        return self.narration or " ".join(part.rstrip(".;:,") + "." for part in (self.title, *self.bullets))


class Course(BaseModel):
    """A title and its scenes, in the order in which they are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=201)
    language: Language = "pt-br"

    @model_validator(mode="after")
    def _not_too_long(self) -> "Course":
        length = sum(len(scene.speech) for scene in self.scenes)
        if length > MAX_COURSE_CHARACTERS:
            raise ValueError(
                f"the course has {length:,} characters to speak, at most {MAX_COURSE_CHARACTERS:,}: split it"
            )
        return self
