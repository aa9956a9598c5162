"""What do requests and answers about courses look like?"""

import re
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, StringConstraints, WithJsonSchema
from pydantic_core import PydanticCustomError

from service.http.pages import Body, Line, Prose, Public, absent
from service.limits import LIMITS

Status = Literal["draft", "published", "archived"]
FAMILIES = "|".join(tag for tag in LIMITS.voices if "-" not in tag)


def _spoken(tag: str) -> str:
    if not re.fullmatch(rf"({FAMILIES})(-[A-Z]{{2}})?", tag):
        raise PydanticCustomError("no_voice", "no voice", {"suggested": LIMITS.suggested})
    return tag


Language = Annotated[
    str, AfterValidator(_spoken), WithJsonSchema({"type": "string", "pattern": f"^({FAMILIES})(-[A-Z]{{2}})?$"})
]
Description = Annotated[Prose, StringConstraints(max_length=LIMITS.description)]


class ProjectCreate(Body):
    """A new course."""

    title: Line = Field(examples=["Fotossíntese em cinco minutos"])
    description: Description = Field(default="", examples=["Para o 7º ano"])
    language: Language = Field(default="pt-BR", examples=["pt-BR"])


class ProjectChange(Body):
    """What changes; fields left out stay."""

    title: Line = Field(default_factory=absent, examples=["Fotossíntese em seis minutos"])
    description: Description = Field(default_factory=absent, examples=["Para o 8º ano"])
    language: Language = Field(default_factory=absent, examples=["pt-BR"])
    status: Status = Field(default_factory=absent, examples=["published"])


class ProjectPublic(Public):
    """A course."""

    id: str = Field(examples=["0190c0de7a5e7000a000000000000002"])
    owner_id: str = Field(examples=["0190c0de7a5e7000a000000000000001"])
    title: str = Field(examples=["Fotossíntese em cinco minutos"])
    description: str = Field(examples=["Para o 7º ano"])
    language: str = Field(examples=["pt-BR"])
    status: str = Field(examples=["draft"])
    scene_count: int = Field(examples=[3])
    version: int = Field(examples=[1])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    updated_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])

    @property
    def tag(self) -> str:
        """Another number of scenes is another answer of the same version."""
        return f"{self.version}-{self.scene_count}"
