"""What the acceptance routes take and give."""

from __future__ import annotations

from datetime import date, datetime
from secrets import randbelow
from typing import Annotated, Any
from uuid import UUID

from pydantic import Field

from app.db.tables.inspections import InspectionResult
from app.domain.access import Signature
from app.domain.inspections import Campaign, CampaignEntry, Inspection, Mark, MarkEntry, Rectification, Result, Schedule
from app.domain.inspections.model import Row
from app.domain.inspections.workflow import escalation_of
from app.routers.models import ApiModel, AreaCodeText, LongText, ShortText

Evidence = Annotated[list[UUID], Field(max_length=20, description="证据文件编号：先经 POST /inspections/{id}/evidence 上传")]
CriterionText = Annotated[str, Field(min_length=1, max_length=100, description="标准中的指标代码，每项至多一行")]
MAX_ROWS = 200
SEEDS = 1_000_000  # nobody can foresee which; short enough to be read out when the draw is repeated
SCORE = "得分，百分之一分为单位（9350 为 93.50 分）；有指标尚未检查时为 null"


class ScheduleIn(ApiModel):
    """各阶段的开始日期，依次不早于前一阶段。"""

    preparation_from: date = Field(description="准备阶段开始")
    implementation_from: date = Field(description="实施阶段开始")
    inspection_from: date = Field(description="检查验收阶段开始")
    conclude_by: date = Field(description="结束日期")


class CampaignIn(ApiModel):
    """一次检查验收活动。"""

    area_code: AreaCodeText | None = Field(default=None, description="验收范围，默认本区县")
    title: ShortText = Field(description="活动名称")
    standard: ShortText = Field(description="所用标准代码，如 sanyou_siquan")
    as_of: date = Field(description="以该日的情况为准，并据此固定标准版本")
    schedule: ScheduleIn
    seed: int | None = Field(
        default=None, ge=0, lt=2**63, description="抽查种子：相同种子抽到相同的村（社区）；不填由系统随机取一个并记录"
    )
    sample_size: int = Field(default=3, ge=0, le=50, description="每站抽查几个村（社区）")
    stations: Annotated[list[UUID], Field(max_length=500)] = Field(
        default_factory=list, description="纳入的站点；不填为范围内全部站点"
    )

    def entry(self, own_area: str) -> CampaignEntry:
        return CampaignEntry(
            area_code=self.area_code or own_area,
            title=self.title,
            standard=self.standard,
            as_of=self.as_of,
            schedule=Schedule(**self.schedule.model_dump()),
            seed=randbelow(SEEDS) if self.seed is None else self.seed,
            sample_size=self.sample_size,
            stations=tuple(self.stations),
        )


class AcceptanceSignature(ApiModel):
    """签字。"""

    by: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, signature: Signature | None) -> AcceptanceSignature | None:
        return None if signature is None else cls(by=signature.by, name=signature.name, at=signature.at)


class CampaignOut(ApiModel):
    """检查验收活动。"""

    id: UUID
    area_code: str
    title: str
    standard: str
    standard_version: str = Field(description="开展时固定的标准版本，此后标准修订不影响本次")
    as_of: date
    schedule: ScheduleIn
    seed: int
    sample_size: int
    phase: str = Field(description="draft、preparation、implementation、inspection、closed、published、cancelled")
    opened: AcceptanceSignature
    published: AcceptanceSignature | None

    @classmethod
    def of(cls, campaign: Campaign) -> CampaignOut:
        return cls(
            id=campaign.id,
            area_code=campaign.area_code,
            title=campaign.title,
            standard=campaign.standard,
            standard_version=campaign.standard_version,
            as_of=campaign.as_of,
            schedule=ScheduleIn.model_validate(campaign.schedule),
            seed=campaign.seed,
            sample_size=campaign.sample_size,
            phase=campaign.phase.value,
            opened=AcceptanceSignature.model_validate(campaign.opened),
            published=AcceptanceSignature.of(campaign.published),
        )


class TeamIn(ApiModel):
    """检查组。"""

    inspectors: Annotated[list[UUID], Field(min_length=1, max_length=20, description="检查人员账号编号，不得曾在该站任职")]


