"""May this request pass? Who calls, is the session revoked, is the limit reached, is the answer known already?"""

import re

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from service.data.cache import Admission, Decision, Outcome
from service.http import errors, zones
from service.runtime import Runtime
from service.security.permissions import Caller

OPEN = {"/livez", "/readyz", "/version"}
PAGED = re.compile(r"/api/v1/projects(/[^/]{1,32}(/scenes)?)?")  # the caller's courses, one of them, its scenes
LONGEST_QUERY = 200
LARGEST_KEPT = 64 * 1024  # bytes of a page: a course of 200 long scenes would crowd hundreds of others out


class Gate:
    """Runs before routing, so that included routers, unknown paths and bodies not yet read are all counted."""

    def __init__(self, app: ASGIApp, runtime: Runtime) -> None:
        self.app, self.runtime = app, runtime

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 401, 429 or the cached page."""
        if scope["type"] == "lifespan" or scope["path"] in OPEN:
            await self.app(scope, receive, send)
            return
        runtime, state = self.runtime, scope.setdefault("state", {})
        caller = state["caller"] = self._caller(scope)
        zone = zones.of(scope.get("method", "GET"), scope["path"])
        page = _page(scope, caller)
        decision = await self._admit(zone, caller, state["address"], page)
        if decision.outcome is Outcome.REVOKED:  # a token that was taken back is no token: whoever sends it is nobody
            state["caller"], page = None, ""
            decision = await self._admit(zone, None, state["address"], page)
        if decision.outcome is Outcome.LIMITED:
            runtime.metrics.count("rate_limited_total", zone=zone.name)
            await _limited(zone, decision.wait, scope, receive, send)
            return
        if page:
            runtime.metrics.count("cache_requests_total", result="miss" if decision.page is None else "hit")
            if decision.page is not None:
                await _known(scope, decision.page)(scope, receive, send)
                return
            await self._keeping(page, decision.generation, scope, receive, send)
            return
        await self.app(scope, receive, send)

    async def _keeping(self, page: str, generation: str, scope: Scope, receive: Receive, send: Send) -> None:
        status, tag, body, state = 0, b"", b"", scope["state"]

        async def passing(message: Message) -> None:
            nonlocal status, tag, body
            if message["type"] == "http.response.start":
                status = message["status"]
                tag = next((value for name, value in message["headers"] if name == b"etag"), b"")
            elif "keep" in state and len(body) <= LARGEST_KEPT:
                body += message.get("body", b"")
            await send(message)

        await self.app(scope, receive, passing)
        # Under the generation that was current before it was read: what was written meanwhile has ended that one.
        if "keep" in state and status == 200 and len(body) <= LARGEST_KEPT:
            known = f"{scope['route'].path}\n{tag.decode()}\n".encode() + body
            await self.runtime.cache.fill(state["caller"].user_id, generation, page, known)

    async def _admit(self, zone: zones.Zone, caller: Caller | None, address: str, page: str) -> Decision:
        subject, security = caller.user_id if caller else address, self.runtime.settings.security
        limit = zone.rate * zones.WINDOW * security.rate_factor * self.runtime.pressure()
        counted = subject if zone is zones.READ else f"{subject}:{zone.name}"  # pages are kept under the reader's name
        return await self.runtime.cache.admit(
            Admission(counted, caller.session_id if caller else "", zones.WINDOW, limit, page)
        )

    def _caller(self, scope: Scope) -> Caller | None:
        for name, value in scope["headers"]:
            if name == b"authorization":
                kind, _, token = value.decode("latin-1").partition(" ")
                return self.runtime.tokens.verify(token.strip()) if kind.lower() == "bearer" else None
        for protocol in scope.get("subprotocols", ()):
            if protocol.startswith("bearer."):  # a browser's WebSocket cannot set a header
                return self.runtime.tokens.verify(protocol.removeprefix("bearer."))
        return None


def _page(scope: Scope, caller: Caller | None) -> str:
    query: bytes = scope["query_string"]
    path: str = scope["path"]
    if caller is None or scope.get("method") != "GET" or len(query) > LONGEST_QUERY or not PAGED.fullmatch(path):
        return ""
    return f"{path}?{query.decode('latin-1')}"


def _known(scope: Scope, page: bytes) -> Response:
    route, tag, body = page.split(b"\n", 2)  # the route's template is what metrics count by
    scope["state"]["route"] = route.decode()
    headers = {"etag": tag.decode()} if tag else {}
    return Response(body, 200, headers, "application/json")


async def _limited(zone: zones.Zone, wait: int, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 4429})
        return
    detail = f"more than {zone.rate:g} requests per second in the zone {zone.name!r}"
    await errors.response(429, detail, {"retry-after": str(wait)})(scope, receive, send)
