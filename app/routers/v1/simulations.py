"""Simulations: what a parameter set would do to everybody who draws something now, and to everybody who is registered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field

from app.codes import REGISTRY
from app.db.repositories import population
from app.db.repositories.audit import AuditEntry
from app.db.repositories.policy_runs import SimulationRepository
from app.db.repositories.policy_sets import PolicySetRepository
from app.db.repositories.reference import find_area
from app.db.tables.population import PopulationDifference
from app.dependencies import AuditDep, ClockDep, PageDep, SessionDep, allow, bad_cursor, cursor_id, encode_cursor
from app.domain.access import Actor, AreaScope, Duty
from app.domain.errors import Conflict
from app.domain.money import yuan_text
from app.domain.policy import simulating
from app.domain.policy.model import Document, Simulation, Verdict
from app.domain.policy.simulating import SimulationRequest
from app.idempotency import IDEMPOTENT
from app.ids import new_id
from app.jobs.policy_simulation import SimulationJobs
from app.routers.models import ApiModel, AreaCodeText, Page, ShortText
from app.routers.route import api_router
from app.routers.v1.areas import area_not_found
from app.workbook import MEDIA_TYPE, Sheet, workbook

router = api_router("政策测算", "/simulations")

TOTALS = (
    "已测算",
    "无法测算",
    "增加",
    "减少",
    "不变",
    "退出",
    "现每月（元）",
    "新每月（元）",
    "每月增减（元）",
    "每年增减（元）",
)
REGISTERED = ("新符合", "不再符合", "增加", "减少", "每月增减（元）", "每年增减（元）")
NUMBER_DIGITS = 9
DETAILS = ("区划代码", "家庭编号", "项目", "现结论", "新结论", "现每月（元）", "新每月（元）", "增减（元）")

Officer = Annotated[Actor, allow(Duty.POLICY_OFFICER)]
Reader = Annotated[Actor, allow(Duty.POLICY_OFFICER, Duty.REVIEWER, Duty.AUDITOR)]


class SimulationStart(ApiModel):
    """测算要求。"""

    set_id: UUID = Field(description="要测算的参数集")
    area_code: AreaCodeText | None = Field(default=None, description="测算范围，默认本人辖区")
    on: date = Field(description="测算日：按该日有效的取值测算")
    programmes: Annotated[list[ShortText], Field(max_length=20)] = Field(
        default_factory=list, description="项目代码；不填为全部在保项目（签批须为全部）"
    )


class SimulationOut(ApiModel):
    """一次测算。"""

    id: UUID
    area_code: str
    set_id: UUID
    set_hash: str = Field(description="测算时参数集内容的摘要")
    base_set_id: UUID | None = Field(description="与之比较的现行参数集")
    on: date
    programmes: list[str]
    requested_by: str
    requested_at: datetime
    status: str = Field(description="queued、running、succeeded、failed")
    communities_done: int
    communities_total: int
    problem: dict[str, Any] | None = Field(description="失败原因")
    finished_at: datetime | None
    result: dict[str, Any] | None = Field(
        description="完成后的汇总：total 合计，by_programme 按项目，by_area 按村（社区），charts 图表数据；"
        "registered 为全部登记人口按已掌握的事实测算：新符合、不再符合、增加、减少；金额为每月，单位分"
    )


class SimulationDifferenceOut(ApiModel):
    """一户（人）的变化。"""

    entitlement_id: UUID
    household_id: UUID
    area_code: str
    programme: str
    before_outcome: str
    after_outcome: str
    before_fen: int
    after_fen: int
    change_fen: int

    @classmethod
    def of(cls, verdict: Verdict) -> SimulationDifferenceOut:
        return cls.model_validate(verdict)


class RegisteredDifferenceOut(ApiModel):
    """登记人口中一户（人）的变化，不论目前是否享受；只作测算，不作结论。"""

    number: int
    area_code: str
    programme: str
    household_id: UUID
    person_id: UUID | None
    before_outcome: str | None
    after_outcome: str
    before_fen: int | None = Field(description="按现行参数每月，单位分；不符合为 null")
    after_fen: int | None = Field(description="按本参数集每月，单位分；不符合为 null")

    @classmethod
    def of(cls, row: PopulationDifference) -> RegisteredDifferenceOut:
        return cls(
            number=row.number,
            area_code=row.area_code,
            programme=row.programme,
            household_id=row.household_id,
            person_id=row.person_id,
            before_outcome=row.old_outcome,
            after_outcome=row.new_outcome,
            before_fen=row.old_fen,
            after_fen=row.new_fen,
        )


async def _shown(simulations: SimulationRepository, scope: AreaScope, found: Simulation) -> SimulationOut:
    progress = await simulations.progress(scope, found.job_id)
    return SimulationOut(
        id=found.id,
        area_code=found.area_code,
        set_id=found.set_id,
        set_hash=found.set_hash,
        base_set_id=found.base_set_id,
        on=found.on,
        programmes=list(found.programmes),
        requested_by=found.requested.name,
        requested_at=found.requested.at,
        status=progress.status,
        communities_done=progress.done,
        communities_total=progress.total,
        problem=None if progress.problem is None else dict(progress.problem),
        finished_at=found.finished_at,
        result=None if found.summary is None else dict(found.summary),
    )


@router.post("", status_code=202, summary="开始测算", dependencies=[IDEMPOTENT])
async def start_simulation(
    body: SimulationStart, session: SessionDep, trail: AuditDep, actor: Officer, clock: ClockDep, response: Response
) -> SimulationOut:
    """后台分别按现行参数和本参数集计算：在保的依据最近一次决定的事实，全部登记人口依据已掌握的事实。请按 Location 查询结果。"""
    area = body.area_code or actor.area
    if not actor.scope.covers(area) or await find_area(session, area, clock.today) is None:
        raise area_not_found(area)
    request = SimulationRequest(body.set_id, area, body.on, tuple(dict.fromkeys(body.programmes)))
    simulations, jobs = SimulationRepository(session), SimulationJobs(session)
    sets = PolicySetRepository(session)
    found = await simulating.start(sets, simulations, jobs, actor.scope, request, new_id(), actor, clock.now)
    entry = AuditEntry("simulation.start", "simulation", found.id, area, details={"set_id": str(found.set_id)})
    await trail.record(entry)
    response.headers["Location"] = f"/api/v1/simulations/{found.id}"
    return await _shown(simulations, actor.scope, found)


@router.get("", summary="测算列表")
async def list_simulations(session: SessionDep, actor: Reader, page: PageDep) -> Page[SimulationOut]:
    """本人辖区内的测算，新的在前。"""
    simulations = SimulationRepository(session)
    found = await simulations.list_page(actor.scope, before=cursor_id(page.after), limit=page.limit + 1)
    items = [await _shown(simulations, actor.scope, one) for one in found[: page.limit]]
    cursor = encode_cursor(items[-1].id) if len(found) > page.limit else None
    return Page(items=items, next_cursor=cursor, total=await simulations.count(actor.scope) if page.count else None)


@router.get("/{simulation_id}", summary="测算进度和结果")
async def get_simulation(simulation_id: UUID, session: SessionDep, actor: Reader) -> SimulationOut:
    """完成后给出汇总：增加、减少、不变各多少户，每月和每年增减多少，按项目和村（社区）分列；登记人口中新符合和不再符合的另列。"""
    simulations = SimulationRepository(session)
    return await _shown(simulations, actor.scope, await simulations.get(actor.scope, simulation_id))


@router.get("/{simulation_id}/differences", summary="测算中有变化的户")
async def list_differences(
    simulation_id: UUID,
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    programme: Annotated[str | None, Query(max_length=50, description="只看该项目")] = None,
) -> Page[SimulationDifferenceOut]:
    """结论或金额有变化的各户（人）。"""
    simulations = SimulationRepository(session)
    await simulations.get(actor.scope, simulation_id)
    found = await simulations.list_differences(
        actor.scope, simulation_id, programme=programme, after=cursor_id(page.after), limit=page.limit + 1
    )
    items = [SimulationDifferenceOut.of(one) for one in found[: page.limit]]
    return Page(
        items=items,
        next_cursor=encode_cursor(items[-1].entitlement_id) if len(found) > page.limit else None,
        total=await simulations.count_differences(actor.scope, simulation_id, programme=programme) if page.count else None,
    )


@router.get("/{simulation_id}/registered-differences", summary="登记人口中有变化的户（人）")
async def list_registered_differences(
    simulation_id: UUID,
    session: SessionDep,
    actor: Reader,
    page: PageDep,
    programme: Annotated[str | None, Query(max_length=50, description="只看该项目")] = None,
) -> Page[RegisteredDifferenceOut]:
    """不论目前是否享受，按已掌握的事实新符合、不再符合或金额有变化的户（人）；测算未完成或不能批量测算时为空。"""
    found = await SimulationRepository(session).get(actor.scope, simulation_id)
    run_id = ((found.summary or {}).get("registered") or {}).get("run_id")
    if run_id is None:
        return Page(items=[], next_cursor=None, total=0 if page.count else None)
    run, after = UUID(run_id), cursor_number(page.after)
    rows = await population.list_differences(actor.scope, session, run, after=after, limit=page.limit + 1, programme=programme)
    items = [RegisteredDifferenceOut.of(row) for row in rows[: page.limit]]
    return Page(
        items=items,
        next_cursor=encode_cursor(items[-1].number) if len(rows) > page.limit else None,
        total=await population.count_differences(actor.scope, session, run, programme=programme) if page.count else None,
    )


def cursor_number(after: tuple[Any, ...] | None) -> int:
    """The position of a list sorted by number; 0 before the first."""
    if after is None:
        return 0
    number = str(after[-1])
    if not (number.isascii() and number.isdecimal() and len(number) <= NUMBER_DIGITS):
        raise bad_cursor()
    return int(number)


@router.get(
    "/{simulation_id}/differences.xlsx",
    summary="下载测算结果",
    response_class=Response,
    responses={200: {"description": "XLSX：汇总、按村（社区）、变化明细、登记人口四张表", "content": {MEDIA_TYPE: {}}}},
)
async def download(simulation_id: UUID, session: SessionDep, trail: AuditDep, actor: Reader) -> Response:
    """测算完成后才能下载；金额为每月，单位元。"""
    simulations = SimulationRepository(session)
    found = await simulations.get(actor.scope, simulation_id)
    if found.summary is None:
        raise Conflict("simulation_not_finished", "测算尚未完成，请完成后再下载。")
    verdicts = await simulations.list_differences(actor.scope, simulation_id, programme=None, after=None, limit=None)
    await trail.record(AuditEntry("simulation.download", "simulation", found.id, found.area_code))
    content = await asyncio.to_thread(workbook, _sheets(found.summary, verdicts))
    headers = {"Content-Disposition": f'attachment; filename="simulation-{found.on.isoformat()}.xlsx"'}
    return Response(content, media_type=MEDIA_TYPE, headers=headers | {"Cache-Control": "private, no-store"})


def _sheets(summary: Document, verdicts: Sequence[Verdict]) -> list[Sheet]:
    programmes, outcomes = REGISTRY["programme"], REGISTRY["outcome"]
    totals = [(programmes[one["programme"]], *_totals(one)) for one in summary["by_programme"]]
    areas = [(one["area_code"], *_totals(one)) for one in summary["by_area"]]
    details = (
        (
            one.area_code,
            str(one.household_id),
            programmes[one.programme],
            outcomes[one.before_outcome],
            outcomes[one.after_outcome],
            yuan_text(one.before_fen),
            yuan_text(one.after_fen),
            yuan_text(one.change_fen),
        )
        for one in verdicts
    )
    return [
        Sheet("汇总", ("项目", *TOTALS), [*totals, ("合计", *_totals(summary["total"]))]),
        Sheet("按村（社区）", ("区划代码", *TOTALS), areas),
        Sheet("变化明细", DETAILS, details),
        Sheet("登记人口", ("项目", *REGISTERED), list(_registered(summary.get("registered") or {}))),
    ]


def _registered(summary: Document) -> Iterator[tuple[int | str, ...]]:
    for one in summary.get("by_programme", ()):
        counts = [int(one[name]) for name in ("entering", "leaving", "gaining", "losing")]
        sums = [yuan_text(one[name]) for name in ("monthly_change_fen", "yearly_change_fen")]
        yield (REGISTRY["programme"][one["programme"]], *counts, *sums)


def _totals(tally: Document) -> tuple[int | str, ...]:
    counts = [int(tally[name]) for name in ("assessed", "not_assessable", "gaining", "losing", "unchanged", "leaving")]
    sums = [yuan_text(tally[name]) for name in ("before_fen", "after_fen", "monthly_change_fen", "yearly_change_fen")]
    return (*counts, *sums)
