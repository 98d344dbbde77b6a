"""The facts on file about a station, and assessments of them: kept as they were answered, never computed again."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.db.repositories import station_assessments
from app.db.repositories.station_facts import facts_of
from app.db.station_desk import StationDesk
from app.db.station_operations import with_operations
from app.dependencies import ClockDep, PageDep, SessionDep, allow, cursor_id, encode_cursor, set_etag
from app.domain.access import Actor, Duty
from app.domain.stations.assessing import assess
from app.domain.stations.local_standards import asked_for
from app.domain.stations.records import StationRecord
from app.domain.stations.refusals import area_not_found
from app.domain.stations.self_assessment import StoredAssessment, check_claims, check_day
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.routers.models import CommunityCode, Page
from app.routers.route import api_router
from app.routers.v1.station_access import DeskDep, Reader, StandardsDep
from app.routers.v1.station_assessment_models import StationAssessmentView
from app.routers.v1.station_result_models import FactsOut, StationAssessmentOrder, StationFactsShown, StoredAssessmentOut

router = api_router("民政工作站评估", "/stations/{station_id}")

FIRST_AND_ONLY = 1  # an assessment that is kept never changes
KEEPING = (Duty.STATION_CLERK, Duty.STATION_HEAD)
Assessor = Annotated[Actor, allow(*KEEPING, Duty.INSPECTOR)]


async def _station(desk: StationDesk, actor: Actor, station_id: UUID, community: str | None) -> StationRecord:
    station = await desk.stations.get(actor.scope, station_id)
    if community is not None and not community.startswith(station.area_code):
        raise area_not_found("村（社区）")
    return station


@router.get("/facts", summary="登记的事实")
async def get_facts(
    station_id: UUID,
    desk: DeskDep,
    session: SessionDep,
    clock: ClockDep,
    actor: Reader,
    as_of: Annotated[date | None, Query(description="该日的事实；不填为今天")] = None,
    community: Annotated[CommunityCode | None, Query(description="一并给出该村（社区）的办公场所")] = None,
) -> FactsOut:
    """评估所用的全部事实：人员、场所、经费、设施、制度、档案、各村（社区）人口与信息监督员、培训、例会，以及由业务数据得出的
    近十二个整月运行情况（operations，未记录的 recorded 为 false）。从未登记的为 null。
    """
    station = await _station(desk, actor, station_id, community)
    on = as_of or clock.today
    facts = await facts_of(actor.scope, session, station, on, community)
    facts = await with_operations(actor.scope, session, station, facts, on, today=clock.today)
    return FactsOut(station_id=station.id, as_of=on, facts=StationFactsShown.of(facts))


@router.post("/assessments", status_code=201, summary="按登记的事实评估", dependencies=[IDEMPOTENT])
async def assess_station_on_file(
    station_id: UUID,
    body: StationAssessmentOrder,
    desk: DeskDep,
    session: SessionDep,
    clock: ClockDep,
    actor: Assessor,
    known: StandardsDep,
    response: Response,
) -> StoredAssessmentOut:
    """以系统内登记的事实（不是填报的表格）按 `as_of` 当日生效的标准逐条评估，连同事实一并保存，此后不再重算。

    本站可在 `claims` 中附自评意见：与登记事实得出的结论并列，不一致的标出。
    """
    station = await _station(desk, actor, station_id, body.community)
    as_of = body.as_of or clock.today
    check_day(station, as_of, clock.today)
    standard = asked_for(known, body.standard)
    on_file = await facts_of(actor.scope, session, station, as_of, body.community)
    facts = await with_operations(actor.scope, session, station, on_file, as_of, today=clock.today)
    assessment = assess(facts, standard, as_of)
    claims = tuple(claim.claim() for claim in body.claims)
    check_claims(claims, assessment, own_station=actor.has(*KEEPING))
    kept = StoredAssessment(
        id=new_id(),
        station_id=station.id,
        area_code=station.area_code,
        standard=assessment.standard,
        standard_version=assessment.version,
        as_of=as_of,
        grade=assessment.grade.value,
        facts=StationFactsShown.of(facts).model_dump(mode="json"),
        answer=StationAssessmentView.of(assessment).model_dump(mode="json"),
        claims=claims,
        assessed_by_name=actor.name,
        assessed_at=clock.now,
    )
    await station_assessments.add_assessment(actor.scope, session, kept, by=actor.id)
    await desk.trail.note("station.assess", "station_assessment", kept.id, station.area_code)
    response.headers["Location"] = f"/api/v1/stations/{station.id}/assessments/{kept.id}"
    set_etag(response, FIRST_AND_ONLY)
    return StoredAssessmentOut.of(kept)


@router.get("/assessments", summary="历次评估")
async def list_station_assessments(
    station_id: UUID,
    desk: DeskDep,
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    known: StandardsDep,
    standard: Annotated[str | None, Query(max_length=60, description="只看该标准的")] = None,
) -> Page[StoredAssessmentOut]:
    """本站保存的评估，按评估先后。"""
    await desk.stations.get(actor.scope, station_id)
    wanted = None if standard is None else asked_for(known, standard, "/query/standard").code
    after, limit = cursor_id(page.after), page.limit + 1
    found = await station_assessments.list_assessments(
        actor.scope, session, station_id, standard=wanted, after=after, limit=limit
    )
    items = found[: page.limit]
    total = await station_assessments.count_assessments(actor.scope, session, station_id, wanted) if page.count else None
    return Page(
        items=[StoredAssessmentOut.of(kept) for kept in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=total,
    )


@router.get("/assessments/{assessment_id}", summary="一次评估")
async def get_station_assessment(
    station_id: UUID, assessment_id: UUID, desk: DeskDep, session: SessionDep, actor: Reader, response: Response
) -> StoredAssessmentOut:
    """当时的事实、标准版本和逐条结论。"""
    await desk.stations.get(actor.scope, station_id)
    set_etag(response, FIRST_AND_ONLY)
    return StoredAssessmentOut.of(await station_assessments.get_assessment(actor.scope, session, station_id, assessment_id))
