"""What can be asked about scenes?"""

from fastapi import APIRouter, Request, Response

from service.data.columns import Identifier
from service.http import dependencies, errors
from service.http.dependencies import check_version
from service.http.idempotency import once
from service.http.pages import answer, remembered
from service.projects import service as projects
from service.scenes import service
from service.scenes.schemas import SceneChange, SceneCreate, SceneList, SceneOrder, ScenePublic

router = APIRouter(prefix=dependencies.API + "/projects/{project_id}/scenes", tags=["scenes"])


@router.get("", response_model=SceneList, responses=errors.described(401, 403, 404, 422, 429))
async def list_scenes(
    project_id: Identifier, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.ProjectReader
) -> Response:
    """All scenes of a course, in order."""
    project = await projects.row_of(runtime, caller, project_id)
    rows = await service.rows_of(runtime, project_id)
    response = answer(SceneList.model_validate({"items": rows}, from_attributes=True))
    # As with the course itself: only the owner's writes outdate the owner's pages.
    return await remembered(request, runtime, response) if project["owner_id"] == caller.user_id else response


@router.post(
    "", status_code=201, response_model=ScenePublic, responses=errors.described(401, 403, 404, 409, 413, 422, 429)
)
async def create_scene(
    project_id: Identifier, body: SceneCreate, work: dependencies.WriteProjects, key: dependencies.IdempotencyKey = None
) -> Response:
    """Append a scene to a course."""

    async def create() -> Response:
        project = await projects.owned(work, project_id, lock=True)
        scene = await service.create(work, project, body)
        public = ScenePublic.model_validate(scene)
        return answer(public, 201, version=1, location=f"/api/v1/projects/{project_id}/scenes/{scene.id}")

    return await once(work, key, body, create)


@router.put("/order", response_model=SceneList, responses=errors.described(401, 403, 404, 409, 413, 422, 429))
async def reorder_scenes(project_id: Identifier, body: SceneOrder, work: dependencies.WriteProjects) -> SceneList:
    """Put all scenes into a new order."""
    project = await projects.owned(work, project_id, lock=True)
    return SceneList.model_validate({"items": await service.reorder(work, project, body.scene_ids)})


@router.get("/{scene_id}", response_model=ScenePublic, responses=errors.described(401, 403, 404, 422, 429))
async def read_scene(project_id: Identifier, scene_id: Identifier, work: dependencies.ReadProjects) -> Response:
    """One scene."""
    project = await projects.readable(work, project_id)
    scene = await service.one(work, project.id, scene_id)
    return answer(ScenePublic.model_validate(scene), version=scene.version)


@router.patch(
    "/{scene_id}", response_model=ScenePublic, responses=errors.described(401, 403, 404, 412, 413, 422, 428, 429)
)
async def change_scene(
    project_id: Identifier,
    scene_id: Identifier,
    body: SceneChange,
    expected: dependencies.Expected,
    work: dependencies.WriteProjects,
) -> Response:
    """Change a scene."""
    project = await projects.owned(work, project_id)
    scene = await service.one(work, project.id, scene_id)
    check_version(expected, scene.version)
    await service.change(work, project, scene, body)
    await work.session.flush()
    return answer(ScenePublic.model_validate(scene), version=scene.version)


@router.delete("/{scene_id}", status_code=204, responses=errors.described(401, 403, 404, 412, 422, 428, 429))
async def delete_scene(
    project_id: Identifier, scene_id: Identifier, expected: dependencies.Expected, work: dependencies.WriteProjects
) -> None:
    """Delete a scene."""
    project = await projects.owned(work, project_id, lock=True)
    scene = await service.one(work, project.id, scene_id)
    check_version(expected, scene.version)
    await service.delete(work, project, scene)
