"""What can be asked about courses?"""

from fastapi import APIRouter, Request, Response

from service.data.columns import Identifier
from service.http import dependencies, errors
from service.http.dependencies import check_version
from service.http.idempotency import once
from service.http.pages import Page, answer, page_of, remembered
from service.projects import service
from service.projects.schemas import ProjectChange, ProjectCreate, ProjectPublic

router = APIRouter(prefix=f"{dependencies.API}/projects", tags=["projects"])
catalogue = APIRouter(prefix=f"{dependencies.API}/catalogue", tags=["catalogue"])


@router.get("", response_model=Page[ProjectPublic], responses=errors.described(401, 403, 422, 429))
async def list_projects(
    request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.ProjectReader, paging: dependencies.Paged
) -> Response:
    """The caller's courses, newest first."""
    rows = await service.rows_of(runtime, caller.user_id, paging)
    return await remembered(request, runtime, answer(page_of(Page[ProjectPublic], rows, paging.limit)))


@router.post("", status_code=201, response_model=ProjectPublic, responses=errors.described(401, 403, 413, 422, 429))
async def create_project(
    body: ProjectCreate, work: dependencies.WriteProjects, key: dependencies.IdempotencyKey = None
) -> Response:
    """Create a course."""

    async def create() -> Response:
        project = service.create(work, body)
        public = ProjectPublic.model_validate(project)
        return answer(public, 201, version=1, location=f"/api/v1/projects/{project.id}")

    return await once(work, key, body, create)


@router.get("/{project_id}", response_model=ProjectPublic, responses=errors.described(401, 403, 404, 422, 429))
async def read_project(
    project_id: Identifier, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.ProjectReader
) -> Response:
    """One course: the caller's own, or a published one."""
    row = await service.row_of(runtime, caller, project_id)
    response = answer(ProjectPublic.model_validate(row), version=row["version"])
    # Only the owner's writes outdate the owner's pages, so what belongs to others is not kept.
    return await remembered(request, runtime, response) if row["owner_id"] == caller.user_id else response


@router.patch(
    "/{project_id}",
    response_model=ProjectPublic,
    responses=errors.described(401, 403, 404, 409, 412, 413, 422, 428, 429),
)
async def change_project(
    project_id: Identifier, body: ProjectChange, expected: dependencies.Expected, work: dependencies.WriteProjects
) -> Response:
    """Change a course; publishing is a change of `status`."""
    project = await service.owned(work, project_id)
    check_version(expected, project.version)
    service.change(work, project, body)
    await work.session.flush()
    return answer(ProjectPublic.model_validate(project), version=project.version)


@router.delete("/{project_id}", status_code=204, responses=errors.described(401, 403, 404, 412, 422, 428, 429))
async def delete_project(
    project_id: Identifier, expected: dependencies.Expected, work: dependencies.WriteProjects
) -> None:
    """Delete a course with its scenes and videos."""
    project = await service.owned(work, project_id)
    check_version(expected, project.version)
    await service.delete(work, project)


@catalogue.get("", response_model=Page[ProjectPublic], responses=errors.described(401, 403, 422, 429))
async def list_catalogue(
    runtime: dependencies.RuntimeDep, _: dependencies.CatalogueReader, paging: dependencies.Paged
) -> Response:
    """Everybody's published courses, newest first."""
    runtime.metrics.count("feature_use_total", feature="catalogue")
    return answer(page_of(Page[ProjectPublic], await service.published(runtime, paging), paging.limit))
