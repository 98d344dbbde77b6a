"""How stations work, from the operating data: figures with their counts, three sources side by side, the cases that missed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Path, Query
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.codes import REGISTRY
from app.db.repositories.stations import StationRepository
from app.db.station_operations import sources_of
from app.db.station_operations_report import report_of
from app.dependencies import Clock, ClockDep, PageDep, SessionDep, cursor_id, encode_cursor
from app.domain.access import AreaScope
from app.domain.errors import Conflict, NotFound
from app.domain.stations.local_standards import asked_for
from app.domain.stations.model import Undecided
from app.domain.stations.operating import OPERATING, CaseKind, Miss, OperatingMeasure, OperatingReading, Period, Shape, period_of
from app.domain.stations.operating_report import OperationsReport, SourcesRow, StationOperations
from app.domain.stations.records import StationRecord
from app.routers.models import ApiModel, Page
from app.routers.route import api_router
from app.routers.v1.station_access import Reader, known_standards

router = api_router("民政工作站评估")

MAX_STATIONS = 10_000
DEFAULT = "operations"
PATHS = {
    CaseKind.APPLICATION: "/api/v1/applications/{}",
    CaseKind.ENTITLEMENT: "/api/v1/entitlements/{}",
    CaseKind.LEAD: "/api/v1/leads/{}",
    CaseKind.INFORMANT: "/api/v1/informants/{}",
    CaseKind.SERVICE_REQUEST: "/api/v1/service-requests/{}",
}

From = Annotated[date | None, Query(description="统计期间的第一天；起止都不填为最近十二个整月")]
To = Annotated[date | None, Query(description="统计期间的最后一天（含），应在今天以前")]
AsOf = Annotated[date | None, Query(description="以该日为准的标准和登记事实；不填为今天，填了统计期间的为期间最后一天")]
Chosen = Annotated[str, Query(max_length=60, description="标准代码；不填为运行质效")]
MeasurePath = Annotated[str, Path(max_length=60, description="运行指标代码，见代码表 station_operating_measure")]


class MeasureOut(ApiModel):
    """一个运行指标。"""

    code: str
    name: str
    shape: Shape = Field(description="rate 比例，ratio 人均等比值，count 计数")
    unit: str
    definition: str = Field(description="统计口径")

    @classmethod
    def of(cls, code: str, measure: OperatingMeasure) -> MeasureOut:
        return cls(code=code, name=measure.name, shape=measure.shape, unit=measure.unit, definition=measure.definition)


class ReadingOut(ApiModel):
    """一个指标的读数，连同其件数。"""

    measure: str
    part: int | None = Field(description="达标件数（比值指标为合计数）")
    whole: int | None = Field(description="总件数")
    rate_bp: int | None = Field(description="万分率，截取不进位：9756 为 97.56%；比值指标 15000 为 1.5")
    count: int | None = Field(description="计数指标的数目")
    reason: Undecided | None = Field(description="没有读数的原因：no_data 系统尚未记录，no_cases 期内没有发生")
    reason_text: str | None

    @classmethod
    def of(cls, reading: OperatingReading) -> ReadingOut:
        divides = OPERATING[reading.measure].shape is not Shape.COUNT
        tally = reading.tally if divides else None
        return cls(
            measure=reading.measure,
            part=tally.good if tally else None,
            whole=tally.cases if tally else None,
            rate_bp=reading.rate_bp,
            count=reading.count,
            reason=reading.reason,
            reason_text=REGISTRY["station_reason"][reading.reason] if reading.reason else None,
        )


class SourcesOut(ApiModel):
    """一条标准的三个来源：业务数据、自评、检查，并列不相混。"""

    criterion: str
    name: str
    dimension: str
    mandatory: bool
    weight: int
    measure: str
    derived: bool | None = Field(description="业务数据得出的结论；null 的原因见 derived_reason")
    derived_reason: Undecided | None
    measured: str | None
    required: str | None
    unit: str | None
    self_met: bool | None = Field(description="本站最近一次自评；未自评为 null")
    found: bool | None = Field(description="最近一次经确认的检查结论；未检查为 null")
    disagrees: bool = Field(description="自评与业务数据不一致")
    article: str
    sentence: str

    @classmethod
    def of(cls, row: SourcesRow) -> SourcesOut:
        verdict, criterion = row.verdict, row.verdict.criterion
        return cls(
            criterion=criterion.code,
            name=criterion.name,
            dimension=criterion.dimension.value,
            mandatory=criterion.mandatory,
            weight=criterion.weight,
            measure=criterion.measure,
            derived=verdict.met,
            derived_reason=verdict.reason,
            measured=verdict.measured,
            required=verdict.required,
            unit=verdict.unit,
            self_met=row.self_met,
            found=row.found,
            disagrees=row.disagrees,
            article=criterion.article,
            sentence=criterion.sentence,
        )


class StationOperationsOut(ApiModel):
    """一个工作站的运行情况。"""

    station_id: UUID
    area_code: str
    name: str
    grade: str = Field(description="qualified 合格，unqualified 不合格，undetermined 尚不能评定")
    points: int | None = Field(description="得分，百分之一分为单位；系统未记录的和没有发生的不计")
    disagreements: int = Field(description="自评与业务数据不一致的条数")
    readings: list[ReadingOut]
    criteria: list[SourcesOut]

    @classmethod
    def of(cls, station: StationOperations) -> StationOperationsOut:
        return cls(
            station_id=station.station_id,
            area_code=station.area_code,
            name=station.name,
            grade=station.grade,
            points=station.points,
            disagreements=sum(row.disagrees for row in station.rows),
            readings=[ReadingOut.of(reading) for reading in station.readings],
            criteria=[SourcesOut.of(row) for row in station.rows],
        )


class OperationsReportOut(ApiModel):
    """工作站运行情况报告。"""

    standard: str
    version: str
    as_of: date
    period_from: date
    period_to: date
    measures: list[MeasureOut]
    stations: list[StationOperationsOut]

    @classmethod
    def of(cls, report: OperationsReport) -> OperationsReportOut:
        return cls(
            standard=report.standard,
            version=report.version,
            as_of=report.as_of,
            period_from=report.period.first,
            period_to=report.period.last,
            measures=[MeasureOut.of(code, measure) for code, measure in OPERATING.items()],
            stations=[StationOperationsOut.of(station) for station in report.stations],
        )


class MissOut(ApiModel):
    """一件未达标的事项，只给编号和链接。"""

    id: UUID = Field(description="未达标的那一条记录")
    kind: CaseKind
    subject_id: UUID = Field(description="应查看的申请、在保、线索或信息监督员")
    area_code: str
    on: date = Field(description="到期日、办理日或所属月份")
    what: str | None = Field(description="时限、暂缓原因、来源等代码")
    href: str | None

    @classmethod
    def of(cls, miss: Miss, kind: CaseKind) -> MissOut:
        return cls(
            id=miss.id,
            kind=kind,
            subject_id=miss.subject_id,
            area_code=miss.area_code,
            on=miss.on,
            what=miss.what,
            href=PATHS[kind].format(miss.subject_id) if kind in PATHS else None,
        )


@router.get("/reports/station-operations", summary="工作站运行情况报告")
async def report_operations(
    session: SessionDep,
    clock: ClockDep,
    actor: Reader,
    standard: Chosen = DEFAULT,
    as_of: AsOf = None,
    period_from: From = None,
    period_to: To = None,
) -> OperationsReportOut:
    """辖区内各站的限时办结、公示、社会化发放、卷宗、线索等指标，由业务数据得出，每个指标一次查询；附件数，并与自评、检查结论并列。

    系统尚未记录的指标为 `no_data`，期内没有发生的为 `no_cases`：都不是零分。
    """
    day, period = _asked(as_of, period_from, period_to, clock)
    records = await StationRepository(session).list_stations(actor.scope, area_code=None, on=day, after=None, limit=MAX_STATIONS)
    return OperationsReportOut.of(await _report(actor.scope, session, standard, records, period, day))


@router.get("/stations/{station_id}/operations", summary="本站运行情况")
async def get_operations(
    station_id: UUID,
    session: SessionDep,
    clock: ClockDep,
    actor: Reader,
    standard: Chosen = DEFAULT,
    as_of: AsOf = None,
    period_from: From = None,
    period_to: To = None,
) -> OperationsReportOut:
    """一个工作站的运行情况，内容同报告。"""
    station = await StationRepository(session).get(actor.scope, station_id)
    day, period = _asked(as_of, period_from, period_to, clock)
    return OperationsReportOut.of(await _report(actor.scope, session, standard, [station], period, day))


@router.get("/stations/{station_id}/operations/{measure}/misses", summary="未达标的事项")
async def list_misses(
    station_id: UUID,
    measure: MeasurePath,
    session: SessionDep,
    clock: ClockDep,
    actor: Reader,
    page: PageDep,
    as_of: AsOf = None,
    period_from: From = None,
    period_to: To = None,
) -> Page[MissOut]:
    """一个指标背后未达标的事项，按编号；件数与读数的差额一致。只给编号和链接，查看内容须另有相应职责。"""
    station = await StationRepository(session).get(actor.scope, station_id)
    if measure not in OPERATING:
        raise NotFound("measure_not_found", "没有这个运行指标，请从报告的 measures 中选择。")
    source = sources_of(session).of(measure)
    if source is None:
        detail = f"系统尚未记录“{OPERATING[measure].name}”所需的数据，没有可以列出的事项。"
        raise Conflict("measure_without_data", detail)
    _, period = _asked(as_of, period_from, period_to, clock)
    wanted = actor.scope, measure, station.area_code, period
    found = await source.list_misses(*wanted, after=cursor_id(page.after), limit=page.limit + 1)
    items = found[: page.limit]
    return Page(
        items=[MissOut.of(miss, OPERATING[measure].case) for miss in items],
        next_cursor=encode_cursor(items[-1].id) if len(found) > page.limit else None,
        total=await source.count_misses(*wanted) if page.count else None,
    )


def _asked(as_of: date | None, first: date | None, last: date | None, clock: Clock) -> tuple[date, Period]:
    """The day whose standard and facts count, and the days counted."""
    day = as_of or last or clock.today
    return day, period_of(first, last, day, clock.today)


async def _report(
    scope: AreaScope,
    session: AsyncSession,
    standard: str,
    stations: Sequence[StationRecord],
    period: Period,
    on: date,
) -> OperationsReport:
    chosen = asked_for(await known_standards(scope, session), standard, "/query/standard")
    return await report_of(scope, session, chosen, stations, period, on)
