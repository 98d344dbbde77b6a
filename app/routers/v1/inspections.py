"""Inspections of single stations, and the rectifications that follow."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from app.db.repositories.inspections import InspectionFilter, RectificationFilter
from app.dependencies import ClockDep, IfMatch, PageDep, RequiredIfMatch, cursor_id, encode_cursor, set_etag
from app.domain.inspections import Inspection, Rectification, Source
from app.domain.inspections.model import Escalation
from app.idempotency import IDEMPOTENT
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.inspection_access import (
    AcceptanceDep,
    InspectionReader,
    Inspector,
    StationHead,
    StationStaff,
)
from app.routers.v1.inspection_models import (
    FindingIn,
    FindingSheetIn,
    InspectionOut,
    MarkOut,
    OwnerIn,
    RectificationOut,
    ReinspectionIn,
    SelfMarkIn,
    SelfMarkSheetIn,
    SubmissionIn,
    TeamIn,
)

router = api_router("站点验收")

StationOnly = Annotated[UUID | None, Query(description="只看该站点")]
CriterionCode = Annotated[str, Path(max_length=100, description="标准中的指标代码")]


def _inspection(inspection: Inspection, response: Response) -> InspectionOut:
    set_etag(response, inspection.version)
    return InspectionOut.of(inspection)


@router.get("/inspections", summary="站点验收列表")
async def list_inspections(
    desk: AcceptanceDep,
    actor: InspectionReader,
    page: PageDep,
    campaign_id: Annotated[UUID | None, Query(description="只看该活动")] = None,
    station_id: StationOnly = None,
) -> Page[InspectionOut]:
    """本人辖区内各站点的验收。"""
    only = InspectionFilter(campaign_id, station_id)
    found = await desk.records.page_inspections(actor.scope, only, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[InspectionOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_inspections(actor.scope, only) if page.count else None,
    )


@router.get("/inspections/{inspection_id}", summary="站点验收详情")
async def get_inspection(inspection_id: UUID, desk: AcceptanceDep, actor: InspectionReader, response: Response) -> InspectionOut:
    """检查组、抽查的村（社区）和签字情况。"""
    return _inspection(await desk.records.get_inspection(actor.scope, inspection_id), response)


@router.get("/inspections/{inspection_id}/marks", summary="自评和检查结论")
async def list_marks(inspection_id: UUID, desk: AcceptanceDep, actor: InspectionReader) -> list[MarkOut]:
    """各项指标的自评（self）和检查结论（found）。"""
    await desk.records.get_inspection(actor.scope, inspection_id)
    found = await desk.records.list_marks(actor.scope, [inspection_id])
    return [MarkOut.of(mark) for mark in found.get(inspection_id, ())]


@router.put("/inspections/{inspection_id}/team", summary="指定检查组")
async def appoint(
    inspection_id: UUID,
    body: TeamIn,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001  (declares the duty)
    version: RequiredIfMatch,
    response: Response,
) -> InspectionOut:
    """曾在该站任职的人员须回避；更换检查组后需重新签字。"""
    return _inspection(await desk.acts.appoint(inspection_id, body.inspectors, version), response)


@router.put("/inspections/{inspection_id}/self-marks/{criterion}", summary="填写自评")
async def put_self_mark(
    inspection_id: UUID,
    criterion: CriterionCode,
    body: SelfMarkIn,
    desk: AcceptanceDep,
    actor: StationStaff,  # noqa: ARG001
    version: RequiredIfMatch,
) -> MarkOut:
    """站点在实施和检查验收阶段逐项自评；与系统数据不一致的，报告中会标出。"""
    return MarkOut.of(await desk.acts.mark(inspection_id, criterion, Source.SELF, body.entry(), version))


@router.put("/inspections/{inspection_id}/self-marks", summary="填写自评表")
async def put_self_marks(
    inspection_id: UUID,
    body: SelfMarkSheetIn,
    desk: AcceptanceDep,
    actor: StationStaff,  # noqa: ARG001
    version: RequiredIfMatch,
) -> list[MarkOut]:
    """一次填写多项自评；未列出的指标不变。有一项不符即全部不保存，errors 逐条列明。"""
    return [MarkOut.of(one) for one in await desk.acts.mark_all(inspection_id, Source.SELF, body.entries(), version)]


@router.put("/inspections/{inspection_id}/findings", summary="填写检查表")
async def put_findings(
    inspection_id: UUID,
    body: FindingSheetIn,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001
    version: RequiredIfMatch,
) -> list[MarkOut]:
    """一次填写多项检查结论；未列出的指标不变。要求与逐项填写相同，有一项不符即全部不保存，errors 逐条列明。"""
    return [MarkOut.of(one) for one in await desk.acts.mark_all(inspection_id, Source.FOUND, body.entries(), version)]


@router.put("/inspections/{inspection_id}/findings/{criterion}", summary="填写检查结论")
async def put_finding(
    inspection_id: UUID,
    criterion: CriterionCode,
    body: FindingIn,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001
    version: RequiredIfMatch,
) -> MarkOut:
    """由检查组成员逐项填写；不合格的须附证据和整改期限，与系统数据不一致的须附证据。已有人签字的，修改后需重新签字。"""
    return MarkOut.of(await desk.acts.mark(inspection_id, criterion, Source.FOUND, body.entry(), version))


@router.post("/inspections/{inspection_id}/sign", summary="检查组签字", dependencies=[IDEMPOTENT])
async def sign(
    inspection_id: UUID,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> InspectionOut:
    """全部指标都有结论后由检查组每位成员签字；签齐后结论不能再改。"""
    return _inspection(await desk.acts.sign(inspection_id, version), response)


@router.post("/inspections/{inspection_id}/countersign", summary="站长签字确认", dependencies=[IDEMPOTENT])
async def countersign(
    inspection_id: UUID,
    desk: AcceptanceDep,
    actor: StationHead,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> InspectionOut:
    """站长现场签字；不合格的指标随即列为整改事项。"""
    return _inspection(await desk.acts.countersign(inspection_id, version), response)


# --- rectifications ------------------------------------------------------------------------------------------------------


@router.get("/rectifications", summary="整改事项列表")
async def list_rectifications(
    desk: AcceptanceDep,
    actor: InspectionReader,
    clock: ClockDep,
    page: PageDep,
    open_only: Annotated[bool, Query(description="只看未销号的")] = False,
    overdue: Annotated[bool, Query(description="只看已逾期的")] = False,
    escalated_to: Annotated[Escalation | None, Query(description="只看逾期后提请该对象的")] = None,
    station_id: StationOnly = None,
) -> Page[RectificationOut]:
    """本人辖区内的整改事项；逾期的标明提请对象。"""
    escalated = (escalated_to, clock.today) if escalated_to else None
    only = RectificationFilter(open_only, clock.today if overdue else None, escalated, station_id)
    found = await desk.records.page_rectifications(actor.scope, only, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[RectificationOut.of(one, clock.today) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_rectifications(actor.scope, only) if page.count else None,
    )


def _rectification(found: Rectification, clock: ClockDep, response: Response) -> RectificationOut:
    set_etag(response, found.version)
    return RectificationOut.of(found, clock.today)


@router.get("/rectifications/{rectification_id}", summary="整改事项详情")
async def get_rectification(
    rectification_id: UUID, desk: AcceptanceDep, actor: InspectionReader, clock: ClockDep, response: Response
) -> RectificationOut:
    """要求、期限、责任人和历次提交、复查。"""
    return _rectification(await desk.records.get_rectification(actor.scope, rectification_id), clock, response)


@router.put("/rectifications/{rectification_id}/owner", summary="指定整改责任人")
async def take_on(
    rectification_id: UUID,
    body: OwnerIn,
    desk: AcceptanceDep,
    actor: StationStaff,  # noqa: ARG001
    clock: ClockDep,
    version: RequiredIfMatch,
    response: Response,
) -> RectificationOut:
    """由站点指定；销号前可以更换。"""
    return _rectification(await desk.acts.take_on(rectification_id, body.owner, version), clock, response)


@router.post("/rectifications/{rectification_id}/submit", summary="提交整改结果", dependencies=[IDEMPOTENT])
async def submit(
    rectification_id: UUID,
    body: SubmissionIn,
    desk: AcceptanceDep,
    actor: StationStaff,  # noqa: ARG001
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> RectificationOut:
    """附证据提交，由检查组复查。"""
    return _rectification(await desk.acts.submit(rectification_id, body.note, body.evidence, version), clock, response)


@router.post("/rectifications/{rectification_id}/reinspect", summary="复查整改", dependencies=[IDEMPOTENT])
async def reinspect(
    rectification_id: UUID,
    body: ReinspectionIn,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> RectificationOut:
    """由原检查组成员复查：通过即销号；未通过的给出新期限，退回整改。"""
    found = await desk.acts.reinspect(rectification_id, passed=body.passed, note=body.note, due_on=body.due_on, expected=version)
    return _rectification(found, clock, response)
