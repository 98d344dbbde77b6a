"""Applying the parts of an import: several at once, each in a transaction of its own.

While Postgres writes one part, the next is opened, checked and sealed: ``LANES`` parts are under way at any time, where parts may
go side by side. A part whose rows say what they said last time (`RowDigests`) isn't opened at all.
"""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.import_writers import RunContext, writer_of
from app.db.import_writers.row_digests import KnowsRows, RowDigests
from app.db.repositories.identity import add_found_elsewhere, add_stop
from app.db.repositories.import_parts import ImportPartRepository, PartSeals, StagedPart
from app.db.repositories.imports import ImportRepository
from app.domain.access import AreaScope
from app.domain.imports import service
from app.domain.imports.elsewhere import STOPPED, WINDOW, require_no_asking, rows_elsewhere
from app.domain.imports.header import Layout
from app.domain.imports.model import Applied, Block, Verdicts
from app.domain.imports.ports import ImportRun
from app.domain.imports.reading import Plan, RawRow, parse_block
from app.jobs.import_gathering import Gathering
from app.jobs.import_running import context_of, fail_run, hold_kind, parts_go_side_by_side, plan_of, record_end, today_of
from app.jobs.registry import ChunkView, JobView
from app.runtime import Runtime

LANES = 3


class ApplyHandler:
    """Applies one part in one transaction: what a part writes, its counts and its being done are one."""

    async def run_chunk(
        self, runtime: Runtime, session: AsyncSession, job: JobView, chunk: ChunkView, *, now: datetime
    ) -> dict[str, Any] | None:
        imports, parts = ImportRepository(session), ImportPartRepository(session)
        run, number = await imports.get(job.scope, job.subject), int(chunk.arguments["part"])
        context = context_of(runtime, run, now, today_of(job))
        beside_others, seals = parts_go_side_by_side(run), PartSeals(runtime.cipher, run.id)
        if not beside_others:  # before the part is read: others of the import may be giving rows back to it
            await hold_kind(session, job.scope, context.kind)
        part = await parts.get(job.scope, run.id, number)
        digests = _digests_of(part, seals)
        if digests is not None and await _says_nothing_new(session, job.scope, context, digests):
            await parts.set(job.scope, run.id, number, done=True, **_counts(Applied(unchanged=len(digests))))
            return None
        layout = Layout.from_json((run.layout or {})["columns"])
        plan = await plan_of(imports, job.scope, run, layout, today_of(job))
        rows, block, found = await asyncio.to_thread(_block_of, plan, seals, part)
        if beside_others:
            await hold_kind(session, job.scope, context.kind, beside_others=True)
        applied = await _write(session, run, plan, context, block, digests)
        await _count_elsewhere(session, run, applied, digests, now)
        rejecting = await Gathering(job.scope, parts, run.id, seals).reject(part, rows, applied.refused | found)
        await parts.set(job.scope, run.id, number, done=True, **_counts(applied), **rejecting)
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
        run = await fail_run(session, job, problem, now)
        if problem["code"] == STOPPED:
            await add_stop(session, run.requested_by, now)


def _digests_of(part: StagedPart, seals: PartSeals) -> RowDigests | None:
    """Of the rows that are left; None for kinds whose rows aren't known by digests."""
    if part.digests is None:
        return None
    return RowDigests.unpack(part.digests).without({one.number for one in seals.open_rejected(part)})


async def _says_nothing_new(session: AsyncSession, scope: AreaScope, context: RunContext, digests: RowDigests) -> bool:
    writer = writer_of(context.kind)
    return isinstance(writer, KnowsRows) and await writer.says_nothing_new(scope, session, digests)


def _block_of(plan: Plan, seals: PartSeals, part: StagedPart) -> tuple[list[RawRow], Block, Verdicts]:
    """The rows as sent that reading has let through, what they say, and what is wrong with them by now."""
    rejected = {one.number for one in seals.open_rejected(part)}
    rows = [row for row in seals.open_rows(part) if row[0] not in rejected]
    block, verdicts = parse_block(plan, rows)
    return rows, block.without(verdicts), verdicts


async def _write(
    session: AsyncSession, run: ImportRun, plan: Plan, context: RunContext, block: Block, digests: RowDigests | None
) -> Applied:
    """A dry run does the very same, and then takes it back."""
    if not run.order.dry_run:
        return await _written(session, plan, context, block, digests)
    async with session.begin_nested() as attempt:
        applied = await _written(session, plan, context, block, digests)
        await attempt.rollback()
    return applied


async def _written(session: AsyncSession, plan: Plan, context: RunContext, block: Block, digests: RowDigests | None) -> Applied:
    writer = writer_of(plan.kind)
    if isinstance(writer, KnowsRows):
        return await writer.write(plan.scope, session, block, context, digests)
    return await writer.write(plan.scope, session, block, context)


async def _count_elsewhere(
    session: AsyncSession, run: ImportRun, applied: Applied, digests: RowDigests | None, now: datetime
) -> None:
    """Also in a dry run. A part that goes beyond what an account may come upon is never told, and ends the import."""
    numbers = rows_elsewhere(applied.refused)
    if not numbers or digests is None:
        return
    subjects = [subject for number, subject in zip(digests.numbers, digests.subjects, strict=True) if number in numbers]
    require_no_asking(run.area_code, await add_found_elsewhere(session, run.requested_by, subjects, now, now - WINDOW))


def _counts(applied: Applied) -> dict[str, Any]:
    return {"created": applied.created, "updated": applied.updated, "unchanged": applied.unchanged}