class FindingIn(ApiModel):
    """一项指标的检查结论。"""

    met: bool = Field(description="是否合格")
    note: LongText | None = Field(default=None, description="说明；不合格时作为整改要求")
    evidence: Evidence = Field(default_factory=list)
    rectify_by: date | None = Field(default=None, description="整改期限，不合格时必填")

    def entry(self) -> MarkEntry:
        return MarkEntry(self.met, self.note, tuple(self.evidence), self.rectify_by)


class SelfMarkIn(ApiModel):
    """一项指标的自评。"""

    met: bool = Field(description="自评是否达标")
    note: LongText | None = Field(default=None, description="说明")
    evidence: Evidence = Field(default_factory=list)

    def entry(self) -> MarkEntry:
        return MarkEntry(self.met, self.note, tuple(self.evidence))


class SheetFindingIn(FindingIn):
    """检查表中的一行。"""

    criterion: CriterionText


class SheetSelfMarkIn(SelfMarkIn):
    """自评表中的一行。"""

    criterion: CriterionText


class FindingSheetIn(ApiModel):
    """检查表：一次填写多项检查结论。"""

    marks: Annotated[list[SheetFindingIn], Field(min_length=1, max_length=MAX_ROWS)]

    def entries(self) -> list[tuple[str, MarkEntry]]:
        return [(row.criterion, row.entry()) for row in self.marks]


class SelfMarkSheetIn(ApiModel):
    """自评表：一次填写多项自评。"""

    marks: Annotated[list[SheetSelfMarkIn], Field(min_length=1, max_length=MAX_ROWS)]

    def entries(self) -> list[tuple[str, MarkEntry]]:
        return [(row.criterion, row.entry()) for row in self.marks]


class MarkOut(ApiModel):
    """一项自评或检查结论。"""

    criterion: str
    source: str = Field(description="self 自评，found 检查")
    met: bool
    note: str | None
    evidence: list[UUID]
    rectify_by: date | None
    by: UUID
    name: str
    at: datetime

    @classmethod
    def of(cls, mark: Mark) -> MarkOut:
        return cls(
            criterion=mark.criterion,
            source=mark.source.value,
            met=mark.met,
            note=mark.note,
            evidence=list(mark.evidence),
            rectify_by=mark.rectify_by,
            by=mark.signature.by,
            name=mark.signature.name,
            at=mark.signature.at,
        )


class InspectionOut(ApiModel):
    """一个站点的验收。"""

    id: UUID
    campaign_id: UUID
    title: str
    standard: str
    standard_version: str
    as_of: date
    phase: str = Field(description="所属活动的阶段")
    station_id: UUID
    area_code: str
    station_name: str
    inspectors: list[UUID]
    sample: list[str] = Field(description="抽查的村（社区）区划代码，由活动的种子抽出")
    state: str = Field(description="planned 待检查，signed 检查组已签字，confirmed 站长已签字确认")
    signatures: list[AcceptanceSignature]
    countersigned: AcceptanceSignature | None

    @classmethod
    def of(cls, inspection: Inspection) -> InspectionOut:
        return cls(
            id=inspection.id,
            campaign_id=inspection.campaign_id,
            title=inspection.title,
            standard=inspection.standard,
            standard_version=inspection.standard_version,
            as_of=inspection.as_of,
            phase=inspection.phase.value,
            station_id=inspection.station_id,
            area_code=inspection.area_code,
            station_name=inspection.station_name,
            inspectors=list(inspection.inspectors),
            sample=list(inspection.sample),
            state=inspection.state.value,
            signatures=[AcceptanceSignature.model_validate(one) for one in inspection.signatures],
            countersigned=AcceptanceSignature.of(inspection.countersigned),
        )


