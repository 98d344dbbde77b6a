"""Acceptance campaigns (检查验收): opened, advanced through their phases, published for good."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Response

from app.dependencies import IfMatch, PageDep, allow, cursor_id, encode_cursor, set_etag
from app.domain.access import Actor, Duty
from app.domain.inspections import Campaign
from app.idempotency import IDEMPOTENT
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.inspection_access import AcceptanceDep, Inspector
from app.routers.v1.inspection_models import CampaignIn, CampaignOut, PublishedOut, ResultOut

router = api_router("站点验收", "/inspection-campaigns")

Reader = Annotated[Actor, allow(Duty.INSPECTOR, Duty.REVIEWER, Duty.AUDITOR)]
Publisher = Annotated[Actor, allow(Duty.REVIEWER)]


def _shown(campaign: Campaign, response: Response) -> CampaignOut:
    set_etag(response, campaign.version)
    return CampaignOut.of(campaign)


@router.post("", status_code=201, summary="开展检查验收", dependencies=[IDEMPOTENT])
async def open_campaign(body: CampaignIn, desk: AcceptanceDep, actor: Inspector, response: Response) -> CampaignOut:
    """按标准和日期固定标准版本，纳入站点并按种子抽取要实地查看的村（社区）；此后依次经过准备、实施、检查验收三个阶段。"""
    campaign = await desk.acts.open(body.entry(actor.area))
    response.headers["Location"] = f"/api/v1/inspection-campaigns/{campaign.id}"
    return _shown(campaign, response)


@router.get("", summary="检查验收活动列表")
async def list_campaigns(desk: AcceptanceDep, actor: Reader, page: PageDep) -> Page[CampaignOut]:
    """新的在前。"""
    found = await desk.records.list_campaigns(actor.scope, before=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[CampaignOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_campaigns(actor.scope) if page.count else None,
    )


@router.get("/{campaign_id}", summary="检查验收活动详情")
async def get_campaign(campaign_id: UUID, desk: AcceptanceDep, actor: Reader, response: Response) -> CampaignOut:
    """名称、标准版本、日程和所处阶段。"""
    return _shown(await desk.records.get(actor.scope, campaign_id), response)


@router.post("/{campaign_id}/advance", summary="进入下一阶段", dependencies=[IDEMPOTENT])
async def advance(
    campaign_id: UUID,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001  (declares the duty)
    version: IfMatch,
    response: Response,
) -> CampaignOut:
    """草稿、准备、实施、检查验收、结束依次推进，不早于日程；全部站点确认后才能结束。"""
    return _shown(await desk.acts.advance(campaign_id, version), response)


@router.post("/{campaign_id}/cancel", summary="取消检查验收", dependencies=[IDEMPOTENT])
async def cancel(
    campaign_id: UUID,
    desk: AcceptanceDep,
    actor: Inspector,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> CampaignOut:
    """结束前可以取消；已填内容保留。"""
    return _shown(await desk.acts.cancel(campaign_id, version), response)


@router.post("/{campaign_id}/publish", summary="公布验收结果", dependencies=[IDEMPOTENT])
async def publish(
    campaign_id: UUID,
    desk: AcceptanceDep,
    actor: Publisher,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> CampaignOut:
    """由审核员公布：事实、标准版本、各项结论、得分和名次一并固定，此后任何修改都不影响已公布的结果。"""
    return _shown(await desk.acts.publish(campaign_id, version), response)


@router.get("/{campaign_id}/results", summary="验收结果（当前）")
async def list_results(campaign_id: UUID, desk: AcceptanceDep, actor: Reader) -> list[ResultOut]:
    """各站各项指标的系统数据、自评、检查结论并列，以及得分和名次；公布前随填报变化。"""
    campaign = await desk.records.get(actor.scope, campaign_id)
    return [ResultOut.of(one) for one in await desk.acts.results(campaign)]


@router.get("/{campaign_id}/published-results", summary="验收结果（已公布）")
async def list_published(campaign_id: UUID, desk: AcceptanceDep, actor: Reader) -> list[PublishedOut]:
    """公布时固定的结果，按名次；尚未公布时为空。"""
    await desk.records.get(actor.scope, campaign_id)
    return [PublishedOut.of(one) for one in await desk.records.list_results(actor.scope, campaign_id)]
