"""What the phases of an import share: how its rows are read, what its writer is told, its end in the audit trail."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

import app.db.import_writers.everything  # noqa: F401  (registers the kinds and their writers)
from app.db.import_writers import RunContext, writer_of
from app.db.import_writers.row_digests import KnowsRows
from app.db.locks import lock_subjects, share_subject
from app.db.repositories.audit import AuditEntry, write_audit
from app.db.repositories.imports import ImportRepository
from app.domain.access import AreaScope
from app.domain.imports import service
from app.domain.imports.model import Kind
from app.domain.imports.ports import ImportRun
from app.domain.imports.profiles import Profile
from app.domain.imports.reading import Plan, Positions
from app.domain.imports.registry import kind_of
from app.import_profiles import find_profile
from app.jobs.registry import JobView
from app.runtime import Runtime


def today_of(job: JobView) -> date:
    """The business date of the request, whenever the work is done."""
    return date.fromisoformat(job.arguments["today"])


async def plan_of(imports: ImportRepository, scope: AreaScope, run: ImportRun, positions: Positions, today: date) -> Plan:
    """How the rows of an import are read, the same in every phase."""
    areas = await imports.known_areas(scope, today)
    return Plan(kind_of(run.order.kind), positions, scope, areas, today, profile_of(run))


def profile_of(run: ImportRun) -> Profile | None:
    return find_profile(run.order.profile) if run.order.profile else None


def parts_go_side_by_side(run: ImportRun) -> bool:
    """Whether several parts may be applied at once: the writer settles who is first, and no part gives rows back to another."""
    return isinstance(writer_of(kind_of(run.order.kind)), KnowsRows) and not (run.layout or {}).get("gathered", True)


async def hold_kind(session: AsyncSession, scope: AreaScope, kind: Kind, *, beside_others: bool = False) -> None:
    """One import of a kind writes at a time in a district, or several that settle among themselves who is first
    (``beside_others``, see `KnowsRows`); one is taken back when none writes.
    """
    subject = f"import {scope.district} {kind.code}".encode()
    if beside_others:
        await share_subject(session, subject)
    else:
        await lock_subjects(session, [subject])


async def record_end(session: AsyncSession, run: ImportRun, action: str, reason: str | None = None) -> None:
    """Counts and codes only. The system itself is the actor."""
    counts = {"total": run.rows_total, "ok": run.counts.ok, "rejected": run.counts.rejected, "created": run.counts.created}
    details = {"kind": run.order.kind, "dry_run": run.order.dry_run, "status": run.status.value, "rows": counts}
    entry = AuditEntry(action, "import", run.id, run.area_code, reason=reason, details=details)
    await write_audit(session, [entry], None, district=run.area_code[:6])


async def fail_run(session: AsyncSession, job: JobView, problem: dict[str, Any], now: datetime) -> ImportRun:
    run = await service.fail(ImportRepository(session), job.scope, job.subject, problem, now)
    await record_end(session, run, "import.failed", reason=str(problem["code"]))
    return run


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
