"""What can be asked about courses?"""

from fastapi import Response

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.dependencies import check_version
from service.http.pages import Page, page_of, tagged
from service.projects import service
from service.projects.schemas import ProjectChange, ProjectCreate, ProjectPublic

router = routing.router("/api/v1/projects", "projects")
catalogue = routing.router("/api/v1/catalogue", "catalogue")


@router.get("", responses=errors.described(401, 403, 422, 429))
async def list_projects(reader: dependencies.ProjectReader, paging: dependencies.Paged) -> Page[ProjectPublic]:
    """The caller's courses, newest first."""
    reader.keep()
    return page_of(Page[ProjectPublic], await service.rows_of(reader, paging), paging.limit)


@router.post("", status_code=201, responses=errors.described(401, 403, 409, 413, 422, 429))
async def create_project(
    body: ProjectCreate, work: dependencies.WriteProjects, response: Response, key: dependencies.IdempotencyKey = None
) -> ProjectPublic:
    """Create a course."""
    project = await service.create(work, body)
    return tagged(response, ProjectPublic.model_validate(project), f"/api/v1/projects/{project.id}")


@router.get("/{project_id}", responses=errors.described(401, 403, 404, 422, 429))
async def read_project(project_id: Identifier, reader: dependencies.ProjectReader, response: Response) -> ProjectPublic:
    """One course: the caller's own, or a published one."""
    project = ProjectPublic.model_validate(await service.readable(reader, project_id))
    if project.owner_id == reader.caller.user_id:
        reader.keep()
    return tagged(response, project)


@router.patch("/{project_id}", responses=errors.described(401, 403, 404, 409, 412, 413, 422, 428, 429))
async def change_project(
    project_id: Identifier,
    body: ProjectChange,
    expected: dependencies.Expected,
    work: dependencies.WriteProjects,
    response: Response,
) -> ProjectPublic:
    """Change a course; publishing is a change of `status`."""
    project = await service.owned(work, project_id, lock=True)
    check_version(expected, project.version)
    await service.change(work, project, body)
    await work.session.flush()
    return tagged(response, ProjectPublic.model_validate(project))


@router.delete("/{project_id}", status_code=204, responses=errors.described(401, 403, 404, 412, 422, 428, 429))
async def delete_project(
    project_id: Identifier, expected: dependencies.Expected, work: dependencies.WriteProjects
) -> None:
    """Delete a course with its scenes and videos."""
    project = await service.owned(work, project_id)
    check_version(expected, project.version)
    await service.delete(work, project)


@catalogue.get("", responses=errors.described(401, 403, 422, 429))
async def list_catalogue(reader: dependencies.CatalogueReader, paging: dependencies.Paged) -> Page[ProjectPublic]:
    """Everybody's published courses, newest first."""
    reader.count("feature_use_total", feature="catalogue")
    return page_of(Page[ProjectPublic], await service.published(reader, paging), paging.limit)