class RowOut(ApiModel):
    """一项指标的三个来源：系统数据、自评、检查，并列不相混。"""

    criterion: str
    name: str
    dimension: str
    mandatory: bool
    weight: int
    derived: bool | None = Field(description="系统数据得出的结论；null 为数据不足或标准未规定")
    derived_reason: str | None = Field(description="fact_missing 缺数据，not_defined 标准未规定，nothing_to_measure 无可衡量")
    measured: str | None
    required: str | None
    self_met: bool | None = Field(description="自评")
    found: bool | None = Field(description="检查结论")
    rectified: bool = Field(description="不合格后已整改销号")
    disagrees: bool = Field(description="自评与系统数据不一致")

    @classmethod
    def of(cls, row: Row) -> RowOut:
        return cls.model_validate(row)


class ResultOut(ApiModel):
    """一个站点的结果。"""

    station_id: UUID
    area_code: str
    station_name: str
    passed: bool | None = Field(description="全部必达指标合格才为 true；null 为尚未检查完")
    score_points: int | None = Field(description=SCORE)
    rank: int | None
    criteria: list[RowOut]

    @classmethod
    def of(cls, result: Result) -> ResultOut:
        return cls(
            station_id=result.station_id,
            area_code=result.area_code,
            station_name=result.station_name,
            passed=result.passed,
            score_points=result.score_points,
            rank=result.rank,
            criteria=[RowOut.of(row) for row in result.rows],
        )


class PublishedOut(ApiModel):
    """一个站点已公布的结果：公布后不再改变。"""

    campaign_id: UUID
    station_id: UUID
    area_code: str
    station_name: str
    passed: bool
    score_points: int = Field(description=SCORE)
    rank: int
    consequence: dict[str, Any] = Field(
        description="notice：commendation 通报表扬、criticism 通报批评；points_off：年终目标考评扣分（百分之一分）；source：依据"
    )
    content: dict[str, Any] = Field(description="公布时的事实、标准版本、各项结论")
    content_hash: str = Field(description="content 的 SHA-256，可据以核对未被改动")
    published_at: datetime

    @classmethod
    def of(cls, row: InspectionResult) -> PublishedOut:
        return cls(
            campaign_id=row.campaign_id,
            station_id=row.station_id,
            area_code=row.area_code,
            station_name=row.station_name,
            passed=row.passed,
            score_points=row.score_points,
            rank=row.rank,
            consequence=row.consequence,
            content=row.content,
            content_hash=row.content_hash,
            published_at=row.published_at,
        )


class OwnerIn(ApiModel):
    """整改责任人。"""

    owner: ShortText = Field(description="责任人姓名或岗位")


class SubmissionIn(ApiModel):
    """整改完成情况。"""

    note: LongText = Field(description="整改措施和结果")
    evidence: Annotated[list[UUID], Field(min_length=1, max_length=20, description="证据文件编号")]


class ReinspectionIn(ApiModel):
    """复查结论。"""

    passed: bool = Field(description="是否通过")
    note: LongText = Field(description="复查情况")
    due_on: date | None = Field(default=None, description="未通过时的新期限")


class RectificationOut(ApiModel):
    """一项整改。"""

    id: UUID
    inspection_id: UUID
    station_id: UUID
    area_code: str
    criterion: str
    requirement: str
    due_on: date
    owner: str | None
    state: str = Field(description="open 整改中，submitted 待复查，closed 已销号")
    overdue_days: int = Field(description="逾期天数，未逾期为 0")
    escalated_to: str | None = Field(description="逾期后提请：station_head 站长；超过十五日 district 区县")
    submissions: list[dict[str, Any]] = Field(description="历次提交及复查")
    closed: AcceptanceSignature | None

    @classmethod
    def of(cls, found: Rectification, today: date) -> RectificationOut:
        escalation = escalation_of(found, today)
        return cls(
            id=found.id,
            inspection_id=found.inspection_id,
            station_id=found.station_id,
            area_code=found.area_code,
            criterion=found.criterion,
            requirement=found.requirement,
            due_on=found.due_on,
            owner=found.owner,
            state=found.state.value,
            overdue_days=(today - found.due_on).days if escalation else 0,
            escalated_to=escalation.value if escalation else None,
            submissions=[dict(one) for one in found.submissions],
            closed=AcceptanceSignature.of(found.closed),
        )
