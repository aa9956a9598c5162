"""What if a client repeats a creation because it saw no answer? It gets the first one, stored with what was made."""

import functools
import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import orjson
from fastapi import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel

from service.data.idempotency import IdempotencyRecord, claim
from service.http.dependencies import UnitOfWork
from service.http.errors import ProblemError

NEEDED = {"work", "key", "response"}


class IdempotentRoute(APIRoute):
    """A route that takes `key: IdempotencyKey` answers a repetition as it answered the first time.

    Key and answer are committed with the creation, because `work` commits when the answer is made and before it is
    sent. A model that holds a link has a method `async renewed(work)`, which gives it a fresh one. Raises TypeError for
    a route that takes a key and not what storing it needs.
    """

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        taken = inspect.signature(endpoint).parameters.keys()
        if "key" in taken:
            if not taken >= NEEDED:
                raise TypeError(f"{endpoint.__name__}: an idempotent route takes {', '.join(sorted(NEEDED))}")
            endpoint = _answered_once(endpoint, options.get("status_code") or 200)
        super().__init__(path, endpoint, **options)


def _answered_once(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    model: type[BaseModel] = inspect.signature(endpoint).return_annotation

    @functools.wraps(endpoint)
    async def route(**values: Any) -> BaseModel | Response:
        work, key, response = values["work"], values["key"], values["response"]
        if key is None:
            made: BaseModel = await endpoint(**values)
            return made
        record = IdempotencyRecord(user_id=work.caller.user_id, key=key, request=_fingerprint(work, values.get("body")))
        if earlier := await claim(work.session, record):
            return await _again(work, earlier, record.request, model)
        made = await endpoint(**values)
        record.status, record.body = status, made.model_dump_json()
        record.headers = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
        return made

    return route


def _fingerprint(work: UnitOfWork, body: Any) -> str:
    text = body.model_dump_json() if isinstance(body, BaseModel) else orjson.dumps(body or {}).decode()
    scope = work.request.scope
    return hashlib.sha256(f"{scope['method']}\n{scope['path']}\n{text}".encode()).hexdigest()


async def _again(work: UnitOfWork, record: IdempotencyRecord, request: str, model: type[BaseModel]) -> Response:
    if record.request != request:
        raise ProblemError(422, "this Idempotency-Key was used for another request")
    work.count("feature_use_total", feature="idempotent_replay")
    body = record.body
    if renewed := getattr(model, "renewed", None):
        body = (await renewed(model.model_validate_json(body), work)).model_dump_json()
    headers = dict(line.split(": ", 1) for line in record.headers.splitlines()) | {"idempotency-replayed": "true"}
    return Response(body, record.status, headers, "application/json")
