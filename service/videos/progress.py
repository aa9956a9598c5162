"""How does a browser follow a video without asking again and again? A WebSocket that sends every change."""

import asyncio
import time
from collections import Counter

from fastapi import WebSocket, WebSocketDisconnect

from service.data.columns import Identifier
from service.http import dependencies, routing
from service.http.csrf import from_own_site
from service.http.errors import ProblemError
from service.runtime import Runtime
from service.security.permissions import Permission
from service.videos import service
from service.videos.models import FINAL
from service.videos.schemas import VideoPublic

router = routing.router("/api/v1")
PROTOCOL = "tecnocursos.progress"  # offered beside `bearer.<access token>`: browsers cannot set a header
INTERVAL = 1.0  # seconds between looks at the row; one primary-key read per open socket
MOST_STREAMS = 10  # of one person, in one process
GOING_AWAY, UNAUTHENTICATED, FORBIDDEN, MISSING, TOO_MANY = 1012, 4401, 4403, 4404, 4429


@router.websocket("/videos/{video_id}/progress")
async def follow(socket: WebSocket, video_id: Identifier, runtime: dependencies.RuntimeDep) -> None:
    """Send the video whenever it changes, until it, the session or the process ends, or the client leaves."""
    caller = socket.state.caller
    if (refusal := _refusal(socket, runtime)) is not None:
        await socket.close(refusal)
        return
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
    gauge = runtime.metrics.gauges["progress_streams"]
    gone = asyncio.create_task(_gone(socket))
    gauge.inc()
    runtime.streams[caller.user_id] += 1
    try:
        shown = 0
        while not gone.done():
            async with runtime.database.reading() as session:
                video = VideoPublic.model_validate(await service.owned(session, caller, video_id))
            if video.version != shown:
                shown = video.version
                await socket.send_text(video.model_dump_json())
            if video.status in FINAL:
                await socket.close()
                return
            if runtime.draining:
                await socket.close(GOING_AWAY)
                return
            if caller.expires <= time.time() or not await runtime.cache.is_open(caller.session_id):
                await socket.close(UNAUTHENTICATED)
                return
            await asyncio.wait([gone], timeout=INTERVAL)
    except ProblemError:
        await socket.close(MISSING)
    except WebSocketDisconnect:
        return
    finally:
        gauge.dec()
        runtime.streams -= Counter([caller.user_id])  # drops who has none left
        gone.cancel()


def _refusal(socket: WebSocket, runtime: Runtime) -> int | None:
    caller = socket.state.caller
    if caller is None:
        return UNAUTHENTICATED
    if not caller.may(Permission.VIDEOS_REQUEST) or not from_own_site(socket, runtime):
        return FORBIDDEN
    return TOO_MANY if runtime.streams[caller.user_id] >= MOST_STREAMS else None


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
