"""The answer of an assessment as it is published."""

from __future__ import annotations

from datetime import date

from pydantic import Field

from app.domain.eligibility.model import Outcome
from app.routers.models import ApiModel


class ComponentView(ApiModel):
    """金额的一个组成部分。"""

    kind: str
    member: str | None
    amount_fen: int


class ReasonView(ApiModel):
    """一条核对过的规则。measured、limit 为元（或件数、日期），截取到四位小数；比较本身是精确的。"""

    code: str
    article: str
    measured: str | None
    limit: str | None
    met: bool | None = Field(description="null 表示材料不足，尚不能判断")


class StepView(ApiModel):
    """计算过程的一步。"""

    step: str
    value: int | str | bool | None
    article: str
    because: str
    member: str | None


class MissingView(ApiModel):
    """缺少的事实：在请求中的位置，和应补充的内容。"""

    pointer: str
    message: str


class ResultView(ApiModel):
    """一个项目（及成员）的结论。"""

    programme: str
    member: str | None = Field(description="按人项目的成员编号；按户项目为 null")
    authority: str = Field(description="主管部门")
    outcome: Outcome
    monthly_fen: int | None
    one_off_fen: int | None
    components: list[ComponentView]
    starts_month: str | None
    ends_month: str | None
    next_review_on: date | None
    valid_until: date | None
    reasons: list[ReasonView]
    missing: list[MissingView]
    trace: list[StepView]
    explanation: str | None = Field(default=None, description="中文说明，仅在 explain=true 时给出")


class AssessmentView(ApiModel):
    """测算结论。不保存任何内容。"""

    policy_version: str
    engine_version: str
    notice: str | None = Field(default=None, description="“演示参数”：当地参数为测试值，不得用于实际工作")
    results: list[ResultView]
