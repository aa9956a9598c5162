"""What can be asked about scenes?"""

from fastapi import Response

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.dependencies import check_version
from service.http.pages import tagged
from service.projects import service as projects
from service.scenes import service
from service.scenes.schemas import SceneChange, SceneCreate, SceneList, SceneOrder, ScenePublic

router = routing.router("/api/v1/projects/{project_id}/scenes", "scenes")


@router.get("", responses=errors.described(401, 403, 404, 422, 429))
async def list_scenes(project_id: Identifier, reader: dependencies.ProjectReader) -> SceneList:
    """All scenes of a course, in order."""
    project = await projects.readable(reader, project_id)
    if project["owner_id"] == reader.caller.user_id:
        reader.keep()
    return SceneList.model_validate({"items": await service.rows_of(reader, project_id)}, from_attributes=True)


@router.post("", status_code=201, responses=errors.described(401, 403, 404, 409, 413, 422, 429))
async def create_scene(
    project_id: Identifier,
    body: SceneCreate,
    work: dependencies.WriteProjects,
    response: Response,
    key: dependencies.IdempotencyKey = None,
) -> ScenePublic:
    """Append a scene to a course."""
    project = await projects.owned(work, project_id, lock=True)
    scene = ScenePublic.model_validate((await service.append(work, project, [body]))[0])
    return tagged(response, scene, f"/api/v1/projects/{project_id}/scenes/{scene.id}")


@router.put("/order", responses=errors.described(401, 403, 404, 409, 413, 422, 429))
async def reorder_scenes(project_id: Identifier, body: SceneOrder, work: dependencies.WriteProjects) -> SceneList:
    """Put all scenes into a new order."""
    project = await projects.owned(work, project_id, lock=True)
    return SceneList.model_validate(
        {"items": await service.reorder(work, project, body.scene_ids)}, from_attributes=True
    )


@router.get("/{scene_id}", responses=errors.described(401, 403, 404, 422, 429))
async def read_scene(
    project_id: Identifier, scene_id: Identifier, reader: dependencies.ProjectReader, response: Response
) -> ScenePublic:
    """One scene."""
    await projects.readable(reader, project_id)
    return tagged(response, ScenePublic.model_validate(await service.row_of(reader, project_id, scene_id)))


@router.patch("/{scene_id}", responses=errors.described(401, 403, 404, 412, 413, 422, 428, 429))
async def change_scene(
    project_id: Identifier,
    scene_id: Identifier,
    body: SceneChange,
    expected: dependencies.Expected,
    work: dependencies.WriteProjects,
    *,
    response: Response,
) -> ScenePublic:
    """Change a scene."""
    project = await projects.owned(work, project_id)
    scene = await service.one(work, project.id, scene_id)
    check_version(expected, scene.version)
    await service.change(work, project, scene, body)
    await work.session.flush()
    return tagged(response, ScenePublic.model_validate(scene))


@router.delete("/{scene_id}", status_code=204, responses=errors.described(401, 403, 404, 412, 422, 428, 429))
async def delete_scene(
    project_id: Identifier, scene_id: Identifier, expected: dependencies.Expected, work: dependencies.WriteProjects
) -> None:
    """Delete a scene."""
    project = await projects.owned(work, project_id, lock=True)
    scene = await service.one(work, project.id, scene_id)
    check_version(expected, scene.version)
    await service.delete(work, project, scene)
