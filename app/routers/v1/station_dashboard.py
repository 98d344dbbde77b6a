"""Dashboards about stations: figures ready for charts, and a workbook with the charts in it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response
from pydantic import Field
from sqlalchemy.ext.asyncio import AsyncSession

from app.db.repositories.audit import AuditEntry
from app.db.station_dashboard import dashboard_of
from app.dependencies import AuditDep, Clock, ClockDep, SessionDep
from app.domain.access import AreaScope
from app.domain.stations import Criterion
from app.domain.stations.dashboard import Dashboard, Operations
from app.domain.stations.local_standards import asked_for
from app.domain.stations.operating import OPERATING
from app.routers.models import ApiModel
from app.routers.route import api_router
from app.routers.v1.station_access import Reader, known_standards
from app.routers.v1.station_operations import MeasureOut, ReadingOut
from app.station_workbook import dashboard_workbook
from app.workbook import MEDIA_TYPE

router = api_router("民政工作站评估", "/reports")

MAX_MONTHS = 24
POINTS = "得分，百分之一分为单位；没有可计分的指标时为 null"


class CriterionColumn(ApiModel):
    """热力表的一列。"""

    code: str
    name: str
    dimension: str
    mandatory: bool
    weight: int

    @classmethod
    def of(cls, criterion: Criterion) -> CriterionColumn:
        return cls(
            code=criterion.code,
            name=criterion.name,
            dimension=criterion.dimension.value,
            mandatory=criterion.mandatory,
            weight=criterion.weight,
        )


class StationRow(ApiModel):
    """热力表的一行，连同本站的雷达图。"""

    station_id: UUID
    area_code: str
    name: str
    grade: str = Field(description="qualified 合格，unqualified 不合格，undetermined 事实不足")
    points: int | None = Field(description=POINTS)
    cells: tuple[bool | None, ...] = Field(description="与 criteria 一一对应：达标、未达标、null 为不能判断")
    radar: Mapping[str, int | None] = Field(description="按维度的得分（百分之一分）")


class TrendRow(ApiModel):
    """各维度全部站点的平均得分。"""

    as_of: date
    points: Mapping[str, int | None] = Field(description="按维度的平均得分（百分之一分）")


class FunnelOut(ApiModel):
    """整改漏斗。"""

    found: int = Field(description="列出的整改事项")
    submitted: int = Field(description="已提交整改、待复查")
    closed: int = Field(description="已销号")
    overdue: int = Field(description="逾期未提交")


class FiguresRow(ApiModel):
    """一个工作站的运行数据。"""

    station_id: UUID
    readings: list[ReadingOut]


class OperationsOut(ApiModel):
    """由业务数据得出的运行数据，附件数。"""

    period_from: date
    period_to: date
    measures: list[MeasureOut]
    stations: list[FiguresRow]

    @classmethod
    def of(cls, found: Operations) -> OperationsOut:
        return cls(
            period_from=found.period.first,
            period_to=found.period.last,
            measures=[MeasureOut.of(code, measure) for code, measure in OPERATING.items()],
            stations=[
                FiguresRow(station_id=one.station_id, readings=[ReadingOut.of(reading) for reading in one.readings])
                for one in found.stations
            ],
        )


class StationDashboard(ApiModel):
    """辖区内工作站的图表数据。"""

    standard: str
    as_of: date
    criteria: list[CriterionColumn]
    stations: list[StationRow]
    trend: list[TrendRow] = Field(description="此前各月末至 as_of 的走势，旧的在前")
    rectifications: FunnelOut
    operations: OperationsOut = Field(description="最近十二个整月的运行数据，与所选标准无关")

    @classmethod
    def of(cls, found: Dashboard) -> StationDashboard:
        return cls(
            standard=found.standard,
            as_of=found.as_of,
            criteria=[CriterionColumn.of(criterion) for criterion in found.criteria],
            stations=[StationRow.model_validate(station) for station in found.stations],
            trend=[TrendRow.model_validate(point) for point in found.trend],
            rectifications=FunnelOut.model_validate(found.rectifications),
            operations=OperationsOut.of(found.operations),
        )


AsOfDay = Annotated[date | None, Query(description="以该日的情况为准；不填为今天")]
Months = Annotated[int, Query(ge=0, le=MAX_MONTHS, description="走势回看几个月末")]
Chosen = Annotated[str, Query(max_length=60, description="标准代码；不填为三有四全")]
DEFAULT = "sanyou_siquan"


@router.get("/station-dashboard", summary="工作站图表数据")
async def get_dashboard(
    session: SessionDep, clock: ClockDep, actor: Reader, standard: Chosen = DEFAULT, as_of: AsOfDay = None, months: Months = 6
) -> StationDashboard:
    """由登记的事实和业务数据逐站计算：站点×指标热力表、各站雷达图、各维度走势、整改漏斗、运行数据。

    每类事实、每个运行指标一次查询，与站点多少无关。
    """
    return StationDashboard.of(await _found(actor.scope, session, standard, as_of, clock, months))


@router.get(
    "/station-dashboard.xlsx",
    summary="下载工作站图表",
    response_class=Response,
    responses={200: {"description": "XLSX：热力表、雷达图、走势图、整改漏斗", "content": {MEDIA_TYPE: {}}}},
)
async def download_dashboard(
    session: SessionDep,
    trail: AuditDep,
    clock: ClockDep,
    actor: Reader,
    standard: Chosen = DEFAULT,
    as_of: AsOfDay = None,
    months: Months = 6,
) -> Response:
    """同上的数据，图表为表格软件自带的图表，可继续编辑。"""
    found = await _found(actor.scope, session, standard, as_of, clock, months)
    await trail.record(AuditEntry("station_dashboard.download", "district", actor.district, actor.area))
    content = await asyncio.to_thread(dashboard_workbook, found)
    headers = {"Content-Disposition": f'attachment; filename="stations-{found.as_of.isoformat()}.xlsx"'}
    return Response(content, media_type=MEDIA_TYPE, headers=headers | {"Cache-Control": "private, no-store"})


async def _found(
    scope: AreaScope, session: AsyncSession, standard: str, as_of: date | None, clock: Clock, months: int
) -> Dashboard:
    chosen = asked_for(await known_standards(scope, session), standard, "/query/standard")
    return await dashboard_of(scope, session, chosen, as_of or clock.today, months=months, today=clock.today)
