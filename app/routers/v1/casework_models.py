"""Request and response models of casework."""

from __future__ import annotations

from dataclasses import asdict
from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from app.domain.casework.clocks import overdue
from app.domain.casework.desk import Standing
from app.domain.casework.model import Application, Decision, FrozenAssessment, PublicNotice, RunningClock
from app.domain.casework.service import Draft
from app.domain.casework.workflow import Act, State
from app.routers.models import ApiModel, LongText, ShortText
from app.routers.v1.eligibility_answer import ReasonView, ResultView
from app.routers.v1.eligibility_facts import HouseholdFacts

ProgrammeOfCasework = Literal["dibao"]


class NewApplication(ApiModel):
    """一件新申请。"""

    household_id: UUID = Field(description="本辖区内已登记的家庭")
    programme: ProgrammeOfCasework = Field(default="dibao", description="项目代码")
    applicant_person_id: UUID | None = Field(default=None, description="申请人，应为家庭成员；不填为户主")
    facts: HouseholdFacts | None = Field(default=None, description="家庭事实，可以稍后填报；成员的 ref 为人员编号")

    def draft(self) -> Draft:
        facts = self.facts.to_domain() if self.facts else None
        return Draft(self.household_id, self.programme, self.applicant_person_id, facts)


class ActNote(ApiModel):
    """办理备注，可以不填。"""

    note: LongText | None = None


class SupplementNotice(ApiModel):
    """一次性告知：列出全部所缺材料。"""

    missing_items: Annotated[list[ShortText], Field(min_length=1, max_length=50, description="全部所缺材料或事项")]
    note: LongText | None = None


class RefusalNote(ApiModel):
    """不予确认的理由。"""

    reason: LongText | None = Field(
        default=None, description="初审拟不予保障的可以不填，以测算理由为准；初审拟予保障的必须写明理由和依据条款"
    )


class DeadlineOut(ApiModel):
    """一项办理时限。逾期只提示，不妨碍办理。"""

    kind: str = Field(description="start_survey 启动调查，total 总时限，confirm 县级确认，refusal_notice 不予确认书面告知")
    starts_on: date = Field(description="起算日（当日不计）")
    days: int = Field(description="工作日数")
    due_on: date
    provisional: bool = Field(description="期限跨入尚未公布放假安排的年份，为暂定日期，公布后重新计算")
    article: str
    met_on: date | None = Field(description="办结或中止之日；为 null 表示仍在计时")
    overdue: bool

    @classmethod
    def of(cls, clock: RunningClock, today: date) -> DeadlineOut:
        return cls(**asdict(clock), overdue=overdue(clock.due_on, clock.met_on, today))


class NoticePeriodOut(ApiModel):
    """公示期。"""

    id: UUID
    posted_on: date
    last_day: date
    closable_from: date = Field(description="最早可以结束公示的日期")
    closed_on: date | None

    @classmethod
    def of(cls, notice: PublicNotice) -> NoticePeriodOut:
        return cls(**{name: getattr(notice, name) for name in cls.model_fields})


class ActAnswer(ApiModel):
    """办理结果：新的状态、时限，以及本人接下来可以办理的事项。"""

    id: UUID
    number: str
    state: State
    version: int
    missing_items: list[str]
    deadline: DeadlineOut | None = Field(description="最近的一项时限")
    deadlines: list[DeadlineOut] = Field(description="仍在计时的全部时限")
    next_acts: list[Act] = Field(description="本人现在可以办理的事项")
    notice: NoticePeriodOut | None = Field(default=None, description="开始或结束公示时给出公示期")
    decision_id: UUID | None = None
    entitlement_id: UUID | None = Field(default=None, description="确认后产生的保障记录")

    @classmethod
    def of(cls, standing: Standing, today: date) -> ActAnswer:
        application = standing.application
        deadlines = [DeadlineOut.of(clock, today) for clock in standing.clocks]
        return cls(
            id=application.id,
            number=application.number,
            state=application.state,
            version=application.version,
            missing_items=list(application.missing_items),
            deadline=deadlines[0] if deadlines else None,
            deadlines=deadlines,
            next_acts=list(standing.next_acts),
            notice=NoticePeriodOut.of(standing.notice) if standing.notice else None,
            decision_id=application.decision_id,
            entitlement_id=standing.entitlement_id,
        )


