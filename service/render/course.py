"""What is a course, and how much of it do we accept?"""

import re
import unicodedata
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
from pydantic_core import PydanticCustomError

from service.limits import LIMITS
from service.render.errors import CourseError, problems_of

Language = Literal["pt-br", "pt", "en-us", "es", "es-419"]

_CONTROL = {"Cc", "Cf", "Cs", "Co", "Cn"}
_IMAGE_NAME = re.compile(r"(?!/)(?:(?!\.)[\w .()-]{1,100}/){0,4}(?!\.)[\w .()-]{1,100}")


def clean(text: str) -> str:
    """Text in composed form (NFC) with single spaces and without control or invisible characters."""
    spaced = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    return " ".join("".join(c for c in spaced if unicodedata.category(c) not in _CONTROL).split())


def _image_name(name: str) -> str:
    if re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|//", name):
        raise PydanticCustomError("image_address", "an address")
    if not _IMAGE_NAME.fullmatch(name):
        raise PydanticCustomError("image_name", "no file name")
    return name


def _cleaned(value: object) -> object:
    return clean(value) if isinstance(value, str) else value


Title = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.title), BeforeValidator(_cleaned)]
Bullet = Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.bullet), BeforeValidator(_cleaned)]
Caption = Annotated[str, StringConstraints(max_length=LIMITS.caption), BeforeValidator(_cleaned)]
Narration = Annotated[str, StringConstraints(max_length=LIMITS.narration), BeforeValidator(_cleaned)]
ImageName = Annotated[str, AfterValidator(_image_name)]


def refusal(error: ValidationError) -> CourseError:
    """What is wrong with a course or a scene, in words for its author."""
    problems = problems_of(error.errors(include_url=False, include_input=False))
    if len(problems) > 1:  # what is wrong inside a scene is echoed by the course's own title or number of scenes
        problems = [problem for problem in problems if problem.place not in {("title",), ("scenes",)}] or problems
    return CourseError(*problems)


def voice(tag: str) -> Language:
    """The voice for a language tag such as pt-BR. Raises CourseError when there is none."""
    found: Language | None = LIMITS.voices.get(tag) or LIMITS.voices.get(tag.partition("-")[0])
    if found is None:
        raise CourseError.of("no_voice", suggested=LIMITS.suggested)
    return found


class Scene(BaseModel):
    """One slide and what is said over it. Without narration the title and the bullets are read out.

    `audio` names a recording that is heard instead. A `presenter` says it beside the slide, if there is one.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    bullets: tuple[Bullet, ...] = Field(default=(), max_length=LIMITS.bullets)
    narration: Narration = ""
    image: ImageName | None = None
    caption: Caption = ""
    audio: ImageName | None = None
    presenter: bool = False

    @property
    def unwritten(self) -> bool:
        """Has somebody still to write what is said over it?"""
        return not (self.narration or self.audio)

    @property
    def speech(self) -> str:
        """What the narrator reads."""
        return self.narration or " ".join(part.rstrip(".;:,") + "." for part in (self.title, *self.bullets))


class Course(BaseModel):
    """A title and its scenes, in the order in which they are shown."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    title: Title
    scenes: tuple[Scene, ...] = Field(min_length=1, max_length=LIMITS.scenes + 1)
    language: Language = "pt-br"

    @model_validator(mode="after")
    def _not_too_long(self) -> "Course":
        count = sum(len(scene.speech) for scene in self.scenes)
        if count > LIMITS.course:
            raise PydanticCustomError("too_much_to_say", "too long", {"count": count, "most": LIMITS.course})
        return self
