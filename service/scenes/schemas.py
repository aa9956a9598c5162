"""What do requests and answers about scenes look like?"""

from datetime import datetime
from typing import Annotated

from pydantic import Field, StringConstraints

from service.data.columns import Identifier
from service.http.pages import Body, Line, Prose, Public, absent
from service.limits import LIMITS

Bullets = Annotated[Prose, StringConstraints(max_length=LIMITS.bullets * (LIMITS.bullet + 4))]
Narration = Annotated[Prose, StringConstraints(max_length=LIMITS.narration)]
IMAGE = "0190c0de7a5e7000a000000000000004"


class SceneCreate(Body):
    """A new scene, at the end of its course."""

    title: Line = Field(examples=["O que é fotossíntese?"])
    text: Bullets = Field(default="", description="bullets, one a line", examples=["Luz\nÁgua\nGás carbônico"])
    narration: Narration = Field(default="", examples=["As plantas fazem o próprio alimento com a luz do sol."])
    image_id: Identifier | None = Field(
        default=None, description="a completed picture of the caller or owner", examples=[None]
    )
    audio_id: Identifier | None = Field(
        default=None,
        description="a completed sound, heard instead of a voice; the narration is its captions",
        examples=[None],
    )
    presenter: bool = Field(
        default=False, description="let the face in the picture speak, where that is offered", examples=[False]
    )


class SceneChange(Body):
    """What changes; fields left out stay, `image_id: null` removes the picture, `audio_id: null` the sound."""

    title: Line = Field(default_factory=absent, examples=["Por que as plantas são verdes?"])
    text: Bullets = Field(default_factory=absent, examples=["Clorofila"])
    narration: Narration = Field(default_factory=absent, examples=["A clorofila reflete o verde."])
    image_id: Identifier | None = Field(default=None, examples=[IMAGE])
    audio_id: Identifier | None = Field(default=None, examples=[None])
    presenter: bool = Field(default_factory=absent, examples=[False])


class SceneOrder(Body):
    """Every scene of the course once, in the wanted order."""

    scene_ids: list[Identifier] = Field(max_length=LIMITS.scenes, examples=[["0190c0de7a5e7000a000000000000003"]])


class ScenePublic(Public):
    """A scene."""

    id: str = Field(examples=["0190c0de7a5e7000a000000000000003"])
    project_id: str = Field(examples=["0190c0de7a5e7000a000000000000002"])
    title: str = Field(examples=["O que é fotossíntese?"])
    text: str = Field(examples=["Luz\nÁgua\nGás carbônico"])
    narration: str = Field(examples=["As plantas fazem o próprio alimento com a luz do sol."])
    image_id: str | None = Field(examples=[IMAGE])
    audio_id: str | None = Field(examples=[None])
    presenter: bool = Field(examples=[False])
    version: int = Field(examples=[1])
    created_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])
    updated_at: datetime = Field(examples=["2026-01-01T12:00:00Z"])


class SceneList(Public):
    """All scenes of a course, in order (a course has 200 at most)."""

    items: list[ScenePublic]
