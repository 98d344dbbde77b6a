"""Imports in the background: a file is read in one chunk, applied a part a chunk, and taken back in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.constraints import is_still_referred_to
from app.db.import_writers import HoldsSubjects, RunContext, writer_of
from app.db.import_writers.row_digests import KnowsRows
from app.db.repositories.import_parts import ImportPartRepository, PartSeals, StagedPart
from app.db.repositories.imports import ImportRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports import service
from app.domain.imports.ports import ImportRun
from app.domain.imports.registry import kind_of
from app.files import FileStore
from app.jobs.import_again import read_under, settle_as_before
from app.jobs.import_applying import LANES, ApplyHandler
from app.jobs.import_gathering import Gathering
from app.jobs.import_reading import FileReading, merged, open_file
from app.jobs.import_running import (
    context_of,
    fail_run,
    hold_kind,
    parts_go_side_by_side,
    plan_of,
    profile_of,
    record_end,
    today_of,
)
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.runtime import Runtime

READ, APPLY, UNDO = "import_read", "import_apply", "import_undo"
SHOW_EVERY_SECONDS = 1.0
T = TypeVar("T")


class ImportQueue:
    """Starts the phases of an import in the transaction of the caller. ``lanes``: how many of its parts are applied at once."""

    def __init__(self, session: AsyncSession, lanes: int = 1) -> None:
        self._session = session
        self._lanes = lanes

    async def read(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(READ, scope, import_id, [{}], by, now, today)

    async def apply(self, scope: AreaScope, import_id: UUID, parts: Sequence[int], by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(APPLY, scope, import_id, [{"part": number} for number in parts], by, now, today)

    async def undo(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(UNDO, scope, import_id, [{}], by, now, today)

    async def _start(
        self, kind: str, scope: AreaScope, import_id: UUID, chunks: list[dict[str, Any]], by: UUID, now: datetime, today: date
    ) -> UUID:
        arguments = {"today": today.isoformat(), "lanes": self._lanes}
        return await enqueue(
            scope,
            self._session,
            kind=kind,
            arguments=arguments,
            chunks=chunks,
            requested_by=by,
            now=now,
            subject_id=import_id,
        )


# --- reading -----------------------------------------------------------------------------------------------------------


class ReadHandler:
    """Reads and checks the whole file in one transaction: after a kill it begins anew, and leaves nothing of the first try."""

    async def run_chunk(
        self,
        runtime: Runtime,
        session: AsyncSession,
        job: JobView,
        chunk: ChunkView,  # noqa: ARG002  (the signature of every handler)
        *,
        now: datetime,
    ) -> dict[str, Any] | None:
        imports, thread = ImportRepository(session), ThreadPoolExecutor(max_workers=1, thread_name_prefix="import")
        run = await imports.get(job.scope, job.subject)
        try:
            facts = await self._read(runtime, session, job, run, context_of(runtime, run, now, today_of(job)), thread)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)  # it may be waiting for this very loop
        await imports.set(job.scope, run.id, status="running", started_at=run.started_at or now, **facts)
        return {"rows": facts["rows_total"]}

    async def _read(
        self,
        runtime: Runtime,
        session: AsyncSession,
        job: JobView,
        run: ImportRun,
        context: RunContext,
        thread: ThreadPoolExecutor,
    ) -> dict[str, Any]:
        """Stages every row; answers the columns of the import that are known now."""
        store, parts, seals = FileStore(runtime.cipher), ImportPartRepository(session), PartSeals(runtime.cipher, run.id)
        kept, progress = await store.get(job.scope, session, run.order.file_id), Progress(runtime, job)
        under = read_under(kept.name, await ImportRepository(session).known_areas(job.scope, today_of(job)))
        if as_before := await settle_as_before(job.scope, session, run, kept, context, under):
            return as_before
        turn = asyncio.Lock()
        source, profile = store.reader(job.scope, session, kept, turn), profile_of(run)
        file = await _in(thread, lambda: open_file(source, kept.name, kind_of(run.order.kind), profile))
        plan = await plan_of(ImportRepository(session), job.scope, run, file.layout, today_of(job))
        writer = writer_of(plan.kind)
        known_by = partial(writer.digests_of, run=context) if isinstance(writer, KnowsRows) else None
        reading = FileReading(file, plan, seals, known_by)
        async with aclosing(_one_ahead(thread, lambda: (reading.next_part(), reading.rows, source.tell()))) as ahead:
            async for part, rows, position in ahead:
                async with turn:
                    await parts.add(job.scope, run.id, part)
                await progress.show(rows, position)
        for number, verdicts in (await _in(thread, reading.end)).items():
            await self._reject(job.scope, parts, run, number, partial(merged, seals, verdicts), thread)
        if scattered := await _in(thread, lambda: reading.scattered):
            await Gathering(job.scope, parts, run.id, seals).gather(scattered, behind=reading.behind)
        return {
            "layout": reading.layout() | {"read_under": under},
            "notices": reading.notices(),
            "rows_total": reading.rows,
            "bytes_read": kept.size_bytes,
        }

    async def _reject(
        self,
        scope: AreaScope,
        parts: ImportPartRepository,
        run: ImportRun,
        number: int,
        merge: Callable[[StagedPart], dict[str, Any]],
        thread: ThreadPoolExecutor,
    ) -> None:
        """Adds what was found wrong only when the whole file was known."""
        part = await parts.get(scope, run.id, number)
        await parts.set(scope, run.id, number, **await _in(thread, lambda: merge(part)))

    async def finish(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        imports = ImportRepository(session)
        left = await ImportPartRepository(session).list_to_apply(job.scope, job.subject)
        lanes = LANES if parts_go_side_by_side(await imports.get(job.scope, job.subject)) else 1
        run = await service.go_on(imports, ImportQueue(session, lanes), job.scope, job.subject, left, now, today_of(job))
        if run.is_finished:
            await record_end(session, run, "import.finished")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,
    ) -> None:
        await fail_run(session, job, problem, now)


async def _in(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """In the one thread that the readers of a file stay in; whoever uses their session meanwhile takes turns with them."""
    return await asyncio.get_running_loop().run_in_executor(thread, work)


async def _one_ahead(
    thread: ThreadPoolExecutor, work: Callable[[], tuple[StagedPart | None, int, int]]
) -> AsyncGenerator[tuple[StagedPart, int, int]]:
    """What ``work`` gives, until it gives no part; the next is under way in the thread while the caller stores the one before."""
    coming = asyncio.create_task(_in(thread, work))
    try:
        while True:
            part, rows, position = await coming
            if part is None:
                return
            coming = asyncio.create_task(_in(thread, work))
            yield part, rows, position
    finally:
        coming.cancel()


class Progress:
    """Shows how far the reading is, about once a second, in short transactions of its own."""

    def __init__(self, runtime: Runtime, job: JobView) -> None:
        self._runtime = runtime
        self._job = job
        self._next = time.monotonic()

    async def show(self, rows: int, bytes_read: int) -> None:
        if time.monotonic() < self._next:
            return
        self._next = time.monotonic() + SHOW_EVERY_SECONDS
        scope, import_id, now = self._job.scope, self._job.subject, datetime.now(UTC)
        async with transaction(self._runtime.engine, scope) as session:
            imports = ImportRepository(session)
            await imports.show_progress(scope, import_id, rows_total=rows, bytes_read=bytes_read, now=now)


# --- taking back -------------------------------------------------------------------------------------------------------


async def take_back(
    runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun, now: datetime, today: date
) -> None:
    """All that an import wrote, in the caller's transaction. Raises Conflict import_cannot_be_undone."""
    await hold_kind(session, scope, kind_of(run.order.kind))
    if isinstance(writer := writer_of(kind_of(run.order.kind)), HoldsSubjects):
        await writer.hold(scope, session, run.id)
    await require_nothing_built_on(runtime, session, scope, run, now, today)
    try:
        await writer.undo(scope, session, run.id, context_of(runtime, run, now, today))
    except (DBAPIError, asyncpg.PostgresError) as error:
        if is_still_referred_to(error):
            raise service.built_on_by_others() from error
        raise


