"""Exports: the kinds of import back out, and the profiles that rename their columns."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from app.db.repositories.audit import AuditEntry
from app.db.repositories.exports import ExportRepository
from app.db.repositories.reference import find_area
from app.db.session import transaction
from app.dependencies import AuditDep, ClockDep, PageDep, RuntimeDep, SessionDep, allow, cursor_id, encode_cursor, set_etag
from app.domain.access import Actor, AreaScope, Duty
from app.domain.errors import Conflict, NotFound
from app.domain.imports.export_codes import STATUS
from app.domain.imports.exporting import ExportOrder, ExportRun, check_order, require_own
from app.domain.imports.profiles import Profile, ProfileColumn
from app.domain.imports.registry import KINDS, kind_of
from app.files import FileStore, KeptFile
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.import_profiles import profiles
from app.jobs.exports import start_export
from app.routers.models import ApiModel, AreaCodeText, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.areas import area_not_found
from app.runtime import Runtime
from app.sheets.writing import XLSX_TYPE

router = api_router("批量导出")

EXPORTERS = frozenset({Duty.STATION_CLERK, Duty.REVIEWER, Duty.FINANCE}).union(*(kind.exporters for kind in KINDS.values()))
Exporter = Annotated[Actor, allow(*sorted(EXPORTERS))]
Reader = Annotated[Actor, allow(*sorted(EXPORTERS | {Duty.AUDITOR}))]
STATUS_TEXT = "，".join(f"{code} {text}" for code, text in STATUS.items())


class ExportStart(ApiModel):
    """导出要求。"""

    kind: ShortText = Field(description="类别，与导入相同，见 GET /api/v1/import-kinds")
    format: Literal["csv", "xlsx"] = Field(default="xlsx", description="csv 不限行数；xlsx 至多 104 万行（一张工作表的上限）")
    area_code: AreaCodeText | None = Field(default=None, description="导出范围，默认本人辖区")
    as_of: date | None = Field(default=None, description="按该日的家庭、待遇和登记导出，默认今天")
    purpose: ShortText = Field(description="用途，印在文件上并留存备查；请只写事由，不写号码")
    plain: bool = Field(default=False, description="为 true 时给出完整号码，否则脱敏；完整的文件可以原样再导入")
    profile: ShortText | None = Field(default=None, description="列名对照方案，见 GET /api/v1/import-profiles")


class ExportOut(BaseModel):
    """一次导出。"""

    id: UUID
    kind: str
    format: str
    area_code: str
    as_of: date
    purpose: str
    plain: bool
    profile: str | None
    status: str = Field(description=STATUS_TEXT)
    rows: int
    size_bytes: int | None
    sha256: str | None = Field(description="文件内容的 SHA-256")
    problem: dict[str, Any] | None = Field(description="未能导出的原因")
    requested_by_name: str
    requested_at: datetime
    finished_at: datetime | None
    available_until: datetime | None = Field(description="文件保存到何时，过后删除；没有文件的为 null")

    @classmethod
    def of(cls, run: ExportRun, runtime: Runtime) -> ExportOut:
        order, kept_for = run.order, timedelta(days=runtime.settings.export_content_days)
        ended = run.finished_at if run.file_id else None
        return cls(
            id=run.id,
            kind=order.kind,
            format=order.format,
            area_code=order.area_code,
            as_of=order.as_of,
            purpose=order.purpose,
            plain=order.plain,
            profile=order.profile,
            status=run.status,
            rows=run.rows,
            size_bytes=run.size_bytes,
            sha256=run.sha256,
            problem=None if run.problem is None else dict(run.problem),
            requested_by_name=run.requested_by_name,
            requested_at=run.requested_at,
            finished_at=run.finished_at,
            available_until=ended + kept_for if ended else None,
        )


@router.post("/exports", status_code=202, summary="导出", dependencies=[IDEMPOTENT])
async def request_export(
    body: ExportStart,
    session: SessionDep,
    runtime: RuntimeDep,
    trail: AuditDep,
    actor: Exporter,
    clock: ClockDep,
    response: Response,
) -> ExportOut:
    """后台生成文件，请按 Location 查询，完成后下载。文件首行印有导出人、时间、用途和编号；含完整号码的只有本人能下载。"""
    order = ExportOrder(
        kind=body.kind,
        format=body.format,
        area_code=body.area_code or actor.area,
        as_of=body.as_of or clock.today,
        purpose=body.purpose,
        plain=body.plain,
        profile=body.profile,
    )
    check_order(order, KINDS, profiles(), actor, clock.today)
    if await find_area(session, order.area_code, clock.today) is None:
        raise area_not_found(order.area_code)
    run = ExportRun(new_id(), order, "queued", 0, None, None, None, None, actor.id, actor.name, clock.now, None)
    await start_export(actor.scope, session, run)
    details = {"kind": order.kind, "plain": order.plain, "format": order.format, "profile": order.profile}
    await trail.record(AuditEntry("export.request", "export", run.id, order.area_code, reason=order.purpose, details=details))
    response.headers["Location"] = f"/api/v1/exports/{run.id}"
    return ExportOut.of(run, runtime)


@router.get("/exports", summary="导出列表")
async def list_exports(session: SessionDep, runtime: RuntimeDep, actor: Reader, page: PageDep) -> Page[ExportOut]:
    """本人辖区内的导出，新的在前。"""
    exports = ExportRepository(session)
    found = await exports.list_page(actor.scope, before=cursor_id(page.after), limit=page.limit + 1)
    items = [ExportOut.of(one, runtime) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await exports.count(actor.scope) if page.count else None)


@router.get("/exports/{export_id}", summary="导出进度")
async def get_export(export_id: UUID, session: SessionDep, runtime: RuntimeDep, actor: Reader, response: Response) -> ExportOut:
    """`status` 为 succeeded 后可下载。"""
    run = await ExportRepository(session).get(actor.scope, export_id)
    set_etag(response, 1 if run.finished_at is None else 2)  # it ends once, and never changes afterwards
    return ExportOut.of(run, runtime)


@router.get(
    "/exports/{export_id}/content",
    summary="下载导出的文件",
    response_class=StreamingResponse,
    responses={200: {"description": "CSV 或 XLSX", "content": {"text/csv": {}, XLSX_TYPE: {}}}},
)
async def download_export(
    export_id: UUID, session: SessionDep, runtime: RuntimeDep, trail: AuditDep, actor: Exporter
) -> StreamingResponse:
    """只有导出人本人能下载；每次下载均留痕。文件到期（`available_until`）后删除，请重新导出。"""
    run = await ExportRepository(session).get(actor.scope, export_id)
    require_own(run, kind_of(run.order.kind), actor)
    if run.file_id is None:
        raise Conflict("export_not_finished", "文件尚未生成（或未能生成），请查询导出进度。")
    if not await ExportRepository(session).is_kept(actor.scope, run.id):
        days = runtime.settings.export_content_days
        raise NotFound("export_expired", f"导出的文件只保存 {days} 天，现已删除；仍需要的，请重新导出。")
    kept = await FileStore(runtime.cipher).get(actor.scope, session, run.file_id)
    await trail.record(AuditEntry("export.download", "export", run.id, run.order.area_code, reason=run.order.purpose))
    headers = {
        "Content-Disposition": f'attachment; filename="{kept.name}"',
        "Content-Length": str(kept.size_bytes),
        "Cache-Control": "private, no-store",
    }
    return StreamingResponse(_content(runtime, actor.scope, kept), media_type=kept.media_type, headers=headers)


async def _content(runtime: Runtime, scope: AreaScope, kept: KeptFile) -> AsyncIterator[bytes]:
    """A transaction a part: the request's own has ended before the first byte goes out, and a slow line must hold none."""
    store = FileStore(runtime.cipher)
    for number in range(kept.parts):
        async with transaction(runtime.engine, scope) as session:
            piece = await store.part(scope, session, kept.id, number)
        yield piece


