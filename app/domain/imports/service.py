"""Imports, told in order: put on record, read and checked, applied, summed up, and taken back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID

from app.domain.access import Actor, AreaScope
from app.domain.errors import Conflict, FieldError, Forbidden, Malformed
from app.domain.imports.codes import BLOCKERS
from app.domain.imports.model import ImportStatus, Kind
from app.domain.imports.ports import ImportJobs, ImportOrder, ImportRun, Imports

NOTHING_TO_UNDO = "该次导入没有新增或修改任何记录，无需撤销。"


def kind_named(kinds: Mapping[str, Kind], code: str) -> Kind:
    """``Malformed`` that lists the kinds there are."""
    if code not in kinds:
        known = "、".join(f"{kind.code}（{kind.title}）" for kind in kinds.values())
        finding = FieldError("/kind", "unknown_kind", f"没有该类导入，可用：{known}。")
        raise Malformed("malformed_request", "导入类别有误，请按 errors 更正。", errors=[finding])
    return kinds[code]


def require_importer(kind: Kind, actor: Actor) -> None:
    """``Forbidden`` import_duty_required."""
    if not actor.has(*kind.importers):
        raise Forbidden("import_duty_required", f"您的岗位不能导入“{kind.title}”，请转交负责此项工作的岗位办理。")


async def start(
    imports: Imports,
    jobs: ImportJobs,
    scope: AreaScope,
    import_id: UUID,
    order: ImportOrder,
    actor: Actor,
    now: datetime,
    today: date,
) -> ImportRun:
    """Puts an import of a stored file on record, to be read in the background."""
    await imports.add(scope, import_id, order, actor.id, actor.name, now)
    job_id = await jobs.read(scope, import_id, actor.id, now, today)
    await imports.set(scope, import_id, job_id=job_id)
    return await imports.get(scope, import_id)


async def go_on(
    imports: Imports, jobs: ImportJobs, scope: AreaScope, import_id: UUID, parts: Sequence[int], now: datetime, today: date
) -> ImportRun:
    """After reading: applies the parts that have rows left, or ends it when none has."""
    run = await imports.get(scope, import_id, lock=True)
    if not parts:
        return await end(imports, scope, import_id, now)
    job_id = await jobs.apply(scope, import_id, parts, run.requested_by, now, today)
    await imports.set(scope, import_id, job_id=job_id, phase="applying")
    return await imports.get(scope, import_id)


async def end(imports: Imports, scope: AreaScope, import_id: UUID, now: datetime) -> ImportRun:
    """After applying: sums up, and forgets the rows as sent."""
    run = await imports.get(scope, import_id, lock=True)
    status = ImportStatus.COMPLETED_WITH_ERRORS if run.counts.rejected else ImportStatus.SUCCEEDED
    return await _close(imports, scope, run, status, None, now)


async def fail(imports: Imports, scope: AreaScope, import_id: UUID, problem: dict[str, Any], now: datetime) -> ImportRun:
    """The file can't be read, or a part not be applied; what other parts have written stays, and can be taken back."""
    run = await imports.get(scope, import_id, lock=True)
    return await _close(imports, scope, run, ImportStatus.FAILED, problem, now)


async def _close(
    imports: Imports, scope: AreaScope, run: ImportRun, status: ImportStatus, problem: dict[str, Any] | None, now: datetime
) -> ImportRun:
    await imports.drop_staged(scope, run.id)
    counts = {"rows_ok": run.counts.ok, "rows_rejected": run.counts.rejected, "rows_created": run.counts.created}
    counts |= {"rows_updated": run.counts.updated, "rows_unchanged": run.counts.unchanged}
    await imports.set(scope, run.id, status=status.value, phase="finished", problem=problem, finished_at=now, **counts)
    return await imports.get(scope, run.id)


# --- taking back -------------------------------------------------------------------------------------------------------


def require_undoable(run: ImportRun, now: datetime, kept_for: timedelta) -> None:
    """``Conflict`` with what stands against it. ``kept_for``: how long what stood before an import is kept."""
    if not run.is_finished or run.phase != "finished":
        raise Conflict("import_not_finished", "导入（或其撤销）尚未结束，请结束后再办理。")
    if run.status is ImportStatus.UNDONE:
        raise Conflict("import_undone", "该次导入已经撤销，无需重复办理。")
    if run.order.dry_run:
        raise Conflict("import_is_dry_run", "试运行没有写入任何内容，无需撤销。")
    if not run.has_written:
        raise Conflict("nothing_to_undo", NOTHING_TO_UNDO)
    if run.finished_at is not None and run.finished_at + kept_for < now:
        text = f"该次导入结束已满 {kept_for.days} 天，导入前的内容不再保留，不能整批撤销，请逐项更正。"
        raise Conflict("import_undo_expired", text)


def require_nothing_built_on(built: Mapping[str, int]) -> None:
    """``Conflict`` that names what has come to rest on the import, with counts by kind."""
    if built:
        named = "、".join(f"{BLOCKERS.get(code, code)} {count} 项" for code, count in built.items())
        raise Conflict(
            "import_cannot_be_undone",
            f"导入之后已有业务以其为依据：{named}。请逐项更正，不能整批撤销。",
            members={"built_on": [{"code": code, "count": count} for code, count in built.items()]},
        )


def built_on_by_others() -> Conflict:
    """What stands on the import can't be counted: it lies outside the area, or came this very moment."""
    return Conflict(
        "import_cannot_be_undone",
        "导入之后已有业务以其为依据（可能在您的辖区以外，或刚刚办理），不能整批撤销，请逐项更正。",
        members={"built_on": [{"code": "dependent_records", "count": 1}]},
    )


async def undone(imports: Imports, scope: AreaScope, import_id: UUID, by: UUID, now: datetime) -> ImportRun:
    """What the import wrote has been taken back."""
    status = ImportStatus.UNDONE.value
    await imports.set(scope, import_id, status=status, phase="finished", problem=None, undone_by=by, undone_at=now)
    return await imports.get(scope, import_id)


async def undo_later(
    imports: Imports, jobs: ImportJobs, scope: AreaScope, run: ImportRun, actor: Actor, now: datetime, today: date
) -> ImportRun:
    """Taken back in the background: there is much of it."""
    job_id = await jobs.undo(scope, run.id, actor.id, now, today)
    await imports.set(scope, run.id, job_id=job_id, phase="undoing", problem=None)
    return await imports.get(scope, run.id)


async def stays(imports: Imports, scope: AreaScope, import_id: UUID, problem: dict[str, Any]) -> ImportRun:
    """Taking back has failed as a whole: the import stands as it stood."""
    await imports.set(scope, import_id, phase="finished", problem=problem)
    return await imports.get(scope, import_id)