async def require_nothing_built_on(
    runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun, now: datetime, today: date
) -> None:
    """Raises Conflict import_cannot_be_undone with what stands on the import; asked set by set, however large it is."""
    context = context_of(runtime, run, now, today)
    writer = writer_of(kind_of(run.order.kind))
    service.require_nothing_built_on(await writer.what_built_on(scope, session, run.id, context))


class UndoHandler:
    """Takes a large import back, all or nothing."""

    async def run_chunk(
        self,
        runtime: Runtime,
        session: AsyncSession,
        job: JobView,
        chunk: ChunkView,  # noqa: ARG002
        *,
        now: datetime,
    ) -> dict[str, Any] | None:
        run = await ImportRepository(session).get(job.scope, job.subject)
        await take_back(runtime, session, job.scope, run, now, today_of(job))
        return None

    async def finish(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        run = await service.undone(ImportRepository(session), job.scope, job.subject, job.requested_by, now)
        await record_end(session, run, "import.undone")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,  # noqa: ARG002
    ) -> None:
        run = await service.stays(ImportRepository(session), job.scope, job.subject, problem)
        await record_end(session, run, "import.undo_failed", reason=str(problem["code"]))


register_handler(READ, ReadHandler())
register_handler(APPLY, ApplyHandler(), lanes=LANES)
register_handler(UNDO, UndoHandler())
