"""政策找人: searching the population, and the work list of each community."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Body, Query, Response
from pydantic import Field

from app.codes import REGISTRY
from app.db.repositories.audit import AuditEntry, AuditTrail
from app.db.repositories.discovery import DiscoveryRepository, FindingFilter
from app.db.repositories.policy_runs import SimulationRepository
from app.db.repositories.reference import find_area
from app.dependencies import (
    AuditDep,
    ClockDep,
    IfMatch,
    PageDep,
    SessionDep,
    allow,
    cursor_id,
    encode_cursor,
    set_etag,
)
from app.domain.access import Actor, AreaScope, Duty, Signature
from app.domain.policy import following_up
from app.domain.policy.discovery import DiscoveryRun, FindingKind, FindingState, StoredFinding
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.jobs.policy_discovery import start_discovery
from app.routers.models import ApiModel, AreaCodeText, LongText, Page
from app.routers.route import api_router
from app.routers.v1.areas import area_not_found

router = api_router("政策找人")

Searcher = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER)]
RunReader = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER, Duty.AUDITOR)]
Follower = Annotated[Actor, allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK)]
Reader = Annotated[
    Actor,
    allow(Duty.COMMUNITY_WORKER, Duty.STATION_CLERK, Duty.STATION_HEAD, Duty.REVIEWER, Duty.POLICY_OFFICER, Duty.AUDITOR),
]


class DiscoveryStart(ApiModel):
    """排查要求。"""

    area_code: AreaCodeText | None = Field(default=None, description="排查范围，默认本人辖区")
    on: date | None = Field(default=None, description="按该日的登记和政策，默认业务日期")


class DiscoveryRunOut(ApiModel):
    """一次排查。"""

    id: UUID
    area_code: str
    on: date
    requested_by: str
    requested_at: datetime
    status: str = Field(description="queued、running、succeeded、failed")
    areas_done: int = Field(description="已排查的街道（乡镇）数")
    areas_total: int
    problem: dict[str, Any] | None
    finished_at: datetime | None
    counts: dict[str, int] | None = Field(description="完成后：households 排查户数，其余为各类线索数")


class FindingOut(ApiModel):
    """一条线索。只作提示，不作结论。"""

    id: UUID
    run_id: UUID
    area_code: str
    household_id: UUID
    person_id: UUID
    kind: FindingKind
    title: str
    programme: str
    expected_fen: int | None = Field(description="按已知事实测算的每月金额，仅供参考；无法测算的为 null")
    reasons: list[dict[str, Any]] = Field(description="据以提示的各条规则，见代码表 reason")
    found_on: date
    state: FindingState
    settled_by: str | None
    settled_at: datetime | None
    note: str | None
    version: int

    @classmethod
    def of(cls, stored: StoredFinding) -> FindingOut:
        found = stored.finding
        return cls(
            id=stored.id,
            run_id=stored.run_id,
            area_code=found.area_code,
            household_id=found.household_id,
            person_id=found.person_id,
            kind=found.kind,
            title=REGISTRY["discovery_kind"][found.kind.value],
            programme=found.programme,
            expected_fen=found.expected_fen,
            reasons=[dict(reason) for reason in stored.reasons],
            found_on=stored.found_on,
            state=stored.state,
            settled_by=stored.settled.name if stored.settled else None,
            settled_at=stored.settled.at if stored.settled else None,
            note=stored.note,
            version=stored.version,
        )


class Dismissal(ApiModel):
    """不采用线索。"""

    reason: LongText = Field(description="不采用的理由，如已入户核实的情况")


class TakeUp(ApiModel):
    """着手核实。"""

    note: LongText | None = Field(default=None, description="说明")


@router.post("/discovery-runs", status_code=202, summary="开始排查", dependencies=[IDEMPOTENT])
async def start_run(
    body: DiscoveryStart, session: SessionDep, trail: AuditDep, actor: Searcher, clock: ClockDep, response: Response
) -> DiscoveryRunOut:
    """后台逐街道（乡镇）比对登记、申请事实与在保记录：疑似应享未享、疑似不应再享。结果进入各村（社区）的工作清单，不自动作任何决定。"""
    area, on = body.area_code or actor.area, body.on or clock.today
    if not actor.scope.covers(area) or await find_area(session, area, clock.today) is None:
        raise area_not_found(area)
    run = await start_discovery(actor.scope, session, new_id(), area, on, actor, clock.now)
    await trail.record(AuditEntry("discovery.start", "discovery_run", run.id, area))
    response.headers["Location"] = f"/api/v1/discovery-runs/{run.id}"
    return await _shown(session, actor.scope, run)


@router.get("/discovery-runs/{run_id}", summary="排查进度")
async def get_run(run_id: UUID, session: SessionDep, actor: RunReader) -> DiscoveryRunOut:
    """完成后给出各类线索的数量；线索见 `/discovery-findings`。"""
    return await _shown(session, actor.scope, await DiscoveryRepository(session).get_run(actor.scope, run_id))


async def _shown(session: SessionDep, scope: AreaScope, run: DiscoveryRun) -> DiscoveryRunOut:
    progress = await SimulationRepository(session).progress(scope, run.job_id)
    return DiscoveryRunOut(
        id=run.id,
        area_code=run.area_code,
        on=run.on,
        requested_by=run.requested.name,
        requested_at=run.requested.at,
        status=progress.status,
        areas_done=progress.done,
        areas_total=progress.total,
        problem=None if progress.problem is None else dict(progress.problem),
        finished_at=run.finished_at,
        counts=None if run.counts is None else dict(run.counts),
    )


@router.get("/discovery-findings", summary="线索工作清单")
async def list_findings(
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    state: Annotated[FindingState, Query(description="默认只列未处理的")] = FindingState.OPEN,
    kind: Annotated[FindingKind | None, Query(description="线索类别")] = None,
    programme: Annotated[str | None, Query(max_length=50, description="项目代码")] = None,
    area_code: Annotated[AreaCodeText | None, Query(description="只看该区划及其下级")] = None,
    household_id: Annotated[UUID | None, Query(description="只看该家庭")] = None,
) -> Page[FindingOut]:
    """本人辖区内的线索，早的在前。"""
    findings, chosen = DiscoveryRepository(session), FindingFilter(state, kind, programme, area_code, household_id)
    found = await findings.list_findings(actor.scope, chosen, after=cursor_id(page.after), limit=page.limit + 1)
    items = [FindingOut.of(one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    total = await findings.count_findings(actor.scope, chosen) if page.count else None
    return Page(items=items, next_cursor=cursor, total=total)


@router.get("/discovery-findings/{finding_id}", summary="线索详情")
async def get_finding(finding_id: UUID, session: SessionDep, actor: Reader, response: Response) -> FindingOut:
    """含据以提示的各条规则和处理情况。"""
    return _etagged(await DiscoveryRepository(session).get_finding(actor.scope, finding_id), response)


@router.post("/discovery-findings/{finding_id}/dismiss", summary="不采用线索", dependencies=[IDEMPOTENT])
async def dismiss(
    finding_id: UUID,
    body: Dismissal,
    session: SessionDep,
    trail: AuditDep,
    actor: Follower,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
) -> FindingOut:
    """须写明理由；情况不变的，以后排查不再重复提示。"""
    signature = Signature(actor.id, actor.name, clock.now)
    found = await following_up.settle(
        DiscoveryRepository(session),
        actor.scope,
        finding_id,
        FindingState.DISMISSED,
        signature,
        note=body.reason,
        version=version,
    )
    await _record(trail, "discovery_finding.dismiss", found)
    return _etagged(found, response)


@router.post("/discovery-findings/{finding_id}/take-up", summary="着手核实线索", dependencies=[IDEMPOTENT])
async def take_up(
    finding_id: UUID,
    session: SessionDep,
    trail: AuditDep,
    actor: Follower,
    clock: ClockDep,
    version: IfMatch,
    response: Response,
    body: Annotated[TakeUp | None, Body()] = None,
) -> FindingOut:
    """只作标记；申请、变更、终止仍按各自程序办理。"""
    signature = Signature(actor.id, actor.name, clock.now)
    note = body.note if body else None
    found = await following_up.settle(
        DiscoveryRepository(session), actor.scope, finding_id, FindingState.TAKEN_UP, signature, note=note, version=version
    )
    await _record(trail, "discovery_finding.take_up", found)
    return _etagged(found, response)


async def _record(trail: AuditTrail, action: str, found: StoredFinding) -> None:
    await trail.record(AuditEntry(action, "discovery_finding", found.id, found.finding.area_code, fields=["state", "note"]))


def _etagged(found: StoredFinding, response: Response) -> FindingOut:
    set_etag(response, found.version)
    return FindingOut.of(found)
