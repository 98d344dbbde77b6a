"""What is entered about one station in a year, and how it is shown."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from pydantic import Field

from app.domain.appraisals import AdjustmentEntry, Phase, ReportEntry, StationYear, SurveyEntry, TargetEntry
from app.domain.appraisals.model import Adjustment, Inputs, Report, Score, Target
from app.domain.appraisals.scheme import FULL_POINTS, Kind, Round
from app.domain.appraisals.scheme_document import hundredths, value_text
from app.domain.appraisals.workflow import last_day
from app.routers.models import ApiModel, LongText, ShortText
from app.routers.v1.appraisal_models import POINTS, FivePhasesIn, SignedOut
from app.routers.v1.appraisal_scheme_models import Amount, Code, SchemeOut

Evidence = Annotated[
    list[UUID], Field(max_length=20, description="证据文件编号：先经 POST /station-appraisals/{id}/evidence 上传")
]
ScorePoints = Annotated[int, Field(strict=True, ge=0, le=FULL_POINTS, description=POINTS)]


class TargetIn(ApiModel):
    """一项指标的目标值。"""

    indicator: Code
    target: Amount | None = Field(description="目标值；null 为对本站不适用，须在 note 中说明")
    note: LongText | None = Field(default=None, description="不适用的原因；年中调整目标值时必填")
    owner: ShortText | None = Field(default=None, description="任务责任人")

    def entry(self) -> TargetEntry:
        return TargetEntry(self.indicator, None if self.target is None else hundredths(self.target), self.note, self.owner)


class TargetsIn(ApiModel):
    """要确定或调整的目标值；未列出的不变。"""

    targets: Annotated[list[TargetIn], Field(min_length=1, max_length=100)]


class ReportIn(ApiModel):
    """一项指标的完成情况。"""

    indicator: Code
    actual: Amount = Field(description="完成值")
    note: LongText | None = Field(default=None, description="说明")
    next_step: LongText | None = Field(default=None, description="下一步打算；未达到目标值的必填")
    evidence: Evidence = Field(default_factory=list)

    def entry(self) -> ReportEntry:
        return ReportEntry(self.indicator, hundredths(self.actual), self.note, self.next_step, tuple(self.evidence))


class ReportsIn(ApiModel):
    """填报的指标；未列出的不变。"""

    reports: Annotated[list[ReportIn], Field(min_length=1, max_length=100)]


class SelfReviewIn(ApiModel):
    """自评。"""

    score_points: ScorePoints
    note: LongText = Field(description="自评意见：完成情况、未完成的工作和下一步打算")


class LeaderScoreIn(ApiModel):
    """主要领导评分。"""

    score_points: ScorePoints
    note: LongText | None = Field(default=None, description="评语")


class SurveyIn(ApiModel):
    """社会公认度调查结果；得分由满意人数和样本数计算。"""

    sample_size: Annotated[int, Field(strict=True, ge=1, le=10_000_000)] = Field(description="有效样本数")
    satisfied: Annotated[int, Field(strict=True, ge=0, le=10_000_000)] = Field(description="其中满意的人数")
    conducted_by: ShortText = Field(description="由谁调查，如统计局或社会中介组织")
    note: LongText | None = None
    evidence: Evidence = Field(default_factory=list)

    def entry(self) -> SurveyEntry:
        return SurveyEntry(self.sample_size, self.satisfied, self.conducted_by, self.note, tuple(self.evidence))


class OverdueIn(ApiModel):
    """逾期未报的登记。"""

    reason: LongText = Field(description="催报情况")


class AdjustmentIn(ApiModel):
    """一次加分、扣分或一票否决。"""

    kind: Kind = Field(description="bonus 加分，deduction 扣分，veto 一票否决")
    code: Code
    score_points: Annotated[int, Field(strict=True, ge=0, le=FULL_POINTS)] = Field(
        default=0, description="分值，百分之一分为单位；一票否决不填"
    )
    reason: LongText
    evidence: Annotated[list[UUID], Field(min_length=1, max_length=20, description="证据文件编号，至少一份")]

    def entry(self) -> AdjustmentEntry:
        return AdjustmentEntry(self.kind, self.code, self.score_points, self.reason, tuple(self.evidence))


class AdjustmentWithdrawalIn(ApiModel):
    """撤销原因。"""

    reason: LongText


class TargetOut(ApiModel):
    """一项指标的目标值。"""

    indicator: str
    target: str | None
    note: str | None
    owner: str | None
    entered: SignedOut

    @classmethod
    def of(cls, target: Target) -> TargetOut:
        return cls(
            indicator=target.indicator,
            target=value_text(target.target),
            note=target.note,
            owner=target.owner,
            entered=SignedOut.model_validate(target.signature),
        )


class ReportOut(ApiModel):
    """一项指标的完成情况。"""

    indicator: str
    round: str
    actual: str | None = Field(description="null 为逾期未报，由区县登记")
    note: str | None
    next_step: str | None
    evidence: list[UUID]
    entered: SignedOut

    @classmethod
    def of(cls, report: Report) -> ReportOut:
        return cls(
            indicator=report.indicator,
            round=report.round.value,
            actual=value_text(report.actual),
            note=report.note,
            next_step=report.next_step,
            evidence=list(report.evidence),
            entered=SignedOut.model_validate(report.signature),
        )


class ScoreOut(ApiModel):
    """自评、主要领导评分或社会公认度。"""

    part: str
    round: str
    score_points: int = Field(description=POINTS)
    note: str | None
    sample_size: int | None
    satisfied: int | None
    conducted_by: str | None
    evidence: list[UUID]
    entered: SignedOut

    @classmethod
    def of(cls, score: Score) -> ScoreOut:
        return cls(
            part=score.part.value,
            round=score.round.value,
            score_points=score.points,
            note=score.note,
            sample_size=score.sample_size,
            satisfied=score.satisfied,
            conducted_by=score.conducted_by,
            evidence=list(score.evidence),
            entered=SignedOut.model_validate(score.signature),
        )


class AdjustmentOut(ApiModel):
    """一次加分、扣分或一票否决。"""

    id: UUID
    kind: str
    code: str
    score_points: int
    reason: str
    evidence: list[UUID]
    entered: SignedOut
    withdrawn: SignedOut | None
    withdrawn_reason: str | None

    @classmethod
    def of(cls, one: Adjustment) -> AdjustmentOut:
        return cls(
            id=one.id,
            kind=one.kind.value,
            code=one.code,
            score_points=one.points,
            reason=one.reason,
            evidence=list(one.evidence),
            entered=SignedOut.model_validate(one.signature),
            withdrawn=SignedOut.of(one.withdrawn),
            withdrawn_reason=one.withdrawn_reason,
        )


class StationAppraisalSummary(ApiModel):
    """一个站点的年度考核。"""

    id: UUID
    appraisal_id: UUID
    station_id: UUID
    area_code: str
    station_name: str
    year: int
    title: str
    scheme: str
    scheme_version: str
    phase: Phase
    mid_year_due_on: date = Field(description="年中自评截止日")
    year_end_due_on: date = Field(description="年终自评和指标填报截止日")

    @classmethod
    def of(cls, station: StationYear) -> StationAppraisalSummary:
        return cls(
            id=station.id,
            appraisal_id=station.appraisal_id,
            station_id=station.station_id,
            area_code=station.area_code,
            station_name=station.station_name,
            year=station.year,
            title=station.title,
            scheme=station.scheme.code,
            scheme_version=station.scheme.version,
            phase=station.phase,
            mid_year_due_on=last_day(station.schedule, Round.MID_YEAR),
            year_end_due_on=last_day(station.schedule, Round.YEAR_END),
        )


class StationAppraisalOut(StationAppraisalSummary):
    """一个站点的年度考核，连同日程、细则和现行填报。"""

    schedule: FivePhasesIn
    scheme_content: SchemeOut
    targets: list[TargetOut]
    reports: list[ReportOut]
    scores: list[ScoreOut]
    adjustments: list[AdjustmentOut]

    @classmethod
    def with_entries(cls, station: StationYear, inputs: Inputs) -> StationAppraisalOut:
        return cls(
            **StationAppraisalSummary.of(station).model_dump(),
            schedule=FivePhasesIn.of(station.schedule),
            scheme_content=SchemeOut.of(station.scheme),
            targets=[TargetOut.of(one) for one in inputs.targets.values()],
            reports=[ReportOut.of(one) for one in inputs.reports.values()],
            scores=[ScoreOut.of(one) for one in inputs.scores.values()],
            adjustments=[AdjustmentOut.of(one) for one in inputs.adjustments],
        )
