"""What can be asked about forgotten passwords and unconfirmed addresses?"""

from fastapi import Request, Response

from service.http import dependencies, errors, routing
from service.users import recovery, service
from service.users.schemas import Forgotten, Mailed, NewPassword

router = routing.router("/api/v1/users", "users")


@router.post("/forgotten-password", status_code=202, response_class=Response, responses=errors.described(413, 422, 429))
async def forget_password(body: Forgotten, request: Request, runtime: dependencies.RuntimeDep) -> None:
    """Ask for a mail with a link to choose a new password; the answer is the same for addresses without an account."""
    await recovery.forgotten(runtime, request, body.email)


@router.put("/forgotten-password", status_code=204, responses=errors.described(403, 413, 422, 429, 503))
async def choose_password(body: NewPassword, request: Request, runtime: dependencies.RuntimeDep) -> None:
    """Choose a new password with the link's token; every session is closed."""
    await recovery.choose(runtime, request, body.token, body.new_password.get_secret_value())


@router.post("/me/confirmation", status_code=202, response_class=Response, responses=errors.described(401, 429))
async def ask_for_confirmation(
    request: Request, runtime: dependencies.RuntimeDep, caller: dependencies.CallerDep
) -> None:
    """Ask for a mail with a link that confirms the caller's address."""
    async with runtime.database.reading() as session:
        user = await service.account(session, caller.user_id)
    if user.confirmed_at is None:
        await recovery.send(runtime, request, "confirmation", user, user.email)


@router.put("/confirmation", status_code=204, responses=errors.described(403, 413, 422, 429))
async def confirm_address(body: Mailed, request: Request, runtime: dependencies.RuntimeDep) -> None:
    """Confirm an address with the link's token; no login is needed."""
    await recovery.confirm(runtime, request, body.token)
