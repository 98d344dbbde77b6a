"""One station in a year of the assessment: targets, reports, scores, bonuses and deductions, its results."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Path, Query, Response

from app.dependencies import IfMatch, PageDep, RequiredIfMatch, cursor_id, encode_cursor, set_etag
from app.domain.access import Actor
from app.domain.appraisals import StationYear
from app.domain.appraisals.scheme import Round
from app.idempotency import IDEMPOTENT
from app.routers.models import Page
from app.routers.route import api_router
from app.routers.v1.appraisal_access import Assessor, DeskDep, Leader, StationStaff, StationYearReader
from app.routers.v1.appraisal_models import PublishedYearOut, StandingOut
from app.routers.v1.station_appraisal_models import (
    AdjustmentIn,
    AdjustmentOut,
    AdjustmentWithdrawalIn,
    LeaderScoreIn,
    OverdueIn,
    ReportsIn,
    SelfReviewIn,
    StationAppraisalOut,
    StationAppraisalSummary,
    SurveyIn,
    TargetsIn,
)

router = api_router("年终考核")

RoundPath = Annotated[Round, Path(alias="round", description="mid_year 年中，year_end 年终")]


async def _shown(desk: DeskDep, actor: Actor, station: StationYear, response: Response) -> StationAppraisalOut:
    set_etag(response, station.version)
    inputs = await desk.entries.list_inputs(actor.scope, [station])
    return StationAppraisalOut.with_entries(station, inputs[station.id])


@router.get("/station-appraisals", summary="站点考核列表")
async def list_station_appraisals(
    desk: DeskDep,
    actor: StationYearReader,
    page: PageDep,
    appraisal_id: Annotated[UUID | None, Query(description="只看该年度考核")] = None,
) -> Page[StationAppraisalSummary]:
    """本人辖区内各站点各年度的考核。"""
    found = await desk.records.page_stations(
        actor.scope, appraisal_id=appraisal_id, after=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    return Page(
        items=[StationAppraisalSummary.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_stations(actor.scope, appraisal_id=appraisal_id) if page.count else None,
    )


@router.get("/station-appraisals/{station_appraisal_id}", summary="站点考核详情")
async def get_station_appraisal(
    station_appraisal_id: UUID, desk: DeskDep, actor: StationYearReader, response: Response
) -> StationAppraisalOut:
    """日程、细则，以及现行的目标值、填报、评分和奖扣分；以前的填报留存备查。"""
    return await _shown(desk, actor, await desk.records.get_station(actor.scope, station_appraisal_id), response)


@router.put("/station-appraisals/{station_appraisal_id}/targets", summary="确定目标值")
async def put_targets(
    station_appraisal_id: UUID, body: TargetsIn, desk: DeskDep, actor: Assessor, version: RequiredIfMatch, response: Response
) -> StationAppraisalOut:
    """准备启动阶段下达；年中测评阶段可以调整下半年任务，须说明原因。"""
    entries = [one.entry() for one in body.targets]
    return await _shown(desk, actor, await desk.stations.set_targets(station_appraisal_id, entries, version), response)


@router.put("/station-appraisals/{station_appraisal_id}/reports/{round}", summary="填报指标完成情况")
async def put_reports(
    station_appraisal_id: UUID,
    round_: RoundPath,
    body: ReportsIn,
    desk: DeskDep,
    actor: StationStaff,
    version: RequiredIfMatch,
    response: Response,
) -> StationAppraisalOut:
    """年中填报备查，年终填报计分；由系统数据得出的指标不填。未达到目标值的须说明下一步打算。"""
    entries = [one.entry() for one in body.reports]
    return await _shown(desk, actor, await desk.stations.report(station_appraisal_id, round_, entries, version), response)


@router.put("/station-appraisals/{station_appraisal_id}/self-reviews/{round}", summary="自评")
async def put_self_review(
    station_appraisal_id: UUID,
    round_: RoundPath,
    body: SelfReviewIn,
    desk: DeskDep,
    actor: StationStaff,
    version: RequiredIfMatch,
    response: Response,
) -> StationAppraisalOut:
    """年中在年中测评阶段，年终在年度工作评议阶段。"""
    act = desk.stations.review_itself
    station = await act(station_appraisal_id, round_, body.score_points, body.note, version)
    return await _shown(desk, actor, station, response)


@router.put("/station-appraisals/{station_appraisal_id}/leader-scores/{round}", summary="主要领导评分")
async def put_leader_score(
    station_appraisal_id: UUID,
    round_: RoundPath,
    body: LeaderScoreIn,
    desk: DeskDep,
    actor: Leader,
    version: RequiredIfMatch,
    response: Response,
) -> StationAppraisalOut:
    """由区民政局领导（审批人）评分；本年度在该站任职的须回避。"""
    act = desk.stations.score_as_leader
    station = await act(station_appraisal_id, round_, body.score_points, body.note, version)
    return await _shown(desk, actor, station, response)


@router.put("/station-appraisals/{station_appraisal_id}/surveys/{round}", summary="社会公认度调查结果")
async def put_survey(
    station_appraisal_id: UUID,
    round_: RoundPath,
    body: SurveyIn,
    desk: DeskDep,
    actor: Assessor,
    version: RequiredIfMatch,
    response: Response,
) -> StationAppraisalOut:
    """得分为满意人数占样本数的比例；样本数不得少于细则规定。"""
    station = await desk.stations.survey(station_appraisal_id, round_, body.entry(), version)
    return await _shown(desk, actor, station, response)


@router.post("/station-appraisals/{station_appraisal_id}/overdue/{round}", summary="登记逾期未报", dependencies=[IDEMPOTENT])
async def record_overdue(
    station_appraisal_id: UUID,
    round_: RoundPath,
    body: OverdueIn,
    desk: DeskDep,
    actor: Assessor,
    version: IfMatch,
    response: Response,
) -> StationAppraisalOut:
    """填报截止后，该站尚缺的自评和指标按零分计入，以免影响其他站点；公布前补报的以补报为准。"""
    station = await desk.stations.record_overdue(station_appraisal_id, round_, body.reason, version)
    return await _shown(desk, actor, station, response)


@router.post(
    "/station-appraisals/{station_appraisal_id}/adjustments",
    status_code=201,
    summary="登记奖扣分或一票否决",
    dependencies=[IDEMPOTENT],
)
async def add_adjustment(
    station_appraisal_id: UUID,
    body: AdjustmentIn,
    desk: DeskDep,
    actor: Assessor,  # noqa: ARG001  (declares the duty)
    version: IfMatch,
    response: Response,
) -> AdjustmentOut:
    """按细则中的事项登记，须写明原因并附证据；计入时受每项和合计上限约束。"""
    made = await desk.stations.adjust(station_appraisal_id, body.entry(), version)
    response.headers["Location"] = f"/api/v1/station-appraisals/{station_appraisal_id}"
    return AdjustmentOut.of(made)


@router.post(
    "/station-appraisals/{station_appraisal_id}/adjustments/{appraisal_adjustment_id}/withdraw",
    summary="撤销奖扣分或一票否决",
    dependencies=[IDEMPOTENT],
)
async def withdraw_adjustment(
    station_appraisal_id: UUID,
    appraisal_adjustment_id: UUID,
    body: AdjustmentWithdrawalIn,
    desk: DeskDep,
    actor: Assessor,  # noqa: ARG001
    version: IfMatch,
) -> AdjustmentOut:
    """公布前可以撤销；原记录和撤销原因都留存。"""
    made = await desk.stations.withdraw(station_appraisal_id, appraisal_adjustment_id, body.reason, version)
    return AdjustmentOut.of(made)


@router.get("/station-appraisals/{station_appraisal_id}/standing", summary="站点得分（当前）")
async def get_standing(station_appraisal_id: UUID, desk: DeskDep, actor: StationYearReader) -> StandingOut:
    """本站得分明细和还缺什么；名次在公布时确定，公布后给出公布的结果。"""
    station = await desk.records.get_station(actor.scope, station_appraisal_id)
    return StandingOut.of(await desk.stations.result(station))


@router.get("/stations/{station_id}/published-appraisals", summary="站点历年考核结果（已公布）")
async def list_published_of_station(
    station_id: UUID, desk: DeskDep, actor: StationYearReader, page: PageDep
) -> Page[PublishedYearOut]:
    """公布时固定的结果，最近公布的在前。"""
    await desk.desk.stations.area_of(actor.scope, station_id)
    found = await desk.records.page_results_of_station(
        actor.scope, station_id, before=cursor_id(page.after), limit=page.limit + 1
    )
    items = found[: page.limit]
    return Page(
        items=[PublishedYearOut.of(one) for one in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await desk.records.count_results_of_station(actor.scope, station_id) if page.count else None,
    )