class ApplicationLineOut(ApiModel):
    """申请列表中的一行。"""

    id: UUID
    number: str
    programme: str
    state: State
    area_code: str
    household_id: UUID
    applicant_person_id: UUID
    applicant_name: str | None = Field(description="申请人已迁出本辖区时为 null")
    submitted_at: datetime | None
    accepted_on: date | None
    version: int
    created_at: datetime


class ApplicationOut(ApiModel):
    """一件申请。"""

    id: UUID
    number: str
    programme: str
    state: State
    area_code: str
    household_id: UUID
    applicant_person_id: UUID
    residence: str
    facts: HouseholdFacts | None
    missing_items: list[str] = Field(description="退回补正时一次性告知的全部材料")
    submitted_at: datetime | None
    accepted_on: date | None
    decision_id: UUID | None
    entitlement_id: UUID | None
    closed_at: datetime | None
    version: int
    created_at: datetime
    updated_at: datetime
    next_acts: list[Act] = Field(description="本人现在可以办理的事项")

    @classmethod
    def of(cls, application: Application, next_acts: tuple[Act, ...], entitlement_id: UUID | None) -> ApplicationOut:
        own = {name: getattr(application, name) for name in cls.model_fields if hasattr(application, name)}
        facts = None if application.facts is None else HouseholdFacts.model_validate(application.facts)
        shown: dict[str, Any] = {"facts": facts, "missing_items": list(application.missing_items), "next_acts": list(next_acts)}
        return cls(**own | shown, entitlement_id=entitlement_id)


class TimelineEntryOut(ApiModel):
    """办理过程中的一步。"""

    number: int
    act: str
    from_state: State | None
    to_state: State
    at: datetime
    business_date: date
    actor_id: UUID
    actor_name: str
    note: str | None
    details: dict[str, Any] | None


class DecisionLine(ApiModel):
    """一项初审意见或决定。"""

    id: UUID
    kind: Literal["opinion", "confirmation", "refusal"]
    outcome: Literal["positive", "negative", "confirmed", "refused"]
    business_date: date
    decided_at: datetime
    decided_by: UUID
    decided_by_name: str
    text: str | None

    @classmethod
    def of(cls, decision: Decision) -> DecisionLine:
        return cls(**{name: getattr(decision, name) for name in cls.model_fields})


class DecisionFile(ApiModel):
    """决定卷宗：作出时的事实、政策版本、结论、理由和计算过程，作出后不再改变。"""

    application_id: UUID
    decision: DecisionLine = Field(description="最近一项：已决定的为决定，否则为初审意见")
    reasons: list[ReasonView]
    policy_version: str
    engine_version: str
    notice: str | None = Field(description="“演示参数”：当地参数为测试值")
    facts: dict[str, Any] = Field(description="测算所用的全部事实，与一次性测算的请求同形")
    parameters: list[dict[str, Any]] = Field(description="所引用的政策参数及其来源")
    result: ResultView
    history: list[DecisionLine] = Field(description="此前的各项意见，先后为序")

    @classmethod
    def of(cls, application_id: UUID, filed: list[tuple[Decision, FrozenAssessment]]) -> DecisionFile:
        decision, assessment = filed[-1]
        return cls(
            application_id=application_id,
            decision=DecisionLine.of(decision),
            reasons=[ReasonView.model_validate(reason) for reason in decision.reasons],
            policy_version=assessment.policy_version,
            engine_version=assessment.engine_version,
            notice=assessment.notice,
            facts=dict(assessment.inputs),
            parameters=[dict(row) for row in assessment.parameters],
            result=ResultView.model_validate(assessment.result),
            history=[DecisionLine.of(earlier) for earlier, _ in filed[:-1]],
        )
