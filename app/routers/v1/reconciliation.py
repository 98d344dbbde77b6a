"""Reconciliation of an import's file with what is on record."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query, Response
from pydantic import BaseModel, Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry, AuditTrail
from app.dependencies import AuditDep, ClockDep, RuntimeDep, SessionDep
from app.domain.access import Actor
from app.domain.imports.model import Kind
from app.domain.imports.ports import ImportRun
from app.domain.imports.reconciling import Found, Reconciliation
from app.domain.imports.registry import kind_of
from app.import_reconciliation import reconcile
from app.routers.route import api_router
from app.routers.v1.import_access import Reader, require_sight_of_rows, visible_run
from app.runtime import Runtime
from app.sheets.writing import XLSX_TYPE
from app.workbook import Sheet, workbook

router = api_router("批量导入")

FINDINGS = {"new": "文件有、系统没有", "differing": "两边不一致", "missing": "系统有、文件没有"}


class FieldDifference(BaseModel):
    """不一致的一项。"""

    column: str = Field(description="列名")
    ours: str = Field(description="系统所记（号码已脱敏）")
    theirs: str = Field(description="文件所填（号码已脱敏）")


class FoundOut(BaseModel):
    """文件与系统不同的一处。"""

    finding: Literal["new", "differing", "missing"] = Field(description="，".join(f"{k} {v}" for k, v in FINDINGS.items()))
    row: int | None = Field(description="文件中的行号；系统有、文件没有的为 null")
    key: dict[str, str] = Field(description="认定同一对象的列（号码已脱敏）")
    fields: list[FieldDifference]

    @classmethod
    def of(cls, found: Found) -> FoundOut:
        fields = [FieldDifference(column=one.title, ours=one.ours, theirs=one.theirs) for one in found.fields]
        return cls(finding=found.finding, row=found.row, key=dict(found.key), fields=fields)


class ReconciliationOut(BaseModel):
    """对账结果。"""

    import_id: UUID
    kind: str
    as_of: date
    rows: int = Field(description="参加对账的文件行数（未能导入的行不参加）")
    rejected: int = Field(description="因有错未参加对账的行数")
    same: int = Field(description="一致的行数；文件中留空的单元格不算不一致")
    new: int = Field(description=FINDINGS["new"])
    differing: int = Field(description=FINDINGS["differing"])
    missing: int = Field(description="系统有、文件没有的记录数，只看文件所涉及的区划")
    differences: list[FoundOut] = Field(description="前若干处不同；全部见 reconciliation.xlsx")


@router.get("/imports/{import_id}/reconciliation", summary="与系统现有记录对账")
async def get_reconciliation(
    import_id: UUID,
    session: SessionDep,
    runtime: RuntimeDep,
    trail: AuditDep,
    actor: Reader,
    clock: ClockDep,
    shown: Annotated[int, Query(ge=0, le=200, description="列出前多少处不同，默认 50")] = 50,
) -> ReconciliationOut:
    """试运行后可先对账再决定是否导入；导入后可核对结果。文件逐行与系统今天的记录比对，并列出文件缺少的记录。"""
    run, result = await _reconciled(runtime, session, trail, actor, import_id, clock.today)
    return ReconciliationOut(
        import_id=run.id,
        kind=run.order.kind,
        as_of=clock.today,
        rows=result.rows,
        rejected=run.rows_total - result.rows,
        same=result.same,
        new=result.new,
        differing=result.differing,
        missing=result.missing,
        differences=[FoundOut.of(one) for one in result.found[:shown]],
    )


@router.get(
    "/imports/{import_id}/reconciliation.xlsx",
    summary="下载对账结果",
    response_class=Response,
    responses={200: {"description": "汇总、文件有系统没有、两边不一致、系统有文件没有四张表", "content": {XLSX_TYPE: {}}}},
)
async def download_reconciliation(
    import_id: UUID, session: SessionDep, runtime: RuntimeDep, trail: AuditDep, actor: Reader, clock: ClockDep
) -> Response:
    """号码均已脱敏。"""
    run, result = await _reconciled(runtime, session, trail, actor, import_id, clock.today)
    content = await asyncio.to_thread(workbook, _sheets(kind_of(run.order.kind), result))
    headers = {"Content-Disposition": f'attachment; filename="reconciliation-{clock.today:%Y%m%d}.xlsx"'}
    return Response(content, media_type=XLSX_TYPE, headers=headers | {"Cache-Control": "private, no-store"})


async def _reconciled(
    runtime: Runtime, session: AsyncSession, trail: AuditTrail, actor: Actor, import_id: UUID, today: date
) -> tuple[ImportRun, Reconciliation]:
    run = await visible_run(session, actor, import_id)
    require_sight_of_rows(run, actor)
    result = await reconcile(runtime, session, actor.scope, run, today)
    counts = {"same": result.same, "new": result.new, "differing": result.differing, "missing": result.missing}
    await trail.record(AuditEntry("import.reconcile", "import", run.id, run.area_code, details=counts))
    return run, result


def _sheets(kind: Kind, result: Reconciliation) -> Iterator[Sheet]:
    keys = [kind.column(name).title for name in kind.key]
    totals: list[tuple[str, int]] = [
        ("参加对账的文件行数", result.rows),
        ("一致", result.same),
        (FINDINGS["new"], result.new),
        (FINDINGS["differing"], result.differing),
        (FINDINGS["missing"], result.missing),
    ]
    yield Sheet("汇总", (kind.title, "数量"), totals)
    new: list[tuple[int | str, ...]] = [(one.row or 0, *one.key.values()) for one in result.found if one.finding == "new"]
    yield Sheet("文件有系统没有", ("行号", *keys), new)
    differing: list[tuple[int | str, ...]] = [
        (one.row or 0, *one.key.values(), field.title, field.ours, field.theirs)
        for one in result.found
        if one.finding == "differing"
        for field in one.fields
    ]
    yield Sheet("两边不一致", ("行号", *keys, "列名", "系统所记", "文件所填"), differing)
    missing = [tuple(one.key.values()) for one in result.found if one.finding == "missing"]
    yield Sheet("系统有文件没有", keys, missing)
