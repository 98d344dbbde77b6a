"""Applications: drafting, facts, reading."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from app.db.repositories import case_lists
from app.db.repositories.applications import ApplicationRepository
from app.db.repositories.audit import AuditEntry
from app.db.repositories.case_lists import ApplicationFilter
from app.db.repositories.entitlements import EntitlementRepository
from app.dependencies import AuditDep, ClockDep, PageDep, RequiredIfMatch, SessionDep, cursor_id, encode_cursor, set_etag
from app.domain.casework import service
from app.domain.casework.model import Application
from app.domain.casework.workflow import State
from app.domain.errors import NotFound
from app.idempotency import IDEMPOTENT
from app.routers.models import AreaCodeText, Page
from app.routers.route import api_router
from app.routers.v1.casework_access import ApplicantsSide, CaseDeskDep, CaseReader
from app.routers.v1.casework_models import (
    ActAnswer,
    ApplicationLineOut,
    ApplicationOut,
    DeadlineOut,
    DecisionFile,
    NewApplication,
    ProgrammeOfCasework,
    TimelineEntryOut,
)
from app.routers.v1.eligibility_facts import HouseholdFacts

router = api_router("申请审核", "/applications")


@router.post("", status_code=201, summary="登记申请（草稿）", dependencies=[IDEMPOTENT])
async def create_application(body: NewApplication, desk: CaseDeskDep, _actor: ApplicantsSide, response: Response) -> ActAnswer:
    """为本辖区内已登记的家庭登记一件申请。同一家庭同一项目同时只能有一件在办；已在保的不能重复申请。"""
    standing = await service.create(desk, body.draft())
    response.headers["Location"] = f"/api/v1/applications/{standing.application.id}"
    set_etag(response, standing.application.version)
    return ActAnswer.of(standing, desk.today)


@router.get("", summary="申请列表")
async def list_applications(
    session: SessionDep,
    actor: CaseReader,
    page: PageDep,
    state: Annotated[State | None, Query(description="状态")] = None,
    programme: Annotated[ProgrammeOfCasework | None, Query(description="项目")] = None,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    household_id: Annotated[UUID | None, Query(description="只看该家庭")] = None,
) -> Page[ApplicationLineOut]:
    """本人辖区内的申请，按登记先后。"""
    wanted = ApplicationFilter(state, programme, area_code, household_id)
    after = cursor_id(page.after)
    found = await case_lists.list_applications(actor.scope, session, wanted, after=after, limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[ApplicationLineOut.model_validate(line) for line in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await case_lists.count_applications(actor.scope, session, wanted) if page.count else None,
    )


@router.get("/{application_id}", summary="申请详情")
async def get_application(
    application_id: UUID, desk: CaseDeskDep, session: SessionDep, audit: AuditDep, actor: CaseReader, response: Response
) -> ApplicationOut:
    """含已填报的家庭事实（敏感个人信息，每次查看留痕）和本人接下来可以办理的事项。"""
    application = await _application(application_id, desk, session)
    entitlements = EntitlementRepository(session, actor, desk.now, desk.today)
    entitlement_id = await entitlements.find_of_application(actor.scope, application_id)
    if application.facts is not None:
        await audit.record(_reading(application, "facts"))
    set_etag(response, application.version)
    return ApplicationOut.of(application, await desk.next_acts(application), entitlement_id)


async def _application(application_id: UUID, desk: CaseDeskDep, session: SessionDep) -> Application:
    return await ApplicationRepository(session, desk.actor, desk.now, desk.today).get(desk.scope, application_id)


def _reading(application: Application, what: str) -> AuditEntry:
    return AuditEntry("application.read", "application", application.id, application.area_code, fields=[what])


@router.put("/{application_id}/facts", summary="填报家庭事实")
async def put_facts(
    application_id: UUID,
    body: HouseholdFacts,
    desk: CaseDeskDep,
    _actor: ApplicantsSide,
    if_match: RequiredIfMatch,
    response: Response,
) -> ActAnswer:
    """整体替换，初审意见提出以前有效。现登记的成员须全部列出（`ref` 为人员编号），不计入的成员用 `absence` 等注明；
    出生日期、性别、与户主关系须与登记一致。受理后首次填报即视为已启动调查。
    """
    standing = await service.put_facts(desk, application_id, if_match, body.to_domain())
    set_etag(response, standing.application.version)
    return ActAnswer.of(standing, desk.today)


@router.get("/{application_id}/timeline", summary="办理过程")
async def get_timeline(application_id: UUID, desk: CaseDeskDep, session: SessionDep, actor: CaseReader) -> Page[TimelineEntryOut]:
    """每一步由谁、在哪一天、从什么状态办到什么状态。"""
    await _application(application_id, desk, session)
    events = await case_lists.list_events(actor.scope, session, application_id)
    return Page(items=[TimelineEntryOut.model_validate(event) for event in events])


@router.get("/{application_id}/deadlines", summary="办理时限")
async def get_deadlines(
    application_id: UUID, desk: CaseDeskDep, session: SessionDep, clock: ClockDep, actor: CaseReader
) -> Page[DeadlineOut]:
    """各项法定时限及其起算日、届满日、是否暂定、是否逾期。"""
    await _application(application_id, desk, session)
    clocks = await desk.applications.list_clocks(actor.scope, application_id)
    return Page(items=[DeadlineOut.of(running, clock.today) for running in clocks])


@router.get("/{application_id}/decision", summary="决定卷宗")
async def get_decision(
    application_id: UUID, desk: CaseDeskDep, session: SessionDep, audit: AuditDep, actor: CaseReader, response: Response
) -> DecisionFile:
    """作出时冻结的事实、政策版本、结论、逐条理由和计算过程，以及由谁在何时作出；以后登记或政策变化都不影响它。每次查看留痕。"""
    application = await _application(application_id, desk, session)
    filed = await case_lists.list_decisions(actor.scope, session, application_id)
    if not filed:
        raise NotFound("decision_not_found", "该申请尚无初审意见或决定，请在提出初审意见后再查看。")
    await audit.record(_reading(application, "decision"))
    response.headers["ETag"] = f'"{filed[-1][0].id}"'  # never changes: a later decision is another one
    return DecisionFile.of(application_id, list(filed))
