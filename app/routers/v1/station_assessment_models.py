"""The request and the answer of a station assessment: the request mirrors the domain's frozen facts one to one."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.domain.stations import facts
from app.domain.stations.model import Assessment, Caution, Comparator, Dimension, DimensionVerdict, Grade, Undecided, Verdict
from app.domain.stations.records import Establishment, OfficeKind
from app.domain.stations.scoring import Score, scores_by_dimension
from app.domain.stations.vocabulary import RULES, SIGNAGE
from app.routers.models import ApiModel, CommunityCode, Fen, ShortText
from app.station_standards import standards

MAX_COUNT = 1_000_000
MAX_PEOPLE = 100_000_000

Count = Annotated[int, Field(strict=True, ge=0, le=MAX_COUNT)]
People = Annotated[int, Field(strict=True, ge=0, le=MAX_PEOPLE, description="人口")]
Flag = Annotated[bool, Field(strict=True)]
SquareMetres = Annotated[Decimal, Field(ge=0, le=MAX_COUNT, decimal_places=4, description="面积，平方米")]
RoomCode = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


def _words(codes: dict[str, str]) -> str:
    return "；".join(f"{code} {text}" for code, text in codes.items())


StandardText = Annotated[
    str,
    StringConstraints(min_length=1, max_length=60),
    Field(
        description=f"标准代码，见 GET /api/v1/station-standards；系统自带 {'、'.join(standards().codes)}，本区自订的也可以",
        examples=["sanyou_siquan"],
    ),
]
RuleCode = StrEnum("RuleCode", {code.upper(): code for code in RULES})  # type: ignore[misc]
SignageCode = StrEnum("SignageCode", {code.upper(): code for code in SIGNAGE})  # type: ignore[misc]


class StaffFacts(ApiModel):
    """一名工作人员。leader 为 true 指站长、副站长（兼任，默认不计入在编人数）。"""

    name: ShortText | None = None
    establishment: Establishment | None = Field(
        default=None, description="administrative 行政编；institutional 事业编；other 其他"
    )
    full_time: Flag | None = Field(default=None, description="专职")
    position: ShortText | None = None
    since: date | None = Field(default=None, description="任职日期")
    education: ShortText | None = Field(default=None, description="学历，如 大专、本科")
    leader: Flag | None = None
    filed: Flag | None = Field(default=None, description="统一培训、考试合格后已备案")
    consulted: Flag | None = Field(default=None, description="任职前已征求区民政局意见")

    def to_domain(self) -> facts.StaffFact:
        values = self.model_dump()
        return facts.StaffFact(**{**values, "leader": bool(self.leader)})


class PremisesFacts(ApiModel):
    """办公场所。"""

    area_m2: SquareMetres | None = None
    independent: Flag | None = Field(default=None, description="独立使用")
    accessible: Flag | None = Field(default=None, description="方便群众办事")
    service_window: Flag | None = Field(default=None, description="设有服务窗口")
    archive_room: Flag | None = Field(default=None, description="设有档案室")

    def to_domain(self) -> facts.PremisesFact:
        return facts.PremisesFact(**self.model_dump())


class BudgetFacts(ApiModel):
    """工作经费。"""

    in_fiscal_budget: Flag | None = Field(default=None, description="纳入财政预算")
    monthly_disbursed: Flag | None = Field(default=None, description="按月拨付")
    amount_fen: Fen | None = None
    last_year_fen: Fen | None = Field(default=None, description="上年度工作经费，单位：分")

    def to_domain(self) -> facts.BudgetFact:
        return facts.BudgetFact(**self.model_dump())


class EquipmentFacts(ApiModel):
    """可用的办公设施数量；不填表示未知，没有请填 0。"""

    computer: Count | None = None
    telephone: Count | None = None
    fax: Count | None = None
    printer: Count | None = None
    camera: Count | None = None
    vehicle: Count | None = None

    def to_domain(self) -> facts.EquipmentFact:
        return facts.EquipmentFact(**self.model_dump())


class ArchivesFacts(ApiModel):
    """档案份数；装订、数字化的份数不能多于总数。"""

    total: Count | None = None
    bound: Count | None = Field(default=None, description="已装订成册")
    digitised: Count | None = Field(default=None, description="已实现微机管理")
    confidential: Flag | None = Field(default=None, description="符合保密要求")

    def to_domain(self) -> facts.ArchivesFact:
        return facts.ArchivesFact(**self.model_dump())


class CommunityFacts(ApiModel):
    """一个村（社区）。"""

    area_code: CommunityCode | None = None
    kind: facts.CommunityKind | None = None
    population: People | None = None
    informants: Count | None = Field(default=None, description="信息监督员人数")

    def to_domain(self) -> facts.CommunityFact:
        return facts.CommunityFact(**self.model_dump())


class TrainingsFacts(ApiModel):
    """本年已举办的培训次数。"""

    assistants_this_year: Count | None = Field(default=None, description="民政助理员培训")
    coordinators_this_year: Count | None = Field(default=None, description="村居协管员培训")

    def to_domain(self) -> facts.TrainingsFact:
        return facts.TrainingsFact(**self.model_dump())


class MeetingsFacts(ApiModel):
    """近十二个月的例会和季度检查次数。"""

    monthly_held_12m: Count | None = None
    quarterly_checks_12m: Count | None = None

    def to_domain(self) -> facts.MeetingsFact:
        return facts.MeetingsFact(**self.model_dump())


class CommunityOfficeFacts(ApiModel):
    """社区办公场所。rooms 的代码以 _room（室）、_station（站）、_hall（厅）、_ground（场所）结尾。"""

    area_m2: SquareMetres | None = None
    kind: OfficeKind | None = Field(default=None, description="urban 城市社区；township 乡镇社区")
    rooms: list[RoomCode] | None = Field(default=None, max_length=100)

    def to_domain(self) -> facts.CommunityOfficeFact:
        rooms = None if self.rooms is None else frozenset(self.rooms)
        return facts.CommunityOfficeFact(self.area_m2, self.kind, rooms)


class TallyFacts(ApiModel):
    """一个运行指标的件数；part 不能多于 whole。"""

    part: Count | None = Field(default=None, description="达标件数")
    whole: Count | None = Field(default=None, description="总件数；0 表示期内没有发生")
    recorded: Flag | None = Field(default=None, description="false 表示没有记录此类数据，该条不判断、不计分")

    def to_domain(self) -> facts.TallyFact:
        return facts.TallyFact(self.part, self.whole, self.recorded is not False)


class OperationsFacts(ApiModel):
    """近十二个整月的运行情况，见代码表 station_operating_measure。系统内的由业务数据得出，不由站点填报。"""

    home_visit_rate: TallyFacts | None = None
    survey_rate: TallyFacts | None = None
    on_time_rate: TallyFacts | None = None
    notice_rate: TallyFacts | None = None
    review_rate: TallyFacts | None = None
    complete_case_files: TallyFacts | None = None
    digital_case_files: TallyFacts | None = None
    account_paid_rate: TallyFacts | None = None
    lead_on_time_rate: TallyFacts | None = None
    active_informants: TallyFacts | None = None
    service_on_time_rate: TallyFacts | None = None
    hotline_rate: TallyFacts | None = None
    petition_rate: TallyFacts | None = None

    def to_domain(self) -> facts.OperationsFact:
        given = {name: getattr(self, name) for name in type(self).model_fields}
        return facts.OperationsFact(**{name: tally.to_domain() for name, tally in given.items() if tally is not None})


class ClaimedFacts(ApiModel):
    """表格自己写的合计数；与所列各项不符时退回。"""

    staff: Count | None = Field(default=None, description="工作人员总数（含站长、副站长）")
    established_staff: Count | None = Field(default=None, description="在编总数（行政编加事业编，含站长、副站长）")
    communities: Count | None = Field(default=None, description="村（社区）总数")
    informants: Count | None = Field(default=None, description="信息监督员总数")

    def to_domain(self) -> facts.ClaimedTotals:
        return facts.ClaimedTotals(**self.model_dump())


class StationFacts(ApiModel):
    """一个民政工作站的事实。不填或 null 表示未知，空列表表示没有。"""

    staff: list[StaffFacts] | None = Field(default=None, max_length=500)
    premises: PremisesFacts | None = None
    budget: BudgetFacts | None = None
    equipment: EquipmentFacts | None = None
    rules: list[RuleCode] | None = Field(default=None, max_length=100, description=_words(RULES))
    signage: list[SignageCode] | None = Field(default=None, max_length=100, description=_words(SIGNAGE))
    archives: ArchivesFacts | None = None
    communities: list[CommunityFacts] | None = Field(default=None, max_length=1000)
    population: People | None = Field(default=None, description="辖区人口，须等于各村（社区）人口之和")
    trainings: TrainingsFacts | None = None
    meetings: MeetingsFacts | None = None
    volunteers: Count | None = Field(default=None, description="志愿者人数")
    emergency_plan: Flag | None = Field(default=None, description="有一套应急措施")
    community_office: CommunityOfficeFacts | None = None
    operations: OperationsFacts | None = None
    claimed: ClaimedFacts | None = None

    def to_domain(self) -> facts.Facts:
        groups = (
            "premises",
            "budget",
            "equipment",
            "archives",
            "trainings",
            "meetings",
            "community_office",
            "operations",
            "claimed",
        )
        given: dict[str, Any] = {name: getattr(self, name).to_domain() for name in groups if getattr(self, name) is not None}
        return facts.Facts(
            staff=None if self.staff is None else tuple(post.to_domain() for post in self.staff),
            rules=None if self.rules is None else frozenset(str(code.value) for code in self.rules),
            signage=None if self.signage is None else frozenset(str(code.value) for code in self.signage),
            communities=None if self.communities is None else tuple(each.to_domain() for each in self.communities),
            population=self.population,
            volunteers=self.volunteers,
            emergency_plan=self.emergency_plan,
            **given,
        )


class StationAssessmentRequest(ApiModel):
    """一次工作站评估所需的全部事实。"""

    standard: StandardText
    as_of: date = Field(ge=date(1949, 10, 1), le=date(2100, 12, 31), description="评估日期：按该日生效的标准版本评估")
    facts: StationFacts


# --- the answer ------------------------------------------------------------------------------------------------------------


class CriterionVerdictView(ApiModel):
    """一项条款的结论。"""

    code: str
    name: str
    dimension: Dimension = Field(description="验收六方面之一")
    mandatory: bool = Field(description="必达条款；为 false 时只计分")
    met: bool | None = Field(description="null 表示尚不能判断，原因见 reason")
    reason: Undecided | None
    warning: Caution | None
    measured: str | None
    required: str | None
    unit: str | None
    comparator: Comparator
    lacking: list[str] = Field(description="缺少的代码，或不达标的村（社区）")
    missing: list[str] = Field(description="尚缺的事实在请求中的位置")
    assumption: str | None = Field(description="原文未明确之处的处理")
    article: str
    evidence: list[str] = Field(description="应备的佐证材料")

    @classmethod
    def of(cls, verdict: Verdict) -> CriterionVerdictView:
        criterion = verdict.criterion
        return cls(
            code=criterion.code,
            name=criterion.name,
            dimension=criterion.dimension,
            mandatory=criterion.mandatory,
            met=verdict.met,
            reason=verdict.reason,
            warning=verdict.warning,
            measured=verdict.measured,
            required=verdict.required,
            unit=verdict.unit,
            comparator=criterion.comparator,
            lacking=list(verdict.lacking),
            missing=list(verdict.missing),
            assumption=verdict.assumption,
            article=criterion.article,
            evidence=list(criterion.evidence),
        )


class DimensionVerdictView(ApiModel):
    """一个方面的结论：由必达条款决定；各计数含计分条款。"""

    dimension: Dimension
    met: bool | None
    reason: Undecided | None
    criteria_total: int
    criteria_met: int
    criteria_failed: int
    points: str | None = Field(default=None, description="百分制得分：达标条款的分值占比，截取到两位小数")

    @classmethod
    def of(cls, verdict: DimensionVerdict, score: Score) -> DimensionVerdictView:
        return cls(**asdict(verdict), points=score.shown)


class StationAssessmentView(ApiModel):
    """评估结论。不保存任何内容。"""

    standard: str
    version: str = Field(description="标准版本：生效日期/内容摘要")
    criteria: list[CriterionVerdictView]
    dimensions: list[DimensionVerdictView]
    grade: Grade = Field(description="全部必达条款达标为 qualified，有不达标的为 unqualified，事实不足为 undetermined")

    @classmethod
    def of(cls, assessment: Assessment) -> StationAssessmentView:
        scores = scores_by_dimension(assessment.criteria)
        return cls(
            standard=assessment.standard,
            version=assessment.version,
            criteria=[CriterionVerdictView.of(verdict) for verdict in assessment.criteria],
            dimensions=[DimensionVerdictView.of(verdict, scores[verdict.dimension]) for verdict in assessment.dimensions],
            grade=assessment.grade,
        )
