"""A scheme of the year-end assessment, as it is laid down and shown."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import Field, StringConstraints

from app.domain.appraisals import Scheme
from app.domain.appraisals.scheme import FULL_POINTS, WHOLE_WEIGHT, Direction, Line, Part, Round
from app.routers.models import ApiModel, LongText, ShortText

Code = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,59}$"), Field(description="代码：小写字母、数字和下划线")]
Points = Annotated[int, Field(strict=True, ge=0, le=FULL_POINTS, description="百分之一分为单位（9350 为 93.50 分）")]
Amount = Annotated[
    Decimal, Field(ge=0, lt=10**10, decimal_places=2, allow_inf_nan=False, description="按指标的单位，至多两位小数")
]
Weight = Annotated[int, Field(strict=True, ge=0, le=WHOLE_WEIGHT)]
Year = Annotated[int, Field(strict=True, ge=2000, le=2100, description="考核年度")]


class PartIn(ApiModel):
    """一个组成部分的权重。"""

    part: Part = Field(description="self_review 自评、leader 主要领导评分、survey 社会公认度、indicators 指标完成情况")
    round: Round = Field(description="mid_year 年中、year_end 年终；指标只在年终计分")
    weight: Weight = Field(description="百分比；各部分合计 100")


class IndicatorIn(ApiModel):
    """一项指标。"""

    code: Code
    name: ShortText
    line: Line = Field(description="common 共性指标，business 业务指标")
    business: ShortText | None = Field(default=None, description="业务条线，业务指标必填")
    unit: ShortText = Field(description="计量单位")
    direction: Direction = Field(description="higher 越高越好，lower 越低越好")
    weight: Annotated[int, Field(strict=True, ge=1, le=1000)] = Field(description="在指标中的权重")
    target: Amount | None = Field(default=None, description="默认目标值；不填则逐站下达")
    measure: Code | None = Field(default=None, description="由系统数据得出，见代码表 appraisal_measure；不填则由站点填报")
    source: LongText = Field(description="来源原文或文号")


class RuleIn(ApiModel):
    """一项加分。"""

    code: Code
    name: ShortText
    most_points: Points = Field(gt=0, description="每次至多，百分之一分为单位")
    cap_points: Points = Field(gt=0, description="全年至多，百分之一分为单位")
    source: LongText


class DeductionIn(ApiModel):
    """一项扣分；由系统计算的不填每次至多。"""

    code: Code
    name: ShortText
    most_points: Points | None = Field(default=None, gt=0, description="每次至多，百分之一分为单位；由系统计算的不填")
    cap_points: Points = Field(gt=0, description="全年至多，百分之一分为单位")
    measure: Code | None = Field(default=None, description="由系统计算，如 acceptance_points_off 验收结果的扣分")
    source: LongText


class VetoIn(ApiModel):
    """一项一票否决事项。"""

    code: Code
    name: ShortText
    source: LongText


class GradeIn(ApiModel):
    """一个等次。"""

    grade: Code
    name: ShortText
    at_least_points: Points


class PersonnelIn(ApiModel):
    """人员考核：例会和检查各占多少。"""

    meeting_weight: Weight
    check_weight: Weight
    excellent_from_points: Points
    qualified_from_points: Points
    source: LongText


class SchemeIn(ApiModel):
    """考核细则的一个版本。"""

    code: Code
    version: ShortText
    title: ShortText
    source: LongText = Field(description="依据")
    from_year: Year = Field(description="自该年度起适用")
    weights: Annotated[list[PartIn], Field(min_length=1, max_length=7)]
    indicators: Annotated[list[IndicatorIn], Field(min_length=1, max_length=100)]
    bonuses: Annotated[list[RuleIn], Field(max_length=50)]
    deductions: Annotated[list[DeductionIn], Field(max_length=50)]
    vetoes: Annotated[list[VetoIn], Field(max_length=50)]
    bonus_cap_points: Points = Field(description="加分合计至多")
    deduction_cap_points: Points = Field(description="扣分合计至多")
    survey_least_sample: Annotated[int, Field(strict=True, ge=1, le=1_000_000)] = Field(
        description="社会公认度调查的最少有效样本"
    )
    grades: Annotated[list[GradeIn], Field(min_length=1, max_length=10)] = Field(description="由高到低，最后一等从 0 分起")
    personnel: PersonnelIn

    def document(self) -> dict[str, Any]:
        return self.model_dump(mode="json")


class SchemeOut(SchemeIn):
    """考核细则的一个版本；下达后不再改变。"""

    @classmethod
    def of(cls, scheme: Scheme) -> SchemeOut:
        return cls.model_validate(scheme.document)


class SchemeSummary(ApiModel):
    """一项考核细则。"""

    code: str
    title: str
    versions: list[str] = Field(description="各版本，旧的在前")


class SchemeVersions(ApiModel):
    """一项考核细则的全部版本，旧的在前。"""

    code: str
    versions: list[SchemeOut]
