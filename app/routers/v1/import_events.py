"""Following an import without asking again and again: server-sent events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import Header, Response
from fastapi.responses import StreamingResponse

from app.db.repositories.imports import ImportRepository
from app.db.session import transaction
from app.dependencies import RuntimeDep, SessionDep
from app.domain.access import AreaScope
from app.domain.imports.ports import ImportRun
from app.routers.route import api_router
from app.routers.v1.import_access import Reader, visible_run
from app.routers.v1.import_models import ImportOut
from app.runtime import Runtime

router = api_router("批量导入")

COME_AGAIN_MS = 2_000
EVENT_STREAM = "text/event-stream"
HEADERS = {"Cache-Control": "private, no-store", "X-Accel-Buffering": "no"}


@router.get(
    "/imports/{import_id}/events",
    summary="持续接收导入进度",
    response_class=StreamingResponse,
    responses={
        200: {"description": "server-sent events：progress 进度，finished 结束", "content": {EVENT_STREAM: {}}},
        204: {"description": "导入已结束，且结果已经收到过"},
    },
)
async def follow_import(
    import_id: UUID,
    session: SessionDep,
    runtime: RuntimeDep,
    actor: Reader,
    last_event_id: Annotated[str | None, Header(max_length=100, description="上次收到的事件编号，断线后接着收")] = None,
) -> Response:
    """`data` 与 `GET /imports/{import_id}` 的内容相同；有变化才发送，平时以注释行保持连接。收到 finished 后连接关闭。"""
    run = await visible_run(session, actor, import_id)
    if is_over(run) and last_event_id == event_id(run):
        return Response(status_code=204)
    stream = events(runtime, actor.scope, import_id, last_event_id)
    return StreamingResponse(stream, media_type=EVENT_STREAM, headers=HEADERS)


def is_over(run: ImportRun) -> bool:
    """Nothing more will happen by itself."""
    return run.is_finished and run.phase == "finished"


def event_id(run: ImportRun) -> str:
    """The same for as long as there is nothing new to say."""
    return f"{run.version}-{run.parts_done}"


async def events(runtime: Runtime, scope: AreaScope, import_id: UUID, seen: str | None) -> AsyncIterator[str]:
    """Each look is a short transaction of its own: listeners hold no connections."""
    settings = runtime.settings
    until = time.monotonic() + settings.import_listen_seconds
    spoken = time.monotonic()
    yield f"retry: {COME_AGAIN_MS}\n\n"
    while time.monotonic() < until:
        async with transaction(runtime.engine, scope) as session:
            run = await ImportRepository(session).get(scope, import_id)
        if event_id(run) != seen:
            seen, spoken = event_id(run), time.monotonic()
            yield _event(run)
        if is_over(run):
            return
        if time.monotonic() - spoken >= settings.import_heartbeat_seconds:
            spoken = time.monotonic()
            yield ": 仍在处理\n\n"
        await asyncio.sleep(settings.import_poll_seconds)


def _event(run: ImportRun) -> str:
    name = "finished" if is_over(run) else "progress"
    return f"id: {event_id(run)}\nevent: {name}\ndata: {ImportOut.of(run).model_dump_json()}\n\n"
