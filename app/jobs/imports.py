"""Imports in the background: a file is read in one chunk, applied a part a chunk, and taken back in one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

import app.db.import_writers.everything  # noqa: F401  (registers the kinds and their writers)
from app.db.import_writers import RunContext, writer_of
from app.db.locks import lock_subjects
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.import_parts import ImportPartRepository, PartSeals, StagedPart, rejections
from app.db.repositories.imports import ImportRepository
from app.db.session import transaction
from app.domain.access import AreaScope
from app.domain.imports import service
from app.domain.imports.header import Layout
from app.domain.imports.model import Applied, Block, Kind
from app.domain.imports.ports import ImportRun
from app.domain.imports.profiles import Profile
from app.domain.imports.reading import Plan, Positions, RawRow, parse_block
from app.domain.imports.registry import kind_of
from app.files import FileStore
from app.import_profiles import find_profile
from app.jobs.import_ahead import LooksAhead, PartAhead, ReadyPart
from app.jobs.import_reading import FileReading, merged, open_file
from app.jobs.queue import enqueue
from app.jobs.registry import ChunkView, JobView, register_handler
from app.runtime import Runtime

READ, APPLY, UNDO = "import_read", "import_apply", "import_undo"
SHOW_EVERY_SECONDS = 1.0
T = TypeVar("T")


class ImportQueue:
    """Starts the phases of an import in the transaction of the caller."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def read(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(READ, scope, import_id, [{}], by, now, today)

    async def apply(self, scope: AreaScope, import_id: UUID, parts: Sequence[int], by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(APPLY, scope, import_id, [{"part": number} for number in parts], by, now, today)

    async def undo(self, scope: AreaScope, import_id: UUID, by: UUID, now: datetime, today: date) -> UUID:
        return await self._start(UNDO, scope, import_id, [{}], by, now, today)

    async def _start(
        self, kind: str, scope: AreaScope, import_id: UUID, chunks: list[dict[str, Any]], by: UUID, now: datetime, today: date
    ) -> UUID:
        arguments = {"today": today.isoformat()}
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


def _today(job: JobView) -> date:
    """The business date of the request, whenever the work is done."""
    return date.fromisoformat(job.arguments["today"])


async def plan_of(imports: ImportRepository, scope: AreaScope, run: ImportRun, positions: Positions, today: date) -> Plan:
    """How the rows of an import are read, the same in every phase."""
    areas = await imports.known_areas(scope, today)
    return Plan(kind_of(run.order.kind), positions, scope, areas, today, _profile_of(run))


def _profile_of(run: ImportRun) -> Profile | None:
    return find_profile(run.order.profile) if run.order.profile else None


async def hold_kind(session: AsyncSession, scope: AreaScope, kind: Kind) -> None:
    """One import of a kind writes at a time in a district: two of the same people neither deadlock nor write twice."""
    await lock_subjects(session, [f"import {scope.district} {kind.code}".encode()])


async def _record(session: AsyncSession, run: ImportRun, action: str, reason: str | None = None) -> None:
    """Counts and codes only. The system itself is the actor."""
    counts = {"total": run.rows_total, "ok": run.counts.ok, "rejected": run.counts.rejected, "created": run.counts.created}
    details = {"kind": run.order.kind, "dry_run": run.order.dry_run, "status": run.status.value, "rows": counts}
    entry = AuditEntry(action, "import", run.id, run.area_code, reason=reason, details=details)
    await write_audit(session, [entry], None, district=run.area_code[:6])


async def _fail(session: AsyncSession, job: JobView, problem: dict[str, Any], now: datetime) -> None:
    run = await service.fail(ImportRepository(session), job.scope, job.subject, problem, now)
    await _record(session, run, "import.failed", reason=str(problem["code"]))


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
            facts = await self._read(runtime, session, job, run, thread)
        finally:
            thread.shutdown(wait=False, cancel_futures=True)  # it may be waiting for this very loop
        await imports.set(job.scope, run.id, status="running", started_at=run.started_at or now, **facts)
        return {"rows": facts["rows_total"]}

    async def _read(
        self, runtime: Runtime, session: AsyncSession, job: JobView, run: ImportRun, thread: ThreadPoolExecutor
    ) -> dict[str, Any]:
        """Stages every row; answers the columns of the import that are known now."""
        store, parts, seals = FileStore(runtime.cipher), ImportPartRepository(session), PartSeals(runtime.cipher, run.id)
        kept, progress = await store.get(job.scope, session, run.order.file_id), Progress(runtime, job)
        source, profile = store.reader(job.scope, session, kept), _profile_of(run)
        file = await _in(thread, lambda: open_file(source, kept.name, kind_of(run.order.kind), profile))
        plan = await plan_of(ImportRepository(session), job.scope, run, file.layout, _today(job))
        reading = FileReading(file, plan, seals)
        while part := await _in(thread, reading.next_part):
            await parts.add(job.scope, run.id, part)
            await progress.show(reading.rows, source.tell())
        for number, verdicts in (await _in(thread, reading.end)).items():
            await self._reject(job.scope, parts, run, number, partial(merged, seals, verdicts), thread)
        return {
            "layout": reading.layout(),
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
        run = await service.go_on(imports, ImportQueue(session), job.scope, job.subject, left, now, _today(job))
        if run.is_finished:
            await _record(session, run, "import.finished")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,
    ) -> None:
        await _fail(session, job, problem, now)


async def _in(thread: ThreadPoolExecutor, work: Callable[[], T]) -> T:
    """In the one thread that the readers of a file stay in, while this coroutine waits and its session serves them."""
    return await asyncio.get_running_loop().run_in_executor(thread, work)


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


# --- applying ----------------------------------------------------------------------------------------------------------


class ApplyHandler:
    """Applies one part in one transaction: what a part writes, its counts and its being done are one."""

    def __init__(self) -> None:
        self._next = PartAhead()

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        imports, number = ImportRepository(session), int(chunk.arguments["part"])
        run = await imports.get(job.scope, job.subject)
        layout = Layout.from_json((run.layout or {})["columns"])
        plan, context = await plan_of(imports, job.scope, run, layout, _today(job)), context_of(runtime, run, now, _today(job))
        ready = await self._next.take(run.id, number) or await _make_ready(session, plan, context, number)
        if number + 1 < run.parts:
            self._next.start(run.id, number + 1, _make_ready_aside(runtime, plan, context, number + 1))
        await hold_kind(session, job.scope, plan.kind)
        applied = await _write(session, run, plan, context, ready)
        outcome = _outcome(PartSeals(runtime.cipher, run.id), ready.part, ready.rows, applied)
        await ImportPartRepository(session).set(job.scope, run.id, number, done=True, **outcome)
        return None

    async def finish(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        *,
        now: datetime,
    ) -> None:
        run = await service.end(ImportRepository(session), job.scope, job.subject, now)
        await _record(session, run, "import.finished")

    async def give_up(
        self,
        runtime: Runtime,  # noqa: ARG002
        session: AsyncSession,
        job: JobView,
        problem: dict[str, Any],
        *,
        now: datetime,
    ) -> None:
        self._next.drop()
        await _fail(session, job, problem, now)


async def _make_ready(session: AsyncSession, plan: Plan, context: RunContext, number: int) -> ReadyPart:
    """A part parsed again, as far as it goes without a decision."""
    part = await ImportPartRepository(session).get(plan.scope, context.import_id, number)
    rows, block = await asyncio.to_thread(_block_of, plan, PartSeals(context.cipher, context.import_id), part)
    writer = writer_of(plan.kind)
    ahead = await writer.look_ahead(plan.scope, session, block, context) if isinstance(writer, LooksAhead) else None
    return ReadyPart(part, rows, block, ahead)


async def _make_ready_aside(runtime: Runtime, plan: Plan, context: RunContext, number: int) -> ReadyPart:
    """Beside the transaction that writes, which is busy with another part."""
    async with transaction(runtime.engine, plan.scope) as session:
        return await _make_ready(session, plan, context, number)


def _block_of(plan: Plan, seals: PartSeals, part: StagedPart) -> tuple[list[RawRow], Block]:
    """The rows as sent, and those that reading has let through."""
    rejected = {one.number for one in seals.open_rejected(part)}
    rows = [row for row in seals.open_rows(part) if row[0] not in rejected]
    block, verdicts = parse_block(plan, rows)
    return rows, block.without(verdicts)


async def _write(session: AsyncSession, run: ImportRun, plan: Plan, context: RunContext, ready: ReadyPart) -> Applied:
    """A dry run does the very same, and then takes it back."""
    if not run.order.dry_run:
        return await _written(session, plan, context, ready)
    async with session.begin_nested() as attempt:
        applied = await _written(session, plan, context, ready)
        await attempt.rollback()
    return applied


async def _written(session: AsyncSession, plan: Plan, context: RunContext, ready: ReadyPart) -> Applied:
    writer = writer_of(plan.kind)
    if isinstance(writer, LooksAhead):
        return await writer.write(plan.scope, session, ready.block, context, ready.ahead)
    return await writer.write(plan.scope, session, ready.block, context)


def context_of(runtime: Runtime, run: ImportRun, now: datetime, today: date) -> RunContext:
    return RunContext(
        import_id=run.id,
        kind=kind_of(run.order.kind),
        mode=run.order.mode,
        today=today,
        now=now,
        actor_id=run.requested_by,
        actor_name=run.requested_by_name,
        keys=runtime.keys,
        cipher=runtime.cipher,
        blind_index=runtime.blind_index,
    )


def _outcome(seals: PartSeals, part: StagedPart, rows: Sequence[RawRow], applied: Applied) -> dict[str, Any]:
    """A part's columns after it has been written; what the writer refused joins the rejected rows."""
    counts: dict[str, Any] = {"created": applied.created, "updated": applied.updated, "unchanged": applied.unchanged}
    if not applied.refused:
        return counts
    rejected = rejections(rows, applied.refused, seals.open_rejected(part))
    return counts | {"rejected": len(rejected), "rejected_sealed": seals.seal_rejected(part.number, rejected)}


# --- taking back -------------------------------------------------------------------------------------------------------


async def take_back(
    runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun, now: datetime, today: date
) -> None:
    """All that an import wrote, in the caller's transaction. Raises Conflict import_cannot_be_undone."""
    writer = writer_of(kind_of(run.order.kind))
    await hold_kind(session, scope, kind_of(run.order.kind))
    context = context_of(runtime, run, now, today)
    service.require_nothing_built_on(await writer.what_built_on(scope, session, run.id, context))
    await writer.undo(scope, session, run.id, context)


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
        await take_back(runtime, session, job.scope, run, now, _today(job))
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
        await _record(session, run, "import.undone")

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
        await _record(session, run, "import.undo_failed", reason=str(problem["code"]))


register_handler(READ, ReadHandler())
register_handler(APPLY, ApplyHandler())
register_handler(UNDO, UndoHandler())
