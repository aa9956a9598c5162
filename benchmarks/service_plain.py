"""What does the same API cost when it is written the way most are? The measure that the service is compared with.

Session dependency, ORM objects, a query for the user, one for the count and one for the rows, five BaseHTTPMiddleware.
Same tables, same driver, same server, same token format. Run: uvicorn --app-dir benchmarks service_plain:app
"""

import json
import logging
import os
import sys
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime
from typing import Annotated, Any

import jwt
import redis.asyncio
from fastapi import APIRouter, Depends, FastAPI, HTTPException
from fastapi.security import OAuth2PasswordBearer
from prometheus_client import Counter, Histogram
from pydantic import BaseModel
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import col, func, select
from sqlmodel.ext.asyncio.session import AsyncSession
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from service.data import tables
from service.projects.models import Project
from service.users.models import User

assert tables.ALL
Call = Callable[[Request], Awaitable[Response]]
engine = create_async_engine(os.environ["PLAIN_DATABASE"], pool_size=20, max_overflow=0, pool_pre_ping=True)
cache = redis.asyncio.Redis.from_url(os.environ["PLAIN_CACHE"])
logger = logging.getLogger("access")
logger.addHandler(logging.StreamHandler(sys.stdout))
logger.setLevel(logging.INFO)
logger.propagate = False
REQUESTS = Counter("requests", "", ["method", "route", "status"])
SECONDS = Histogram("request_seconds", "", ["method", "route"])


class ProjectOut(BaseModel):
    id: str
    owner_id: str
    title: str
    description: str
    language: str
    status: str
    scene_count: int
    version: int
    created_at: datetime
    updated_at: datetime


class ProjectsOut(BaseModel):
    data: list[ProjectOut]
    count: int


class ProjectIn(BaseModel):
    title: str
    description: str = ""


async def get_session() -> AsyncIterator[AsyncSession]:
    async with AsyncSession(engine) as session:
        yield session


Session = Annotated[AsyncSession, Depends(get_session)]
Token = Annotated[str, Depends(OAuth2PasswordBearer(tokenUrl="/login"))]


async def get_user(session: Session, token: Token) -> User:
    try:
        claims = jwt.decode(token, os.environ["PLAIN_KEY"], algorithms=["HS256"], audience="tecnocursos-api")
    except jwt.InvalidTokenError as error:
        raise HTTPException(403, "Could not validate credentials") from error
    user = await session.get(User, claims["sub"])
    if user is None or not user.active:
        raise HTTPException(404, "User not found")
    return user


CurrentUser = Annotated[User, Depends(get_user)]
router = APIRouter(prefix="/api/v1/projects")


@router.get("", response_model=ProjectsOut)
async def read_projects(session: Session, user: CurrentUser, skip: int = 0, limit: int = 20) -> Any:
    mine = col(Project.owner_id) == user.id
    count = (await session.exec(select(func.count()).select_from(Project).where(mine))).one()
    query = select(Project).where(mine).order_by(col(Project.created_at).desc()).offset(skip).limit(limit)
    return ProjectsOut(data=[ProjectOut.model_validate(p.model_dump()) for p in await session.exec(query)], count=count)


@router.get("/{project_id}", response_model=ProjectOut)
async def read_project(project_id: str, session: Session, user: CurrentUser) -> Any:
    project = await session.get(Project, project_id)
    if project is None or project.owner_id != user.id:
        raise HTTPException(404, "Project not found")
    return project


@router.post("", response_model=ProjectOut, status_code=201)
async def create_project(body: ProjectIn, session: Session, user: CurrentUser) -> Any:
    project = Project(owner_id=user.id, **body.model_dump())
    session.add(project)
    await session.commit()
    await session.refresh(project)
    return project


class RequestId(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Call) -> Response:
        request.state.request_id = request.headers.get("x-request-id") or str(uuid.uuid4())
        response = await call_next(request)
        response.headers["x-request-id"] = request.state.request_id
        return response


class Headers(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Call) -> Response:
        response = await call_next(request)
        for name in ("strict-transport-security", "x-content-type-options", "x-frame-options", "referrer-policy"):
            response.headers[name] = "value"
        return response


class AccessLog(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Call) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        line = {"method": request.method, "path": request.url.path, "status": response.status_code}
        logger.info(json.dumps(line | {"ms": (time.perf_counter() - started) * 1000}))
        return response


class Measured(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Call) -> Response:
        started = time.perf_counter()
        response = await call_next(request)
        route = getattr(request.scope.get("route"), "path", "unmatched")
        REQUESTS.labels(request.method, route, response.status_code).inc()
        SECONDS.labels(request.method, route).observe(time.perf_counter() - started)
        return response


class RateLimit(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: Call) -> Response:
        key, now = f"plain:{request.client.host if request.client else ''}", time.time()
        async with cache.pipeline() as pipe:
            pipe.zremrangebyscore(key, 0, now - 1)
            pipe.zadd(key, {str(uuid.uuid4()): now})
            pipe.zcard(key)
            pipe.expire(key, 60)
            _, _, number, _ = await pipe.execute()
        if number > 10**9:
            return JSONResponse({"detail": "Too many requests"}, 429)
        return await call_next(request)


app = FastAPI()
app.include_router(router)
for layer in (RateLimit, Measured, AccessLog, Headers, RequestId):
    app.add_middleware(layer)


@app.get("/livez")
async def live() -> dict[str, str]:
    return {"status": "alive"}
