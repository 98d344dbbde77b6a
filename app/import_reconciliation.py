"""Reconciling the file of an import with what is on record now: the file is read again by the very same code."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Sequence
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from app.db.export_readers import Reading, reader_of
from app.db.repositories.import_parts import ImportPartRepository, PartSeals
from app.db.repositories.imports import ImportRepository
from app.domain.access import AreaScope
from app.domain.errors import Conflict
from app.domain.imports.model import ImportStatus, Kind
from app.domain.imports.ports import ImportRun
from app.domain.imports.reading import Plan, RawRow, parse_block
from app.domain.imports.reconciling import Reconciler, Reconciliation
from app.domain.imports.registry import kind_of
from app.files import FileStore
from app.import_profiles import find_profile
from app.jobs.exports import masked
from app.jobs.import_reading import open_file
from app.jobs.import_running import plan_of
from app.runtime import Runtime

MAX_ROWS = 100_000
"""Both sides are held in memory and answered within one request."""
BLOCK_ROWS = 2_000


async def reconcile(runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun, today: date) -> Reconciliation:
    """The file of a finished import or dry run against the sender's area as it stands on ``today``.

    Raises ``Conflict``: import_not_finished, import_failed, reconciliation_too_large.
    """
    _require_readable(run, scope)
    kind = kind_of(run.order.kind)
    reconciler = Reconciler(kind, masked)
    await _add_ours(runtime, session, scope, run, kind, today, reconciler)
    rejected = await _rejected(runtime, session, scope, run)
    store = FileStore(runtime.cipher)
    content = b"".join([piece async for piece in store.read(scope, session, run.order.file_id)])
    profile = find_profile(run.order.profile) if run.order.profile else None
    file = await asyncio.to_thread(open_file, io.BytesIO(content), run.file_name, kind, profile)
    plan = await plan_of(ImportRepository(session), scope, run, file.layout, today)
    return await asyncio.to_thread(_compare, plan, list(file.rows), rejected, reconciler)


def _require_readable(run: ImportRun, scope: AreaScope) -> None:
    if not run.is_finished:
        raise Conflict("import_not_finished", "导入尚未结束，请结束后再对账。")
    if run.status is ImportStatus.FAILED:
        raise Conflict("import_failed", "整个文件未能导入，无法对账；请按 problem 更正后重新导入或试运行。")
    if run.rows_total > MAX_ROWS:
        raise _too_large(scope)


def _too_large(scope: AreaScope) -> Conflict:
    """Split by the areas below the sender's own."""
    by = {6: "按乡镇（街道）", 9: "按村（社区）"}.get(len(scope.prefix), "")
    return Conflict("reconciliation_too_large", f"超过 {MAX_ROWS} 行，请{by}拆分文件，分别试运行后对账。")


async def _add_ours(
    runtime: Runtime,
    session: AsyncSession,
    scope: AreaScope,
    run: ImportRun,
    kind: Kind,
    today: date,
    reconciler: Reconciler,
) -> None:
    count = 0
    async for rows in reader_of(kind).read(scope, session, Reading(run.area_code, today, runtime.cipher)):
        count += len(rows)
        if count > MAX_ROWS:
            raise _too_large(scope)
        reconciler.add_ours(rows)


async def _rejected(runtime: Runtime, session: AsyncSession, scope: AreaScope, run: ImportRun) -> set[int]:
    """Rows that couldn't be imported: what they say can't be compared."""
    parts, seals = ImportPartRepository(session), PartSeals(runtime.cipher, run.id)
    numbers = await parts.list_with_rejected(scope, run.id, from_number=0)
    return {row.number for number in numbers for row in seals.open_rejected(await parts.get(scope, run.id, number))}


def _compare(plan: Plan, rows: Sequence[RawRow], rejected: set[int], reconciler: Reconciler) -> Reconciliation:
    for first in range(0, len(rows), BLOCK_ROWS):
        block, verdicts = parse_block(plan, rows[first : first + BLOCK_ROWS])
        faulty = rejected & {*block.numbers} | verdicts.keys()
        reconciler.add_file(block.without(faulty))
        reconciler.add_rejected(block.without({*block.numbers} - faulty))
    return reconciler.finish()
