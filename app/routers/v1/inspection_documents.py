"""Printed documents of an acceptance: the bulletin of a campaign, a station's sheet. Made of what was published for good."""

from __future__ import annotations

import asyncio
from uuid import UUID

from fastapi import Response

from app.db.repositories.audit import AuditEntry
from app.db.tables.inspections import InspectionResult
from app.dependencies import AuditDep
from app.documents import bulletin_pdf, station_sheet_pdf
from app.documents.published import PublishedStation, read_published
from app.domain.access import AreaScope
from app.domain.calendar import SHANGHAI
from app.domain.inspections import Phase
from app.domain.inspections.refusals import inspection_not_found, not_published
from app.routers.printed import RESPONSES, KnownTag, is_known, not_modified, printed
from app.routers.route import api_router
from app.routers.v1.inspection_access import AcceptanceDep, InspectionReader
from app.routers.v1.inspection_campaigns import Reader

router = api_router("站点验收")


def _published(row: InspectionResult) -> PublishedStation:
    moment = row.published_at.astimezone(SHANGHAI)
    return read_published(row.content, rank=row.rank, content_hash=row.content_hash, published_at=moment)


async def _results(desk: AcceptanceDep, scope: AreaScope, campaign_id: UUID, phase: Phase) -> list[PublishedStation]:
    """What the caller may see of a campaign's results. ``Conflict`` results_not_published."""
    if phase is not Phase.PUBLISHED:
        raise not_published(phase)
    return [_published(row) for row in await desk.records.list_results(scope, campaign_id)]


@router.get(
    "/inspection-campaigns/{campaign_id}/bulletin.pdf",
    summary="下载验收通报（PDF）",
    response_class=Response,
    responses=RESPONSES,
)
async def get_bulletin(
    campaign_id: UUID, desk: AcceptanceDep, trail: AuditDep, actor: Reader, known: KnownTag = None
) -> Response:
    """通报表扬、通报批评及扣分，附各站得分名次和未达标指标。按公布时固定的结果生成，每次内容相同；公布前返回 409。"""
    campaign = await desk.records.get(actor.scope, campaign_id)
    stations = await _results(desk, actor.scope, campaign_id, campaign.phase)
    content = await asyncio.to_thread(bulletin_pdf, stations)
    if is_known(content, known):
        return not_modified(content)
    entry = AuditEntry("inspection_campaign.bulletin", "inspection_campaign", campaign_id, campaign.area_code)
    await trail.record(entry)
    return printed(content, f"{campaign.title}结果通报")


@router.get(
    "/inspections/{inspection_id}/result.pdf",
    summary="下载站点验收结果单（PDF）",
    response_class=Response,
    responses=RESPONSES,
)
async def get_result_sheet(
    inspection_id: UUID, desk: AcceptanceDep, trail: AuditDep, actor: InspectionReader, known: KnownTag = None
) -> Response:
    """合格的为验收合格证书，不合格的为验收整改告知书，附系统数据、自评、检查三个来源并列的指标明细。公布前返回 409。"""
    inspection = await desk.records.get_inspection(actor.scope, inspection_id)
    stations = await _results(desk, actor.scope, inspection.campaign_id, inspection.phase)
    mine = next((one for one in stations if one.station_id == inspection.station_id), None)
    if mine is None:
        raise inspection_not_found()
    content = await asyncio.to_thread(station_sheet_pdf, mine)
    if is_known(content, known):
        return not_modified(content)
    await trail.record(AuditEntry("inspection.result_sheet", "inspection", inspection_id, inspection.area_code))
    return printed(content, f"{mine.name}{'验收合格证书' if mine.passed else '验收整改告知书'}")
