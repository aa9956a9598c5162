"""How are lists and rows answered? Keyset pages without counting, entity tags, and pages that may be kept."""

from collections.abc import Sequence
from typing import Annotated, Any, Generic, Protocol, TypeVar

from fastapi import Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy import func
from sqlmodel import SQLModel, col, select
from sqlmodel.ext.asyncio.session import AsyncSession
from sqlmodel.sql.expression import SelectOfScalar

from service.data.columns import Identified
from service.http.dependencies import Paging, entity_tag
from service.limits import LIMITS

LAST = "~"  # sorts after every identifier
Item = TypeVar("Item", bound=BaseModel)
Row = TypeVar("Row", bound=Identified)


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


Tagged = TypeVar("Tagged", bound=_Versioned)

# A word without control characters: what a person types into one line, and nothing that splits a header or a log.
Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=LIMITS.title, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Prose = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f]*$")]


class Body(BaseModel):
    """A request body: unknown fields are refused, so that a typing error is not silently ignored."""

    model_config = ConfigDict(extra="forbid")


class Public(BaseModel):
    """A response body, read from a row."""

    model_config = ConfigDict(from_attributes=True)


def absent() -> Any:
    """The default of a field that a change may leave out but not set to null: it is not among those that were set."""
    return None


class Page(BaseModel, Generic[Item]):
    """One page, newest first."""

    items: list[Item]
    next_cursor: str | None = Field(default=None, description="`cursor` of the next page; null on the last")


def page_of(model: type[Page[Item]], rows: Sequence[Any], limit: int) -> Page[Item]:
    """A page from up to `limit + 1` rows: the extra one only says that there is more."""
    shown = rows[:limit]
    following = shown[-1] if len(rows) > limit else None
    cursor = None if following is None else (following["id"] if hasattr(following, "keys") else following.id)
    return model.model_validate({"items": shown, "next_cursor": cursor}, from_attributes=True)


async def paginate(
    model: type[Page[Item]], session: AsyncSession, table: type[Row], query: SelectOfScalar[Row], paging: Paging
) -> Page[Item]:
    """The page of the query's rows that is asked for, newest first."""
    before = query.where(col(table.id) < (paging.cursor or LAST)).order_by(col(table.id).desc())
    return page_of(model, (await session.exec(before.limit(paging.limit + 1))).all(), paging.limit)


async def count_of(session: AsyncSession, table: type[SQLModel], *conditions: Any) -> int:
    """How many rows meet the conditions."""
    return (await session.exec(select(func.count()).select_from(table).where(*conditions))).one()


def answer(body: BaseModel, status: int = 200, *, version: int | None = None, location: str | None = None) -> Response:
    """The body as JSON, with its entity tag and place."""
    headers = {"etag": entity_tag(version)} if version is not None else {}
    if location is not None:
        headers["location"] = location
    return Response(body.model_dump_json(), status, headers, "application/json")


def tagged(response: Response, model: Tagged, location: str | None = None) -> Tagged:
    """The answer, with its entity tag and, when it is new, its place in the headers.

    The tag is the version, or what a model says in `tag`: the version and, after a dash, what changes beside it.
    """
    response.headers["etag"] = f'"{getattr(model, "tag", model.version)}"'
    if location is not None:
        response.headers["location"] = location
    return model
