"""What the routes of the year-end assessment take and give: years, results."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.db.tables.appraisals import AppraisalResult
from app.domain.access import Signature
from app.domain.appraisals import Appraisal, Phase, Span, StationResult, YearEntry
from app.domain.appraisals.model import Schedule
from app.domain.appraisals.scheme_document import value_text
from app.domain.appraisals.scoring import AdjustmentRow, IndicatorRow, PartRow
from app.routers.models import ApiModel, AreaCodeText, ShortText
from app.routers.v1.appraisal_scheme_models import SchemeOut, Year

POINTS = "百分之一分为单位（9350 为 93.50 分）"


class SpanIn(ApiModel):
    """一个阶段的起止日期，均含当日。"""

    first: date
    last: date


class FivePhasesIn(ApiModel):
    """五个阶段；后一阶段不早于前一阶段开始，可以交叉（如信息上报到年底，评议从 11 月中开始）。"""

    preparation: SpanIn = Field(description="准备启动：3 月下旬至 4 月底")
    operation: SpanIn = Field(description="工作运行：5 月初至 6 月上旬")
    mid_year: SpanIn = Field(description="年中测评：6 月中旬至 8 月上旬")
    reporting: SpanIn = Field(description="信息上报：8 月中旬至 12 月底")
    review: SpanIn = Field(description="年度工作评议：11 月中旬至次年 1 月中旬")

    def schedule(self) -> Schedule:
        spans = {Phase(name): getattr(self, name) for name in type(self).model_fields}
        return {phase: Span(span.first, span.last) for phase, span in spans.items()}

    @classmethod
    def of(cls, schedule: Schedule) -> FivePhasesIn:
        return cls(**{phase.value: SpanIn.model_validate(span) for phase, span in schedule.items()})


class AppraisalIn(ApiModel):
    """开展一个年度的考核。"""

    area_code: AreaCodeText | None = Field(default=None, description="考核范围，默认本区县")
    year: Year
    title: ShortText = Field(description="名称")
    scheme: ShortText = Field(description="考核细则代码，如 year_end")
    scheme_version: ShortText | None = Field(default=None, description="细则版本；不填用适用于该年度的最新版本")
    schedule: FivePhasesIn
    stations: Annotated[list[UUID], Field(max_length=500)] = Field(
        default_factory=list, description="纳入的站点；不填为范围内全部站点"
    )

    def entry(self, own_area: str) -> YearEntry:
        return YearEntry(
            area_code=self.area_code or own_area,
            year=self.year,
            title=self.title,
            scheme=self.scheme,
            scheme_version=self.scheme_version,
            schedule=self.schedule.schedule(),
            stations=tuple(self.stations),
        )


class SignedOut(ApiModel):
    """何人何时办理。"""

    by: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, signature: Signature | None) -> SignedOut | None:
        return None if signature is None else cls.model_validate(signature)


class AppraisalSummary(ApiModel):
    """一个年度的考核。"""

    id: UUID
    area_code: str
    year: int
    title: str
    scheme: str
    scheme_version: str
    phase: Phase
    opened: SignedOut
    published: SignedOut | None

    @classmethod
    def of(cls, appraisal: Appraisal) -> AppraisalSummary:
        return cls(**_summary(appraisal))


class AppraisalOut(AppraisalSummary):
    """一个年度的考核，连同开展时固定的细则。"""

    schedule: FivePhasesIn
    scheme_content: SchemeOut = Field(description="开展时固定，此后细则修订不影响本年度")
    scheme_digest: str = Field(description="固定的细则的 SHA-256")

    @classmethod
    def of(cls, appraisal: Appraisal) -> AppraisalOut:
        return cls(
            **_summary(appraisal),
            schedule=FivePhasesIn.of(appraisal.schedule),
            scheme_content=SchemeOut.of(appraisal.scheme),
            scheme_digest=appraisal.scheme_digest,
        )


def _summary(appraisal: Appraisal) -> dict[str, Any]:
    return {
        "id": appraisal.id,
        "area_code": appraisal.area_code,
        "year": appraisal.year,
        "title": appraisal.title,
        "scheme": appraisal.scheme.code,
        "scheme_version": appraisal.scheme.version,
        "phase": appraisal.phase,
        "opened": SignedOut.of(appraisal.opened),
        "published": SignedOut.of(appraisal.published),
    }


class IndicatorRowOut(ApiModel):
    """一项指标的得分。"""

    indicator: str
    name: str
    line: str
    business: str | None
    unit: str
    weight: int
    target: str | None
    actual: str | None
    source: str | None = Field(description="数值的来源；不适用或逾期的为其原因")
    next_step: str | None = Field(description="未完成部分的下一步打算")
    standing: str = Field(
        description="scored 已计分，no_data 系统没有数据、不计入，not_reported 未填报，not_applicable 不适用，overdue 逾期"
    )
    score_points: int | None = Field(description=POINTS)

    @classmethod
    def of(cls, row: IndicatorRow) -> IndicatorRowOut:
        return cls(
            indicator=row.indicator,
            name=row.name,
            line=row.line,
            business=row.business,
            unit=row.unit,
            weight=row.weight,
            target=value_text(row.target),
            actual=value_text(row.actual),
            source=row.source,
            next_step=row.next_step,
            standing=row.standing.value,
            score_points=row.points,
        )


class PartRowOut(ApiModel):
    """一个组成部分的得分。"""

    part: str
    round: str
    weight: int
    score_points: int | None = Field(description=f"{POINTS}；尚缺时为 null")

    @classmethod
    def of(cls, row: PartRow) -> PartRowOut:
        return cls(part=row.part.value, round=row.round.value, weight=row.weight, score_points=row.points)


class AdjustmentRowOut(ApiModel):
    """一类奖扣分：登记了多少，按上限计入多少。"""

    kind: str
    code: str
    name: str
    entered_points: int
    counted_points: int
    source: str

    @classmethod
    def of(cls, row: AdjustmentRow) -> AdjustmentRowOut:
        return cls(
            kind=row.kind.value,
            code=row.code,
            name=row.name,
            entered_points=row.entered,
            counted_points=row.counted,
            source=row.source,
        )


class StandingOut(ApiModel):
    """一个站点的得分明细。"""

    station_id: UUID
    area_code: str
    station_name: str
    indicators: list[IndicatorRowOut]
    parts: list[PartRowOut]
    adjustments: list[AdjustmentRowOut]
    base_points: int | None = Field(description=f"各部分加权合计，{POINTS}")
    bonus_points: int
    deduction_points: int
    vetoed: list[str] = Field(description="一票否决的事项")
    total_points: int | None = Field(description=f"加权合计加奖扣分，{POINTS}；还有内容未填报时为 null")
    grade: str | None
    rank: int | None
    missing: list[str] = Field(description="还缺什么")

    @classmethod
    def of(cls, result: StationResult) -> StandingOut:
        return cls(
            station_id=result.station_id,
            area_code=result.area_code,
            station_name=result.station_name,
            indicators=[IndicatorRowOut.of(row) for row in result.indicators],
            parts=[PartRowOut.of(row) for row in result.parts],
            adjustments=[AdjustmentRowOut.of(row) for row in result.adjustments],
            base_points=result.base,
            bonus_points=result.bonus,
            deduction_points=result.deduction,
            vetoed=list(result.vetoed),
            total_points=result.total,
            grade=result.grade,
            rank=result.rank,
            missing=list(result.missing),
        )


class PublishedYearOut(ApiModel):
    """一个站点已公布的年度结果：公布后不再改变。"""

    appraisal_id: UUID
    station_appraisal_id: UUID
    station_id: UUID
    area_code: str
    station_name: str
    year: int
    score_points: int = Field(description=POINTS)
    grade: str
    vetoed: bool
    rank: int
    content: dict[str, Any] = Field(description="公布时的细则、日程、填报、系统数据、得分明细和人员考核")
    content_hash: str = Field(description="content 的 SHA-256，可据以核对未被改动")
    published_at: datetime

    @classmethod
    def of(cls, row: AppraisalResult) -> PublishedYearOut:
        return cls(**{name: getattr(row, name) for name in cls.model_fields})
