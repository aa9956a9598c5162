"""What can be asked about users?"""

from fastapi import APIRouter, Request, Response
from sqlmodel import select

from service.data.columns import Identifier
from service.http import dependencies, errors
from service.http.errors import ProblemError
from service.http.pages import Page, answer, paginate
from service.users import service
from service.users.models import User
from service.users.schemas import (
    Administration,
    Erasure,
    Export,
    PasswordChange,
    Profile,
    Registration,
    UserPublic,
)

router = APIRouter(prefix=f"{dependencies.API}/users")


@router.post(
    "", tags=["users"], status_code=201, response_model=UserPublic, responses=errors.described(409, 413, 422, 429, 503)
)
async def register(body: Registration, request: Request, runtime: dependencies.RuntimeDep) -> Response:
    """Create an account."""
    user = await service.register(runtime, request, body)
    return answer(UserPublic.model_validate(user), 201, version=user.version, location="/api/v1/users/me")


@router.get("/me", tags=["users"], response_model=UserPublic, responses=errors.described(401, 429))
async def read_myself(work: dependencies.ReadOwn) -> Response:
    """The caller's account."""
    user = await service.account(work.session, work.caller.user_id)
    return answer(UserPublic.model_validate(user), version=user.version)


@router.patch("/me", tags=["users"], response_model=UserPublic, responses=errors.described(401, 412, 422, 428, 429))
async def change_myself(body: Profile, expected: dependencies.Expected, work: dependencies.WriteOwn) -> Response:
    """Change the caller's name."""
    user = await service.account(work.session, work.caller.user_id)
    dependencies.check_version(expected, user.version)
    user.name = body.name
    await work.session.flush()
    return answer(UserPublic.model_validate(user), version=user.version)


@router.put("/me/password", tags=["users"], status_code=204, responses=errors.described(401, 403, 422, 429, 503))
async def change_password(
    body: PasswordChange, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep
) -> None:
    """Change the password; every other session is closed."""
    old, new = body.old_password.get_secret_value(), body.new_password.get_secret_value()
    await service.change_password(runtime, request, caller, old, new)


@router.get("/me/export", tags=["privacy"], response_model=Export, responses=errors.described(401, 429))
async def export_myself(work: dependencies.ReadOwn) -> Export:
    """Everything that is stored about the caller."""
    work.count("feature_use_total", feature="export")
    return await service.export(work.session, await service.account(work.session, work.caller.user_id))


@router.post("/me/erasure", tags=["privacy"], status_code=204, responses=errors.described(401, 403, 422, 429, 503))
async def erase_myself(
    body: Erasure, request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep
) -> None:
    """Delete the caller's courses, files and personal data for good; the audit trail keeps only identifiers."""
    await service.confirm(runtime, caller, body.password.get_secret_value())
    async with runtime.database.transaction() as session:
        await service.erase(session, request, runtime, await service.account(session, caller.user_id))


@router.get(
    "", tags=["administration"], response_model=Page[UserPublic], responses=errors.described(401, 403, 422, 429)
)
async def list_users(work: dependencies.ReadUsers, paging: dependencies.Paged) -> Page[UserPublic]:
    """All accounts, newest first."""
    return await paginate(Page[UserPublic], work.session, User, select(User), paging)


@router.patch(
    "/{user_id}",
    tags=["administration"],
    response_model=UserPublic,
    responses=errors.described(401, 403, 404, 409, 412, 422, 428, 429),
)
async def administer_user(
    user_id: Identifier, body: Administration, expected: dependencies.Expected, work: dependencies.ManageUsers
) -> Response:
    """Change somebody's role or close the account; the person's sessions are closed."""
    user = await work.session.get(User, user_id)
    if user is None:
        raise ProblemError(404, "no such user")
    dependencies.check_version(expected, user.version)
    await service.administer(work, user, body)
    await work.session.flush()
    return answer(UserPublic.model_validate(user), version=user.version)
