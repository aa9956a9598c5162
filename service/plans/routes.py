"""What can be asked about plans?"""

from fastapi import APIRouter, Response

from service.data.columns import Identifier
from service.http import dependencies, errors
from service.http.errors import ProblemError
from service.http.pages import answer
from service.plans import service
from service.plans.schemas import PlanChoice, PlanPublic
from service.users.models import User
from service.users.service import account

router = APIRouter(prefix=f"{dependencies.API}/users")


async def _answer(work: dependencies.UnitOfWork, user: User) -> Response:
    plan = service.shown(user, await service.current(work.session, user.id))
    return answer(plan, version=plan.version)


@router.get("/me/plan", tags=["users"], response_model=PlanPublic, responses=errors.described(401, 429))
async def read_my_plan(work: dependencies.ReadOwn) -> Response:
    """The plan the caller is on."""
    return await _answer(work, await account(work.session, work.caller.user_id))


@router.get(
    "/{user_id}/plan",
    tags=["administration"],
    response_model=PlanPublic,
    responses=errors.described(401, 403, 404, 422, 429),
)
async def read_plan(user_id: Identifier, work: dependencies.ReadUsers) -> Response:
    """The plan somebody is on."""
    user = await work.session.get(User, user_id)
    if user is None:
        raise ProblemError(404, "no such user")
    return await _answer(work, user)


@router.put(
    "/{user_id}/plan",
    tags=["administration"],
    response_model=PlanPublic,
    responses=errors.described(401, 403, 404, 409, 412, 413, 422, 428, 429),
)
async def put_plan(
    user_id: Identifier, body: PlanChoice, expected: dependencies.Expected, work: dependencies.ManageUsers
) -> Response:
    """Put somebody on a plan from now on; the times before are kept. Repeating it changes nothing."""
    plan = await service.put(work, user_id, body, expected)
    return answer(plan, version=plan.version)
