"""How does a whole course come in at once? As a Markdown outline, read as the renderer's command line reads it."""

import asyncio
from typing import Annotated

from fastapi import Depends, Response
from pydantic import Field, StringConstraints

from service.http import dependencies, errors, routing
from service.http.errors import ProblemError
from service.http.pages import Body, tagged
from service.limits import LIMITS
from service.projects import service as projects
from service.projects.schemas import Language, ProjectCreate, ProjectPublic
from service.render.course import Course
from service.scenes import service
from service.scenes.schemas import SceneCreate

EXAMPLE = "# Luz\n\nBem-vindo.\n\n## O que é a luz?\n\n- Energia que viaja\n\nA luz é energia que viaja pelo espaço.\n"
router = routing.router("/api/v1/projects", "projects")


class OutlineImport(Body):
    """An outline: # title and introduction, ## for each scene, - for bullets; paragraphs are the narration."""

    outline: Annotated[str, StringConstraints(min_length=1, max_length=LIMITS.outline)] = Field(examples=[EXAMPLE])
    language: Language = Field(default="pt-BR", examples=["pt-BR"])


async def _read(body: OutlineImport, _: dependencies.CallerDep) -> Course:
    """Before a transaction is opened: reading a long outline takes a while."""
    from service.render.outline import parse  # noqa: PLC0415 (Markdown: what starts need not wait for)

    course = await asyncio.to_thread(parse, body.outline)
    if any(scene.image for scene in course.scenes):
        raise ProblemError(422, "pictures are not part of an outline: upload them, and choose them for their scenes")
    return course


@router.post("/import", status_code=201, responses=errors.described(401, 403, 409, 413, 422, 429))
async def import_project(
    body: OutlineImport,
    course: Annotated[Course, Depends(_read)],
    work: dependencies.WriteProjects,
    response: Response,
    key: dependencies.IdempotencyKey = None,
) -> ProjectPublic:
    """Create a course with its scenes from a Markdown outline: all of it or nothing."""
    cover, *scenes = course.scenes
    made = ProjectCreate(title=course.title, description=cover.narration, language=body.language)
    project = await projects.create(work, made)
    await work.session.flush()
    await service.append(
        work,
        project,
        [SceneCreate(title=scene.title, text="\n".join(scene.bullets), narration=scene.narration) for scene in scenes],
    )
    await work.session.flush()
    return tagged(response, ProjectPublic.model_validate(project), f"/api/v1/projects/{project.id}")
