"""Years of the assessment (年终考核): opened, led through the five phases, published for good."""

from __future__ import annotations

from uuid import UUID

from fastapi import Response

from app.dependencies import IfMatch, PageDep, cursor_id, encode_cursor, set_etag
from app.domain.appraisals import Appraisal
from app.idempotency import IDEMPOTENT
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.appraisal_access import Assessor, DeskDep, Publisher, YearReader
from app.routers.v1.appraisal_models import AppraisalIn, AppraisalOut, AppraisalSummary, PublishedYearOut, StandingOut

router = api_router("年终考核", "/appraisals")


def _shown(appraisal: Appraisal, response: Response) -> AppraisalOut:
    set_etag(response, appraisal.version)
    return AppraisalOut.of(appraisal)


@router.post("", status_code=201, summary="开展年度考核", dependencies=[IDEMPOTENT])
async def open_year(body: AppraisalIn, desk: DeskDep, actor: Assessor, response: Response) -> AppraisalOut:
    """固定考核细则的版本，纳入站点，下达细则中的默认目标值；此后依次经过五个阶段。一个年度只有一次。"""
    appraisal = await desk.years.open(body.entry(actor.area))
    response.headers["Location"] = f"/api/v1/appraisals/{appraisal.id}"
    return _shown(appraisal, response)


@router.get("", summary="年度考核列表")
async def list_appraisals(desk: DeskDep, actor: YearReader, page: PageDep) -> Page[AppraisalSummary]:
    """新的在前。"""
    found = await desk.records.list_appraisals(actor.scope, before=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[AppraisalSummary.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_appraisals(actor.scope) if page.count else None,
    )


@router.get("/{appraisal_id}", summary="年度考核详情")
async def get_appraisal(appraisal_id: UUID, desk: DeskDep, actor: YearReader, response: Response) -> AppraisalOut:
    """日程、所处阶段和开展时固定的细则。"""
    return _shown(await desk.records.get(actor.scope, appraisal_id), response)


@router.post("/{appraisal_id}/advance", summary="进入下一阶段", dependencies=[IDEMPOTENT])
async def advance(
    appraisal_id: UUID,
    desk: DeskDep,
    actor: Assessor,  # noqa: ARG001  (declares the duty)
    version: IfMatch,
    response: Response,
) -> AppraisalOut:
    """不早于日程。准备启动阶段须已确定全部目标值，年中测评阶段须已填齐年中各部分得分。"""
    return _shown(await desk.years.advance(appraisal_id, version), response)


@router.post("/{appraisal_id}/cancel", summary="取消年度考核", dependencies=[IDEMPOTENT])
async def cancel(
    appraisal_id: UUID,
    desk: DeskDep,
    actor: Assessor,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> AppraisalOut:
    """公布前可以取消；已填内容保留。"""
    return _shown(await desk.years.cancel(appraisal_id, version), response)


@router.post("/{appraisal_id}/publish", summary="公布年度考核结果", dependencies=[IDEMPOTENT])
async def publish(
    appraisal_id: UUID,
    desk: DeskDep,
    actor: Publisher,  # noqa: ARG001
    version: IfMatch,
    response: Response,
) -> AppraisalOut:
    """由审核员汇总公布：细则、填报、系统数据、得分和名次一并固定，此后任何修改都不影响。信息上报截止后才能公布。"""
    return _shown(await desk.years.publish(appraisal_id, version), response)


@router.get("/{appraisal_id}/standings", summary="考核得分（当前）")
async def list_standings(
    appraisal_id: UUID,
    desk: DeskDep,
    actor: YearReader,  # noqa: ARG001
) -> list[StandingOut]:
    """各站得分明细和名次，以及还缺什么；公布前随填报变化，公布后以已公布的结果为准。"""
    return [StandingOut.of(one) for one in await desk.years.results(appraisal_id)]


@router.get("/{appraisal_id}/published-results", summary="考核结果（已公布）")
async def list_published(appraisal_id: UUID, desk: DeskDep, actor: YearReader) -> list[PublishedYearOut]:
    """公布时固定的结果，按名次；尚未公布时为空。"""
    await desk.records.get(actor.scope, appraisal_id)
    return [PublishedYearOut.of(one) for one in await desk.records.list_results(actor.scope, appraisal_id)]