class ProfileColumnOut(BaseModel):
    """对方文件的一列。"""

    header: str = Field(description="对方的列名")
    aliases: list[str]
    column: str | None = Field(description="对应的本系统列；为 null 时导出固定内容")
    values: dict[str, str] = Field(description="对方取值 → 本系统取值")
    date: str | None = Field(description="对方的日期格式")
    unit: str = Field(description="金额单位：yuan 元，fen 分")
    fixed: str

    @classmethod
    def of(cls, column: ProfileColumn) -> ProfileColumnOut:
        return cls(
            header=column.header,
            aliases=list(column.aliases),
            column=column.column,
            values=dict(column.values),
            date=column.date,
            unit=column.unit,
            fixed=column.fixed,
        )


class ProfileDetail(BaseModel):
    """列名对照方案。"""

    code: str
    title: str
    kind: str
    directions: list[str] = Field(description="import 可用于导入，export 可用于导出")
    description: str
    columns: list[ProfileColumnOut]
    fixed: dict[str, str] = Field(description="对方文件没有、导入时按此填写的列")

    @classmethod
    def of(cls, profile: Profile) -> ProfileDetail:
        return cls(
            code=profile.code,
            title=profile.title,
            kind=profile.kind,
            directions=sorted(profile.directions),
            description=profile.description,
            columns=[ProfileColumnOut.of(column) for column in profile.columns],
            fixed=dict(profile.fixed),
        )


class ProfileList(BaseModel):
    """各对照方案。"""

    items: list[ProfileDetail]
    next_cursor: None = Field(default=None, description="一次给出全部，恒为 null")


@router.get("/import-profiles", summary="列名对照方案")
async def list_profiles(_actor: Reader) -> ProfileList:
    """与省救助系统、一卡通平台、核对、预警等文件的列名和取值对照；导入、导出时以 profile 指明。"""
    return ProfileList(items=[ProfileDetail.of(profile) for profile in profiles().values()])
