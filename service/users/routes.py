"""What can be asked about users?"""

from typing import Annotated

from fastapi import Query, Request, Response
from fastapi.responses import StreamingResponse
from sqlmodel import select

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.pages import Page, paginate, tagged
from service.users import privacy, recovery, service
from service.users.models import User
from service.users.schemas import (
    Administration,
    AnyEmail,
    Erasure,
    Export,
    PasswordChange,
    Profile,
    Registration,
    UserPublic,
)

router = routing.router("/api/v1/users")


@router.post("", tags=["users"], status_code=201, responses=errors.described(409, 413, 422, 429, 503))
async def register(
    body: Registration, request: Request, runtime: dependencies.RuntimeDep, response: Response
) -> UserPublic:
    """Create an account."""
    user = await service.register(runtime, request, body)
    await recovery.send(runtime, request, "confirmation", user, user.email)
    return tagged(response, UserPublic.model_validate(user), "/api/v1/users/me")


@router.get("/me", tags=["users"], responses=errors.described(401, 429))
async def read_myself(work: dependencies.ReadOwn, response: Response) -> UserPublic:
    """The caller's account."""
    user = await service.account(work.session, work.caller.user_id)
    return tagged(response, UserPublic.model_validate(user))


@router.patch("/me", tags=["users"], responses=errors.described(401, 412, 422, 428, 429))
async def change_myself(
    body: Profile, expected: dependencies.Expected, work: dependencies.WriteOwn, response: Response
) -> UserPublic:
    """Change the caller's name."""
    user = await service.account(work.session, work.caller.user_id)
    dependencies.check_version(expected, user.version)
    user.name = body.name
    work.record("user.changed", user.id, fields=["name"])
    await work.session.flush()
    return tagged(response, UserPublic.model_validate(user))


@router.put("/me/password", tags=["users"], status_code=204, responses=errors.described(401, 403, 422, 429, 503))
async def change_password(
    body: PasswordChange, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep
) -> None:
    """Change the password; every other session is closed."""
    old, new = body.old_password.get_secret_value(), body.new_password.get_secret_value()
    await service.change_password(runtime, request, caller, old, new)


@router.get(
    "/me/export",
    tags=["privacy"],
    response_class=StreamingResponse,
    responses={200: {"model": Export}, **errors.described(401, 429)},
)
async def export_myself(runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep) -> StreamingResponse:
    """Everything that is stored about the caller."""
    async with runtime.database.reading() as session:
        user = await service.account(session, caller.user_id)
    runtime.metrics.count("feature_use_total", feature="export")
    return StreamingResponse(privacy.export(runtime, user), media_type="application/json")


@router.post("/me/erasure", tags=["privacy"], status_code=204, responses=errors.described(401, 403, 422, 429, 503))
async def erase_myself(
    body: Erasure, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep
) -> None:
    """Delete the caller's courses, files and personal data for good; the audit trail keeps only identifiers."""
    await service.confirm(runtime, request, caller, body.password.get_secret_value())
    async with runtime.database.transaction() as session:
        await privacy.erase(session, request, runtime, await service.account(session, caller.user_id))


@router.get("", tags=["administration"], responses=errors.described(401, 403, 422, 429))
async def list_users(
    work: dependencies.ReadUsers,
    paging: dependencies.Paged,
    email: Annotated[AnyEmail | None, Query(description="only whoever has this address")] = None,
) -> Page[UserPublic]:
    """All accounts, newest first."""
    query = select(User) if email is None else select(User).where(User.email == email)
    return await paginate(Page[UserPublic], work.session, User, query, paging)


@router.get("/{user_id}", tags=["administration"], responses=errors.described(401, 403, 404, 422, 429))
async def read_user(user_id: Identifier, work: dependencies.ReadUsers, response: Response) -> UserPublic:
    """Somebody's account."""
    return tagged(response, UserPublic.model_validate(await service.found(work.session, user_id)))


@router.patch(
    "/{user_id}",
    tags=["administration"],
    responses=errors.described(401, 403, 404, 409, 412, 422, 428, 429),
)
async def administer_user(
    user_id: Identifier,
    body: Administration,
    expected: dependencies.Expected,
    work: dependencies.ManageUsers,
    response: Response,
) -> UserPublic:
    """Change somebody's role or close the account; the person's sessions are closed."""
    user = await service.found(work.session, user_id)
    dependencies.check_version(expected, user.version)
    await service.administer(work, user, body)
    await work.session.flush()
    return tagged(response, UserPublic.model_validate(user))
