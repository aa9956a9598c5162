"""How does a browser follow a video without asking again and again? A WebSocket that sends every change."""

import asyncio

from fastapi import APIRouter, WebSocket, WebSocketDisconnect

from service.data.columns import Identifier
from service.http import dependencies
from service.http.csrf import from_own_site
from service.http.errors import ProblemError
from service.security.permissions import Permission
from service.videos import service
from service.videos.models import FINAL
from service.videos.schemas import VideoPublic

router = APIRouter(prefix=dependencies.API)
PROTOCOL = "tecnocursos.progress"  # offered beside `bearer.<access token>`: browsers cannot set a header
INTERVAL = 1.0  # seconds between looks at the row; one primary-key read per open socket
GOING_AWAY, UNAUTHENTICATED, FORBIDDEN, MISSING = 1012, 4401, 4403, 4404


@router.websocket("/videos/{video_id}/progress")
async def follow(socket: WebSocket, video_id: Identifier, runtime: dependencies.RuntimeDep) -> None:
    """Send the video whenever it changes, until it is finished, the client leaves or the process drains."""
    caller = socket.state.caller
    if caller is None:
        await socket.close(UNAUTHENTICATED)
        return
    if not caller.may(Permission.VIDEOS_REQUEST) or not from_own_site(socket, runtime):
        await socket.close(FORBIDDEN)
        return
    await socket.accept(PROTOCOL if PROTOCOL in socket.scope["subprotocols"] else None)
    gauge = runtime.metrics.gauges["progress_streams"]
    gone = asyncio.create_task(_gone(socket))
    gauge.inc()
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
            await asyncio.wait([gone], timeout=INTERVAL)
    except ProblemError:
        await socket.close(MISSING)
    except WebSocketDisconnect:
        return
    finally:
        gauge.dec()
        gone.cancel()


async def _gone(socket: WebSocket) -> None:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
