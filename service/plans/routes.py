"""What can be asked about plans?"""

from fastapi import Response

from service.data.columns import Identifier
from service.http import dependencies, errors, routing
from service.http.pages import tagged
from service.plans import service
from service.plans.schemas import PlanChoice, PlanPublic
from service.users.service import account, found

router = routing.router("/api/v1/users")


@router.get("/me/plan", tags=["users"], responses=errors.described(401, 429))
async def read_my_plan(work: dependencies.ReadOwn, response: Response) -> PlanPublic:
    """The plan the caller is on, and what it includes."""
    user = await account(work.session, work.caller.user_id)
    return tagged(response, service.shown(user, await service.current(work.session, user.id)))


@router.get("/{user_id}/plan", tags=["administration"], responses=errors.described(401, 403, 404, 422, 429))
async def read_plan(user_id: Identifier, work: dependencies.ReadUsers, response: Response) -> PlanPublic:
    """The plan somebody is on."""
    user = await found(work.session, user_id)
    return tagged(response, service.shown(user, await service.current(work.session, user_id)))


@router.put(
    "/{user_id}/plan",
    tags=["administration"],
    responses=errors.described(401, 403, 404, 409, 412, 413, 422, 428, 429),
)
async def put_plan(
    user_id: Identifier,
    body: PlanChoice,
    expected: dependencies.Expected,
    work: dependencies.ManageUsers,
    response: Response,
) -> PlanPublic:
    """Put somebody on a plan from now on; the times before are kept. Repeating it changes nothing."""
    return tagged(response, await service.put(work, user_id, body, expected))
